/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* The functions that the compiler itself calls. Not linked on the host, where libc has them. */
#include "common/mem.h"

/*
 * The optimizer must not turn these loops back into calls of themselves; the flag
 * is an attribute so that all four flavours of the build get it.
 */
#define PLAIN __attribute__((optimize("no-tree-loop-distribute-patterns")))

PLAIN void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
	uint8_t *t = to;
	const uint8_t *f = from;

	while (n--)
		*t++ = *f++;
	return to;
}

PLAIN void *memmove(void *to, const void *from, size_t n)
{
	uint8_t *t = to;
	const uint8_t *f = from;

	/* Not through memcpy(): it is promised that its two places do not overlap. */
	if (t <= f) {
		while (n--)
			*t++ = *f++;
		return to;
	}
	while (n--)
		t[n] = f[n];
	return to;
}

PLAIN void *memset(void *to, int byte, size_t n)
{
	uint8_t *t = to;

	while (n--)
		*t++ = (uint8_t)byte;
	return to;
}

PLAIN int memcmp(const void *a, const void *b, size_t n)
{
	const uint8_t *x = a, *y = b;

	for (; n--; x++, y++)
		if (*x != *y)
			return *x < *y ? -1 : 1;
	return 0;
}
