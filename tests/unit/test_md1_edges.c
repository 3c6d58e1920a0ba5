/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* md 1.x, to the sector: bad blocks against a look at each sector; the last values that are right.
 */
#include "tests/unit/help_md.h"

#include "common/md.h"
#include "common/md1_mark.h"
#include "common/md1_sb.h"

#include <stdlib.h>
#include <string.h>

#define SIZE 2048u /* s512 of the member */
#define DATA 512u  /* of which at 64 */

static uint8_t sb[4096];
static struct member m;
static uint32_t random_state = 1;

static unsigned any(unsigned below)
{
	random_state = random_state * 1664525 + 1013904223;
	return (random_state >> 16) % below;
}

static void refused(const struct md1_spec *s, enum status st, enum reason_code code)
{
	md1_build(s, SIZE, sb);
	memset(&m, 0xee, sizeof(m));
	assert_int_equal(md1_parse(s->format, sb, md1_at(s->format, SIZE), SIZE, &m), ST_OK);
	assert_int_equal(m.status, st);
	assert_int_equal(m.why.code, code);
}

/* ---- bad blocks ---- */

static bool is_hole(uint64_t pos)
{
	for (unsigned i = 0; i < m.hole_count; i++)
		if (pos >= m.hole[i].start_s512 && pos - m.hole[i].start_s512 < m.hole[i].len_s512)
			return true;
	return false;
}

static void bad_blocks(unsigned entries, unsigned shift)
{
	struct md1_spec s = md1_spec(FORMAT_MD_1_2, 0);
	uint8_t *log = malloc(8 * entries); /* just as long */
	bool bad[DATA] = {0};

	refused(&s, ST_OK, REASON_NONE);
	sb[offsetof(struct md1_sb, bblog_shift)] = (uint8_t)shift;
	for (unsigned i = 0; i < entries; i++) {
		unsigned len = any(4) ? any(12) : any(1024), start = any(700) >> shift;

		put64(log + 8 * i, (uint64_t)start << 10 | len);
		for (unsigned k = 0; k < len << shift; k++) {
			unsigned at = (start << shift) + k;

			if (at >= 64 && at < 64 + DATA)
				bad[at - 64] = true;
		}
	}
	md1_bad_blocks(sb, log, 8 * entries, &m);
	free(log);
	assert_true(m.hole_count <= MEMBER_HOLES);
	for (unsigned i = 0; i < m.hole_count; i++) {
		assert_true(m.hole[i].len_s512 > 0);
		assert_true(m.hole[i].start_s512 + m.hole[i].len_s512 <= DATA);
		assert_true(i == 0 || m.hole[i].start_s512 >= m.hole[i - 1].start_s512);
	}
	for (unsigned k = 0; k < DATA; k++)
		if (entries <= MEMBER_HOLES)
			assert_int_equal(is_hole(k), bad[k]);
		else if (bad[k]) /* too many: more may be taken for bad, none for good */
			assert_true(is_hole(k));
}

static void each_sector(void **state)
{
	for (unsigned turn = 0; turn < 400; turn++)
		for (unsigned shift = 0; shift < 4; shift++)
			bad_blocks(1 + any(turn % 2 ? MEMBER_HOLES : 60), shift);
}

/* The most that a log can hold, and what is after its room. */
static void room_for_holes(void **state)
{
	struct md1_spec s = md1_spec(FORMAT_MD_1_2, 0);
	uint8_t log[8 * (MEMBER_HOLES + 2)];

	for (unsigned n = 1; n <= MEMBER_HOLES; n++) { /* backwards: all move */
		refused(&s, ST_OK, REASON_NONE);
		memset(&m.hole[MEMBER_HOLES - 1], 0x77, sizeof(m.hole[0]));
		for (unsigned i = 0; i < n; i++)
			put64(log + 8 * i, (uint64_t)(64 + 4 * (n - i)) << 10 | 2);
		md1_bad_blocks(sb, log, 8 * n, &m);
		assert_int_equal(m.hole_count, n);
		for (unsigned i = 0; i < n; i++) {
			assert_int_equal(m.hole[i].start_s512, 4 * (i + 1));
			assert_int_equal(m.hole[i].len_s512, 2);
		}
	}
	/* One more, in front of all and longer than any: the first is widened, backwards. */
	put64(log, (uint64_t)64 << 10 | 3);
	md1_bad_blocks(sb, log, 8, &m);
	assert_int_equal(m.hole_count, MEMBER_HOLES);
	assert_int_equal(m.hole[0].start_s512, 0);
	assert_int_equal(m.hole[0].len_s512, 6);
	/* And one behind all. */
	put64(log, (uint64_t)(64 + 100) << 10 | 3);
	md1_bad_blocks(sb, log, 8, &m);
	assert_int_equal(m.hole[MEMBER_HOLES - 1].start_s512, 64);
	assert_int_equal(m.hole[MEMBER_HOLES - 1].len_s512, 39);
}

static void shifts(void **state)
{
	struct md1_spec s = md1_spec(FORMAT_MD_1_2, 0);
	uint8_t log[8];

	for (unsigned shift = 29; shift <= 64; shift++) {
		refused(&s, ST_OK, REASON_NONE);
		sb[offsetof(struct md1_sb, bblog_shift)] = (uint8_t)shift;
		put64(log, 1); /* from 0 on: all, and more */
		md1_bad_blocks(sb, log, 8, &m);
		assert_int_equal(m.hole_count, shift <= 30);
	}
	/* Half of all sectors there can be is the last start that counts. */
	refused(&s, ST_OK, REASON_NONE);
	m.data_start_s512 = 0;
	m.data_s512 = UINT64_MAX;
	sb[offsetof(struct md1_sb, bblog_shift)] = 10;
	put64(log, ((uint64_t)1 << 53) << 10 | 1);
	md1_bad_blocks(sb, log, 8, &m);
	assert_int_equal(m.hole_count, 0);
	put64(log, (((uint64_t)1 << 53) - 1) << 10 | 1);
	md1_bad_blocks(sb, log, 8, &m);
	assert_int_equal(m.hole_count, 1);
	assert_true(m.hole[0].start_s512 == (((uint64_t)1 << 53) - 1) << 10);
}

/* ---- fields ---- */

static void names(void **state)
{
	for (unsigned c = 1; c < 256; c++) {
		struct md1_spec s = md1_spec(FORMAT_MD_1_2, 0);
		char name[] = {'x', (char)c, '\0'};
		bool ok = c > ' ' && c < 0x7f;

		s.name = name;
		refused(&s, ST_OK, REASON_NONE);
		assert_int_equal(strlen(m.name), ok ? 2 : 1);
		assert_int_equal(m.name[1], ok ? (char)c : '\0');
	}
}

static void numbers_of_disks(void **state)
{
	struct md1_spec s = md1_spec(FORMAT_MD_1_2, 0);

	s.raid_disks = 0;
	s.roles[0] = ROLE_SPARE;
	refused(&s, ST_CORRUPT, REASON_BAD_FIELDS);
	s = md1_spec(FORMAT_MD_1_2, 0);
	s.raid_disks = MD1_MAX_DEV;
	refused(&s, ST_OK, REASON_NONE);
	s.raid_disks = MD1_MAX_DEV + 1;
	refused(&s, ST_CORRUPT, REASON_BAD_FIELDS);
	s = md1_spec(FORMAT_MD_1_2, 0);
	s.raid_disks = 1; /* this one has the first role that there is not */
	s.roles[0] = 1;
	refused(&s, ST_CORRUPT, REASON_BAD_FIELDS);
	s.roles[0] = ROLE_MAX - 1;
	refused(&s, ST_CORRUPT, REASON_BAD_FIELDS);
	s.roles[0] = ROLE_MAX; /* not a place: none of the array's */
	refused(&s, ST_OK, REASON_NONE);
	assert_int_equal(m.role, ROLE_MAX);
	s = md1_spec(FORMAT_MD_1_2, 0);
	s.roles[1] = ROLE_MAX;
	refused(&s, ST_OK, REASON_NONE);
	assert_int_equal(m.roles[1], ROLE_MAX); /* as it is: nothing that counts */
	s = md1_spec(FORMAT_MD_1_2, 0);
	s.max_dev = 1;
	s.dev = 1; /* behind the map */
	s.roles[1] = 0;
	refused(&s, ST_OK, REASON_NONE);
	assert_int_equal(m.role, ROLE_SPARE);
	s = md1_spec(FORMAT_MD_1_2, 0);
	s.level = 0;
	refused(&s, ST_UNSUPPORTED, REASON_NOT_A_MIRROR);
	assert_int_equal(m.why.a, 0);
	s.level = -1;
	refused(&s, ST_UNSUPPORTED, REASON_NOT_A_MIRROR);
	assert_int_equal(m.why.a, 0);
	s.level = 5;
	refused(&s, ST_UNSUPPORTED, REASON_NOT_A_MIRROR);
	assert_int_equal(m.why.a, 5);
}

static void ends_that_wrap(void **state)
{
	struct md1_spec s = md1_spec(FORMAT_MD_1_2, 0);

	s.data_size = UINT64_MAX - s.data_offset;
	refused(&s, ST_CORRUPT, REASON_TRUNCATED);
	assert_true(m.why.b == UINT64_MAX);
	s.data_size--;
	refused(&s, ST_CORRUPT, REASON_TRUNCATED);
	assert_true(m.why.b == UINT64_MAX - 1);
	s.data_size = UINT64_MAX;
	refused(&s, ST_CORRUPT, REASON_TRUNCATED);
	assert_true(m.why.b == UINT64_MAX);
	assert_int_equal(m.why.a, SIZE);
}

/* ---- marking ---- */

static void marked(void **state)
{
	struct md1_spec s = md1_spec(FORMAT_MD_1_2, 0);
	struct vdisk_mirror v = {.leg_count = 2, .resync_s512 = 77};
	const struct md1_sb *h = (const struct md1_sb *)sb;

	v.dev_number[1] = 1;
	s.roles[5] = ROLE_MAX; /* no role: stays */
	s.roles[6] = ROLE_MAX - 1;
	s.raid_disks = MD1_MAX_DEV;
	s.max_dev = 128;
	md1_build(&s, SIZE, sb);
	assert_true(md1_mark(sb, 9, true, &v));
	assert_int_equal(le64_get(h->resync_offset), 0);
	assert_int_equal(le32_get(h->csum), md1_checksum(sb));
	assert_int_equal(le64_get(h->events), 102); /* device 6 is lost */
	assert_int_equal(md1_role_at(sb, 5), ROLE_MAX);
	assert_int_equal(md1_role_at(sb, 6), ROLE_FAULTY);
	assert_true(md1_mark(sb, 9, false, &v));
	assert_int_equal(le64_get(h->resync_offset), 77);
	assert_int_equal(le64_get(h->events), 102); /* once */
	sb[100] ^= 1;                               /* what does not hold together is not written */
	assert_false(md1_mark(sb, 9, true, &v));
	sb[100] ^= 1;
	sb[0] ^= 1;
	md1_resum(sb);
	assert_false(md1_mark(sb, 9, true, &v));
	sb[0] ^= 1;
	put32(sb + offsetof(struct md1_sb, max_dev), 129); /* the map does not end in a sector */
	md1_resum(sb);
	assert_false(md1_mark(sb, 9, true, &v));
	assert_true(md1_mark(sb, 12, true, &v));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_sector),      cmocka_unit_test(room_for_holes),
		cmocka_unit_test(shifts),           cmocka_unit_test(names),
		cmocka_unit_test(numbers_of_disks), cmocka_unit_test(ends_that_wrap),
		cmocka_unit_test(marked),
	};

	return cmocka_run_group_tests_name("md1: edges", tests, NULL, NULL);
}
