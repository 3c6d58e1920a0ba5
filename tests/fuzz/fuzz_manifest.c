/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * Manifests. The input is one byte of flags, then the text; with FIX_SUM the end line that
 * belongs to it is put behind it.
 */
#include "common/manifest.h"
#include "tests/fuzz/fuzz.h"

enum flag { FIX_SUM = 1 };

/* In memory of exactly its size: one byte too far is seen. */
static char *seal(const uint8_t *data, size_t *n)
{
	uint8_t hash[SHA256_BYTES];
	char line[80] = "end ";
	struct sha256 s;
	char *text;

	sha256_init(&s);
	sha256_add(&s, data, *n);
	sha256_end(&s, hash);
	for (unsigned i = 0; i < SHA256_BYTES; i++)
		sprintf(line + 4 + 2 * i, "%02x", hash[i]);
	strcat(line, "\n");
	text = malloc(*n + strlen(line));
	memcpy(text, data, *n);
	memcpy(text + *n, line, strlen(line));
	*n += strlen(line);
	return text;
}

/* What was read, written again, reads the same. */
static void check_again(const struct manifest *m, size_t bytes)
{
	struct manifest_writer w;
	struct manifest_file f, g, found;
	char *text = malloc(bytes + 256);
	size_t at = m->first, at2;
	struct manifest again;
	uint32_t files = 0;

	manifest_begin(&w, text, bytes + 256, &m->set, m->generation, m->state, &m->source);
	while (manifest_next(m, &at, &f)) {
		manifest_add(&w, &f);
		files++;
	}
	check(files == m->files && at == m->end);
	check(manifest_end(&w) == ST_OK && w.bytes <= bytes);
	check(manifest_open(&again, text, w.bytes) == ST_OK);
	check(again.generation == m->generation && again.state == m->state);
	check(again.files == m->files && guid_equal(&again.set, &m->set));
	for (at = m->first, at2 = again.first; manifest_next(m, &at, &f);) {
		check(manifest_next(&again, &at2, &g));
		check(f.bytes == g.bytes && f.fat_time == g.fat_time);
		check(f.path_bytes == g.path_bytes && !memcmp(f.path, g.path, f.path_bytes));
		check(manifest_judge(&f, g.bytes, g.fat_time, g.sha256) == MANIFEST_SAME);
		check(manifest_find(&again, f.path, f.path_bytes, &found));
	}
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct manifest m;
	char *text;
	enum status st;

	if (n < 1)
		return 0;
	n--;
	if (data[0] & FIX_SUM) {
		text = seal(data + 1, &n);
	} else {
		text = malloc(n + !n);
		memcpy(text, data + 1, n);
	}
	st = manifest_open(&m, text, n);
	check(st == ST_OK || st == ST_CORRUPT || st == ST_UNSUPPORTED);
	say_status("manifest", (int)st);
	if (st == ST_OK)
		check_again(&m, n);
	free(text);
	return 0;
}
