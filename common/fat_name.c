/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* FAT: short and long names as UTF-8. */
#include "common/fat.h"

#include "common/mem.h"

/* Code page 437, 80h to FFh. */
static const uint16_t cp437[128] = {
	0x00c7, 0x00fc, 0x00e9, 0x00e2, 0x00e4, 0x00e0, 0x00e5, 0x00e7, 0x00ea, 0x00eb, 0x00e8,
	0x00ef, 0x00ee, 0x00ec, 0x00c4, 0x00c5, 0x00c9, 0x00e6, 0x00c6, 0x00f4, 0x00f6, 0x00f2,
	0x00fb, 0x00f9, 0x00ff, 0x00d6, 0x00dc, 0x00a2, 0x00a3, 0x00a5, 0x20a7, 0x0192, 0x00e1,
	0x00ed, 0x00f3, 0x00fa, 0x00f1, 0x00d1, 0x00aa, 0x00ba, 0x00bf, 0x2310, 0x00ac, 0x00bd,
	0x00bc, 0x00a1, 0x00ab, 0x00bb, 0x2591, 0x2592, 0x2593, 0x2502, 0x2524, 0x2561, 0x2562,
	0x2556, 0x2555, 0x2563, 0x2551, 0x2557, 0x255d, 0x255c, 0x255b, 0x2510, 0x2514, 0x2534,
	0x252c, 0x251c, 0x2500, 0x253c, 0x255e, 0x255f, 0x255a, 0x2554, 0x2569, 0x2566, 0x2560,
	0x2550, 0x256c, 0x2567, 0x2568, 0x2564, 0x2565, 0x2559, 0x2558, 0x2552, 0x2553, 0x256b,
	0x256a, 0x2518, 0x250c, 0x2588, 0x2584, 0x258c, 0x2590, 0x2580, 0x03b1, 0x00df, 0x0393,
	0x03c0, 0x03a3, 0x03c3, 0x00b5, 0x03c4, 0x03a6, 0x0398, 0x03a9, 0x03b4, 0x221e, 0x03c6,
	0x03b5, 0x2229, 0x2261, 0x00b1, 0x2265, 0x2264, 0x2320, 0x2321, 0x00f7, 0x2248, 0x00b0,
	0x2219, 0x00b7, 0x221a, 0x207f, 0x00b2, 0x25a0, 0x00a0,
};

/* What no name, short or long, may have (spec 6.1, 7). */
static bool is_forbidden(uint32_t c)
{
	static const char forbidden[] = "\"*/:<>?\\|\x7f";

	for (unsigned i = 0; forbidden[i]; i++)
		if (c == (uint8_t)forbidden[i])
			return true;
	return c < ' ';
}

static size_t put_utf8(char *out, uint32_t c)
{
	unsigned more = c < 0x80 ? 0 : c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
	static const uint8_t lead[4] = {0, 0xc0, 0xe0, 0xf0};

	out[0] = (char)(lead[more] | c >> 6 * more);
	for (unsigned i = 1; i <= more; i++)
		out[i] = (char)(0x80 | ((c >> 6 * (more - i)) & 0x3f));
	return more + 1;
}

uint8_t fat_short_sum(const uint8_t name[11])
{
	uint8_t sum = 0;

	for (unsigned i = 0; i < 11; i++)
		sum = (uint8_t)((sum & 1) << 7 | sum >> 1) + name[i];
	return sum;
}

/* Up to the blanks at its end. */
static bool put_part(const uint8_t *part, unsigned n, bool lower, char *name, size_t *bytes)
{
	while (n && part[n - 1] == ' ')
		n--;
	for (unsigned i = 0; i < n; i++) {
		uint32_t c = part[i];

		if (is_forbidden(c) || c == '.')
			return false;
		if (lower && c >= 'A' && c <= 'Z')
			c += 'a' - 'A';
		*bytes += put_utf8(name + *bytes, c < 0x80 ? c : cp437[c - 0x80]);
	}
	return true;
}

bool fat_short_name(const struct fat_slot *s, char *name, size_t *bytes)
{
	uint8_t base[8];
	size_t before_dot;

	memcpy(base, s->name, sizeof(base));
	if (base[0] == FAT_IS_E5)
		base[0] = 0xe5;
	*bytes = 0;
	if (base[0] == ' ' ||
	    !put_part(base, sizeof(base), s->lower_case & FAT_LOWER_NAME, name, bytes))
		return false;
	before_dot = (*bytes)++;
	name[before_dot] = '.';
	if (!put_part(s->name + 8, 3, s->lower_case & FAT_LOWER_EXT, name, bytes))
		return false;
	if (*bytes == before_dot + 1)
		*bytes = before_dot;
	name[*bytes] = '\0';
	return true;
}

bool fat_long_name(const uint16_t *units, unsigned n, char name[FAT_NAME_BYTES], size_t *bytes)
{
	bool only_dots = true;

	*bytes = 0;
	if (n == 0 || n > FAT_NAME_UNITS)
		return false;
	for (unsigned i = 0; i < n; i++) {
		uint32_t c = units[i];

		if (c >= 0xdc00 && c <= 0xdfff)
			return false;
		if (c >= 0xd800 && c <= 0xdbff) {
			if (i + 1 == n || units[i + 1] < 0xdc00 || units[i + 1] > 0xdfff)
				return false;
			c = 0x10000 + ((c - 0xd800) << 10) + (units[++i] - 0xdc00u);
		}
		if (is_forbidden(c))
			return false;
		only_dots = only_dots && c == '.';
		*bytes += put_utf8(name + *bytes, c);
	}
	name[*bytes] = '\0';
	return !only_dots;
}
