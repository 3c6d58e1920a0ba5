/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* The two bytes a character in which UEFI has its texts: for people, and from what they typed. */
#ifndef COMMON_UCS2_H
#define COMMON_UCS2_H

#include "common/text.h"

/*
 * As UTF-8; at: little-endian, not aligned. What could harm a terminal is "?": control
 * characters, and those that turn a line around. Half a surrogate pair is U+FFFD.
 */
void ucs2_text(const uint8_t *at, size_t units, struct text *out);

/* *units is never more than bytes. False: it is no UTF-8, or there is no room. */
bool ucs2_from_utf8(const char *text, size_t bytes, uint16_t *to, size_t room, size_t *units);

#endif
