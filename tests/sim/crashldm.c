/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tests/sim/crashldm.h"
#include "tests/sim/crashcount.h"
#include "tests/sim/crashtools.h"

#include "common/view.h"

#include <fcntl.h>
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

/* ---- the tool's way to look at disks ---- */

struct hostset *crashldm_open(struct crashgroup *g, unsigned count, bool reverse)
{
	static char names[CRASHGROUP_DISKS][16];
	struct hostset *set = calloc(1, sizeof(*set));

	assert_non_null(set);
	set->count = count;
	set->writable = true;
	for (unsigned i = 0; i < count; i++) {
		unsigned k = reverse ? count - 1 - i : i;

		snprintf(names[k], sizeof(names[k]), "disk%u", k);
		set->host[i].path = names[k];
		set->host[i].fd = -1;
		set->host[i].bytes = g->disk[k].sectors * CRASHGROUP_SECTOR;
		set->host[i].shift = 9;
		set->disk[i] = crashgroup_disk(g, k);
	}
	return set;
}

/* The verbs print: not here. */
static int quiet(verb *run, struct hostset *set, const struct ldm_options *o)
{
	int out, err, null, rc;

	fflush(stdout);
	out = dup(1);
	err = dup(2);
	null = open("/dev/null", O_WRONLY);
	if (!getenv("SIM_TALK")) {
		dup2(null, 1);
		dup2(null, 2);
	}
	rc = run(set, o);
	fflush(stdout);
	dup2(out, 1);
	dup2(err, 2);
	close(out);
	close(err);
	close(null);
	return rc;
}

int crashldm_run(struct crashgroup *g, unsigned disks, verb *run, struct ldm_options o)
{
	struct hostset *set = crashldm_open(g, disks, false);
	int rc;

	o.yes = true;
	o.force = true; /* what these disks hold is not libblkid's to see */
	rc = quiet(run, set, &o);
	free(set);
	return rc;
}

/* ---- judging ---- */

static bool extents_have(struct ldm_groups *gs, const struct ldm_extents *e, const uint8_t *data)
{
	static uint8_t buf[DATA_SECTORS * CRASHGROUP_SECTOR];
	uint8_t *to = buf;

	for (unsigned i = 0; i < e->count; i++) {
		const struct ldm_extent *x = &e->extent[i];

		if ((size_t)(to - buf) + (x->size_s512 << 9) > sizeof(buf))
			return false;
		assert_int_equal(disk_read(gs->copy[x->disk].disk, x->start_s512,
					   (uint32_t)x->size_s512, to),
				 ST_OK);
		to += x->size_s512 << 9;
	}
	return !memcmp(buf, data, sizeof(buf));
}

/* As the loader sees it: by common/ alone. */
static bool judge_mirror(const struct crashldm *s, struct hostset *set, const char *what)
{
	static struct vdisk_tables tables;
	static uint8_t buf[DATA_SECTORS * CRASHGROUP_SECTOR];
	struct survey *sv = &set->survey;
	struct vdisk_set vs;
	struct mirror *m;
	unsigned i, v;

	survey_run(sv, set->disk, set->count);
	i = survey_find_mirror(sv, NAME);
	if (i >= sv->mirror_count)
		return false;
	m = &sv->mirror[i];
	if (m->state == MIRROR_UNUSABLE || m->chosen == NO_LEG)
		fail_msg("%s, %s: no leg can be used", s->name, what);
	view_init(&vs, &tables);
	assert_int_equal(view_add_volume(&vs, sv, i, &v), ST_OK);
	assert_int_equal(vdisk_read(&vs, v, set->disk, 0, DATA_SECTORS, buf), ST_OK);
	if (!s->no_data && memcmp(buf, s->data, DATA_BYTES))
		fail_msg("%s, %s: the leg that is picked has not the data", s->name, what);
	for (unsigned k = 0; k < m->leg_count && !s->no_data; k++) {
		const struct leg *l = &m->leg[k];

		if (l->verdict != VERDICT_IN_SYNC || l->member == NO_MEMBER)
			continue;
		assert_int_equal(disk_read(&set->disk[l->disk], sv->member[l->member].start_lba,
					   DATA_SECTORS, buf),
				 ST_OK);
		if (memcmp(buf, s->data, DATA_BYTES))
			fail_msg("%s, %s: a leg is in sync, and has not the data", s->name, what);
	}
	return true;
}

/* A simple volume of this name, or of any. */
static unsigned simple_volumes(const struct crashldm *s, struct hostset *set, const char *what)
{
	struct ldm_groups *gs = ldm_groups_read(set);
	unsigned n = 0;

	for (unsigned i = 0; gs->count && i < gs->group[0].raws.count; i++) {
		const struct ldm_group *g = &gs->group[0];
		const struct ldm_raw *v = &g->raws.raw[i], *leg[LDM_LEGS];
		struct ldm_extents e;

		if (v->rec.type != LDM_VOLUME || ldm_legs(g, v, leg) != 1)
			continue;
		if (!ldm_extents(gs, g, leg[0], v->rec.volume.size_s512, &e) ||
		    !extents_have(gs, &e, s->data))
			fail_msg("%s, %s: simple volume %s has not the data", s->name, what,
				 v->rec.name);
		n++;
	}
	ldm_groups_free(gs);
	return n;
}

/*
 * The disk that missed updates, with no other to say so: what it is believed to have must be
 * of one time.
 */
static void judge_alone(const struct crashldm *s, struct crashgroup *g, const char *what)
{
	static uint8_t buf[DATA_SECTORS * CRASHGROUP_SECTOR];
	struct hostset *set = crashldm_open(g, 2, true);
	const struct mirror *m = &set->survey.mirror[0];

	set->count = 1; /* in this order disk 1 is the first */
	survey_run(&set->survey, set->disk, 1);
	if (set->survey.mirror_count && m->chosen != NO_LEG) {
		const struct leg *l = &m->leg[m->chosen];

		assert_int_equal(disk_read(&set->disk[0], set->survey.member[l->member].start_lba,
					   DATA_SECTORS, buf),
				 ST_OK);
		if (memcmp(buf, s->old, DATA_BYTES) && memcmp(buf, s->data, DATA_BYTES))
			fail_msg("%s, %s: alone, disk 1 is believed with half of its data old",
				 s->name, what);
	}
	free(set);
}

void crashldm_judge(struct crashldm *s, struct crashgroup *g, const char *what)
{
	if (s->old)
		judge_alone(s, g, what);
	for (unsigned reverse = 0; reverse < 2; reverse++) {
		struct hostset *set = crashldm_open(g, s->disks, reverse);

		if (judge_mirror(s, set, what))
			s->mirrored++;
		else if (s->no_data)
			;
		else if (simple_volumes(s, set, what) == 0)
			fail_msg("%s, %s: there is no volume", s->name, what);
		else
			s->simple++;
		free(set);
	}
}

void crashldm_check_end(struct crashldm *s, struct crashgroup *g, const char *what)
{
	struct hostset *set = crashldm_open(g, s->disks, false);
	struct ldm_groups *gs;

	if (s->after == TWO_LEGS) {
		if (!judge_mirror(s, set, what))
			fail_msg("%s, %s, run again: there is no mirror", s->name, what);
		if (set->survey.mirror[0].state != MIRROR_HEALTHY)
			fail_msg("%s, %s, run again: the mirror is %s", s->name, what,
				 mirror_state_name(set->survey.mirror[0].state));
	} else if (simple_volumes(s, set, what) != (s->after == TWO_VOLUMES ? 2 : 1)) {
		fail_msg("%s, %s, run again: other volumes than there should be", s->name, what);
	}
	gs = ldm_groups_read(set);
	assert_int_equal(gs->count, 1);
	for (unsigned i = 0; i < gs->copies; i++)
		if (gs->copy[i].standing != LDM_CURRENT || gs->copy[i].cut ||
		    !ldm_disk_record(gs, &gs->group[0], i))
			fail_msg("%s, %s, run again: disk %u is not as the others", s->name, what,
				 i);
	ldm_groups_free(gs);
	free(set);
}

static void check_cut(uint8_t *const *image, const char *what, void *ctx)
{
	struct crashldm *s = ctx;
	struct crashgroup g, again;
	int rc;

	/* To be judged they are read where they are; to be written to they are copied. */
	crashgroup_init(&g);
	for (unsigned i = 0; i < s->disks; i++)
		g.disk[i] = (struct crashgroup_disk){.group = &g,
						     .number = i,
						     .sectors = s->group.disk[i].sectors,
						     .now = image[i]};
	g.count = s->disks;
	crashldm_judge(s, &g, what);
	if (!s->no_data) {
		uint64_t sectors[CRASHGROUP_DISKS];

		for (unsigned i = 0; i < s->disks; i++)
			sectors[i] = g.disk[i].sectors;
		crashtools_ask_ldm(image, sectors, s->disks, NAME, s->asked++, s->name, what);
	}
	if (!crashcount_is_picked(32))
		return;
	crashcount_rerun();
	crashgroup_init(&again);
	for (unsigned i = 0; i < s->disks; i++)
		crashgroup_add_copy(&again, &g.disk[i]);
	rc = crashldm_run(&again, s->disks, s->run, s->options);
	if (rc != EXIT_DONE)
		fail_msg("%s, %s, run again: exit status %d", s->name, what, rc);
	crashldm_check_end(s, &again, what);
	crashgroup_free(&again);
}

void crashldm_play(struct crashldm *s)
{
	const char *random = getenv("SIM_RANDOM");
	unsigned cuts;
	int rc;

	/* Disks are large here, and copied all the time: not from the kernel each time. */
	mallopt(M_MMAP_THRESHOLD, 1 << 30);
	mallopt(M_TRIM_THRESHOLD, INT32_MAX);
	crashgroup_start(&s->group);
	rc = crashldm_run(&s->group, s->disks, s->run, s->options);
	if (rc != EXIT_DONE)
		fail_msg("%s: exit status %d", s->name, rc);
	crashldm_check_end(s, &s->group, "not cut");
	crashcount_scene(s->command, s->scenes);
	cuts = crashgroup_each_cut(&s->group, random ? (unsigned)atoi(random) : 2, check_cut, s);
	printf("  %s: %u operations, %u states; the volume was a mirror in %u, simple in %u\n",
	       s->name, s->group.op_count, cuts, s->mirrored / 2, s->simple / 2);
	fflush(stdout);
	crashgroup_free(&s->group);
	free(s->data);
}
