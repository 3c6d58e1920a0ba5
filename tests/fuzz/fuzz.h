/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* What the fuzz targets share. Each is one source file that includes this. */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define check(ok) ((ok) ? (void)0 : fuzz_failed(#ok, __FILE__, __LINE__))

static inline void fuzz_failed(const char *what, const char *file, int line)
{
	fprintf(stderr, "%s:%d: not so: %s\n", file, line, what);
	abort();
}

/*
 * What became of an input, in words: tests/fuzz/classes.tsv says what each hand-made seed has
 * to come to, so that it can't cease to reach the check that it was made for.
 */
#define FUZZ_SAID_BYTES 512
extern char fuzz_said[FUZZ_SAID_BYTES];
char fuzz_said[FUZZ_SAID_BYTES];

static inline void say(const char *word)
{
	size_t used = strlen(fuzz_said), n = strlen(word);

	if (used + n + 2 > sizeof(fuzz_said) || strstr(fuzz_said, word))
		return;
	memcpy(fuzz_said + used, word, n);
	memcpy(fuzz_said + used + n, " ", 2);
}

static inline void say_status(const char *what, int status)
{
	static const char *const names[] = {"ok", "absent", "corrupt", "unsupported",
					    "io", "range",  "full",    "readonly"};
	char word[64];

	snprintf(word, sizeof(word), "%s:%s", what,
		 (unsigned)status < sizeof(names) / sizeof(names[0]) ? names[status] : "?");
	say(word);
}

static inline void say_number(const char *what, uint64_t number)
{
	char word[64];

	snprintf(word, sizeof(word), "%s:%llu", what, (unsigned long long)number);
	say(word);
}

/* In memory of just this size, so that one byte too far is seen. */
static inline uint8_t *own_copy(const uint8_t *data, size_t n)
{
	uint8_t *own = malloc(n + !n);

	check(own != NULL);
	if (n)
		memcpy(own, data, n);
	return own;
}

/* The input, taken from its start; zeroes when there is no more. */
struct input {
	const uint8_t *at;
	size_t left;
};

static inline uint8_t take8(struct input *in)
{
	if (in->left == 0)
		return 0;
	in->left--;
	return *in->at++;
}

static inline uint32_t take16(struct input *in)
{
	uint32_t low = take8(in);

	return low | (uint32_t)take8(in) << 8;
}

static inline uint64_t take64(struct input *in)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < 8; i++)
		n |= (uint64_t)take8(in) << 8 * i;
	return n;
}

#endif
