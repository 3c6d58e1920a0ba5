/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* A power cut at any write of the verbs of `mirrorboot ldm`: see crashldm.h. */
#include "tests/sim/crashldm.h"
#include "tests/sim/crashcount.h"
#include "common/ldm_db.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define DISK_SECTORS 8192u

/* ---- scenes ---- */

static const struct ldm_options defaults = {.volume = NAME, .leg = -1};

static void fill(uint8_t *to, unsigned seed)
{
	for (size_t i = 0; i < DATA_BYTES; i++)
		to[i] = (uint8_t)(i * 7 + i / CRASHGROUP_SECTOR + seed);
}

/* Where a leg lies: as the tool says. */
static struct ldm_extent leg_at(struct crashgroup *g, unsigned disks, unsigned number)
{
	struct hostset *set = crashldm_open(g, disks, false);
	struct ldm_groups *gs = ldm_groups_read(set);
	struct ldm_group *group;
	const struct ldm_raw *v, *leg[LDM_LEGS];
	struct ldm_extents e;
	bool many;

	v = ldm_find_volume(gs, NAME, &group, &many);
	assert_non_null(v);
	assert_true(ldm_legs(group, v, leg) > number);
	assert_true(ldm_extents(gs, group, leg[number], DATA_SECTORS, &e));
	ldm_groups_free(gs);
	free(set);
	return e.extent[0];
}

static void write_leg(struct crashldm *s, unsigned number, unsigned seed)
{
	struct ldm_extent e = leg_at(&s->group, s->disks, number);

	fill(s->data, seed);
	memcpy(s->group.disk[e.disk].now + e.start_s512 * CRASHGROUP_SECTOR, s->data, DATA_BYTES);
}

/* With the scenes that each has below. */
static const struct {
	verb *run;
	const char *name;
	unsigned scenes;
} commands[] = {
	{ldm_create, "ldm create", 1}, {ldm_add_mirror, "ldm add-mirror", 3},
	{ldm_break, "ldm break", 7},   {ldm_remove, "ldm remove", 1},
	{ldm_repair, "ldm repair", 3},
};

static void begin(struct crashldm *s, const char *name, verb *run, unsigned disks)
{
	memset(s, 0, sizeof(*s));
	s->name = name;
	for (unsigned i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (commands[i].run == run) {
			s->command = commands[i].name;
			s->scenes = commands[i].scenes;
		}
	s->run = run;
	s->options = defaults;
	s->disks = disks;
	s->data = malloc(DATA_BYTES);
	assert_non_null(s->data);
	crashgroup_init(&s->group);
	for (unsigned i = 0; i < disks; i++)
		crashgroup_add(&s->group, DISK_SECTORS + 128 * i);
}

/* A mirror on the first two disks, with data. */
static void make_mirror(struct crashldm *s)
{
	struct ldm_options o = defaults;
	unsigned all = s->disks;

	o.name = NAME;
	o.size_bytes = DATA_BYTES;
	assert_int_equal(crashldm_run(&s->group, 2, ldm_create, o), EXIT_DONE);
	s->disks = 2;
	write_leg(s, 0, 1);
	write_leg(s, 1, 1);
	s->disks = all;
}

static void remove_leg(struct crashldm *s, unsigned leg)
{
	struct ldm_options o = defaults;

	o.leg = (int)leg;
	assert_int_equal(crashldm_run(&s->group, 2, ldm_remove, o), EXIT_DONE);
	write_leg(s, 0, 77);
}

static void cut_add_mirror(void **state)
{
	static struct crashldm s;

	begin(&s, "add-mirror", ldm_add_mirror, 2);
	make_mirror(&s);
	remove_leg(&s, 1);
	crashldm_play(&s);
	assert_true(s.mirrored && s.simple);
}

/* The old leg is on the second disk: which disk commits first must not be which comes first. */
static void cut_add_mirror_other(void **state)
{
	static struct crashldm s;

	begin(&s, "add-mirror to the first disk", ldm_add_mirror, 2);
	make_mirror(&s);
	remove_leg(&s, 0);
	crashldm_play(&s);
	assert_true(s.mirrored && s.simple);
}

static void cut_add_mirror_fresh(void **state)
{
	static struct crashldm s;

	begin(&s, "add-mirror on a new disk", ldm_add_mirror, 3);
	make_mirror(&s);
	remove_leg(&s, 0);
	crashldm_play(&s);
	assert_true(s.mirrored && s.simple);
}

static void cut_break(void **state)
{
	static struct crashldm s;

	begin(&s, "break", ldm_break, 2);
	make_mirror(&s);
	s.after = TWO_VOLUMES;
	crashldm_play(&s);
	assert_true(s.mirrored && s.simple);
}

static void cut_remove(void **state)
{
	static struct crashldm s;

	begin(&s, "remove", ldm_remove, 2);
	make_mirror(&s);
	s.options.leg = 0;
	s.after = ONE_LEG;
	crashldm_play(&s);
	assert_true(s.mirrored && s.simple);
}

/* A transaction that changes nothing, or a component's flags, on the disks of the set. */
static uint32_t new_flags;

static int touch(struct hostset *set, const struct ldm_options *o)
{
	static struct ldm_change ch;
	struct ldm_job j;
	struct ldm_out *out;
	bool done;

	assert_true(ldm_job_find(&j, set, o));
	ldm_change_init(&ch, j.g, 0);
	out = ldm_change_add(&ch);
	assert_true(ldm_copy_component(out, j.leg[1], NULL, j.volume->rec.volume.id, ch.tid));
	if (new_flags) {
		uint8_t *at = memmem(out->data, out->bytes, "ACTIVE", 6);

		assert_non_null(at);
		memcpy(at, "STALE!", 6);
		ldm_put_be(at + 7, 4, new_flags);
	}
	ldm_change_drop(&ch, j.leg[1]);
	done = ldm_txn_run(j.gs, j.g, &ch, 0);
	ldm_groups_free(j.gs);
	return done ? EXIT_DONE : EXIT_FAILED;
}

static void cut_repair_stale(void **state)
{
	static struct crashldm s;

	begin(&s, "repair of a disk that missed updates", ldm_repair, 2);
	make_mirror(&s);
	new_flags = 0;
	assert_int_equal(crashldm_run(&s.group, 1, touch, defaults), EXIT_DONE);
	s.old = malloc(DATA_BYTES);
	assert_non_null(s.old);
	memcpy(s.old, s.data, DATA_BYTES);
	write_leg(&s, 0, 99);
	crashldm_play(&s);
	free(s.old);
	assert_true(s.mirrored && !s.simple);
}

static void cut_repair_flags(void **state)
{
	static struct crashldm s;

	begin(&s, "repair of a leg that failed", ldm_repair, 2);
	make_mirror(&s);
	new_flags = LDM_COMPONENT_IOFAIL;
	assert_int_equal(crashldm_run(&s.group, 2, touch, defaults), EXIT_DONE);
	write_leg(&s, 0, 99);
	crashldm_play(&s);
	assert_true(s.mirrored && !s.simple);
}

/* Its second disk is gone, a third one is there. */
static void cut_repair_missing(void **state)
{
	static struct crashldm s;
	uint8_t *gone;

	begin(&s, "repair with a new disk", ldm_repair, 3);
	make_mirror(&s);
	gone = s.group.disk[1].now;
	s.group.disk[1].now = s.group.disk[2].now;
	s.group.disk[2].now = gone;
	s.group.disk[1].sectors = s.group.disk[2].sectors = DISK_SECTORS + 128;
	s.group.count = s.disks = 2;
	free(s.group.disk[2].before);
	free(gone);
	crashldm_play(&s);
	assert_true(s.mirrored && !s.simple);
}

static void cut_create(void **state)
{
	static struct crashldm s;

	begin(&s, "create", ldm_create, 2);
	s.options.name = NAME;
	s.options.size_bytes = DATA_BYTES;
	s.no_data = true;
	crashldm_play(&s);
	assert_true(s.mirrored);
}

/* The power goes again, while the next run undoes or finishes what the first one left. */
static void cut_twice(void **state)
{
	static const uint32_t first[] = {3, 7, 12, 15, 18, 21};

	for (unsigned i = 0; i < sizeof(first) / sizeof(first[0]); i++) {
		static struct crashldm s;

		begin(&s, "break, cut before", ldm_break, 2);
		make_mirror(&s);
		s.after = TWO_VOLUMES;
		s.group.writes = 0;
		s.group.fail_at = first[i];
		assert_int_equal(crashldm_run(&s.group, 2, ldm_break, defaults), EXIT_FAILED);
		s.group.fail_at = UINT32_MAX;
		crashldm_play(&s);
	}
}

/* A write or flush that fails: said by the exit status, and the next run gets there. */
static void failing_writes(void **state)
{
	uint32_t at = 0;
	int rc;

	do {
		static struct crashldm s;

		begin(&s, "add-mirror with a failing disk", ldm_add_mirror, 2);
		make_mirror(&s);
		remove_leg(&s, 1);
		crashgroup_start(&s.group);
		s.group.fail_at = at++;
		rc = crashldm_run(&s.group, 2, ldm_add_mirror, defaults);
		s.group.fail_at = UINT32_MAX;
		crashldm_judge(&s, &s.group, "a write failed");
		assert_int_equal(crashldm_run(&s.group, 2, ldm_add_mirror, defaults), EXIT_DONE);
		crashldm_check_end(&s, &s.group, "a write failed");
		crashgroup_free(&s.group);
		free(s.data);
	} while (rc != EXIT_DONE);
	assert_true(at > 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cut_add_mirror),       cmocka_unit_test(cut_add_mirror_other),
		cmocka_unit_test(cut_add_mirror_fresh), cmocka_unit_test(cut_break),
		cmocka_unit_test(cut_remove),           cmocka_unit_test(cut_repair_stale),
		cmocka_unit_test(cut_repair_flags),     cmocka_unit_test(cut_repair_missing),
		cmocka_unit_test(cut_create),           cmocka_unit_test(cut_twice),
		cmocka_unit_test(failing_writes),
	};

	/* SIM_ONLY: one of these alone, by its name. */
	if (getenv("SIM_ONLY"))
		cmocka_set_test_filter(getenv("SIM_ONLY"));
	return crashcount_end(
		cmocka_run_group_tests_name("ldm under power cuts", tests, NULL, NULL));
}
