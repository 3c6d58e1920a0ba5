/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "common/bootentry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

/* "debian" at \EFI\a.efi on partition 1, by a full path; data "x"; made by hand. */
#define NAME 'd', 0, 'e', 0, 'b', 0, 'i', 0, 'a', 0, 'n', 0, 0, 0
#define PCI  2, 1, 12, 0, 0xd0, 0x41, 3, 0x0a, 0, 0, 0, 0, 1, 1, 6, 0, 0, 2
#define HD                                                                                         \
	4, 1, 42, 0, 1, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, \
		7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 2, 2
#define FILE_NODE                                                                                  \
	4, 4, 26, 0, '\\', 0, 'E', 0, 'F', 0, 'I', 0, '\\', 0, 'a', 0, '.', 0, 'e', 0, 'f', 0,     \
		'i', 0, 0, 0
#define END 0x7f, 0xff, 4, 0

static const uint8_t full[] = {1, 0, 0, 0, 18 + 42 + 26 + 4, 0, NAME, PCI, HD, FILE_NODE, END, 'x'};
static const uint8_t brief[] = {1, 0, 0, 0, 42 + 26 + 4, 0, NAME, HD, FILE_NODE, END, 'x'};
static const uint8_t device[] = {1, 0, 0, 0, 18 + 4, 0, NAME, PCI, END};

static void taken_apart(void **state)
{
	struct bootentry e;
	uint16_t file[BOOTENTRY_FILE_UNITS];
	static const uint16_t wanted[] = {'\\', 'E', 'F', 'I', '\\', 'a', '.', 'e', 'f', 'i', 0};

	assert_int_equal(bootentry_parse(&e, full, sizeof(full)), ST_OK);
	assert_int_equal(e.attributes, BOOTENTRY_ACTIVE);
	assert_int_equal(e.name_units, 6);
	assert_int_equal(e.data_bytes, 1);
	assert_int_equal(*e.data, 'x');
	assert_true(e.on_partition);
	assert_int_equal(e.hd.number, 1);
	assert_int_equal(e.hd.start_lba, 2048);
	assert_int_equal(e.hd.sectors, 65536);
	assert_int_equal(e.hd.guid.b[15], 16);
	assert_true(bootentry_file(&e, file));
	assert_memory_equal(file, wanted, sizeof(wanted));

	assert_int_equal(bootentry_parse(&e, device, sizeof(device)), ST_OK);
	assert_false(e.on_partition);
	assert_false(bootentry_file(&e, file));
	assert_int_equal(e.data_bytes, 0);
}

/* Each byte less is one too few, but for the data, which have no length of their own. */
static void cut(void **state)
{
	struct bootentry e;

	for (size_t n = 0; n < sizeof(full) - 1; n++)
		assert_int_equal(bootentry_parse(&e, full, n), ST_CORRUPT);
	assert_int_equal(bootentry_parse(&e, full, sizeof(full) - 1), ST_OK);
}

static void other_tables(void **state)
{
	uint8_t other[sizeof(brief)];
	struct bootentry e;
	const size_t table = 6 + 14 + 40;

	for (unsigned at = 0; at < 2; at++) {
		memcpy(other, brief, sizeof(brief));
		other[table + at] = 1; /* an MBR's partition, an MBR's signature */
		assert_int_equal(bootentry_parse(&e, other, sizeof(other)), ST_OK);
		assert_false(e.on_partition);
	}
}

static void retargeted(void **state)
{
	static const uint16_t more[] = {'2'};
	struct bootentry_hd hd = {.number = 1, .start_lba = 2048, .sectors = 65536, .table = 2};
	struct bootentry e, copy;
	uint8_t out[sizeof(full) + 4];
	size_t bytes;

	hd.signature_type = 2;
	for (unsigned i = 0; i < 16; i++)
		hd.guid.b[i] = (uint8_t)(i + 1);
	assert_int_equal(bootentry_parse(&e, full, sizeof(full)), ST_OK);
	assert_int_equal(bootentry_retarget(&e, &hd, NULL, 0, out, sizeof(out), &bytes), ST_OK);
	assert_int_equal(bytes, sizeof(brief));
	assert_memory_equal(out, brief, sizeof(brief));
	assert_int_equal(bootentry_retarget(&e, &hd, more, 1, out, sizeof(out), &bytes), ST_OK);
	assert_int_equal(bytes, sizeof(brief) + 4);
	assert_int_equal(bootentry_parse(&copy, out, bytes), ST_OK);
	assert_int_equal(copy.name_units, 8);
	assert_true(bootentry_same_program(&e, &copy));
	assert_int_equal(bootentry_retarget(&e, &hd, more, 1, out, bytes - 1, &bytes), ST_FULL);
	assert_int_equal(bootentry_parse(&e, device, sizeof(device)), ST_OK);
	assert_int_equal(bootentry_retarget(&e, &hd, NULL, 0, out, sizeof(out), &bytes),
			 ST_UNSUPPORTED);
}

/* Other backslashes and letters of the other case are the same file; other data are another. */
static void same_program(void **state)
{
	uint8_t other[sizeof(brief)];
	struct bootentry a, b;
	const size_t file = 6 + 14 + 42 + 4;

	assert_int_equal(bootentry_parse(&a, brief, sizeof(brief)), ST_OK);
	memcpy(other, brief, sizeof(brief));
	other[file] = '/';
	other[file + 10] = 'A';
	assert_int_equal(bootentry_parse(&b, other, sizeof(other)), ST_OK);
	assert_true(bootentry_same_program(&a, &b));
	other[file + 10] = 'b';
	assert_false(bootentry_same_program(&a, &b));
	memcpy(other, brief, sizeof(brief));
	other[sizeof(other) - 1] = 'y';
	assert_false(bootentry_same_program(&a, &b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(taken_apart),  cmocka_unit_test(cut),
		cmocka_unit_test(other_tables), cmocka_unit_test(retargeted),
		cmocka_unit_test(same_program),
	};

	return cmocka_run_group_tests_name("bootentry", tests, NULL, NULL);
}
