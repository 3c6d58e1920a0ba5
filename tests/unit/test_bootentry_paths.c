/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* Boot entries: which device paths lead to a partition and a file, and which are refused. */
#include "common/bootentry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define PCI 2, 1, 12, 0, 0xd0, 0x41, 3, 0x0a, 0, 0, 0, 0
#define HD_AS(t, s, n)                                                                             \
	t, s, n, 0, 1, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6,  \
		7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 2, 2
#define HD       HD_AS(4, 1, 42)
#define A_EFI    4, 4, 16, 0, 'a', 0, '.', 0, 'e', 0, 'f', 0, 'i', 0, 0, 0
#define B_EFI    4, 4, 16, 0, 'b', 0, '.', 0, 'e', 0, 'f', 0, 'i', 0, 0, 0
#define END      0x7f, 0xff, 4, 0
#define INSTANCE 0x7f, 1, 4, 0

#define BYTES(...) (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})

/* Just as long as it is, so that a byte too far is seen. */
static struct {
	uint8_t *bytes;
	struct bootentry e;
} made[2];

static enum status make(unsigned k, const uint8_t *path, size_t path_bytes, const void *data,
			size_t data_bytes)
{
	const uint8_t head[] = {1, 0, 0, 0, (uint8_t)path_bytes, (uint8_t)(path_bytes >> 8), 'n', 0,
				0, 1, 0, 0};
	size_t n = sizeof(head) + path_bytes + data_bytes;

	free(made[k].bytes);
	made[k].bytes = malloc(n);
	memcpy(made[k].bytes, head, sizeof(head));
	memcpy(made[k].bytes + sizeof(head), path, path_bytes);
	memcpy(made[k].bytes + sizeof(head) + path_bytes, data, data_bytes);
	return bootentry_parse(&made[k].e, made[k].bytes, n);
}

static enum status parse(const uint8_t *path, size_t bytes)
{
	return make(0, path, bytes, "", 0);
}

static int release(void **state)
{
	for (unsigned k = 0; k < 2; k++) {
		free(made[k].bytes);
		made[k].bytes = NULL;
	}
	return 0;
}

static void name_with_a_letter_beyond_latin(void **state)
{
	assert_int_equal(parse(BYTES(END)), ST_OK);
	assert_int_equal(made[0].e.name_units, 2); /* U+0100: its low byte is 0 */
}

static void cut_short(void **state)
{
	for (size_t n = 0; n < 12; n++) {
		static const uint8_t all[12] = {1, 0, 0, 0, 4, 0, 'n', 0, 'a', 0, 'm', 0};
		uint8_t *own = malloc(n + !n);

		memcpy(own, all, n);
		assert_int_equal(bootentry_parse(&made[0].e, own, n), ST_CORRUPT);
		free(own);
	}
}

static void lengths_of_nodes(void **state)
{
	assert_int_equal(parse(BYTES(2, 1, 4, 0, END)), ST_OK);
	assert_int_equal(parse(BYTES(2, 1, 3, 0x7f, END)), ST_CORRUPT);
	assert_int_equal(parse(BYTES(2, 1, 0, 0, END)), ST_CORRUPT);
	assert_int_equal(parse(BYTES(PCI)), ST_CORRUPT); /* no end */
	assert_int_equal(parse(BYTES(PCI, 0x7f, 0xff, 5, 0)), ST_CORRUPT);
	assert_int_equal(parse(BYTES(PCI, 0x7f, 0xff, 3, 0)), ST_CORRUPT);
	assert_int_equal(parse(BYTES(PCI, 0x7f, 0xff)), ST_CORRUPT);
	assert_int_equal(parse(BYTES(2, 1, 0xff, 0xff, END)), ST_CORRUPT);
}

static void partitions(void **state)
{
	static const struct {
		uint8_t type, subtype, bytes;
		bool on;
	} rows[] = {{4, 1, 42, true}, {3, 1, 42, false}, {4, 2, 42, false}, {4, 1, 43, false}};

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const uint8_t path[] = {HD_AS(rows[i].type, rows[i].subtype, rows[i].bytes), END,
					END};
		size_t bytes = sizeof(path);

		uint8_t longer[sizeof(path)];

		memcpy(longer, path, bytes);
		if (rows[i].bytes == 43) { /* a byte behind what it should have */
			memmove(longer + 43, path + 42, 4);
			bytes = 47;
		}
		assert_int_equal(parse(longer, bytes), ST_OK);
		assert_int_equal(made[0].e.on_partition, rows[i].on);
	}
}

/* Only the first instance of the first path counts. */
static void instances(void **state)
{
	uint16_t file[BOOTENTRY_FILE_UNITS];

	assert_int_equal(parse(BYTES(PCI, INSTANCE, HD, A_EFI, END)), ST_OK);
	assert_false(made[0].e.on_partition);
	assert_int_equal(made[0].e.first_bytes, 12 + 4 + 42 + 16 + 4);
	assert_false(bootentry_file(&made[0].e, file));
	assert_int_equal(parse(BYTES(HD, A_EFI, INSTANCE, HD, B_EFI, END)), ST_OK);
	assert_true(made[0].e.on_partition);
	assert_int_equal(made[0].e.tail_at, 42);
	assert_true(bootentry_file(&made[0].e, file));
	assert_int_equal(file[1], 'a');
	assert_int_equal(file[6], 0);
	assert_int_equal(parse(BYTES(HD, END, HD, B_EFI, END)), ST_OK);
	assert_int_equal(made[0].e.first_bytes, 46); /* what follows is another path */
	assert_false(bootentry_file(&made[0].e, file));
}

static void files(void **state)
{
	static const struct {
		uint8_t path[80];
		uint8_t bytes;
		const char *file; /* one unit a character; NULL: none */
	} rows[] = {
		{{A_EFI, END}, 20, "\\a.efi"},
		{{4, 4, 8, 0, 'd', 0, 'e', 0, A_EFI, END}, 28, "\\de\\a.efi"},
		{{4, 4, 8, 0, '\\', 0, '\\', 0, A_EFI, END}, 28, "\\a.efi"},
		{{4, 4, 8, 0, '/', 0, 'e', 0, A_EFI, END}, 28, "\\e\\a.efi"},
		{{4, 4, 10, 0, 'd', 0, 0, 0, 'x', 0, A_EFI, END}, 30, "\\d\\a.efi"},
		{{PCI, A_EFI, END}, 32, "\\a.efi"},
		{{A_EFI, 4, 5, 6, 0, 'x', 0, END}, 26, "\\a.efi"}, /* another kind of node */
		{{4, 4, 7, 0, 'd', 0, 'x', A_EFI, END}, 27, "\\d\\a.efi"}, /* half a unit */
		{{4, 4, 6, 0, 'd', 0, END}, 10, "\\d"},
		{{4, 4, 6, 0, '\\', 0, END}, 10, NULL},
		{{4, 4, 4, 0, END}, 8, NULL},
		{{END}, 4, NULL},
	};

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint16_t file[BOOTENTRY_FILE_UNITS];
		size_t n = 0;

		assert_int_equal(parse(rows[i].path, rows[i].bytes), ST_OK);
		assert_int_equal(bootentry_file(&made[0].e, file), rows[i].file != NULL);
		if (!rows[i].file)
			continue;
		for (; rows[i].file[n]; n++)
			assert_int_equal(file[n], (uint8_t)rows[i].file[n]);
		assert_int_equal(file[n], 0);
	}
	uint16_t file[BOOTENTRY_FILE_UNITS];

	assert_int_equal(parse(BYTES(4, 4, 8, 0, 0x41, 1, 0x42, 0xff, END)), ST_OK);
	assert_true(bootentry_file(&made[0].e, file));
	assert_int_equal(file[1], 0x141);
	assert_int_equal(file[2], 0xff42);
}

/* With its backslash and its NUL it may have 512 units. */
static void longest_file(void **state)
{
	for (size_t units = 509; units <= 511; units++) {
		uint8_t path[4 + 2 * 511 + 4] = {4, 4, (uint8_t)(4 + 2 * units),
						 (uint8_t)((4 + 2 * units) >> 8)};
		uint16_t file[BOOTENTRY_FILE_UNITS + 1];

		for (size_t i = 0; i < units; i++)
			path[4 + 2 * i] = 'x';
		memcpy(path + 4 + 2 * units, (const uint8_t[]){END}, 4);
		memset(file, 0xee, sizeof(file));
		assert_int_equal(parse(path, 4 + 2 * units + 4), ST_OK);
		assert_int_equal(bootentry_file(&made[0].e, file), units <= 510);
		assert_int_equal(file[BOOTENTRY_FILE_UNITS], 0xeeee);
		if (units <= 510)
			assert_int_equal(file[units + 1], 0);
	}
}

static bool same(uint8_t a, uint8_t b)
{
	assert_int_equal(make(0, BYTES(HD, 4, 4, 6, 0, a, 0, END), "", 0), ST_OK);
	assert_int_equal(make(1, BYTES(HD, 4, 4, 6, 0, b, 0, END), "", 0), ST_OK);
	return bootentry_same_file(&made[0].e, &made[1].e);
}

static void letters(void **state)
{
	for (unsigned c = 0x21; c < 0x7f; c++) {
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

		if (c != '/' && c != '\\') {
			assert_int_equal(same((uint8_t)c, (uint8_t)(c ^ 0x20)), letter);
			assert_false(same((uint8_t)c, (uint8_t)(c ^ 0x01)));
		}
	}
}

static void same_files(void **state)
{
	/* By its bytes, though it names no file: a path of a firmware's own. */
	make(0, BYTES(HD, 4, 6, 6, 0, 1, 2, END), "", 0);
	make(1, BYTES(HD, 4, 6, 6, 0, 1, 2, END), "", 0);
	assert_true(bootentry_same_file(&made[0].e, &made[1].e));
	make(1, BYTES(HD, 4, 6, 6, 0, 1, 3, END), "", 0);
	assert_false(bootentry_same_file(&made[0].e, &made[1].e));
	make(1, BYTES(HD, A_EFI, END), "", 0);
	assert_false(bootentry_same_file(&made[0].e, &made[1].e));
	assert_false(bootentry_same_file(&made[1].e, &made[0].e));
	make(0, BYTES(HD, B_EFI, END), "", 0); /* the same length */
	assert_false(bootentry_same_file(&made[0].e, &made[1].e));
	/* One is the other's beginning. */
	make(0, BYTES(HD, 4, 4, 6, 0, 'a', 0, END), "", 0);
	assert_false(bootentry_same_file(&made[0].e, &made[1].e));
	assert_false(bootentry_same_file(&made[1].e, &made[0].e));
	/* The first path's end is the end: what is behind it does not count. */
	make(0, BYTES(HD, A_EFI, END, PCI, END), "", 0);
	assert_true(bootentry_same_file(&made[0].e, &made[1].e));
}

static void same_programs(void **state)
{
	make(0, BYTES(HD, A_EFI, END), "data", 4);
	make(1, BYTES(PCI, A_EFI, END), "data", 4);
	assert_false(bootentry_same_program(&made[0].e, &made[1].e));
	make(1, BYTES(PCI, HD, A_EFI, END), "data", 4);
	assert_true(bootentry_same_program(&made[0].e, &made[1].e));
	make(1, BYTES(HD, A_EFI, END), "data", 3);
	assert_false(bootentry_same_program(&made[0].e, &made[1].e));
	assert_false(bootentry_same_program(&made[1].e, &made[0].e));
}

static void made_by_the_firmware(void **state)
{
	static const uint8_t edk2[17] = {0x4e, 0xac, 0x08, 0x81, 0x11, 0x9f, 0x59, 0x4d,
					 0x85, 0x0e, 0xe2, 0x1a, 0x52, 0x2c, 0x59, 0xb2};
	static const uint8_t ami[5] = {0, 0, 'B', 'O'};

	for (size_t n = 0; n <= 17; n++) {
		uint8_t other[17];

		make(0, BYTES(HD, END), edk2, n);
		assert_int_equal(bootentry_is_automatic(&made[0].e), n == 16);
		memcpy(other, edk2, 17);
		other[15] ^= 1;
		make(0, BYTES(HD, END), other, n);
		assert_false(bootentry_is_automatic(&made[0].e));
	}
	for (size_t n = 0; n <= 5; n++) {
		make(0, BYTES(HD, END), ami, n);
		assert_int_equal(bootentry_is_automatic(&made[0].e), n == 4);
	}
	make(0, BYTES(HD, END), "\0\0BP", 4);
	assert_false(bootentry_is_automatic(&made[0].e));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_teardown(f, release)
		TEST(name_with_a_letter_beyond_latin),
		TEST(cut_short),
		TEST(lengths_of_nodes),
		TEST(partitions),
		TEST(instances),
		TEST(files),
		TEST(longest_file),
		TEST(letters),
		TEST(same_files),
		TEST(same_programs),
		TEST(made_by_the_firmware),
	};

	return cmocka_run_group_tests_name("bootentry: paths", tests, NULL, NULL);
}
