/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* A manifest of any bytes and of any length: one that is longer than it may be, too. */
#include "common/manifest.h"

#include "tests/prove/prove.h"

#define ROOM       (MANIFEST_BYTES_MAX + 64)
#define PATH_BYTES 1100

static char text[ROOM];

/* In place of sha256.c: any sum; the text that it is made of must be there. */
void sha256_init(struct sha256 *s)
{
	ANY_BYTES(*s);
}

void sha256_add(struct sha256 *s, const void *data, size_t bytes)
{
	//@ assert readable: bytes == 0 || \valid_read((char *)data + (0 .. bytes - 1));
	ANY_BYTES(*s);
}

void sha256_end(struct sha256 *s, uint8_t out[SHA256_BYTES])
{
	Frama_C_make_unknown((char *)out, SHA256_BYTES);
}

void prove_main(void)
{
	struct manifest m;
	struct manifest_file f;
	char path[PATH_BYTES];
	uint8_t sha256[SHA256_BYTES];
	size_t at;

	Frama_C_make_unknown(text, ROOM);
	Frama_C_make_unknown(path, PATH_BYTES);
	ANY_BYTES(sha256);
	manifest_path_ok(path, any_below(PATH_BYTES + 1));
	if (manifest_open(&m, text, any_below(ROOM + 1)) != ST_OK)
		return;
	at = m.first;
	while (manifest_next(&m, &at, &f))
		manifest_judge(&f, any_u64(), any_u32(), sha256);
	manifest_find(&m, path, any_below(PATH_BYTES + 1), &f);
}
