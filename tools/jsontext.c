/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tools/jsontext.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define REPLACEMENT "\xef\xbf\xbd"

/* Bytes of the character at p (RFC 3629: shortest form, no surrogates, up to 10FFFFh); 0: none. */
static size_t character(const uint8_t *p)
{
	static const uint32_t lowest[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t n = p[0] < 0x80 ? 1 : p[0] < 0xc0 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	uint32_t c;

	if (n < 2)
		return n;
	if (p[0] >= 0xf8)
		return 0;
	c = p[0] & (0x7fu >> n);
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	return c < lowest[n] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000) ? 0 : n;
}

struct json_object *jsontext(const char *text)
{
	struct json_object *o;
	size_t used = 0;
	char *out;

	if (!text)
		return NULL;
	out = malloc(strlen(text) * strlen(REPLACEMENT) + 1);
	if (!out)
		abort();
	while (*text) {
		size_t n = character((const uint8_t *)text);

		memcpy(out + used, n ? text : REPLACEMENT, n ? n : strlen(REPLACEMENT));
		used += n ? n : strlen(REPLACEMENT);
		text += n ? n : 1;
	}
	out[used] = 0;
	o = json_object_new_string(out);
	free(out);
	return o;
}
