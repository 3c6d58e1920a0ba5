/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * Text made without printf: into a sink (VGA, serial, ConOut, a FILE, a buffer),
 * one character at a time. Numbers go out without 64-bit division.
 */
#ifndef COMMON_TEXT_H
#define COMMON_TEXT_H

#include "common/guid.h"

#include <stddef.h>
#include <stdint.h>

struct text {
	void (*put)(struct text *t, char c);
	void *ctx;
	unsigned column; /* characters since the last newline; kept by text_char */
};

void text_char(struct text *t, char c);
void text_str(struct text *t, const char *s);
void text_u64(struct text *t, uint64_t n);
void text_hex(struct text *t, uint64_t n, unsigned digits); /* at least so many digits */
/* "40 MiB", "931.5 GiB": a size given in s512 units. */
void text_size(struct text *t, uint64_t s512);
/* Blanks up to this column; at least one. */
void text_tab(struct text *t, unsigned column);

/* A sink that fills a buffer, always NUL-terminated; what does not fit is cut. */
struct text_buffer {
	struct text text; /* give &b.text to the writers */
	char *buf;
	size_t size, used;
};
void text_buffer_init(struct text_buffer *b, char *buf, size_t size_bytes);

#endif
