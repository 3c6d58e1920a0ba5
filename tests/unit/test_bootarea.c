/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tests/unit/help_md.h"

#include "common/bootarea.h"
#include "common/crc32.h"

#include <string.h>

#define SECTORS 10000

static uint8_t lba0[512];
static struct bootarea_header h;

static void patch(uint64_t stage2_lba, uint16_t sectors)
{
	struct bootarea_patch *p = (struct bootarea_patch *)(lba0 + BOOTAREA_PATCH_OFF);

	memset(lba0, 0, sizeof(lba0));
	p->magic = le32_of(BOOTAREA_PATCH_MAGIC);
	p->stage2_lba = le64_of(stage2_lba);
	p->stage2_sectors = le16_of(sectors);
}

static void seal(void)
{
	h.header_crc = le32_of(crc32_update(0, &h, sizeof(h) - 4));
}

static void header(void)
{
	memset(&h, 0, sizeof(h));
	memcpy(h.magic, BOOTAREA_MAGIC, sizeof(h.magic));
	h.version = le32_of(BOOTAREA_VERSION);
	h.area_sectors = le32_of(BOOTAREA_STAGE2 + 40);
	h.stage2_sectors = le32_of(40);
	h.area_lba = le64_of(100);
	seal();
}

static void locate(void **state)
{
	uint64_t at = 0;

	patch(107, 40);
	assert_int_equal(bootarea_locate(lba0, SECTORS, &at), ST_OK);
	assert_int_equal(at, 100);
	lba0[BOOTAREA_PATCH_OFF] ^= 1;
	assert_int_equal(bootarea_locate(lba0, SECTORS, &at), ST_ABSENT);
}

/* The smallest and the largest that there are, and the first version's magic. */
static void possible_places(void **state)
{
	uint64_t at = 0;

	patch(BOOTAREA_STAGE2 + 1, 1);
	assert_int_equal(bootarea_locate(lba0, BOOTAREA_STAGE2 + 2, &at), ST_OK);
	assert_int_equal(at, 1);
	patch(107, BOOTAREA_STAGE2_MAX);
	assert_int_equal(bootarea_locate(lba0, SECTORS, &at), ST_OK);
	((struct bootarea_patch *)(lba0 + BOOTAREA_PATCH_OFF))->magic =
		le32_of(BOOTAREA_PATCH_MAGIC_1);
	assert_int_equal(bootarea_locate(lba0, SECTORS, &at), ST_OK);
}

static void impossible_places(void **state)
{
	static const struct {
		uint64_t lba;
		uint16_t sectors;
	} rows[] = {
		{107, 0},           {107, BOOTAREA_STAGE2_MAX + 1}, {BOOTAREA_STAGE2, 40}, {0, 40},
		{SECTORS - 39, 40}, {UINT64_MAX - 10, 40},          {UINT64_MAX, 1},
	};
	uint64_t at;

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		patch(rows[i].lba, rows[i].sectors);
		assert_int_equal(bootarea_locate(lba0, SECTORS, &at), ST_CORRUPT);
	}
}

static void check(void **state)
{
	header();
	assert_int_equal(bootarea_check(&h, 100, SECTORS), ST_OK);
	assert_int_equal(bootarea_check(&h, 101, SECTORS), ST_CORRUPT); /* copied elsewhere */
	assert_int_equal(bootarea_check(&h, 100, 146), ST_CORRUPT);     /* disk too short */
	h.magic[0] ^= 1;
	assert_int_equal(bootarea_check(&h, 100, SECTORS), ST_ABSENT);
}

static void every_bit_counts(void **state)
{
	for (unsigned i = 0; i < sizeof(h); i++) {
		header();
		((uint8_t *)&h)[i] ^= 0x10;
		assert_int_not_equal(bootarea_check(&h, 100, SECTORS), ST_OK);
	}
}

static void sealed_nonsense(void **state)
{
	header();
	h.version = le32_of(2);
	seal();
	assert_int_equal(bootarea_check(&h, 100, SECTORS), ST_UNSUPPORTED);
	header();
	h.stage2_sectors = le32_of(0);
	seal();
	assert_int_equal(bootarea_check(&h, 100, SECTORS), ST_CORRUPT);
	header();
	h.stage2_sectors = le32_of(41); /* larger than the area */
	seal();
	assert_int_equal(bootarea_check(&h, 100, SECTORS), ST_CORRUPT);
	header();
	h.stage2_sectors = le32_of(0xffffffff);
	h.area_sectors = le32_of(6);
	seal();
	assert_int_equal(bootarea_check(&h, 100, SECTORS), ST_CORRUPT);
}

static void header_sizes(void **state)
{
	for (uint32_t stage2 = BOOTAREA_STAGE2_MAX; stage2 <= BOOTAREA_STAGE2_MAX + 1; stage2++) {
		header();
		h.stage2_sectors = le32_of(stage2);
		h.area_sectors = le32_of(BOOTAREA_STAGE2 + stage2);
		seal();
		assert_int_equal(bootarea_check(&h, 100, SECTORS),
				 stage2 == BOOTAREA_STAGE2_MAX ? ST_OK : ST_CORRUPT);
	}
}

/* Sector 0 says where it is, the area's own header says what it is. */
static void opened(void **state)
{
	struct memdisk m;
	struct bootarea_header got;
	uint8_t sector[512];
	uint64_t at = 0;

	memdisk_open(&m, SECTORS, 9);
	assert_int_equal(bootarea_open(&m.disk, sector, &got, &at), ST_ABSENT);
	patch(107, 40);
	memcpy(m.bytes, lba0, 512);
	assert_int_equal(bootarea_open(&m.disk, sector, &got, &at), ST_ABSENT);
	header();
	memcpy(m.bytes + 100 * 512, &h, sizeof(h));
	memset(&got, 0, sizeof(got));
	assert_int_equal(bootarea_open(&m.disk, sector, &got, &at), ST_OK);
	assert_int_equal(at, 100);
	assert_memory_equal(&got, &h, sizeof(h));
	m.bytes[100 * 512 + 9] ^= 1;
	assert_int_equal(bootarea_open(&m.disk, sector, &got, &at), ST_CORRUPT);

	memdisk_fail(&m, 100, 1);
	assert_int_equal(bootarea_open(&m.disk, sector, &got, &at), ST_IO);
	memdisk_fail(&m, 0, 1);
	assert_int_equal(bootarea_open(&m.disk, sector, &got, &at), ST_IO);
	m.requests = 0;
	m.disk.sectors = 0; /* no disk in the drive */
	assert_int_equal(bootarea_open(&m.disk, sector, &got, &at), ST_ABSENT);
	m.disk.sectors = SECTORS;
	m.disk.shift = 12; /* none of ours */
	assert_int_equal(bootarea_open(&m.disk, sector, &got, &at), ST_ABSENT);
	assert_int_equal(m.requests, 0);
	memdisk_close(&m);
	memdisk_open(&m, 1, 9); /* one sector is enough to be asked */
	patch(107, 40);
	memcpy(m.bytes, lba0, 512);
	assert_int_equal(bootarea_open(&m.disk, sector, &got, &at), ST_CORRUPT);
	memdisk_close(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(locate),          cmocka_unit_test(impossible_places),
		cmocka_unit_test(check),           cmocka_unit_test(every_bit_counts),
		cmocka_unit_test(sealed_nonsense), cmocka_unit_test(possible_places),
		cmocka_unit_test(header_sizes),    cmocka_unit_test(opened),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
