/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "common/ucs2.h"

static bool is_harmful(uint32_t c)
{
	return c < ' ' || (c >= 0x7f && c < 0xa0) || (c >= 0x200e && c <= 0x200f) ||
	       (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

static void put(struct text *out, uint32_t c)
{
	unsigned more = c < 0x80 ? 0 : c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;

	if (is_harmful(c)) {
		text_char(out, '?');
		return;
	}
	text_char(out, (char)(more == 0 ? c : (0xff00u >> (more + 1)) | c >> 6 * more));
	while (more--)
		text_char(out, (char)(0x80 | (c >> 6 * more & 0x3f)));
}

void ucs2_text(const uint8_t *at, size_t units, struct text *out)
{
	for (size_t i = 0; i < units; i++) {
		uint32_t c = at[2 * i] | (uint32_t)at[2 * i + 1] << 8, low = 0;

		if (i + 1 < units)
			low = at[2 * i + 2] | (uint32_t)at[2 * i + 3] << 8;
		if (c >= 0xd800 && c < 0xdc00 && low >= 0xdc00 && low < 0xe000) {
			c = 0x10000 + ((c - 0xd800) << 10 | (low - 0xdc00));
			i++;
		} else if (c >= 0xd800 && c < 0xe000) {
			c = 0xfffd;
		}
		put(out, c);
	}
}

/* One character; how many bytes it has, 0: it is none. */
static unsigned character(const uint8_t *p, size_t bytes, uint32_t *c)
{
	unsigned more = *p < 0x80 ? 0 : *p < 0xe0 ? 1 : *p < 0xf0 ? 2 : 3;

	if ((*p >= 0x80 && *p < 0xc2) || *p >= 0xf5 || more >= bytes)
		return 0;
	*c = more == 0 ? *p : *p & 0x3fu >> more;
	for (unsigned i = 1; i <= more; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		*c = *c << 6 | (p[i] & 0x3f);
	}
	if (*c == 0 || *c > 0x10ffff || (*c >= 0xd800 && *c < 0xe000) ||
	    (more == 2 && *c < 0x800) || (more == 3 && *c < 0x10000))
		return 0;
	return more + 1;
}

bool ucs2_from_utf8(const char *text, size_t bytes, uint16_t *to, size_t room, size_t *units)
{
	const uint8_t *p = (const uint8_t *)text;
	uint32_t c;
	unsigned n;

	*units = 0;
	for (size_t at = 0; at < bytes; at += n) {
		n = character(p + at, bytes - at, &c);
		if (n == 0 || room - *units < (c < 0x10000 ? 1u : 2u))
			return false;
		if (c >= 0x10000) {
			to[(*units)++] = (uint16_t)(0xd800 | (c - 0x10000) >> 10);
			c = 0xdc00 | (c & 0x3ff);
		}
		to[(*units)++] = (uint16_t)c;
	}
	return true;
}
