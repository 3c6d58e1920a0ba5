/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* md 1.x: places, checksum, every refusal, features, and the log of bad blocks. */
#include "tests/unit/help_md.h"

#include "common/md.h"

#include <string.h>

#define SIZE 2048u /* s512 of the member */

static uint8_t sb[4096];
static struct member m;

static enum status parse(const struct md1_spec *s)
{
	md1_build(s, SIZE, sb);
	return md1_parse(s->format, sb, md1_at(s->format, SIZE), SIZE, &m);
}

/* What was built with md1_build(1.2) and then changed. */
static enum status parse_changed(void)
{
	md1_resum(sb);
	return md1_parse(FORMAT_MD_1_2, sb, 8, SIZE, &m);
}

static void refused(const struct md1_spec *s, enum status st, enum reason_code code, uint64_t a)
{
	assert_int_equal(parse(s), ST_OK);
	assert_int_equal(m.status, st);
	assert_int_equal(m.why.code, code);
	assert_int_equal(m.why.a, a);
	if (code != REASON_TRUNCATED)
		assert_int_equal(m.why.b, 0);
}

static void fine(const struct md1_spec *s)
{
	refused(s, ST_OK, REASON_NONE, 0);
}

static void test_place(void **state)
{
	static const enum format_id all[] = {FORMAT_MD_1_0, FORMAT_MD_1_1, FORMAT_MD_1_2};
	uint64_t at = 7;

	for (unsigned i = 0; i < 3; i++) {
		assert_false(md1_place(all[i], 0, &at));
		assert_false(md1_place(all[i], 23, &at));
	}
	assert_int_equal(at, 7);
	for (uint64_t size = 24; size < 200; size++) {
		assert_true(md1_place(FORMAT_MD_1_1, size, &at));
		assert_int_equal(at, 0);
		assert_true(md1_place(FORMAT_MD_1_2, size, &at));
		assert_int_equal(at, 8);
		assert_true(md1_place(FORMAT_MD_1_0, size, &at));
		assert_int_equal(at, (size - 16) / 8 * 8);
		assert_in_range(size - at, 16, 23);
	}
	assert_true(md1_place(FORMAT_MD_1_0, UINT64_MAX, &at));
	assert_int_equal(at, UINT64_MAX - 23);
}

static void test_good(void **state)
{
	struct md1_spec s = md1_spec(FORMAT_MD_1_2, 1);

	s.roles[0] = ROLE_FAULTY;
	s.roles[2] = ROLE_JOURNAL;
	s.events = 0x100000002;
	assert_int_equal(parse(&s), ST_OK);
	assert_int_equal(m.status, ST_OK);
	assert_int_equal(m.format, FORMAT_MD_1_2);
	for (unsigned i = 0; i < 16; i++) {
		assert_int_equal(m.set_uuid.b[i], 0xa5);
		assert_int_equal(m.device_uuid.b[i], 0x11);
	}
	assert_string_equal(m.name, "host:boot");
	assert_int_equal(m.level, 1);
	assert_int_equal(m.raid_disks, 2);
	assert_int_equal(m.events, 0x100000002);
	assert_int_equal(m.dev_number, 1);
	assert_int_equal(m.role, 1);
	assert_int_equal(m.role_count, 128);
	assert_int_equal(m.roles[0], ROLE_FAULTY);
	assert_int_equal(m.roles[2], ROLE_JOURNAL);
	assert_int_equal(m.roles[127], ROLE_SPARE);
	assert_int_equal(m.sb_s512, 8);
	assert_int_equal(m.data_start_s512, 64);
	assert_int_equal(m.data_s512, 512);
	assert_int_equal(m.good_s512, 512);
	assert_int_equal(m.flags, 0);
	assert_int_equal(m.hole_count, 0);

	s = md1_spec(FORMAT_MD_1_0, 0);
	fine(&s);
	assert_int_equal(m.sb_s512, 2032);
	assert_int_equal(m.data_start_s512, 0);
	s = md1_spec(FORMAT_MD_1_1, 0);
	fine(&s);
	assert_int_equal(m.sb_s512, 0);
}

static void test_name(void **state)
{
	struct md1_spec s = md1_spec(FORMAT_MD_1_2, 0);

	s.name = "0123456789abcdef0123456789abcdef"; /* 32, no NUL on disk */
	fine(&s);
	assert_string_equal(m.name, "0123456789abcdef0123456789abcdef");
	s.name = "a\x1b[2J";
	fine(&s);
	assert_string_equal(m.name, "a");
	s.name = "ab\x7f";
	fine(&s);
	assert_string_equal(m.name, "ab");
	s.name = "\xff";
	fine(&s);
	assert_string_equal(m.name, "");
}

static void test_absent(void **state)
{
	struct md1_spec s = md1_spec(FORMAT_MD_1_2, 0);

	md1_build(&s, SIZE, sb);
	put32(sb, 0xa92b4efd);
	assert_int_equal(parse_changed(), ST_ABSENT);
	md1_build(&s, SIZE, sb);
	put32(sb + 4, 0);
	assert_int_equal(parse_changed(), ST_ABSENT);
	put32(sb + 4, 2);
	assert_int_equal(parse_changed(), ST_ABSENT);
	/* seen at another place than its own */
	md1_build(&s, SIZE, sb);
	put64(sb + 144, 0);
	assert_int_equal(parse_changed(), ST_ABSENT);
	put64(sb + 144, (uint64_t)1 << 32 | 8);
	assert_int_equal(parse_changed(), ST_ABSENT);
	put64(sb + 144, 8);
	assert_int_equal(parse_changed(), ST_OK);
	assert_int_equal(m.status, ST_OK);
}

static void test_checksum(void **state)
{
	struct md1_spec s = md1_spec(FORMAT_MD_1_2, 0);

	/* the header and 128 roles count; what is behind them does not */
	for (unsigned i = 12; i < 256 + 2 * 128; i++) {
		if (i >= 220 && i < 224) /* max_dev: another length */
			continue;
		md1_build(&s, SIZE, sb);
		sb[i] ^= 0x40;
		assert_int_equal(md1_parse(FORMAT_MD_1_2, sb, 8, SIZE, &m), ST_OK);
		assert_int_equal(m.status, ST_CORRUPT);
		assert_int_equal(m.why.code, REASON_CHECKSUM);
	}
	md1_build(&s, SIZE, sb);
	sb[256 + 2 * 128] ^= 0x40;
	assert_int_equal(md1_parse(FORMAT_MD_1_2, sb, 8, SIZE, &m), ST_OK);
	assert_int_equal(m.status, ST_OK);
	assert_int_equal(md1_checksum(sb), get32(sb + 216));
	/* what can be told of a corrupt one is told: whose it may be */
	sb[200] ^= 1;
	assert_int_equal(md1_parse(FORMAT_MD_1_2, sb, 8, SIZE, &m), ST_OK);
	assert_int_equal(m.set_uuid.b[3], 0xa5);
	assert_int_equal(m.level, 1);
}

static void test_checksum_length(void **state)
{
	struct md1_spec s = md1_spec(FORMAT_MD_1_2, 0);

	for (s.max_dev = 2; s.max_dev < 8; s.max_dev++) { /* an odd number ends in a half word */
		fine(&s);
		assert_int_equal(m.role_count, s.max_dev);
		sb[256 + 2 * s.max_dev - 1] ^= 0x80;
		assert_int_equal(md1_parse(FORMAT_MD_1_2, sb, 8, SIZE, &m), ST_OK);
		assert_int_equal(m.why.code, REASON_CHECKSUM);
	}
	s.max_dev = 1920;
	fine(&s);
	assert_int_equal(m.role_count, MEMBER_ROLES);
	s.max_dev = 1921;
	refused(&s, ST_CORRUPT, REASON_BAD_FIELDS, 0);
	s.max_dev = UINT32_MAX;
	refused(&s, ST_CORRUPT, REASON_BAD_FIELDS, 0);
	/* a sum that carries out of 32 bits */
	s = md1_spec(FORMAT_MD_1_2, 0);
	s.uuid = s.device = 0xff;
	fine(&s);
}

static void test_features(void **state)
{
	static const struct {
		uint32_t bit;
		enum reason_code code;
	} cases[] = {{0x4, REASON_RESHAPE},     {0x20, REASON_RESHAPE},
		     {0x40, REASON_RESHAPE},    {0x100, REASON_CLUSTERED},
		     {0x200, REASON_JOURNALED}, {0x400, REASON_JOURNALED},
		     {0x800, REASON_JOURNALED}};
	struct md1_spec s = md1_spec(FORMAT_MD_1_2, 0);

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		s.features = cases[i].bit;
		refused(&s, ST_UNSUPPORTED, cases[i].code, 0);
	}
	for (unsigned bit = 13; bit < 32; bit++) {
		s.features = (uint32_t)1 << bit | 1;
		refused(&s, ST_UNSUPPORTED, REASON_FEATURE, s.features);
	}
	s.features = 0x80 | 0x1000; /* recovery by bitmap, raid0 layout: nothing to us */
	fine(&s);
	s.features = 0x1;
	fine(&s);
	assert_int_equal(m.flags, MEMBER_BITMAP);
	s.features = 0x10;
	fine(&s);
	assert_int_equal(m.flags, MEMBER_REPLACEMENT);
}

static void test_refused(void **state)
{
	struct md1_spec s = md1_spec(FORMAT_MD_1_2, 0);

	s.level = 10;
	refused(&s, ST_UNSUPPORTED, REASON_NOT_A_MIRROR, 10);
	s.level = -1;
	refused(&s, ST_UNSUPPORTED, REASON_NOT_A_MIRROR, 0);
	s = md1_spec(FORMAT_MD_1_2, 0);
	s.raid_disks = 0;
	refused(&s, ST_CORRUPT, REASON_BAD_FIELDS, 0);
	s.raid_disks = 1921;
	refused(&s, ST_CORRUPT, REASON_BAD_FIELDS, 0);
	/* a role that its array has not */
	s = md1_spec(FORMAT_MD_1_2, 0);
	s.roles[0] = 2;
	refused(&s, ST_CORRUPT, REASON_BAD_FIELDS, 0);
	s.roles[0] = 1;
	fine(&s);
	/* a device number beyond the map that is kept, and beyond its own map */
	s = md1_spec(FORMAT_MD_1_2, 0);
	s.max_dev = 200;
	s.dev = 128;
	refused(&s, ST_UNSUPPORTED, REASON_DEV_NUMBER, 128);
	s.dev = 127;
	fine(&s);
	assert_int_equal(m.role, ROLE_SPARE);
	s.dev = 200;
	fine(&s);
	assert_int_equal(m.role, ROLE_SPARE);
}

/* analyze_sbs(): a role that the array does not have makes a spare of the device. */
static void test_map_beyond(void **state)
{
	struct md1_spec s = md1_spec(FORMAT_MD_1_2, 0);

	s.roles[1] = 2; /* of two: 0 and 1 */
	s.roles[2] = 0xfeff;
	s.roles[3] = ROLE_FAULTY;
	s.roles[4] = ROLE_JOURNAL;
	fine(&s);
	assert_int_equal(m.role, 0);
	assert_int_equal(m.roles[0], 0);
	assert_int_equal(m.roles[1], ROLE_SPARE);
	assert_int_equal(m.roles[2], ROLE_SPARE);
	assert_int_equal(m.roles[3], ROLE_FAULTY);
	assert_int_equal(m.roles[4], ROLE_JOURNAL);
}

static void test_padding(void **state)
{
	struct md1_spec s = md1_spec(FORMAT_MD_1_2, 0);

	md1_build(&s, SIZE, sb);
	put32(sb + 12, 1);
	assert_int_equal(parse_changed(), ST_OK);
	assert_int_equal(m.status, ST_UNSUPPORTED);
	assert_int_equal(m.why.code, REASON_FEATURE);
	/* newer kernels keep the block size where padding was */
	md1_build(&s, SIZE, sb);
	put32(sb + 224, 4096);
	assert_int_equal(parse_changed(), ST_OK);
	assert_int_equal(m.status, ST_OK);
	put32(sb + 224, 4097);
	assert_int_equal(parse_changed(), ST_OK);
	assert_int_equal(m.status, ST_UNSUPPORTED);
}

static void test_extent(void **state)
{
	struct md1_spec s = md1_spec(FORMAT_MD_1_2, 0);

	s.size = 513; /* more than the member has for it */
	refused(&s, ST_CORRUPT, REASON_BAD_FIELDS, 0);
	s.size = 0;
	refused(&s, ST_CORRUPT, REASON_BAD_FIELDS, 0);
	s = md1_spec(FORMAT_MD_1_2, 0);
	s.data_offset = 15; /* over the superblock */
	refused(&s, ST_CORRUPT, REASON_BAD_FIELDS, 0);
	s.data_offset = 16;
	fine(&s);
	s = md1_spec(FORMAT_MD_1_1, 0);
	s.data_offset = 7;
	refused(&s, ST_CORRUPT, REASON_BAD_FIELDS, 0);
	s.data_offset = 8;
	fine(&s);

	s = md1_spec(FORMAT_MD_1_2, 0);
	s.data_size = SIZE - 64;
	fine(&s);
	s.data_size++;
	refused(&s, ST_CORRUPT, REASON_TRUNCATED, SIZE);
	assert_int_equal(m.why.b, SIZE + 1);
	s.data_size = UINT64_MAX - 10; /* a sum that wraps */
	refused(&s, ST_CORRUPT, REASON_TRUNCATED, SIZE);
	assert_int_equal(m.why.b, UINT64_MAX);

	s = md1_spec(FORMAT_MD_1_0, 0); /* the data end where the superblock starts */
	s.data_size = 2032;
	fine(&s);
	s.data_size = 2033;
	refused(&s, ST_CORRUPT, REASON_TRUNCATED, SIZE);
}

static void test_rebuilding(void **state)
{
	struct md1_spec s = md1_spec(FORMAT_MD_1_2, 0);

	s.recovery_offset = 100; /* means nothing without its feature bit */
	fine(&s);
	assert_int_equal(m.good_s512, 512);
	assert_int_equal(m.flags, 0);
	s.features = 2;
	fine(&s);
	assert_int_equal(m.good_s512, 100);
	assert_int_equal(m.flags, MEMBER_PARTIAL);
	s.recovery_offset = UINT64_MAX;
	fine(&s);
	assert_int_equal(m.good_s512, 512);
	assert_int_equal(m.flags, MEMBER_PARTIAL);
}

static void test_flags(void **state)
{
	struct md1_spec s = md1_spec(FORMAT_MD_1_2, 0);

	s.devflags = 1;
	fine(&s);
	assert_int_equal(m.flags, MEMBER_WRITE_MOSTLY);
	s.devflags = 2;
	fine(&s);
	assert_int_equal(m.flags, MEMBER_FAILFAST);
	s.devflags = 0;
	s.resync_offset = 0;
	fine(&s);
	assert_int_equal(m.flags, MEMBER_DIRTY);
	s.resync_offset = 511;
	fine(&s);
	assert_int_equal(m.flags, MEMBER_DIRTY);
	s.resync_offset = 512;
	fine(&s);
	assert_int_equal(m.flags, 0);
}

/* ---- the log of bad blocks ---- */

static struct md1_spec with_log(enum format_id format, int32_t offset, uint16_t size)
{
	struct md1_spec s = md1_spec(format, 0);

	s.features = 8;
	s.bblog_offset = offset;
	s.bblog_size = size;
	return s;
}

static void test_log_place(void **state)
{
	struct md1_spec s = md1_spec(FORMAT_MD_1_2, 0);
	uint64_t at;
	uint32_t len;

	s.bblog_offset = 16;
	s.bblog_size = 8;
	fine(&s);
	assert_false(md1_bad_block_log(sb, 8, SIZE, &at, &len)); /* no feature bit */
	s = with_log(FORMAT_MD_1_2, 16, 0);
	fine(&s);
	assert_false(md1_bad_block_log(sb, 8, SIZE, &at, &len));
	s = with_log(FORMAT_MD_1_2, 16, 8);
	fine(&s);
	assert_true(md1_bad_block_log(sb, 8, SIZE, &at, &len));
	assert_int_equal(at, 24);
	assert_int_equal(len, 8);
	s = with_log(FORMAT_MD_1_0, -8, 8);
	fine(&s);
	assert_true(md1_bad_block_log(sb, 2032, SIZE, &at, &len));
	assert_int_equal(at, 2024);
}

/* Linux refuses a member whose log it can't read: what it lists would be served. */
static void test_log_refused(void **state)
{
	struct md1_spec s = with_log(FORMAT_MD_1_2, 16, 9);

	refused(&s, ST_CORRUPT, REASON_BAD_FIELDS, 0);
	s = with_log(FORMAT_MD_1_2, SIZE - 8 - 8, 8);
	fine(&s);
	s = with_log(FORMAT_MD_1_2, SIZE - 8 - 7, 8); /* ends behind the member */
	refused(&s, ST_CORRUPT, REASON_BAD_FIELDS, 0);
	s = with_log(FORMAT_MD_1_2, -9, 8); /* starts before it */
	refused(&s, ST_CORRUPT, REASON_BAD_FIELDS, 0);
	s = with_log(FORMAT_MD_1_2, 0, 8); /* is the superblock */
	refused(&s, ST_CORRUPT, REASON_BAD_FIELDS, 0);
	s = with_log(FORMAT_MD_1_2, 16, 8);
	s.bblog_shift = 31;
	refused(&s, ST_CORRUPT, REASON_BAD_FIELDS, 0);
}

static uint8_t log_bytes[4096];

static void log_entry(unsigned i, uint64_t start, uint64_t len)
{
	put64(log_bytes + 8 * i, start << 10 | len);
}

static void read_log(unsigned shift, uint32_t len_bytes)
{
	struct md1_spec s = with_log(FORMAT_MD_1_2, 16, 8);

	s.bblog_shift = (uint8_t)shift;
	fine(&s);
	md1_bad_blocks(sb, log_bytes, len_bytes, &m);
}

static void hole_is(unsigned i, uint64_t start, uint64_t len)
{
	assert_true(i < m.hole_count);
	assert_int_equal(m.hole[i].start_s512, start);
	assert_int_equal(m.hole[i].len_s512, len);
}

/* Entries count from the device's start: the data offset, 64, is taken off. */
static void test_log_entries(void **state)
{
	memset(log_bytes, 0xff, sizeof(log_bytes));
	read_log(0, 4096);
	assert_int_equal(m.hole_count, 0);
	log_entry(0, 64 + 400, 8);
	log_entry(1, 64 + 10, 1);
	log_entry(2, 64 + 100, 0x3ff);
	log_entry(3, 64 + 200, 0); /* of no length: none */
	log_entry(5, 64 + 300, 8); /* behind the end mark */
	read_log(0, 4096);
	assert_int_equal(m.hole_count, 3);
	hole_is(0, 10, 1);
	hole_is(1, 100, 412); /* cut at the end of the data */
	hole_is(2, 400, 8);
	/* only what was read counts */
	read_log(0, 15);
	assert_int_equal(m.hole_count, 1);
	hole_is(0, 400, 8);
}

static void test_log_clipped(void **state)
{
	memset(log_bytes, 0xff, sizeof(log_bytes));
	log_entry(0, 0, 64);       /* before the data */
	log_entry(1, 60, 8);       /* into them */
	log_entry(2, 64 + 508, 8); /* out of them */
	log_entry(3, 64 + 512, 8); /* behind them */
	log_entry(4, (uint64_t)1 << 50, 8);
	read_log(0, 4096);
	assert_int_equal(m.hole_count, 2);
	hole_is(0, 0, 4);
	hole_is(1, 508, 4);
}

static void test_log_shift(void **state)
{
	memset(log_bytes, 0xff, sizeof(log_bytes));
	log_entry(0, (64 + 16) / 8, 2);
	read_log(3, 4096);
	assert_int_equal(m.hole_count, 1);
	hole_is(0, 16, 16);
	/* a shift that would carry bits out */
	log_entry(0, (uint64_t)1 << 53, 1);
	read_log(30, 4096);
	assert_int_equal(m.hole_count, 0);
	log_entry(0, 0, 1);
	read_log(30, 4096);
	assert_int_equal(m.hole_count, 1);
	hole_is(0, 0, 512);
}

static bool is_hole(uint64_t pos)
{
	for (unsigned i = 0; i < m.hole_count; i++)
		if (pos >= m.hole[i].start_s512 && pos - m.hole[i].start_s512 < m.hole[i].len_s512)
			return true;
	return false;
}

/* More entries than room, in several orders: each of them stays a hole. */
static void test_log_overflow(void **state)
{
	enum { N = 100 };

	for (unsigned order = 0; order < 4; order++) {
		static const unsigned step[] = {1, N - 1, 37, 63}; /* prime to N */

		memset(log_bytes, 0xff, sizeof(log_bytes));
		for (unsigned i = 0; i < N; i++)
			log_entry(i, 64 + 5 * (i * step[order] % N), 2);
		read_log(0, 4096);
		assert_int_equal(m.hole_count, MEMBER_HOLES);
		for (unsigned i = 0; i < N; i++) {
			assert_true(is_hole(5 * i));
			assert_true(is_hole(5 * i + 1));
		}
		for (unsigned i = 1; i < m.hole_count; i++)
			assert_true(m.hole[i - 1].start_s512 <= m.hole[i].start_s512);
	}
	/* exactly as many as there is room for: nothing is merged */
	memset(log_bytes, 0xff, sizeof(log_bytes));
	for (unsigned i = 0; i < MEMBER_HOLES; i++)
		log_entry(i, 64 + 5 * i, 2);
	read_log(0, 4096);
	assert_int_equal(m.hole_count, MEMBER_HOLES);
	for (unsigned i = 0; i < 512; i++)
		assert_int_equal(is_hole(i), i < 5 * MEMBER_HOLES && i % 5 < 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_place),        cmocka_unit_test(test_good),
		cmocka_unit_test(test_name),         cmocka_unit_test(test_absent),
		cmocka_unit_test(test_checksum),     cmocka_unit_test(test_checksum_length),
		cmocka_unit_test(test_features),     cmocka_unit_test(test_refused),
		cmocka_unit_test(test_map_beyond),   cmocka_unit_test(test_padding),
		cmocka_unit_test(test_extent),       cmocka_unit_test(test_rebuilding),
		cmocka_unit_test(test_flags),        cmocka_unit_test(test_log_place),
		cmocka_unit_test(test_log_refused),  cmocka_unit_test(test_log_entries),
		cmocka_unit_test(test_log_clipped),  cmocka_unit_test(test_log_shift),
		cmocka_unit_test(test_log_overflow),
	};

	return cmocka_run_group_tests_name("md1", tests, NULL, NULL);
}
