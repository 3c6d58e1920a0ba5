/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * The four functions that a freestanding compiler expects, with their standard
 * meaning. <string.h> can't be included for -m32 without multilib headers.
 */
#ifndef COMMON_MEM_H
#define COMMON_MEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void *memcpy(void *restrict to, const void *restrict from, size_t n);
void *memmove(void *to, const void *from, size_t n);
void *memset(void *to, int byte, size_t n);
int memcmp(const void *a, const void *b, size_t n);

/* Are all n bytes zero? */
bool mem_is_zero(const void *p, size_t n);

/* Are these n bytes, and no more, the C string s? */
bool mem_is_str(const char *p, size_t n, const char *s);

#endif
