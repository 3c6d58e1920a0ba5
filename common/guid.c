/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "common/guid.h"

#include "common/mem.h"

/* The bytes of a GPT guid in the order in which they are written: three groups little-endian. */
static const uint8_t gpt_order[16] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};

bool guid_equal(const struct guid *a, const struct guid *b)
{
	return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

bool guid_is_zero(const struct guid *g)
{
	return mem_is_zero(g->b, sizeof(g->b));
}

void guid_mark_random(struct guid *g)
{
	g->b[7] = (uint8_t)((g->b[7] & 0x0f) | 0x40);
	g->b[8] = (uint8_t)((g->b[8] & 0x3f) | 0x80);
}

static char hex_digit(unsigned n)
{
	return (char)(n < 10 ? '0' + n : 'a' + n - 10);
}

void guid_text_gpt(const struct guid *g, char text[GUID_TEXT_BYTES])
{
	for (unsigned i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*text++ = '-';
		*text++ = hex_digit(g->b[gpt_order[i]] >> 4);
		*text++ = hex_digit(g->b[gpt_order[i]] & 15);
	}
	*text = '\0';
}

void guid_text_md(const struct guid *g, char text[GUID_TEXT_BYTES])
{
	for (unsigned i = 0; i < 16; i++) {
		if (i && i % 4 == 0)
			*text++ = ':';
		*text++ = hex_digit(g->b[i] >> 4);
		*text++ = hex_digit(g->b[i] & 15);
	}
	*text = '\0';
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool guid_from_text_gpt(struct guid *g, const char *text, size_t chars)
{
	if (chars != GUID_TEXT_BYTES - 1)
		return false;
	for (unsigned i = 0; i < 16; i++) {
		if ((i == 4 || i == 6 || i == 8 || i == 10) && *text++ != '-')
			return false;

		int high = hex_value(*text++), low = hex_value(*text++);

		if (high < 0 || low < 0)
			return false;
		g->b[gpt_order[i]] = (uint8_t)(high << 4 | low);
	}
	return true;
}

bool guid_matches_text(const struct guid *g, const char *text)
{
	bool plain = true, gpt = true;
	unsigned digits = 0;

	for (; *text; text++) {
		int v = hex_value(*text);

		if (v < 0) {
			if (*text == ':' || *text == '-')
				continue;
			return false;
		}
		if (digits == 32)
			return false;

		unsigned i = digits / 2, shift = digits % 2 ? 0 : 4;

		plain = plain && ((g->b[i] >> shift) & 15) == v;
		gpt = gpt && ((g->b[gpt_order[i]] >> shift) & 15) == v;
		digits++;
	}
	return digits == 32 && (plain || gpt);
}

bool guid_from_text(struct guid *g, const char *text, size_t text_bytes)
{
	unsigned digits = 0;

	*g = (struct guid){{0}};
	for (size_t i = 0; i < text_bytes && text[i]; i++) {
		int v = hex_value(text[i]);

		if (v < 0 && (text[i] == ':' || text[i] == '-'))
			continue;
		if (v < 0 || digits == 32)
			return false;
		g->b[digits / 2] |= (uint8_t)(digits % 2 ? v : v << 4);
		digits++;
	}
	return digits == 32;
}
