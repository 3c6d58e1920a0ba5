/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * Mirrors on dynamic disks, judged: the rules of docs/formats/ldm.md, each with databases that
 * were changed for it, and the disks in either order.
 */
#include "tests/unit/help_ldm.h"

#include "common/mem.h"
#include "common/policy.h"
#include "common/view.h"
#include "common/writeplan.h"

#include <string.h>

#define DISKS 4

static struct memdisk mem[DISKS];
static struct disk disk[DISKS];
static struct ldmt_group g;
static struct survey s;
static unsigned shift = 9;
static bool gpt[DISKS];

static int teardown(void **state)
{
	for (unsigned i = 0; i < DISKS; i++)
		memdisk_close(&mem[i]);
	memset(gpt, 0, sizeof(gpt));
	shift = 9;
	return 0;
}

/* Disk i of the group with the database in g.db. */
static void put_disk(unsigned i)
{
	memdisk_close(&mem[i]);
	ldmt_disk_open(&mem[i], &g.db, (uint8_t)(0x11 + i), gpt[i], shift);
}

/* The mirror, healthy, on disks 0 and 1. */
static void put_mirror(void)
{
	ldmt_mirror(&g);
	ldmt_make(&g);
	put_disk(0);
	put_disk(1);
}

static uint8_t *config(unsigned i)
{
	struct ldmt_place at = ldmt_place(&mem[i], gpt[i]);

	return memdisk_at(&mem[i], at.private_lba + at.config);
}

static void set_transaction(unsigned i, uint64_t committed, uint64_t pending)
{
	ldmt_be(config(i) + 0x75, committed, 8);
	ldmt_be(config(i) + 0x7d, pending, 8);
}

/* Survey the disks, those of this bit mask, from the last to the first where backwards says so. */
static void run(unsigned which, bool backwards)
{
	unsigned n = 0;

	for (unsigned i = 0; i < DISKS; i++) {
		unsigned k = backwards ? DISKS - 1 - i : i;

		if (which >> k & 1)
			disk[n++] = mem[k].disk;
	}
	survey_run(&s, disk, n);
}

/* The index of a disk in the survey. */
static unsigned index_of(unsigned k)
{
	for (unsigned i = 0; i < s.disk_count; i++)
		if (disk[i].ctx == &mem[k])
			return i;
	return NO_DISK;
}

struct want {
	enum mirror_state state;
	int chosen; /* the disk whose leg is read; -1: none */
	struct {
		enum verdict verdict;
		enum reason_code why;
	} leg[2]; /* on disks 0 and 1 */
};

static void check_leg(const struct leg *l, unsigned k, const struct want *w)
{
	char text[200];
	struct text_buffer b;

	assert_int_equal(l->verdict, w->leg[k].verdict);
	assert_int_equal(l->why.code, w->leg[k].why);
	text_buffer_init(&b, text, sizeof(text));
	reason_text(&l->why, &b.text);
	assert_in_range(b.used, 10, 90);
}

/* The only mirror, in both orders of the disks. */
static void check(struct want w)
{
	for (unsigned backwards = 0; backwards < 2; backwards++) {
		const struct mirror *m = &s.mirror[0];
		unsigned seen = 0;

		run(3, backwards);
		assert_int_equal(s.mirror_count, 1);
		assert_int_equal(m->format, FORMAT_LDM);
		assert_int_equal(m->uuid.b[7], 0x70);
		assert_string_equal(m->name, "Volume1");
		assert_int_equal(m->state, w.state);
		assert_int_equal(m->leg_count, 2);
		if (w.chosen < 0)
			assert_int_equal(m->chosen, NO_LEG);
		else
			assert_int_equal(m->leg[m->chosen].disk, index_of((unsigned)w.chosen));
		for (unsigned i = 0; i < m->leg_count; i++) {
			if (m->leg[i].member == NO_MEMBER)
				continue;
			for (unsigned k = 0; k < 2; k++) {
				if (m->leg[i].disk != index_of(k))
					continue;
				check_leg(&m->leg[i], k, &w);
				seen |= 1u << k;
			}
		}
		assert_int_equal(seen, 3);
	}
}

#define IN_SYNC                                                                                    \
	{                                                                                          \
		VERDICT_IN_SYNC, REASON_IN_SYNC                                                    \
	}

/* Where the legs are, on each kind of table and sector. */
static void test_healthy(void **state)
{
	for (unsigned i = 0; i < 8; i++) {
		gpt[0] = i & 1;
		gpt[1] = i & 2;
		shift = i & 4 ? 12 : 9;
		put_mirror();
		check((struct want){MIRROR_HEALTHY, 0, {IN_SYNC, IN_SYNC}});
		run(3, false);
		assert_int_equal(s.mirror[0].size_s512, 4096);
		assert_int_equal(s.mirror[0].order_count, 2);
		assert_int_equal(s.mirror[0].leg[0].generation, 100);
		assert_false(s.mirror[0].dirty);
		assert_false(s.full);
		for (unsigned k = 0; k < 2; k++) {
			const struct member *m = &s.member[k];
			unsigned per = shift - 9;

			assert_int_equal(s.found[k].dynamic, SURVEY_DYNAMIC);
			assert_int_equal(s.found[k].other_parts, 0);
			assert_in_range(s.found[k].requests, 1, 16);
			assert_int_equal(m->start_lba, ldmt_place(&mem[k], gpt[k]).public_lba +
							       ((128u * (k + 1)) >> per));
			assert_int_equal(m->sectors_lba, 4096 >> per);
			assert_int_equal(m->data_start_s512, 0);
			assert_int_equal(m->hole_count, 0);
			assert_int_equal(m->flags, 0);
			assert_int_equal(m->device_uuid.b[0], 0x11 + k);
			assert_true(survey_only_legs(&s, k));
		}
		teardown(NULL);
	}
}

static void test_a_leg_alone(void **state)
{
	put_mirror();
	for (unsigned k = 0; k < 2; k++) {
		run(1u << k, false);
		assert_int_equal(s.mirror[0].state, MIRROR_DEGRADED);
		assert_int_equal(s.mirror[0].leg_count, 2);
		assert_int_equal(s.mirror[0].chosen, k);
		assert_int_equal(s.mirror[0].leg[1 - k].verdict, VERDICT_MISSING);
	}
}

/* Rule 3: the higher committed transaction wins, by one or by many. */
static void test_older_transaction(void **state)
{
	for (unsigned old = 0; old < 2; old++) {
		for (unsigned by = 1; by <= 99; by += 49) {
			struct want w = {MIRROR_DEGRADED, 1 - (int)old, {IN_SYNC, IN_SYNC}};

			put_mirror();
			set_transaction(old, 100 - by, 100 - by);
			w.leg[old].verdict = VERDICT_STALE;
			w.leg[old].why = REASON_STALE;
			check(w);
			run(3, false);
			assert_int_equal(s.mirror[0].leg[old].why.a, 100 - by);
			assert_int_equal(s.mirror[0].leg[old].why.b, 100);
		}
	}
}

/* Rule 2: what state the database is in. */
static void test_status(void **state)
{
	for (unsigned k = 0; k < 2; k++) {
		struct want w = {MIRROR_DEGRADED, 1 - (int)k, {IN_SYNC, IN_SYNC}};

		/* Being changed: as before. The other, in which nothing is on its way, goes first.
		 */
		put_mirror();
		ldmt_be(config(k) + 0x10, LDM_DB_CHANGE, 2);
		set_transaction(k, 100, 101);
		w.state = MIRROR_HEALTHY;
		w.leg[k].why = REASON_LOG_OPEN;
		check(w);

		/* Committed here, clean there: it has been finished there. */
		put_mirror();
		ldmt_be(config(k) + 0x10, LDM_DB_COMMIT, 2);
		set_transaction(k, 99, 100);
		check(w);

		/* Committed here, and not there. */
		put_mirror();
		ldmt_be(config(k) + 0x10, LDM_DB_COMMIT, 2);
		set_transaction(k, 100, 101);
		w.state = MIRROR_DEGRADED;
		w.chosen = (int)k;
		w.leg[1 - k].verdict = VERDICT_STALE;
		w.leg[1 - k].why = REASON_STALE;
		check(w);

		/* Aborted, new, stale, offline, and what there is none of. */
		for (unsigned st = 0; st < 10; st++) {
			if (st >= LDM_DB_CLEAN && st <= LDM_DB_COMMIT)
				continue;
			put_mirror();
			ldmt_be(config(k) + 0x10, st, 2);
			w = (struct want){MIRROR_DEGRADED, 1 - (int)k, {IN_SYNC, IN_SYNC}};
			w.leg[k].verdict = VERDICT_FAULTY;
			w.leg[k].why = REASON_DATABASE;
			check(w);
		}
	}
	put_mirror();
	for (unsigned k = 0; k < 2; k++) {
		ldmt_be(config(k) + 0x10, LDM_DB_CHANGE, 2);
		set_transaction(k, 100, 101);
	}
	check((struct want){
		MIRROR_HEALTHY,
		0,
		{{VERDICT_IN_SYNC, REASON_LOG_OPEN}, {VERDICT_IN_SYNC, REASON_LOG_OPEN}}});
}

/* Rules 1 and 2: what does not hold together is not used, and the disk is known all the same. */
static void test_damage(void **state)
{
	for (unsigned how = 0; how < 6; how++) {
		for (unsigned k = 0; k < 2; k++) {
			struct want w = {MIRROR_DEGRADED, 1 - (int)k, {IN_SYNC, IN_SYNC}};
			struct ldmt_place at;

			put_mirror();
			at = ldmt_place(&mem[k], false);
			switch (how) {
			case 0: memset(config(k), 0, 512); break;
			case 1: memset(config(k) + 0x80, 0, 512 - 0x80); break; /* torn */
			case 2: memset(config(k) + 7 * 128, 0, 512); break;
			case 3: ldmt_be(config(k) + 0x8d, 3, 4); break; /* counts */
			case 4: memdisk_fail(&mem[k], at.private_lba + at.config, 1); break;
			case 5: config(k)[0x35] ^= 1; break; /* another group's */
			}
			w.leg[k].verdict = VERDICT_FAULTY;
			w.leg[k].why = REASON_DATABASE;
			check(w);
			run(3, false);
			assert_int_equal(s.found[k].dynamic, SURVEY_DYNAMIC_BROKEN);
		}
	}
}

/* A disk on which no PRIVHEAD is good: the leg that is missing may be on it. */
static void test_no_head(void **state)
{
	put_mirror();
	memset(mem[1].bytes + 6 * 512, 0, 512);
	memset(mem[1].bytes + (LDMT_SECTORS - 2048) * 512, 0, 2048 * 512);
	run(3, false);
	assert_int_equal(s.found[1].dynamic, SURVEY_DYNAMIC_BROKEN);
	assert_false(survey_only_legs(&s, 1));
	assert_int_equal(s.mirror[0].state, MIRROR_DEGRADED);
	assert_int_equal(s.mirror[0].leg[1].verdict, VERDICT_UNREADABLE);
	assert_int_equal(s.mirror[0].leg[1].why.code, REASON_MISSING_UNREADABLE);
	run(2, false);
	assert_int_equal(s.mirror_count, 0);

	/* Not a leg of md's mirrors. */
	struct md1_spec spec = md1_spec(FORMAT_MD_1_2, 0);

	memdisk_open(&mem[2], 1024, 9);
	md1_put(&mem[2], 0, 1024, &spec);
	run(6, false);
	assert_int_equal(s.mirror[0].leg[1].verdict, VERDICT_MISSING);

	/* Beside legs of other mirrors it may hold anything. */
	memdisk_mbr(&mem[1], 1, 0xfd, 6000, 700);
	md1_put(&mem[1], 6000, 700, &spec);
	run(2, false);
	assert_int_equal(s.mirror[0].state, MIRROR_DEGRADED);
	assert_false(survey_only_legs(&s, 0));
}

/* More disks than there is room for: said, and the mirror is read as far as it is known. */
static void test_full(void **state)
{
	ldmt_mirror(&g);
	ldmt_make(&g);
	for (unsigned i = 0; i < LDM_DISKS - 1; i++) {
		struct ldmt_record r;

		g.disk[2] = g.disk[0];
		g.disk[2].id = 100 + i;
		g.disk[2].guid.b[0] = (uint8_t)i;
		g.disk[2].guid.b[1] = 0x99;
		ldmt_disk(&r, 0, &g.disk[2]);
		ldmt_add(&g.db, &r);
	}
	put_disk(0);
	put_disk(1);
	check((struct want){MIRROR_HEALTHY, 0, {IN_SYNC, IN_SYNC}});
	assert_true(s.full);
}

/* Two mirrors in one group, of components and partitions in any order: each has its own legs. */
static void test_two_mirrors(void **state)
{
	ldmt_mirror(&g);
	g.volumes = 2;
	g.components = g.partitions = 4;
	g.volume[1] = g.volume[0];
	g.volume[1].id = 5;
	g.volume[1].name[6] = '2';
	g.volume[1].guid.b[0] = 0x71;
	g.volume[1].size_s512 = 512;
	for (unsigned k = 0; k < 2; k++) {
		g.component[2 + k] = g.component[1 - k];
		g.component[2 + k].id = 16 - k;
		g.component[2 + k].volume = 5;
		g.partition[2 + k] = g.partition[1 - k];
		g.partition[2 + k].id = 40 - k;
		g.partition[2 + k].component = 16 - k;
		g.partition[2 + k].start_s512 = 4608;
		g.partition[2 + k].size_s512 = 512;
	}
	g.component[3].flags = LDM_COMPONENT_IOFAIL; /* id 15, on disk 0 */
	ldmt_make(&g);
	put_disk(0);
	put_disk(1);
	for (unsigned backwards = 0; backwards < 2; backwards++) {
		run(3, backwards);
		assert_int_equal(s.mirror_count, 2);
		for (unsigned i = 0; i < 2; i++) {
			const struct mirror *m = &s.mirror[i];
			bool second = m->uuid.b[0] == 0x71;

			assert_string_equal(m->name, second ? "Volume2" : "Volume1");
			assert_int_equal(m->expected, 2);
			assert_int_equal(m->leg_count, 2);
			assert_int_equal(m->size_s512, second ? 512 : 4096);
			assert_int_equal(m->state, second ? MIRROR_DEGRADED : MIRROR_HEALTHY);
			assert_int_equal(m->leg[m->chosen].disk, index_of(second));
		}
	}
}

/* Rule 1: every copy is tried. */
static void test_copies(void **state)
{
	for (unsigned k = 0; k < 2; k++) {
		struct ldmt_place at;

		put_mirror();
		at = ldmt_place(&mem[k], false);
		memset(memdisk_at(&mem[k], 6), 0, 512);
		memset(memdisk_at(&mem[k], at.private_lba + at.primary), 0, 512);
		for (unsigned i = 0; i < 2; i++) {
			uint8_t was[512], *a = memdisk_at(&mem[k], at.private_lba + at.toc[i]);
			uint8_t *b = memdisk_at(&mem[k], at.private_lba + (at.toc[i] ^ 3));

			memcpy(was, a, 512);
			memcpy(a, b, 512);
			memcpy(b, was, 512);
		}
		check((struct want){MIRROR_HEALTHY, 0, {IN_SYNC, IN_SYNC}});
	}
}

/* Rule 4: as new as each other, and not alike. Nothing is chosen without being asked. */
static void test_conflict(void **state)
{
	struct config c = {.split_brain = CONFIG_NEWEST};
	struct policy p;

	for (unsigned how = 0; how < 3; how++) {
		for (unsigned k = 0; k < 2; k++) {
			put_mirror();
			switch (how) {
			case 0: config(k)[0xc4]++; break;         /* only when it was made */
			case 1: config(k)[7 * 128 + 64]++; break; /* a record */
			case 2:                                   /* only the log */
				memdisk_at(&mem[k], LDMT_SECTORS - 2048 + 1498)[7]++;
				break;
			}
			check((struct want){
				MIRROR_SPLIT_BRAIN,
				0,
				{IN_SYNC, {VERDICT_CONFLICT, REASON_DATABASES_DIFFER}}});
			run(3, false);
			policy_decide(&s, &c, &p);
			assert_int_equal(p.action, POLICY_ASK);
			assert_int_equal(policy_leg(&s, 0, 0), POLICY_LEG_FREELY);
			assert_int_equal(policy_leg(&s, 0, 1), POLICY_LEG_FREELY);
			c.split_brain = CONFIG_HALT;
			policy_decide(&s, &c, &p);
			assert_int_equal(p.action, POLICY_HALT);
			c.split_brain = CONFIG_NEWEST;
			/* Each alone is what there is. */
			run(1u << k, false);
			assert_int_equal(s.mirror[0].state, MIRROR_DEGRADED);
		}
	}
}

/* An update is on its way on one, so that the bytes are not compared: the records are. */
static void test_conflict_in_an_update(void **state)
{
	for (unsigned k = 0; k < 2; k++) {
		struct want w = {MIRROR_SPLIT_BRAIN, 1 - (int)k, {IN_SYNC, IN_SYNC}};

		put_mirror();
		ldmt_mirror(&g);
		g.disk[0].flags = LDM_DISK_MERGE;
		ldmt_make(&g);
		g.db.status = LDM_DB_CHANGE;
		g.db.pending = 101;
		put_disk(k);
		w.leg[k].verdict = VERDICT_CONFLICT;
		w.leg[k].why = REASON_DATABASES_DIFFER;
		check(w);
	}
}

/* Each went on without the other, and says so. */
static void test_split_brain(void **state)
{
	struct config c = {.split_brain = CONFIG_NEWEST};
	struct policy p;

	for (unsigned newer = 0; newer < 3; newer++) {
		put_mirror();
		for (unsigned k = 0; k < 2; k++) {
			ldmt_mirror(&g);
			memcpy(g.component[1 - k].state, "STALE\0", 7);
			ldmt_make(&g);
			g.db.committed = g.db.pending = 110 + (newer == k);
			put_disk(k);
		}
		unsigned wins = newer == 2 ? 0 : newer;
		struct want w = {MIRROR_SPLIT_BRAIN, (int)wins, {IN_SYNC, IN_SYNC}};

		w.leg[1 - wins].verdict = VERDICT_CONFLICT;
		w.leg[1 - wins].why = REASON_SPLIT_BRAIN;
		check(w);
		run(3, false);
		policy_decide(&s, &c, &p);
		assert_int_equal(p.action, newer == 2 ? POLICY_ASK : POLICY_PAUSE);
	}
}

/* Rules 5 and 7: one leg is out, by each of the states and flags. */
static void test_bad_leg(void **state)
{
	static const char *const states[] = {"STALE", "IOFAIL", "DETACHED",
					     "",      "active", "ACTIVE?"};
	static const uint32_t component[] = {LDM_COMPONENT_RECOVER, LDM_COMPONENT_IOFAIL,
					     LDM_COMPONENT_PENDING};
	static const uint32_t partition[] = {LDM_PARTITION_RECOVER, LDM_PARTITION_KDETACH};
	static const uint32_t flags[] = {LDM_DISK_FAILING, LDM_DISK_REMOVED, LDM_DISK_DETACHED};

	for (unsigned i = 0; i < 14; i++) {
		for (unsigned k = 0; k < 2; k++) {
			struct want w = {MIRROR_DEGRADED, 1 - (int)k, {IN_SYNC, IN_SYNC}};

			ldmt_mirror(&g);
			w.leg[k].verdict = VERDICT_FAULTY;
			if (i < 6) {
				memset(g.component[k].state, 0, sizeof(g.component[k].state));
				memcpy(g.component[k].state, states[i], strlen(states[i]));
				w.leg[k].why = REASON_COMPONENT_STATE;
			} else if (i < 9) {
				g.component[k].flags = component[i - 6];
				w.leg[k].why = REASON_COMPONENT_STATE;
			} else if (i < 11) {
				g.partition[k].flags = partition[i - 9];
				w.leg[k].why = REASON_PARTITION_STATE;
			} else {
				g.disk[k].flags = flags[i - 11];
				w.leg[k].why = REASON_DISK_STATE;
			}
			ldmt_make(&g);
			put_disk(0);
			put_disk(1);
			check(w);

			/* Its own disk's older database has it as good: it is old all the same. */
			put_mirror();
			set_transaction(k, 90, 90);
			ldmt_mirror(&g);
			g.component[k].flags = LDM_COMPONENT_IOFAIL;
			ldmt_make(&g);
			put_disk(1 - k);
			w.leg[k].verdict = VERDICT_STALE;
			w.leg[k].why = REASON_STALE;
			check(w);
		}
	}
}

/* Flags that say nothing of a leg's health. */
static void test_harmless_flags(void **state)
{
	ldmt_mirror(&g);
	g.component[0].flags =
		~(LDM_COMPONENT_RECOVER | LDM_COMPONENT_IOFAIL | LDM_COMPONENT_PENDING);
	g.partition[0].flags = ~(LDM_PARTITION_RECOVER | LDM_PARTITION_KDETACH);
	g.disk[0].flags = ~(LDM_DISK_FAILING | LDM_DISK_REMOVED | LDM_DISK_DETACHED);
	g.volume[0].flags = ~(LDM_VOLUME_CRASHED | LDM_VOLUME_KDETACH | LDM_VOLUME_PENDING);
	ldmt_make(&g);
	put_disk(0);
	put_disk(1);
	check((struct want){MIRROR_HEALTHY, 0, {IN_SYNC, IN_SYNC}});
}

/* Rule 5: the volume as a whole. */
static void test_bad_volume(void **state)
{
	static const uint32_t flags[] = {0, LDM_VOLUME_CRASHED, LDM_VOLUME_KDETACH,
					 LDM_VOLUME_PENDING};

	for (unsigned i = 0; i < 4; i++) {
		ldmt_mirror(&g);
		g.volume[0].flags |= flags[i];
		if (i == 0)
			memcpy(g.volume[0].state, "FAILED", 6);
		ldmt_make(&g);
		put_disk(0);
		put_disk(1);
		check((struct want){MIRROR_UNUSABLE,
				    -1,
				    {{VERDICT_FAULTY, REASON_VOLUME_STATE},
				     {VERDICT_FAULTY, REASON_VOLUME_STATE}}});
	}
}

/* The newest says that its own leg is bad, too: the older one does not become good by that. */
static void test_newest_has_no_good_leg(void **state)
{
	for (unsigned k = 0; k < 2; k++) {
		struct want w = {MIRROR_UNUSABLE, -1, {{0}}};

		put_mirror();
		set_transaction(k, 90, 90);
		ldmt_mirror(&g);
		g.component[0].flags = g.component[1].flags = LDM_COMPONENT_IOFAIL;
		ldmt_make(&g);
		put_disk(1 - k);
		w.leg[k].verdict = VERDICT_STALE;
		w.leg[k].why = REASON_STALE;
		w.leg[1 - k].verdict = VERDICT_FAULTY;
		w.leg[1 - k].why = REASON_COMPONENT_STATE;
		check(w);
	}
}

/* Rule 6: both logs say so; the first leg is read, and a person is told. */
static void test_log(void **state)
{
	for (unsigned status = 1; status < 6; status++) {
		ldmt_mirror(&g);
		ldmt_make(&g);
		ldmt_log(&g.db, 0, 1, status);
		put_disk(0);
		put_disk(1);
		check((struct want){
			MIRROR_HEALTHY,
			0,
			{{VERDICT_IN_SYNC, status == 3 ? REASON_IN_SYNC : REASON_LOG_OPEN},
			 {VERDICT_IN_SYNC, status == 3 ? REASON_IN_SYNC : REASON_LOG_OPEN}}});
		run(3, false);
		assert_int_equal(s.mirror[0].dirty, status != 3);
	}
}

/* Rule 6: one log says that a leg was detached: it went on, and is what a person is offered first.
 */
static void test_log_of_the_survivor(void **state)
{
	for (unsigned k = 0; k < 2; k++) {
		struct want w = {MIRROR_SPLIT_BRAIN, (int)k, {IN_SYNC, IN_SYNC}};

		put_mirror();
		ldmt_log(&g.db, 0, 1, 1);
		put_disk(k);
		w.leg[k].why = REASON_LOG_OPEN;
		w.leg[1 - k].verdict = VERDICT_CONFLICT;
		w.leg[1 - k].why = REASON_DATABASES_DIFFER;
		check(w);
	}
}

/* Rule 6: one log can't be read: the other leg goes first. */
static void test_log_unreadable(void **state)
{
	for (unsigned k = 0; k < 2; k++) {
		struct want w = {MIRROR_HEALTHY, 1 - (int)k, {IN_SYNC, IN_SYNC}};

		put_mirror();
		memdisk_fail(&mem[k], LDMT_SECTORS - 2048 + 1498, 1);
		w.leg[k].why = REASON_LOG_OPEN;
		check(w);
		assert_false(s.mirror[0].dirty); /* the other log says so */
	}
}

/* What the records of a volume say does not fit together. */
static void test_records(void **state)
{
	for (unsigned i = 0; i < 9; i++) {
		ldmt_mirror(&g);
		switch (i) {
		case 0: g.volume[0].components = 3; break;
		case 1: /* a third, of a volume of two */
			g.components = 3;
			g.component[2] = g.component[1];
			g.component[2].id = 22;
			break;
		case 2: g.component[0].partitions = g.component[1].partitions = 2; break;
		case 3: g.partition[0].size_s512 = g.partition[1].size_s512 = 4095; break;
		case 4: g.partition[0].disk = g.partition[1].disk = 11; break;
		case 5: /* two pieces over each other */
			g.partitions = 4;
			g.component[0].partitions = g.component[1].partitions = 2;
			for (unsigned k = 0; k < 2; k++) {
				g.partition[2 + k] = g.partition[k];
				g.partition[2 + k].id = 40 + k;
				g.partition[2 + k].offset_s512 = 8;
			}
			break;
		case 6: /* together larger than any number */
			g.partitions = 4;
			g.component[0].partitions = g.component[1].partitions = 2;
			for (unsigned k = 0; k < 2; k++) {
				g.partition[2 + k] = g.partition[k];
				g.partition[2 + k].id = 40 + k;
				g.partition[2 + k].offset_s512 = 4096;
				g.partition[2 + k].size_s512 = UINT64_MAX - 4095;
			}
			break;
		case 7: g.partition[0].size_s512 = g.partition[1].size_s512 = 0; break;
		case 8: /* around, and over the first */
			g.partitions = 6;
			g.component[0].partitions = g.component[1].partitions = 3;
			for (unsigned k = 0; k < 2; k++) {
				g.partition[k].size_s512 = 4000;
				g.partition[2 + k] = g.partition[4 + k] = g.partition[k];
				g.partition[2 + k].id = 40 + k;
				g.partition[2 + k].offset_s512 = 4000;
				g.partition[2 + k].size_s512 = UINT64_MAX - 3899;
				g.partition[4 + k].id = 42 + k;
				g.partition[4 + k].offset_s512 = 100;
				g.partition[4 + k].size_s512 = 3996;
			}
			break;
		}
		ldmt_make(&g);
		put_disk(0);
		put_disk(1);
		run(3, false);
		assert_true(s.mirror_count == 1);
		if (i == 4) { /* one leg on each disk, says the other */
			assert_int_equal(s.mirror[0].state, MIRROR_HEALTHY);
			continue;
		}
		assert_int_equal(s.mirror[0].state, MIRROR_UNUSABLE);
		for (unsigned k = 0; k < s.member_count; k++) {
			if (s.member[k].why.code == REASON_TRUNCATED)
				continue;
			assert_int_equal(s.member[k].status, ST_UNSUPPORTED);
			assert_int_equal(s.member[k].why.code, REASON_RECORDS);
		}
	}
}

/* A record with more in it than we know. */
static void test_odd_records(void **state)
{
	for (unsigned type = 0; type < 4; type++) {
		struct ldmt_record r;

		ldmt_mirror(&g);
		g.volumes -= type == 0;
		g.components -= type == 1;
		g.partitions -= type == 2;
		g.disks -= type == 3;
		ldmt_make(&g);
		switch (type) {
		case 0: ldmt_volume(&r, 0, &g.volume[0]); break;
		case 1: ldmt_component(&r, 0, &g.component[1]); break;
		case 2: ldmt_partition(&r, 0, &g.partition[1]); break;
		case 3: ldmt_disk(&r, 0, &g.disk[1]); break;
		}
		r.b[2] |= 0x04;
		ldmt_fixed(&r, 0, 1);
		ldmt_end(&r);
		ldmt_add(&g.db, &r);
		put_disk(0);
		put_disk(1);
		struct want w = {
			MIRROR_DEGRADED, 0, {IN_SYNC, {VERDICT_UNSUPPORTED, REASON_RECORDS}}};

		if (type == 0) {
			w.state = MIRROR_UNUSABLE;
			w.chosen = -1;
			w.leg[0] = w.leg[1];
		}
		check(w);
	}
}

/* A leg that is striped is not read; the other is. */
static void test_striped(void **state)
{
	for (unsigned i = 0; i < 2; i++) {
		ldmt_mirror(&g);
		g.component[1].layout = i ? LDM_CONCATENATED : LDM_STRIPED;
		g.component[1].columns = i ? 2 : 1;
		g.component[1].stripe_s512 = 128;
		ldmt_make(&g);
		put_disk(0);
		put_disk(1);
		check((struct want){
			MIRROR_DEGRADED, 0, {IN_SYNC, {VERDICT_UNSUPPORTED, REASON_STRIPED}}});
	}
	/* Newer than the one that can be read: that one is old. */
	put_disk(1);
	set_transaction(1, 101, 101);
	check((struct want){
		MIRROR_UNUSABLE,
		-1,
		{{VERDICT_STALE, REASON_STALE}, {VERDICT_UNSUPPORTED, REASON_STRIPED}}});
}

static void test_places(void **state)
{
	/* Beyond its disk's public region. */
	for (unsigned k = 0; k < 2; k++) {
		struct want w = {MIRROR_DEGRADED, 1 - (int)k, {IN_SYNC, IN_SYNC}};
		uint64_t room = LDMT_SECTORS - 2048 - LDMT_PUBLIC_S512;

		for (unsigned over = 0; over < 2; over++) {
			ldmt_mirror(&g);
			g.partition[k].start_s512 = room - 4096 + over;
			ldmt_make(&g);
			put_disk(0);
			put_disk(1);
			if (over) {
				w.leg[k].verdict = VERDICT_FAULTY;
				w.leg[k].why = REASON_TRUNCATED;
			} else {
				w.state = MIRROR_HEALTHY;
				w.chosen = 0;
			}
			check(w);
			w = (struct want){MIRROR_DEGRADED, 1 - (int)k, {IN_SYNC, IN_SYNC}};
		}
	}
	ldmt_mirror(&g);
	g.partition[0].start_s512 = UINT64_MAX - 4095;
	ldmt_make(&g);
	put_disk(0);
	put_disk(1);
	check((struct want){MIRROR_DEGRADED, 1, {{VERDICT_FAULTY, REASON_TRUNCATED}, IN_SYNC}});

	/* A public region that the disk has not. */
	put_mirror();
	for (unsigned i = 0; i < 3; i++) {
		struct ldmt_place at = ldmt_place(&mem[1], false);
		uint64_t lba[3] = {6, at.private_lba + at.primary, at.private_lba + at.second};

		ldmt_be(memdisk_at(&mem[1], lba[i]) + 0x123, LDMT_SECTORS, 8);
		ldmt_resum(memdisk_at(&mem[1], lba[i]));
	}
	check((struct want){MIRROR_DEGRADED, 0, {IN_SYNC, {VERDICT_FAULTY, REASON_TRUNCATED}}});

	/* Not on a sector of the disk: its start, its size. */
	for (unsigned i = 0; i < 2; i++) {
		shift = 12;
		ldmt_mirror(&g);
		if (i)
			g.partition[1].size_s512 = 4097;
		else
			g.partition[1].start_s512 = 257;
		ldmt_make(&g);
		put_disk(0);
		put_disk(1);
		check((struct want){
			MIRROR_DEGRADED, 0, {IN_SYNC, {VERDICT_UNSUPPORTED, REASON_MISALIGNED}}});
	}
}

/* Larger than the volume: what is behind is not of it. */
static void test_larger_partition(void **state)
{
	ldmt_mirror(&g);
	g.partition[1].size_s512 = 4200;
	ldmt_make(&g);
	put_disk(0);
	put_disk(1);
	check((struct want){MIRROR_HEALTHY, 0, {IN_SYNC, IN_SYNC}});
	run(3, false);
	assert_int_equal(s.member[1].hole_count, 0);
	assert_int_equal(s.member[1].data_s512, 4096);
}

/* Copied with dd: a disk twice. */
static void test_duplicate(void **state)
{
	put_mirror();
	memdisk_open(&mem[2], LDMT_SECTORS, 9);
	memcpy(mem[2].bytes, mem[1].bytes, LDMT_SECTORS * 512);
	run(7, false);
	assert_int_equal(s.mirror[0].leg_count, 3);
	assert_int_equal(s.mirror[0].order_count, 2);
	assert_int_equal(s.mirror[0].leg[2].verdict, VERDICT_CONFLICT);
	assert_int_equal(s.mirror[0].leg[2].why.code, REASON_DUPLICATE);
}

/* ---- legs in pieces ---- */

/* Leg 0: 1536 sectors on disk 0, 2560 on disk 2. Leg 1: whole, on disk 1. */
static void put_spanned(void)
{
	ldmt_mirror(&g);
	g.component[0].partitions = 2;
	g.partitions = g.disks = 3;
	g.partition[0].size_s512 = 1536;
	g.partition[2] = (struct ldm_partition){.id = 33,
						.name = "Disk3-01",
						.component = 20,
						.disk = 13,
						.start_s512 = 640,
						.offset_s512 = 1536,
						.size_s512 = 2560};
	g.disk[2] = (struct ldm_disk){.id = 13, .name = "Disk3"};
	memset(&g.disk[2].guid, 0x13, 16);
	ldmt_make(&g);
	for (unsigned i = 0; i < 3; i++) {
		put_disk(i);
		memdisk_fill(&mem[i],
			     (ldmt_place(&mem[i], gpt[i]).public_lba << (shift - 9)) +
				     g.partition[i].start_s512,
			     g.partition[i].size_s512, i == 1 ? 'b' : 'a',
			     g.partition[i].offset_s512);
	}
}

/* Read all of the volume as it is presented; each sector must be of a leg in legs, "a", "b" or
 * both. */
static void check_data(const char *legs)
{
	static struct vdisk_tables t;
	struct vdisk_set set = {
		.vdisk = t.vdisk, .leg = t.leg, .extent = t.extent, .mirror = t.mirror};
	static uint8_t buf[4096 * 512];
	unsigned v;

	assert_int_equal(view_add_volume(&set, &s, 0, &v), ST_OK);
	assert_int_equal(set.vdisk[v].sectors, 4096 >> (shift - 9));
	assert_int_equal(vdisk_read(&set, v, disk, 0, 4096 >> (shift - 9), buf), ST_OK);
	for (unsigned i = 0; i < 4096; i++) {
		bool ok = false;

		for (const char *l = legs; *l; l++)
			ok |= sector_is(buf + 512 * i, (uint8_t)*l, i);
		assert_true(ok);
	}
}

static void test_spanned(void **state)
{
	for (unsigned i = 0; i < 8; i++) {
		gpt[0] = i & 1;
		gpt[2] = i & 2;
		shift = i & 4 ? 12 : 9;
		for (unsigned backwards = 0; backwards < 2; backwards++) {
			put_spanned();
			run(7, backwards);
			assert_int_equal(s.mirror_count, 1);
			assert_int_equal(s.mirror[0].state, MIRROR_HEALTHY);
			assert_int_equal(s.mirror[0].leg_count, 3);
			assert_int_equal(s.mirror[0].order_count, 3);
			assert_int_equal(s.mirror[0].expected, 2);
			/* The whole one first: it does for all. */
			assert_int_equal(s.mirror[0].leg[s.mirror[0].chosen].disk, index_of(1));
			check_data("b");
			assert_int_equal(s.mirror[0].leg[0].why.code, REASON_PIECE);
			assert_int_equal(s.mirror[0].leg[0].role, 0);
			assert_int_equal(s.mirror[0].leg[1].role, 0);
			for (unsigned k = 0; k < 2; k++) {
				const struct leg *l = &s.mirror[0].leg[k];

				assert_int_equal(l->why.a, l->disk == index_of(0) ? 0 : 1536);
				assert_int_equal(l->why.b, l->disk == index_of(0) ? 1536 : 2560);
			}

			/* Both pieces, without the whole one. */
			run(5, backwards);
			assert_int_equal(s.mirror[0].state, MIRROR_DEGRADED);
			assert_int_equal(s.mirror[0].order_count, 2);
			check_data("a");
			/* Two pieces are not two legs: what is written would be on one only. */
			assert_int_equal(writeplan_judge(&s, 0, CONFIG_WRITES_MIRROR),
					 WRITEPLAN_FORMAT);

			/* The whole one fails: piece by piece from the others. */
			run(7, backwards);
			memdisk_fail(&mem[1],
				     ldmt_place(&mem[1], gpt[1]).public_lba + (1024 >> (shift - 9)),
				     1);
			check_data("a");
		}
		teardown(NULL);
	}
}

static void test_piece_missing(void **state)
{
	for (unsigned k = 0; k < 4; k += 2) {
		put_spanned();
		run(1u << k | 2, false);
		assert_int_equal(s.mirror[0].state, MIRROR_DEGRADED);
		assert_int_equal(s.mirror[0].order_count, 1);
		assert_int_equal(s.mirror[0].leg[0].verdict, VERDICT_FAULTY);
		assert_int_equal(s.mirror[0].leg[0].why.code, REASON_PIECE_MISSING);
		assert_int_equal(s.mirror[0].leg[0].why.a, k ? 2560 : 1536);
		assert_int_equal(s.mirror[0].leg[0].why.b, 4096);
		check_data("b");

		run(1u << k, false);
		assert_int_equal(s.mirror[0].state, MIRROR_UNUSABLE);
	}
	/* One of the pieces is old. */
	put_spanned();
	set_transaction(2, 99, 99);
	run(7, false);
	assert_int_equal(s.mirror[0].state, MIRROR_DEGRADED);
	assert_int_equal(s.mirror[0].order_count, 1);
	assert_int_equal(s.mirror[0].leg[0].why.code, REASON_PIECE_MISSING);
	assert_int_equal(s.mirror[0].leg[1].why.code, REASON_STALE);
	assert_int_equal(policy_leg(&s, 0, 1), POLICY_LEG_NEVER);

	/* One twice, one not at all, is not the whole. */
	put_spanned();
	memdisk_open(&mem[3], LDMT_SECTORS, 9);
	memcpy(mem[3].bytes, mem[2].bytes, LDMT_SECTORS * 512);
	run(12, false);
	assert_int_equal(s.mirror[0].state, MIRROR_UNUSABLE);

	/* A state of one piece's disk is the whole leg's. */
	put_spanned();
	g.disk[2].flags = LDM_DISK_FAILING;
	ldmt_make(&g);
	for (unsigned i = 0; i < 3; i++)
		put_disk(i);
	run(7, false);
	assert_int_equal(s.mirror[0].leg[0].why.code, REASON_DISK_STATE);
	assert_int_equal(s.mirror[0].leg[1].why.code, REASON_DISK_STATE);
	assert_int_equal(s.mirror[0].order_count, 1);
	assert_int_equal(policy_leg(&s, 0, 0), POLICY_LEG_NEVER);
}

/* ---- the group ---- */

/* Disk 2 has no leg. Its database may know that the mirror went on elsewhere, or is none any more.
 */
static void put_third(uint64_t transaction)
{
	ldmt_mirror(&g);
	g.disks = 3;
	g.disk[2] = (struct ldm_disk){.id = 13, .name = "Disk3"};
	memset(&g.disk[2].guid, 0x13, 16);
	ldmt_make(&g);
	put_disk(0);
	put_disk(1);
	g.db.committed = g.db.pending = transaction;
	put_disk(2);
}

static void test_group_went_on(void **state)
{
	put_third(101);
	for (unsigned backwards = 0; backwards < 2; backwards++) {
		for (unsigned k = 0; k < 2; k++) {
			run(4 | 1u << k, backwards);
			assert_int_equal(s.mirror[0].state, MIRROR_UNUSABLE);
			assert_int_equal(s.mirror[0].leg[k].verdict, VERDICT_STALE);
			assert_int_equal(s.mirror[0].leg[k].why.a, 100);
			assert_int_equal(s.mirror[0].leg[k].why.b, 101);
			assert_int_equal(policy_leg(&s, 0, k), POLICY_LEG_CONFIRMED);
		}
		/* Both are here, and alike: an update was cut before it came to them. */
		run(7, backwards);
		assert_int_equal(s.mirror[0].state, MIRROR_HEALTHY);
	}
	/* An older one knows nothing. */
	put_third(99);
	run(5, false);
	assert_int_equal(s.mirror[0].state, MIRROR_DEGRADED);
	/* Nor does another group's. */
	put_third(101);
	g.db.group = 0xd1;
	put_disk(2);
	run(5, false);
	assert_int_equal(s.found[2].dynamic, SURVEY_BASIC);
	assert_int_equal(s.mirror[0].state, MIRROR_DEGRADED);
}

/* Broken while disk 0 was out: there is no mirror any more. */
static void test_broken_mirror(void **state)
{
	put_mirror();
	set_transaction(0, 90, 90);
	ldmt_mirror(&g);
	g.volume[0].components = 1;
	g.component[0] = g.component[1];
	g.partition[0] = g.partition[1];
	g.components = g.partitions = 1;
	ldmt_make(&g);
	put_disk(1);
	for (unsigned backwards = 0; backwards < 2; backwards++) {
		run(3, backwards);
		assert_int_equal(s.mirror_count, 1);
		assert_int_equal(s.mirror[0].state, MIRROR_UNUSABLE);
		assert_int_equal(s.mirror[0].leg[0].verdict, VERDICT_STALE);
		assert_int_equal(s.found[index_of(1)].other_parts, 1);
		assert_false(survey_only_legs(&s, index_of(1)));
	}
}

/* A broken disk's legs are named by the newest of the group. */
static void test_broken_disk_by_the_newest(void **state)
{
	put_third(100);
	memset(config(0), 0, 512);
	ldmt_mirror(&g);
	g.volume[0].size_s512 = 4000;
	g.disks = 3;
	g.disk[2] = (struct ldm_disk){.id = 13, .name = "Disk3"};
	memset(&g.disk[2].guid, 0x13, 16);
	g.partition[0].start_s512 = 512;
	ldmt_make(&g);
	g.db.committed = g.db.pending = 105;
	put_disk(2);
	for (unsigned backwards = 0; backwards < 2; backwards++) {
		run(7, backwards);
		for (unsigned i = 0; i < s.member_count; i++)
			if (s.member[i].disk == index_of(0))
				assert_int_equal(s.member[i].start_lba, LDMT_PUBLIC_S512 + 512);
	}
}

/* ---- volumes that are no mirrors ---- */

static void test_other_volumes(void **state)
{
	static const struct {
		unsigned components, partitions, layout;
		const char *type;
		enum ldm_kind kind;
	} cases[] = {
		{1, 1, LDM_CONCATENATED, "gen", LDM_KIND_SIMPLE},
		{1, 2, LDM_CONCATENATED, "gen", LDM_KIND_SPANNED},
		{1, 2, LDM_STRIPED, "gen", LDM_KIND_STRIPED},
		{1, 3, LDM_RAID5, "raid5", LDM_KIND_RAID5},
		{2, 3, LDM_RAID5, "raid5", LDM_KIND_RAID5},
		{2, 1, LDM_CONCATENATED, "gen", LDM_KIND_MIRROR},
		{2, 2, LDM_STRIPED, "gen", LDM_KIND_MIRROR},
		{1, 1, LDM_RAID5, "gen", LDM_KIND_OTHER},
		{1, 1, LDM_CONCATENATED, "raid5", LDM_KIND_OTHER},
		{1, 1, 9, "gen", LDM_KIND_OTHER},
		{2, 1, LDM_CONCATENATED, "gem", LDM_KIND_OTHER},
		{2, 1, LDM_CONCATENATED, "gen2", LDM_KIND_OTHER},
		{2, 3, LDM_RAID5, "raid", LDM_KIND_OTHER},
		{0, 1, LDM_CONCATENATED, "gen", LDM_KIND_OTHER},
	};

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		enum ldm_kind kind;

		ldmt_mirror(&g);
		g.components = cases[i].components;
		g.volume[0].components = cases[i].components;
		memset(g.volume[0].type, 0, sizeof(g.volume[0].type));
		memcpy(g.volume[0].type, cases[i].type, strlen(cases[i].type));
		g.component[0].layout = (uint8_t)cases[i].layout;
		g.component[0].partitions = cases[i].partitions;
		if (cases[i].components == 0)
			g.components = 1;
		ldmt_make(&g);
		put_disk(0);
		run(1, false);
		kind = ldm_kind(&s.ldm.db, &s.ldm.db.volume[0]);
		assert_int_equal(kind, cases[i].kind);
		assert_true(strlen(ldm_kind_name((uint8_t)kind)) > 3);
		assert_int_equal(s.mirror_count, kind == LDM_KIND_MIRROR);
		assert_int_equal(s.found[0].dynamic, SURVEY_DYNAMIC);
		assert_int_equal(s.found[0].other_parts, kind != LDM_KIND_MIRROR);
	}
}

/* What is no dynamic disk's own is probed as anywhere. */
static void test_md_beside(void **state)
{
	struct md1_spec spec = md1_spec(FORMAT_MD_1_2, 0);

	put_mirror();
	memdisk_mbr(&mem[0], 1, 0xfd, 6000, 700);
	md1_put(&mem[0], 6000, 700, &spec);
	memdisk_mbr(&mem[0], 2, 0x42, 7000, 700);
	md1_put(&mem[0], 7000, 700, &spec);
	run(1, false);
	assert_int_equal(s.mirror_count, 2);
	assert_int_equal(s.member_count, 2);
}

/* ---- lists ---- */

static void test_next(void **state)
{
	const struct ldm_component *c = NULL;
	const struct ldm_partition *p = NULL;
	const struct ldm_db *db = &s.ldm.db;

	put_spanned();
	run(1, false);
	for (unsigned i = 0; i < 2; i++) {
		c = ldm_next_component(db, &db->volume[0], c);
		assert_int_equal(c->id, 20 + i);
		assert_int_equal(ldm_why_component(db, &db->volume[0], c), REASON_NONE);
	}
	assert_null(ldm_next_component(db, &db->volume[0], c));
	assert_int_equal(ldm_why_volume(db, &db->volume[0]), REASON_NONE);
	c = ldm_next_component(db, &db->volume[0], NULL);
	p = ldm_next_partition(db, c, NULL);
	assert_int_equal(p->id, 30);
	p = ldm_next_partition(db, c, p);
	assert_int_equal(p->id, 33);
	assert_null(ldm_next_partition(db, c, p));

	g.partition[0].column = 1;
	g.component[1].flags = LDM_COMPONENT_RECOVER;
	ldmt_make(&g);
	put_disk(0);
	run(1, false);
	c = ldm_next_component(db, &db->volume[0], NULL);
	assert_int_equal(ldm_next_partition(db, c, NULL)->id, 33);
	assert_int_equal(ldm_why_volume(db, &db->volume[0]), REASON_COMPONENT_STATE);
	g.components = 0;
	ldmt_make(&g);
	put_disk(0);
	run(1, false);
	assert_int_equal(ldm_why_volume(db, &db->volume[0]), REASON_RECORDS);
}

static void test_compare(void **state)
{
	static struct ldm_db a, b;

	put_mirror();
	run(1, false);
	a = b = s.ldm.db;
	assert_int_equal(ldm_compare(&a, &b), LDM_SAME);
	b.committed++;
	assert_int_equal(ldm_compare(&a, &b), LDM_OLDER);
	assert_int_equal(ldm_compare(&b, &a), LDM_NEWER);
	b = a;
	b.raw++;
	assert_int_equal(ldm_compare(&a, &b), LDM_DIFFERENT);
	b.raw = 0;
	assert_int_equal(ldm_compare(&a, &b), LDM_SAME);
	assert_int_equal(ldm_compare(&b, &a), LDM_SAME);
	b.check++;
	assert_int_equal(ldm_compare(&a, &b), LDM_DIFFERENT);
	b.group.b[0]++;
	assert_int_equal(ldm_compare(&a, &b), LDM_OTHER_GROUP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_healthy, teardown),
		cmocka_unit_test_teardown(test_a_leg_alone, teardown),
		cmocka_unit_test_teardown(test_older_transaction, teardown),
		cmocka_unit_test_teardown(test_status, teardown),
		cmocka_unit_test_teardown(test_damage, teardown),
		cmocka_unit_test_teardown(test_no_head, teardown),
		cmocka_unit_test_teardown(test_full, teardown),
		cmocka_unit_test_teardown(test_two_mirrors, teardown),
		cmocka_unit_test_teardown(test_copies, teardown),
		cmocka_unit_test_teardown(test_conflict, teardown),
		cmocka_unit_test_teardown(test_conflict_in_an_update, teardown),
		cmocka_unit_test_teardown(test_split_brain, teardown),
		cmocka_unit_test_teardown(test_bad_leg, teardown),
		cmocka_unit_test_teardown(test_harmless_flags, teardown),
		cmocka_unit_test_teardown(test_bad_volume, teardown),
		cmocka_unit_test_teardown(test_newest_has_no_good_leg, teardown),
		cmocka_unit_test_teardown(test_log, teardown),
		cmocka_unit_test_teardown(test_log_of_the_survivor, teardown),
		cmocka_unit_test_teardown(test_log_unreadable, teardown),
		cmocka_unit_test_teardown(test_records, teardown),
		cmocka_unit_test_teardown(test_odd_records, teardown),
		cmocka_unit_test_teardown(test_striped, teardown),
		cmocka_unit_test_teardown(test_places, teardown),
		cmocka_unit_test_teardown(test_larger_partition, teardown),
		cmocka_unit_test_teardown(test_duplicate, teardown),
		cmocka_unit_test_teardown(test_spanned, teardown),
		cmocka_unit_test_teardown(test_piece_missing, teardown),
		cmocka_unit_test_teardown(test_group_went_on, teardown),
		cmocka_unit_test_teardown(test_broken_mirror, teardown),
		cmocka_unit_test_teardown(test_broken_disk_by_the_newest, teardown),
		cmocka_unit_test_teardown(test_other_volumes, teardown),
		cmocka_unit_test_teardown(test_md_beside, teardown),
		cmocka_unit_test_teardown(test_next, teardown),
		cmocka_unit_test_teardown(test_compare, teardown),
	};

	return cmocka_run_group_tests_name("ldm", tests, NULL, NULL);
}
