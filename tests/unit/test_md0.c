/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* md 0.90: place, checksum, every refusal, and what a good superblock says. */
#include "tests/unit/help_md.h"

#include "common/md.h"

#include <string.h>

#define SIZE 2000u /* s512 of the member: the superblock is at 1920 - 128 */
#define AT   1792u

static uint8_t sb[4096];
static struct member m;

static enum status parse(const struct md0_spec *s)
{
	md0_build(s, sb);
	return md0_parse(sb, AT, SIZE, &m);
}

static void test_place(void **state)
{
	uint64_t at = 7;

	assert_false(md0_place(0, &at));
	assert_false(md0_place(128, &at));
	assert_false(md0_place(255, &at));
	assert_int_equal(at, 7);
	assert_true(md0_place(256, &at));
	assert_int_equal(at, 128);
	assert_true(md0_place(383, &at));
	assert_int_equal(at, 128);
	assert_true(md0_place(384, &at));
	assert_int_equal(at, 256);
	assert_true(md0_place(SIZE, &at));
	assert_int_equal(at, AT);
	assert_true(md0_place((uint64_t)1 << 40, &at));
	assert_int_equal(at, ((uint64_t)1 << 40) - 128);
	assert_true(md0_place(UINT64_MAX, &at));
	assert_int_equal(at, UINT64_MAX - 127 - 128);
}

static void test_good(void **state)
{
	struct md0_spec s = md0_spec(1);

	s.events = 0x500000007;
	s.disk_state[0] = MD0_FAULTY;
	assert_int_equal(parse(&s), ST_OK);
	assert_int_equal(m.status, ST_OK);
	assert_int_equal(m.format, FORMAT_MD_0_90);
	assert_int_equal(m.level, 1);
	assert_int_equal(m.raid_disks, 2);
	assert_int_equal(m.events, 0x500000007);
	assert_int_equal(m.dev_number, 1);
	assert_int_equal(m.role, 1);
	assert_int_equal(m.role_count, 27);
	assert_int_equal(m.roles[0], ROLE_FAULTY);
	assert_int_equal(m.roles[1], 1);
	assert_int_equal(m.roles[2], ROLE_SPARE);
	assert_int_equal(m.sb_s512, AT);
	assert_int_equal(m.data_start_s512, 0);
	assert_int_equal(m.data_s512, 512);
	assert_int_equal(m.good_s512, 512);
	assert_int_equal(m.flags, 0);
	assert_int_equal(m.hole_count, 0);
	assert_string_equal(m.name, "md0");
}

/* mdadm prints each word of the UUID as a number. */
static void test_uuid(void **state)
{
	struct md0_spec s = md0_spec(0);
	char text[GUID_TEXT_BYTES];

	md0_build(&s, sb);
	put32(sb + 20, 0x3f2a9c11);
	put32(sb + 52, 0x0d4e8b77);
	put32(sb + 56, 0x5a6b7c8d);
	put32(sb + 60, 0x9e0f1a2b);
	md0_resum(sb);
	assert_int_equal(md0_parse(sb, AT, SIZE, &m), ST_OK);
	guid_text_md(&m.set_uuid, text);
	assert_string_equal(text, "3f2a9c11:0d4e8b77:5a6b7c8d:9e0f1a2b");
}

static void test_name(void **state)
{
	static const struct {
		uint32_t minor;
		const char *name;
	} cases[] = {{0, "md0"},     {9, "md9"},     {10, "md10"},
		     {99, "md99"},   {100, "md100"}, {109, "md109"},
		     {127, "md127"}, {128, "md"},    {UINT32_MAX, "md"}};

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct md0_spec s = md0_spec(0);

		s.md_minor = cases[i].minor;
		assert_int_equal(parse(&s), ST_OK);
		assert_string_equal(m.name, cases[i].name);
	}
}

static void test_flags(void **state)
{
	struct md0_spec s = md0_spec(0);

	s.state = 0;
	assert_int_equal(parse(&s), ST_OK);
	assert_int_equal(m.flags, MEMBER_DIRTY);
	s.state = 1 | 1 << 8;
	s.own_state = 1 << 9;
	assert_int_equal(parse(&s), ST_OK);
	assert_int_equal(m.flags, MEMBER_BITMAP | MEMBER_WRITE_MOSTLY);
	s.own_state = 1 << 10;
	assert_int_equal(parse(&s), ST_OK);
	assert_int_equal(m.flags, MEMBER_BITMAP | MEMBER_FAILFAST);
}

static void test_roles(void **state)
{
	struct md0_spec s = md0_spec(0);

	s.raid_disks = 27;
	s.disk_state[2] = MD0_FAULTY | MD0_ACTIVE_SYNC; /* faulty rules */
	s.disk_state[3] = 2;                            /* active, not in sync */
	s.disk_state[4] = 4;
	s.disk_state[5] = MD0_REMOVED;
	s.disk_state[6] = MD0_ACTIVE_SYNC | 1 << 9;
	md0_build(&s, sb);
	put32(sb + 512 + 7 * 128 + 16, MD0_ACTIVE_SYNC);
	put32(sb + 512 + 7 * 128 + 12, 27); /* a role that can't be */
	md0_resum(sb);
	assert_int_equal(md0_parse(sb, AT, SIZE, &m), ST_OK);
	assert_int_equal(m.roles[2], ROLE_FAULTY);
	assert_int_equal(m.roles[3], ROLE_SPARE);
	assert_int_equal(m.roles[4], ROLE_SPARE);
	assert_int_equal(m.roles[5], ROLE_SPARE);
	assert_int_equal(m.roles[6], 6);
	assert_int_equal(m.roles[7], ROLE_SPARE);
}

/* analyze_sbs(): a role that the array does not have makes a spare, its own or another's. */
static void test_roles_beyond(void **state)
{
	struct md0_spec s = md0_spec(0);

	md0_build(&s, sb);
	put32(sb + 512 + 12, 2); /* device 0 in the third role of two */
	put32(sb + 512 + 128 + 12, 1);
	md0_resum(sb);
	assert_int_equal(md0_parse(sb, AT, SIZE, &m), ST_OK);
	assert_int_equal(m.role, ROLE_SPARE);
	assert_int_equal(m.roles[0], ROLE_SPARE);
	assert_int_equal(m.roles[1], 1);
	put32(sb + 512 + 12, 0);
	put32(sb + 512 + 128 + 12, 0xffffffff);
	md0_resum(sb);
	assert_int_equal(md0_parse(sb, AT, SIZE, &m), ST_OK);
	assert_int_equal(m.role, 0);
	assert_int_equal(m.roles[1], ROLE_SPARE);
}

static void test_absent(void **state)
{
	struct md0_spec s = md0_spec(0);

	md0_build(&s, sb);
	put32(sb, 0xfc4e2ba9); /* the other byte order */
	assert_int_equal(md0_parse(sb, AT, SIZE, &m), ST_ABSENT);
	md0_build(&s, sb);
	put32(sb + 4, 1);
	md0_resum(sb);
	assert_int_equal(md0_parse(sb, AT, SIZE, &m), ST_ABSENT);
	/* a place outside of the member */
	md0_build(&s, sb);
	assert_int_equal(md0_parse(sb, SIZE - 7, SIZE, &m), ST_ABSENT);
	assert_int_equal(md0_parse(sb, UINT64_MAX, SIZE, &m), ST_ABSENT);
	assert_int_equal(md0_parse(sb, SIZE - 8, SIZE, &m), ST_OK);
	memset(sb, 0, sizeof(sb));
	assert_int_equal(md0_parse(sb, AT, SIZE, &m), ST_ABSENT);
}

/* An array larger than the place belongs to something larger. */
static void test_larger_than_place(void **state)
{
	struct md0_spec s = md0_spec(0);

	s.size_kib = AT / 2;
	assert_int_equal(parse(&s), ST_OK);
	assert_int_equal(m.status, ST_OK);
	s.size_kib = AT / 2 + 1;
	assert_int_equal(parse(&s), ST_ABSENT);
	s.size_kib = UINT32_MAX;
	assert_int_equal(parse(&s), ST_ABSENT);
}

static void test_checksum(void **state)
{
	struct md0_spec s = md0_spec(0);

	md0_build(&s, sb);
	assert_int_equal(md0_checksum(sb), get32(sb + 152));
	/* every part of the 4 KiB counts */
	for (unsigned i = 12; i < 4096; i += 4) {
		md0_build(&s, sb);
		sb[i] ^= 0x10;
		assert_int_equal(md0_parse(sb, AT, SIZE, &m), ST_OK);
		assert_int_equal(m.status, ST_CORRUPT);
		assert_int_equal(m.why.code, REASON_CHECKSUM);
	}
	/* a sum that carries out of 32 bits */
	md0_build(&s, sb);
	memset(sb + 1024, 0xff, 1024);
	md0_resum(sb);
	assert_int_equal(md0_checksum(sb), get32(sb + 152));
	assert_int_equal(md0_parse(sb, AT, SIZE, &m), ST_OK);
	assert_int_equal(m.status, ST_OK);
}

/* Linux compares after folding to 16 bits, for kernels that stored a folded sum. */
static void test_checksum_folded(void **state)
{
	struct md0_spec s = md0_spec(0);
	uint32_t sum;

	md0_build(&s, sb);
	sum = get32(sb + 152);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	assert_int_not_equal(sum, get32(sb + 152));
	put32(sb + 152, sum);
	assert_int_equal(md0_parse(sb, AT, SIZE, &m), ST_OK);
	assert_int_equal(m.status, ST_OK);
	put32(sb + 152, sum ^ 1);
	assert_int_equal(md0_parse(sb, AT, SIZE, &m), ST_OK);
	assert_int_equal(m.why.code, REASON_CHECKSUM);
}

static void refused(const struct md0_spec *s, enum status st, enum reason_code code, uint64_t a)
{
	assert_int_equal(parse(s), ST_OK);
	assert_int_equal(m.status, st);
	assert_int_equal(m.why.code, code);
	assert_int_equal(m.why.a, a);
}

static void test_refused(void **state)
{
	struct md0_spec s = md0_spec(0);

	s.minor = 91;
	refused(&s, ST_UNSUPPORTED, REASON_RESHAPE, 91);
	s.minor = 92;
	refused(&s, ST_UNSUPPORTED, REASON_FEATURE, 92);
	s = md0_spec(0);
	s.level = 5;
	refused(&s, ST_UNSUPPORTED, REASON_NOT_A_MIRROR, 5);
	s.level = 0;
	refused(&s, ST_UNSUPPORTED, REASON_NOT_A_MIRROR, 0);
	s.level = (uint32_t)-1; /* linear */
	refused(&s, ST_UNSUPPORTED, REASON_NOT_A_MIRROR, 0);
	assert_int_equal(m.level, -1);
	s = md0_spec(0);
	s.raid_disks = 0;
	refused(&s, ST_CORRUPT, REASON_BAD_FIELDS, 0);
	s.raid_disks = 28;
	refused(&s, ST_CORRUPT, REASON_BAD_FIELDS, 0);
	s.raid_disks = 27;
	refused(&s, ST_OK, REASON_NONE, 0);
	s = md0_spec(0);
	s.size_kib = 0;
	refused(&s, ST_CORRUPT, REASON_BAD_FIELDS, 0);
	s = md0_spec(0);
	s.dev = 27;
	refused(&s, ST_CORRUPT, REASON_BAD_FIELDS, 0);
	s.dev = 26;
	refused(&s, ST_OK, REASON_NONE, 0);
	assert_int_equal(m.role, ROLE_SPARE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_place),
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_uuid),
		cmocka_unit_test(test_name),
		cmocka_unit_test(test_flags),
		cmocka_unit_test(test_roles),
		cmocka_unit_test(test_roles_beyond),
		cmocka_unit_test(test_absent),
		cmocka_unit_test(test_larger_than_place),
		cmocka_unit_test(test_checksum),
		cmocka_unit_test(test_checksum_folded),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests_name("md0", tests, NULL, NULL);
}
