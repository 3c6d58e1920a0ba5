/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "common/text.h"

void text_char(struct text *t, char c)
{
	t->put(t, c);
	t->column = c == '\n' ? 0 : t->column + 1;
}

void text_str(struct text *t, const char *s)
{
	while (*s)
		text_char(t, *s++);
}

/* n := n / 10, the remainder is returned. Bit by bit: stage2 has no 64-bit division. */
static unsigned divide_by_10(uint64_t *n)
{
	uint64_t quotient = 0;
	unsigned rest = 0;

	for (int bit = 63; bit >= 0; bit--) {
		rest = rest << 1 | ((*n >> bit) & 1);
		quotient <<= 1;
		if (rest >= 10) {
			rest -= 10;
			quotient |= 1;
		}
	}
	*n = quotient;
	return rest;
}

void text_u64(struct text *t, uint64_t n)
{
	char digits[20];
	unsigned count = 0;

	do
		digits[count++] = (char)('0' + divide_by_10(&n));
	while (n);
	while (count)
		text_char(t, digits[--count]);
}

void text_hex(struct text *t, uint64_t n, unsigned digits)
{
	unsigned shift = 60;

	while (shift > 0 && shift >= 4 * digits && (n >> shift) == 0)
		shift -= 4;
	for (;; shift -= 4) {
		unsigned d = (n >> shift) & 15;

		text_char(t, (char)(d < 10 ? '0' + d : 'a' + d - 10));
		if (shift == 0)
			break;
	}
}

void text_size(struct text *t, uint64_t s512)
{
	static const char *const units[] = {" KiB", " MiB", " GiB", " TiB", " PiB"};
	unsigned unit = 0, below = 1; /* bits below the unit: two s512 are one KiB */
	uint64_t rest;
	unsigned tenth;

	while (unit < 4 && s512 >> below >= 1024) {
		below += 10;
		unit++;
	}
	/* Ten bits below the point are enough for one decimal. */
	rest = below > 10 ? s512 >> (below - 10) & 1023 : (s512 & 1) << 9;
	tenth = (unsigned)(rest * 10 >> 10);

	text_u64(t, s512 >> below);
	if (tenth) {
		text_char(t, '.');
		text_char(t, (char)('0' + tenth));
	}
	text_str(t, units[unit]);
}

void text_tab(struct text *t, unsigned column)
{
	do
		text_char(t, ' ');
	while (t->column < column);
}

static void buffer_put(struct text *t, char c)
{
	struct text_buffer *b = t->ctx;

	if (b->used + 1 >= b->size)
		return;
	b->buf[b->used++] = c;
	b->buf[b->used] = '\0';
}

void text_buffer_init(struct text_buffer *b, char *buf, size_t size_bytes)
{
	*b = (struct text_buffer){.buf = buf, .size = size_bytes};
	b->text.put = buffer_put;
	b->text.ctx = b;
	if (size_bytes > 0)
		buf[0] = '\0';
}
