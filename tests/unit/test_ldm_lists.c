/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* Dynamic disks: what belongs together and in which order, texts, and updates that were cut. */
#include "tests/unit/help_md.h"

#include "common/ldm_list.h"
#include "common/ldm_probe.h"
#include "common/ldm_wire.h"
#include "common/leg.h"

#include <stdlib.h>
#include <string.h>

static struct ldm_db db;
static struct survey s;

/* ---- lists ---- */

static void components_by_id(void **state)
{
	static const uint32_t ids[] = {30, 10, 20, 15, 25};
	const struct ldm_volume v = {.id = 4};
	const struct ldm_component *c = NULL;
	uint32_t last = 0, n = 0;

	memset(&db, 0, sizeof(db));
	db.component_count = 5;
	for (unsigned i = 0; i < 6; i++) /* one more than is said to be there */
		db.component[i] =
			(struct ldm_component){.id = i < 5 ? ids[i] : 5, .volume = i == 3 ? 9 : 4};
	while ((c = ldm_next_component(&db, &v, c)) != NULL) {
		assert_true(c->id > last);
		assert_int_not_equal(c->id, 15); /* another volume's */
		last = c->id;
		n++;
	}
	assert_int_equal(n, 4);
	assert_int_equal(last, 30);
}

static int by_place(const void *a, const void *b)
{
	const struct ldm_partition *x = a, *y = b;

	if (x->column != y->column)
		return x->column < y->column ? -1 : 1;
	if (x->offset_s512 != y->offset_s512)
		return x->offset_s512 < y->offset_s512 ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

static void partitions_by_place(void **state)
{
	const struct ldm_component c = {.id = 7};

	for (unsigned turn = 0; turn < 200; turn++) {
		struct ldm_partition own[9];
		const struct ldm_partition *p = NULL;
		unsigned n = 0;

		memset(&db, 0, sizeof(db));
		db.partition_count = 8;
		for (unsigned i = 0; i < 9; i++) {
			unsigned k = turn * 31 + i * 7919;

			db.partition[i] = (struct ldm_partition){.id = (i * 5 + turn) % 9 + 1,
								 .component = k / 3 % 4 ? 7 : 8,
								 .column = k / 5 % 2,
								 .offset_s512 = k / 11 % 3};
			if (i < 8 && db.partition[i].component == 7)
				own[n++] = db.partition[i];
		}
		qsort(own, n, sizeof(own[0]), by_place);
		for (unsigned i = 0; i < n; i++) {
			p = ldm_next_partition(&db, &c, p);
			assert_non_null(p);
			assert_int_equal(p->id, own[i].id);
		}
		assert_null(ldm_next_partition(&db, &c, p));
	}
}

static void kinds(void **state)
{
	const struct ldm_volume v = {.id = 4, .components = 1};

	memset(&db, 0, sizeof(db));
	assert_int_equal(ldm_kind(&db, &v), LDM_KIND_OTHER); /* no component at all */
	for (unsigned i = 0; i < LDM_KIND_COUNT; i++) {
		assert_true(strlen(ldm_kind_name((uint8_t)i)) > 3);
		for (unsigned k = 0; k < i; k++)
			assert_string_not_equal(ldm_kind_name((uint8_t)i),
						ldm_kind_name((uint8_t)k));
	}
	assert_string_equal(ldm_kind_name(LDM_KIND_COUNT), "?");
	assert_string_equal(ldm_kind_name(255), "?");
}

static void compared(void **state)
{
	static struct ldm_db a, b;

	a.group.b[0] = b.group.b[0] = 1;
	for (uint64_t x = 1; x < 4; x++)
		for (uint64_t y = 1; y < 4; y++) {
			a.committed = x;
			b.committed = y;
			assert_int_equal(ldm_compare(&a, &b), x < y   ? LDM_OLDER
							      : x > y ? LDM_NEWER
								      : LDM_SAME);
		}
	a.committed = b.committed;
	a.check = 5;
	assert_int_equal(ldm_compare(&a, &b), LDM_DIFFERENT);
	b.check = 5;
	for (uint32_t x = 0; x < 3; x++)
		for (uint32_t y = 0; y < 3; y++) {
			a.raw = x;
			b.raw = y;
			assert_int_equal(ldm_compare(&a, &b),
					 x && y && x != y ? LDM_DIFFERENT : LDM_SAME);
		}
	b.group.b[15] = 1;
	assert_int_equal(ldm_compare(&a, &b), LDM_OTHER_GROUP);
}

/* ---- texts ---- */

static void texts(void **state)
{
	for (unsigned k = 1; k < 256; k++) {
		const char from[] = {'a', (char)k, 'b'};
		char to[8];

		memset(to, 0x77, sizeof(to));
		ldm_text(to, sizeof(to), from, 3);
		assert_int_equal(to[1], k < ' ' || k > '~' ? '?' : (char)k);
		assert_string_equal(to + 2, "b");
		ldm_text(to, 3, from, 3); /* as much as there is room for, and its end */
		assert_int_equal(strlen(to), 2);
	}
	assert_true(ldm_is_active("ACTIVE"));
	assert_false(ldm_is_active("ACTIVED"));
	assert_false(ldm_is_active("ACTIV"));
}

/* ---- an update that was cut ---- */

enum { READY, COMMITTED };

static struct mirror *update(void)
{
	struct mirror *m = &s.mirror[0];

	memset(&s, 0, sizeof(s));
	s.disk_count = 2;
	s.member_count = 1;
	s.member[0].events = 100;
	s.member[0].disk = READY;
	for (unsigned i = 0; i < 3; i++)
		s.found[i].group.b[0] = 9;
	s.found[READY].committed = 100;
	s.found[READY].prepared = 101;
	s.found[COMMITTED].committed = 101;
	s.found[COMMITTED].committing = true;
	m->expected = 2;
	m->leg_count = 1;
	m->leg[0] = (struct leg){.verdict = VERDICT_IN_SYNC};
	return m;
}

static void judged(struct mirror *m, enum verdict v)
{
	ldm_judge(&s, m, &s.member[0]);
	assert_int_equal(m->leg[0].verdict, v);
}

static void an_update_that_was_cut_makes_nothing_stale(void **state)
{
	struct mirror *m = update();

	judged(m, VERDICT_IN_SYNC);
	m = update();
	s.found[READY].prepared = 0; /* it knows of none */
	judged(m, VERDICT_STALE);
	m = update();
	s.found[READY].prepared = 99; /* of another one */
	judged(m, VERDICT_STALE);
	assert_int_equal(m->leg[0].why.code, REASON_STALE);
	assert_int_equal(m->leg[0].why.a, 100);
	assert_int_equal(m->leg[0].why.b, 101);
	m = update();
	s.found[COMMITTED].committing = false; /* finished: a system has run there */
	judged(m, VERDICT_STALE);
	m = update();
	s.found[READY].prepared = 0;
	s.found[COMMITTED].group.b[0] = 8; /* not of this group */
	judged(m, VERDICT_IN_SYNC);
	m = update();
	s.found[READY].prepared = s.found[COMMITTED].committed = 0;
	s.found[COMMITTED].committing = false;
	judged(m, VERDICT_IN_SYNC);
	m = update();
	s.found[READY].prepared = 0;
	s.found[COMMITTED].committed = 100; /* as far as this one */
	judged(m, VERDICT_IN_SYNC);
	m = update();
	s.found[READY].prepared = 0;
	m->expected = 1; /* all legs are here */
	judged(m, VERDICT_IN_SYNC);
	m = update();
	s.found[2].committed = 200; /* a disk that isn't there */
	judged(m, VERDICT_IN_SYNC);
}

/* A leg in two pieces, of which one is what is left of a mirror's size. */
static void pieces_that_are_all_here(void **state)
{
	for (unsigned missing = 0; missing < 3; missing++) {
		struct mirror *m = update();

		m->expected = 1;
		m->size_s512 = 100;
		m->leg_count = 2;
		s.member_count = 2;
		for (unsigned i = 0; i < 2; i++) {
			s.member[i].flags = MEMBER_PIECE;
			s.member[i].data_s512 = 100;
			s.member[i].hole_count = 1;
			s.member[i].hole[0] = i ? (struct hole){0, 60} : (struct hole){60, 40};
			m->leg[i] = (struct leg){.verdict = VERDICT_IN_SYNC, .member = (uint8_t)i};
		}
		if (missing == 1)
			s.member[1].hole[0].len_s512++;
		if (missing == 2)
			m->leg[1].role = 1;
		ldm_judge(&s, m, &s.member[0]);
		for (unsigned i = 0; i < 2; i++) {
			assert_int_equal(m->leg[i].verdict,
					 missing ? VERDICT_FAULTY : VERDICT_IN_SYNC);
			assert_int_equal(m->leg[i].why.code,
					 missing ? REASON_PIECE_MISSING : REASON_PIECE);
		}
		if (missing == 1)
			assert_int_equal(m->leg[0].why.a, 99);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(components_by_id),
		cmocka_unit_test(partitions_by_place),
		cmocka_unit_test(kinds),
		cmocka_unit_test(compared),
		cmocka_unit_test(texts),
		cmocka_unit_test(an_update_that_was_cut_makes_nothing_stale),
		cmocka_unit_test(pieces_that_are_all_here),
	};

	return cmocka_run_group_tests_name("ldm: lists", tests, NULL, NULL);
}
