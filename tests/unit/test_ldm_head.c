/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* PRIVHEAD and TOCBLOCK: found on either table, by any copy, and taken for good by their sums only.
 */
#include "tests/unit/help_ldm.h"

#include <string.h>

static struct memdisk m;
static struct ldmt_group g;
static struct ldmt_place at;
static struct ldm_head head;
static bool is_gpt;

static void open_disk(bool gpt, unsigned shift)
{
	memdisk_close(&m);
	ldmt_mirror(&g);
	ldmt_make(&g);
	ldmt_disk_open(&m, &g.db, 0x11, gpt, shift);
	at = ldmt_place(&m, gpt);
	is_gpt = gpt;
}

static int teardown(void **state)
{
	memdisk_close(&m);
	return 0;
}

static enum status read_head(void)
{
	static struct part_list list;
	uint8_t buf[DISK_SECTOR_BYTES];
	enum status st;

	assert_int_equal(part_read(&m.disk, &list, buf), ST_OK);
	m.requests = 0;
	st = ldm_head_read(&m.disk, &list, &head, buf);
	assert_in_range(m.requests, 0, LDM_HEAD_READS_MAX);
	return st;
}

static void check_head(void)
{
	assert_int_equal(read_head(), ST_OK);
	assert_int_equal(head.disk.b[3], 0x11);
	assert_int_equal(head.group.b[15], 0xd0);
	assert_string_equal(head.group_name, "TestDg0");
	assert_int_equal(head.sequence, 5);
	assert_int_equal(head.public_lba, at.public_lba);
	assert_int_equal(head.public_sectors,
			 (is_gpt ? m.disk.sectors - 64 : at.private_lba) - at.public_lba);
	assert_int_equal(head.private_lba, at.private_lba);
	assert_int_equal(head.private_sectors, at.private_sectors);
	assert_int_equal(head.config_lba, at.private_lba + at.config);
	assert_int_equal(head.config_sectors, at.config_sectors);
	assert_int_equal(head.log_lba, at.private_lba + at.log);
	assert_int_equal(head.log_sectors, at.log_sectors);
}

static uint8_t *sector(uint32_t in_private)
{
	return memdisk_at(&m, at.private_lba + in_private);
}

static void test_tables(void **state)
{
	for (unsigned i = 0; i < 4; i++) {
		open_disk(i & 1, i & 2 ? 12 : 9);
		check_head();
		assert_int_equal(head.copies, is_gpt ? 2 : 3);
		assert_in_range(m.requests, 1, 5);
	}
}

static void test_any_mbr_entry(void **state)
{
	for (unsigned entry = 1; entry <= 4; entry++) {
		open_disk(false, 9);
		memset(m.bytes + 446, 0, 64);
		memdisk_mbr(&m, 1, 0xde, 63, 1);
		memdisk_mbr(&m, entry, 0x42, 64, 8000);
		check_head();
	}
	memset(m.bytes + 446, 0, 64);
	memdisk_mbr(&m, 1, 0x07, 63, 8000);
	assert_int_equal(read_head(), ST_ABSENT);
	assert_int_equal(m.requests, 0);
}

/* Copies are 1, 2, 4: each subset of them that is whole is enough. */
static void test_copies(void **state)
{
	for (unsigned gpt = 0; gpt < 2; gpt++) {
		for (unsigned good = 0; good < (gpt ? 4u : 8u); good++) {
			for (unsigned how = 0; how < 2; how++) {
				uint64_t copy[3];

				open_disk(gpt, 9);
				copy[0] = at.private_lba + at.primary;
				copy[1] = at.private_lba + at.second;
				copy[2] = 6;
				for (unsigned i = 0; i < (gpt ? 2u : 3u); i++) {
					if (good >> i & 1)
						continue;
					if (how)
						memdisk_fail(&m, copy[i], 1);
					else
						memdisk_at(&m, copy[i])[0x40]++;
				}
				if (good == 0) {
					assert_int_equal(read_head(), how ? ST_IO : ST_CORRUPT);
					assert_int_equal(head.copies, 0);
					continue;
				}
				check_head();
				assert_int_equal(head.copies,
						 (good & 1) + (good >> 1 & 1) + (good >> 2));
				assert_int_equal(head.copies + head.copies_bad, gpt ? 2 : 3);
			}
		}
	}
}

/* Each of what a PRIVHEAD must be, with a right sum. */
static void test_head_fields(void **state)
{
	static const struct {
		unsigned at, bytes;
		uint64_t value;
	} bad[] = {
		{0, 1, 'p'},
		{0x0c, 2, 1},
		{0x30, 1, 'x'},
		{0xb0, 1, 'x'},
		{0x10f, 4, 4096},
		{0x12b, 8, UINT64_MAX},
		{0x12b, 8, LDMT_SECTORS - 2047},
		{0x133, 8, LDMT_SECTORS},
	};

	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		open_disk(true, 9);
		for (unsigned k = 0; k < 2; k++) {
			uint8_t *b = sector(k ? at.second : at.primary);

			ldmt_be(b + bad[i].at, bad[i].value, bad[i].bytes);
			ldmt_resum(b);
		}
		assert_int_equal(read_head(), ST_CORRUPT);
	}
}

/* An update that was cut left the copies unlike each other: the newer one is right. */
static void test_newer_copy(void **state)
{
	for (unsigned newer = 0; newer < 3; newer++) {
		uint64_t lba[3];

		open_disk(false, 9);
		lba[0] = 6;
		lba[1] = at.private_lba + at.primary;
		lba[2] = at.private_lba + at.second;
		ldmt_be(memdisk_at(&m, lba[newer]) + 0x18, 6, 8);
		ldmt_be(memdisk_at(&m, lba[newer]) + 0x123, 99, 8);
		ldmt_resum(memdisk_at(&m, lba[newer]));
		assert_int_equal(read_head(), ST_OK);
		assert_int_equal(head.sequence, 6);
		assert_int_equal(head.public_sectors, 99);
		assert_int_equal(head.copies, 3);
	}
}

/* A disk copied onto a larger one, which has an older and busier group's at its end. */
static void test_other_disk_at_the_end(void **state)
{
	uint8_t *b;

	open_disk(false, 9);
	b = sector(at.primary);
	memset(b + 0x30, 'e', 8);
	ldmt_be(b + 0x18, 900, 8);
	ldmt_resum(b);
	check_head();
	assert_int_equal(head.copies, 2);
	assert_int_equal(head.copies_bad, 1);
}

/* On a larger disk only the copy at LBA 6, and what it leads to, is where it should be. */
static void test_on_a_larger_disk(void **state)
{
	struct ldmt_place was;

	open_disk(false, 9);
	was = at;
	uint8_t *bytes = m.bytes;
	struct memdisk large;

	memdisk_open(&large, LDMT_SECTORS + 4096, 9);
	memcpy(large.bytes, bytes, LDMT_SECTORS * 512);
	memdisk_close(&m);
	m = large;
	m.disk.ctx = &m;
	at = was;
	check_head();
	assert_int_equal(head.copies, 2);
}

static void toc_set(uint32_t in_private, unsigned offset, uint64_t value, unsigned bytes)
{
	ldmt_be(sector(in_private) + offset, value, bytes);
	ldmt_resum(sector(in_private));
}

static void test_toc_copies(void **state)
{
	for (unsigned i = 0; i < 4; i++) {
		for (unsigned broken = 0; broken < 4; broken++) {
			open_disk(i & 1, i & 2 ? 12 : 9);
			for (unsigned k = 0; k < 2; k++) {
				if (!(broken >> k & 1))
					continue;
				if (k)
					memdisk_fail(&m, at.private_lba + at.toc[k], 1);
				else
					sector(at.toc[k])[0x30]++;
			}
			assert_int_equal(read_head(), ST_OK);
			assert_int_equal(head.config_lba, at.private_lba + at.config);
			/* The old ones say that there is no log. */
			assert_int_equal(head.log_sectors, broken == 3 ? 0 : at.log_sectors);
		}
	}
}

static void test_toc_swapped(void **state)
{
	for (unsigned i = 0; i < 4; i++) {
		unsigned other = i & 2 ? 1 : 3;

		open_disk(i & 1, i & 2 ? 12 : 9);
		for (unsigned k = 0; k < 2; k++) {
			uint8_t was[512];

			memcpy(was, sector(at.toc[k]), 512);
			memcpy(sector(at.toc[k]), sector(at.toc[k] ^ other), 512);
			memcpy(sector(at.toc[k] ^ other), was, 512);
		}
		check_head();
	}
}

/* No TOCBLOCK has the PRIVHEAD's number: the highest is taken, wherever it is. */
static void test_toc_of_other_numbers(void **state)
{
	for (unsigned best = 0; best < 4; best++) {
		open_disk(false, 9);
		for (unsigned k = 0; k < 4; k++) {
			uint32_t place = at.toc[k % 2] ^ (k < 2 ? 0 : 3);

			toc_set(place, 0x0c, k == best ? 9 : 3, 8);
			toc_set(place, 0x24 + 18, k == best ? 77 : 66, 8);
		}
		assert_int_equal(read_head(), ST_OK);
		assert_int_equal(head.config_sectors, 77);
		assert_int_equal(m.requests, LDM_HEAD_READS_MAX);
	}
}

/* The PRIVHEAD's number goes before a higher one. */
static void test_toc_number_first(void **state)
{
	for (unsigned k = 0; k < 2; k++) {
		open_disk(false, 9);
		toc_set(at.toc[k], 0x0c, 9, 8);
		toc_set(at.toc[k], 0x24 + 18, 77, 8);
		check_head();
	}
	/* What else can't be read does not take away what was. */
	open_disk(false, 9);
	toc_set(at.toc[0], 0x0c, 9, 8);
	memdisk_fail(&m, at.private_lba + at.toc[1], 1);
	sector(at.toc[0] ^ 3)[0] = 0;
	sector(at.toc[1] ^ 3)[0] = 0;
	assert_int_equal(read_head(), ST_OK);
	assert_int_equal(head.config_sectors, at.config_sectors);
}

static void test_toc_fields(void **state)
{
	static const struct {
		unsigned at, bytes;
		uint64_t value;
		bool only_log;
	} bad[] = {
		{0, 1, 't', false},
		{0x24, 1, 'x', false},
		{0x24 + 6, 1, 'x', false},
		{0x24 + 8, 2, 1, false},
		{0x24 + 8, 2, 4, false},
		{0x24 + 8, 2, 8, false},
		{0x24 + 10, 8, UINT64_MAX, false},
		{0x24 + 10, 8, 568, false},
		{0x24 + 18, 8, 0, false},
		{0x24 + 18, 8, 2032, false},
		{0x46, 1, 'x', false},
		{0x46 + 8, 2, 1, true},
		{0x46 + 8, 2, 8, true},
		{0x46 + 18, 8, 0, true},
		{0x46 + 18, 8, 551, true},
	};

	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		open_disk(false, 9);
		for (unsigned k = 0; k < 4; k++)
			toc_set(at.toc[k % 2] ^ (k < 2 ? 0 : 3), bad[i].at, bad[i].value,
				bad[i].bytes);
		assert_int_equal(read_head(), bad[i].only_log ? ST_OK : ST_CORRUPT);
		if (bad[i].only_log)
			assert_int_equal(head.log_sectors, 0);
	}
	/* New: is not there yet, and may be used. */
	open_disk(false, 9);
	toc_set(at.toc[0], 0x24 + 8, 2, 2);
	check_head();
}

/* All in the last sectors that fit. */
static void test_toc_bounds(void **state)
{
	open_disk(false, 9);
	toc_set(at.toc[0], 0x24 + 10, 567, 8);
	assert_int_equal(read_head(), ST_OK);
	assert_int_equal(head.config_lba, at.private_lba + 567);

	/* A PRIVHEAD that names places beyond the region; their neighbours too. */
	open_disk(true, 9);
	for (unsigned k = 0; k < 2; k++) {
		uint8_t *b = sector(k ? at.second : at.primary);

		ldmt_be(b + 0x13b, UINT64_MAX, 8);
		ldmt_be(b + 0x143, 2048, 8);
		ldmt_resum(b);
	}
	m.requests = 0;
	assert_int_equal(read_head(), ST_CORRUPT);
	assert_int_equal(m.requests, 2);
}

static void test_toc_unreadable(void **state)
{
	open_disk(false, 9);
	memdisk_fail(&m, at.private_lba, 16);
	memdisk_fail(&m, at.private_lba + 2040, 7);
	assert_int_equal(read_head(), ST_IO);
}

static void test_tiny_disks(void **state)
{
	for (uint64_t sectors = 70; sectors < 5000; sectors += 600) {
		memdisk_close(&m);
		memdisk_open(&m, sectors, 9);
		memdisk_mbr(&m, 1, 0x42, 1, (uint32_t)sectors - 1);
		assert_int_equal(read_head(), ST_CORRUPT);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tables),
		cmocka_unit_test(test_any_mbr_entry),
		cmocka_unit_test(test_copies),
		cmocka_unit_test(test_head_fields),
		cmocka_unit_test(test_newer_copy),
		cmocka_unit_test(test_other_disk_at_the_end),
		cmocka_unit_test(test_on_a_larger_disk),
		cmocka_unit_test(test_toc_copies),
		cmocka_unit_test(test_toc_swapped),
		cmocka_unit_test(test_toc_of_other_numbers),
		cmocka_unit_test(test_toc_number_first),
		cmocka_unit_test(test_toc_fields),
		cmocka_unit_test(test_toc_bounds),
		cmocka_unit_test(test_toc_unreadable),
		cmocka_unit_test(test_tiny_disks),
	};

	return cmocka_run_group_tests_name("ldm_head", tests, NULL, teardown);
}
