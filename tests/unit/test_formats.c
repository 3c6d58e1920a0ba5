/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* The table of formats: each finds its own, and no other's; what can't be read is ST_IO. */
#include "tests/unit/help_md.h"

#include <string.h>

#define SECTORS 2048u

static struct memdisk mem;
static struct member m;
static uint8_t buf[FORMAT_BUF_BYTES];

static int teardown(void **state)
{
	memdisk_close(&mem);
	return 0;
}

static void put(enum format_id format, uint64_t sectors)
{
	memdisk_open(&mem, sectors, 9);
	if (format == FORMAT_MD_0_90) {
		struct md0_spec spec = md0_spec(0);

		md0_put(&mem, 0, sectors, &spec);
	} else {
		struct md1_spec spec = md1_spec(format, 0);

		md1_put(&mem, 0, sectors, &spec);
	}
}

static uint64_t place_of(enum format_id format)
{
	return format == FORMAT_MD_0_90 ? md0_at(SECTORS) : md1_at(format, SECTORS);
}

static void test_names(void **state)
{
	assert_string_equal(formats[FORMAT_MD_0_90].name, "md-0.90");
	assert_string_equal(formats[FORMAT_MD_1_0].name, "md-1.0");
	assert_string_equal(formats[FORMAT_MD_1_1].name, "md-1.1");
	assert_string_equal(formats[FORMAT_MD_1_2].name, "md-1.2");
	assert_string_equal(formats[FORMAT_LDM].name, "ldm");
	/* not to be found in one place, as all below are */
	assert_null(formats[FORMAT_LDM].probe);
	assert_non_null(format_dynamic);
}

static void test_each_its_own(void **state)
{
	for (enum format_id on = 0; on < FORMAT_LDM; on++) {
		put(on, SECTORS);
		for (enum format_id f = 0; f < FORMAT_LDM; f++) {
			enum status st = formats[f].probe(&mem.disk, &m, buf);

			assert_int_equal(st, f == on ? ST_OK : ST_ABSENT);
			if (f == on) {
				assert_int_equal(m.format, on);
				assert_int_equal(m.status, ST_OK);
				assert_int_equal(m.sb_s512, place_of(on));
			}
		}
		teardown(NULL);
	}
}

static void test_unreadable(void **state)
{
	for (enum format_id f = 0; f < FORMAT_LDM; f++) {
		put(f, SECTORS);
		memdisk_fail(&mem, place_of(f) + 7, 1);
		assert_int_equal(formats[f].probe(&mem.disk, &m, buf), ST_IO);
		/* a bad sector elsewhere is of no matter */
		mem.bad_count = 0;
		memdisk_fail(&mem, place_of(f) + 8, 1);
		assert_int_equal(formats[f].probe(&mem.disk, &m, buf), ST_OK);
		teardown(NULL);
	}
}

static void test_too_small(void **state)
{
	for (uint64_t sectors = 0; sectors < 300; sectors++) {
		memdisk_open(&mem, sectors, 9);
		for (enum format_id f = 0; f < FORMAT_LDM; f++)
			assert_int_equal(formats[f].probe(&mem.disk, &m, buf), ST_ABSENT);
		teardown(NULL);
	}
}

/* A superblock that is refused for another reason: its log is not asked for. */
static void test_log_of_a_refused_one(void **state)
{
	struct md1_spec spec = md1_spec(FORMAT_MD_1_2, 0);

	memdisk_open(&mem, SECTORS, 9);
	spec.features = 8 | 4;
	spec.bblog_offset = 16;
	spec.bblog_size = 8;
	md1_put(&mem, 0, SECTORS, &spec);
	assert_int_equal(formats[FORMAT_MD_1_2].probe(&mem.disk, &m, buf), ST_OK);
	assert_int_equal(m.why.code, REASON_RESHAPE);
	assert_int_equal(mem.requests, 1);
}

/* An empty log of a whole one is read, and changes nothing. */
static void test_empty_log(void **state)
{
	struct md1_spec spec = md1_spec(FORMAT_MD_1_0, 0);

	memdisk_open(&mem, SECTORS, 9);
	spec.features = 8;
	spec.bblog_offset = -8;
	spec.bblog_size = 8;
	md1_put(&mem, 0, SECTORS, &spec);
	memset(mem.bytes + 2024 * 512, 0xff, 4096);
	assert_int_equal(formats[FORMAT_MD_1_0].probe(&mem.disk, &m, buf), ST_OK);
	assert_int_equal(m.status, ST_OK);
	assert_int_equal(m.hole_count, 0);
	assert_int_equal(mem.requests, 2);
	assert_int_equal(mem.last_lba, 2024);
	assert_int_equal(mem.last_n, 8);
}

#define TEST(f) cmocka_unit_test_teardown(f, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_names),     TEST(test_each_its_own),         TEST(test_unreadable),
		TEST(test_too_small), TEST(test_log_of_a_refused_one), TEST(test_empty_log),
	};

	return cmocka_run_group_tests_name("formats", tests, NULL, NULL);
}
