/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * The host does not link freestanding.c, so it is compiled here under other names and
 * compared with libc.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#define memcpy  free_memcpy
#define memmove free_memmove
#define memset  free_memset
#define memcmp  free_memcmp
#include "common/freestanding.c"
#undef memcpy
#undef memmove
#undef memset
#undef memcmp

#define ROOM 64

static uint8_t ours[ROOM], libc[ROOM];

static void fill(void)
{
	for (unsigned i = 0; i < ROOM; i++)
		ours[i] = libc[i] = (uint8_t)(i * 7 + 1);
}

/* Every overlap there is in a small room, both ways. */
static void moves(void **state)
{
	for (unsigned to = 0; to < 24; to++)
		for (unsigned from = 0; from < 24; from++)
			for (unsigned n = 0; n < 24; n++) {
				fill();
				assert_ptr_equal(free_memmove(ours + to, ours + from, n),
						 ours + to);
				memmove(libc + to, libc + from, n);
				assert_memory_equal(ours, libc, ROOM);
			}
}

static void copies(void **state)
{
	for (unsigned n = 0; n <= 24; n++) {
		fill();
		assert_ptr_equal(free_memcpy(ours + 3, ours + 32, n), ours + 3);
		memcpy(libc + 3, libc + 32, n);
		assert_memory_equal(ours, libc, ROOM);
	}
}

static void sets(void **state)
{
	for (unsigned n = 0; n <= 24; n++) {
		fill();
		assert_ptr_equal(free_memset(ours + 5, 0x1ff, n), ours + 5); /* as a byte */
		memset(libc + 5, 0x1ff, n);
		assert_memory_equal(ours, libc, ROOM);
	}
}

static int sign(int x)
{
	return (x > 0) - (x < 0);
}

static void compares(void **state)
{
	for (unsigned at = 0; at < 8; at++)
		for (unsigned x = 0; x < 256; x += 17)
			for (unsigned n = 0; n <= 8; n++) {
				fill();
				ours[at] = (uint8_t)x; /* bytes are unsigned: 0x80 is above 0x7f */
				assert_int_equal(sign(free_memcmp(ours, libc, n)),
						 sign(memcmp(ours, libc, n)));
			}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(moves),
		cmocka_unit_test(copies),
		cmocka_unit_test(sets),
		cmocka_unit_test(compares),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
