/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* add-mirror, break, remove. */
#include "tools/ldm_job.h"

#include "tools/say.h"
#include "tools/stop.h"

#include <stdio.h>
#include <string.h>

static bool all_healthy(const struct ldm_job *j)
{
	for (unsigned i = 0; i < j->legs; i++)
		if (ldm_leg_health(j->gs, j->g, j->leg[i]) != LDM_HEALTHY)
			return false;
	return true;
}

/* A change that was made already, but for an update that was cut. */
static int only_recover(struct ldm_job *j, const struct ldm_options *o, const char *what)
{
	int rc;

	if (!j->g->cut) {
		printf("%s; nothing was written.\n", what);
		return EXIT_DONE;
	}
	ldm_job_print_cut(j);
	rc = ldm_job_begin(j, o);
	if (rc != EXIT_DONE)
		return rc;
	printf("%s.\n", what);
	return EXIT_DONE;
}

static int add_mirror(struct ldm_job *j, const struct ldm_options *o)
{
	uint64_t size_s512 = j->volume->rec.volume.size_s512;
	struct ldm_extents source;
	struct ldm_place place;
	char what[128], name[LDM_NAME_BYTES];
	int rc;

	memcpy(name, j->volume->rec.name, sizeof(name));
	snprintf(what, sizeof(what), "Volume %s has two legs", name);
	if (!ldm_job_may_change(j, false))
		return EXIT_FAILED;
	if (j->legs > 1 && all_healthy(j))
		return only_recover(j, o, what);
	if (j->legs > 1) {
		say_note("%s, and one is not healthy: \"mirrorboot ldm repair\"; nothing was "
			 "written",
			 what);
		return EXIT_FAILED;
	}
	if (ldm_layout_of(j->g, j->volume) != LDM_IS_SIMPLE ||
	    !ldm_is_active(j->volume->rec.volume.state) || !all_healthy(j) ||
	    !ldm_extents(j->gs, j->g, j->leg[0], size_s512, &source)) {
		say_note("volume %s is not a healthy simple volume: only such can get a mirror; "
			 "nothing was written",
			 name);
		return EXIT_FAILED;
	}
	if (!ldm_place_find(j, o, size_s512, &place)) {
		say_note("nothing was written");
		return EXIT_FAILED;
	}
	ldm_job_print_cut(j);
	ldm_place_print(j, &place);
	rc = ldm_job_begin(j, o);
	if (rc != EXIT_DONE)
		return rc;
	if (!ldm_place_leg(j, &place, j->leg[0], NULL))
		return EXIT_FAILED;
	printf("Volume %s is mirrored.\n", name);
	return EXIT_DONE;
}

/* The leg that the options say; else the last. -1: said. */
static int which_leg(const struct ldm_job *j, const struct ldm_options *o)
{
	if (o->leg < (int)j->legs)
		return o->leg >= 0 ? o->leg : (int)j->legs - 1;
	say_note("volume %s has no leg %d; nothing was written", j->volume->rec.name, o->leg);
	return -1;
}

static int break_mirror(struct ldm_job *j, const struct ldm_options *o)
{
	char name[LDM_NAME_BYTES], leg_name[LDM_NAME_BYTES], what[128], text[GUID_TEXT_BYTES];
	static struct ldm_change ch;
	struct ldm_extents kept;
	struct guid guid;
	int leg, rc;

	snprintf(what, sizeof(what), "Volume %s has one leg", j->volume->rec.name);
	if (!ldm_job_may_change(j, false))
		return EXIT_FAILED;
	if (j->legs == 1)
		return only_recover(j, o, what);
	leg = which_leg(j, o);
	if (leg < 0)
		return EXIT_FAILED;
	if (j->legs != 2 || !all_healthy(j)) {
		say_note("volume %s is not a mirror of two healthy legs: \"repair\" or \"remove\" "
			 "instead; nothing was written",
			 j->volume->rec.name);
		return EXIT_FAILED;
	}
	if (o->name)
		snprintf(name, sizeof(name), "%.28s", o->name);
	else
		ldm_name_next(j->g, LDM_VOLUME, "Volume", 1, name);
	snprintf(leg_name, sizeof(leg_name), "%.28s-01", name);
	if (!ldm_random_guid(&guid, text) ||
	    !ldm_extents(j->gs, j->g, j->leg[!leg], j->volume->rec.volume.size_s512, &kept)) {
		say_note("its legs can't be told apart; nothing was written");
		return EXIT_FAILED;
	}
	ldm_job_print_cut(j);
	printf("Volume %s keeps leg %d and its drive letter; leg %d becomes volume %s, without "
	       "one.\n"
	       "No data are changed.\n",
	       j->volume->rec.name, !leg, leg, name);
	rc = ldm_job_begin(j, o);
	if (rc != EXIT_DONE)
		return rc;
	stop_hold();
	ldm_change_init(&ch, j->g, 1);
	ch.full |= !ldm_copy_volume(ldm_change_add(&ch), j->volume, 1, ch.tid);
	ch.full |= !ldm_copy_volume_anew(ldm_change_add(&ch), j->volume, ch.next, name,
					 ldm_last_number(j->g) + 1, &guid, ch.tid);
	ch.full |= !ldm_copy_component(ldm_change_add(&ch), j->leg[leg], leg_name, ch.next, ch.tid);
	ldm_change_drop(&ch, j->volume);
	ldm_change_drop(&ch, j->leg[leg]);
	if (!ldm_txn_run(j->gs, j->g, &ch, ldm_disks_of(&kept)))
		return EXIT_FAILED;
	printf("Volume %s is broken into two simple volumes; the other is %s.\n", o->volume, name);
	return EXIT_DONE;
}

static int remove_leg(struct ldm_job *j, const struct ldm_options *o)
{
	const struct ldm_raw *piece[LDM_EXTENTS];
	static struct ldm_change ch;
	struct ldm_extents kept;
	char what[128], name[LDM_NAME_BYTES];
	unsigned n;
	int rc;

	memcpy(name, j->volume->rec.name, sizeof(name));
	snprintf(what, sizeof(what), "Volume %s has one leg", name);
	if (!ldm_job_may_change(j, false))
		return EXIT_FAILED;
	if (j->legs == 1)
		return only_recover(j, o, what);
	if (which_leg(j, o) < 0)
		return EXIT_FAILED;
	if (j->legs != 2 || ldm_leg_health(j->gs, j->g, j->leg[!o->leg]) != LDM_HEALTHY ||
	    !ldm_extents(j->gs, j->g, j->leg[!o->leg], j->volume->rec.volume.size_s512, &kept)) {
		say_note("the leg that would stay is not healthy; nothing was written");
		return EXIT_FAILED;
	}
	n = ldm_pieces(j->g, j->leg[o->leg], piece, LDM_EXTENTS);
	ldm_job_print_cut(j);
	printf("Volume %s loses leg %d (%s): the space becomes unallocated.\n", name, o->leg,
	       ldm_health_name(ldm_leg_health(j->gs, j->g, j->leg[o->leg])));
	rc = ldm_job_begin(j, o);
	if (rc != EXIT_DONE)
		return rc;
	stop_hold();
	ldm_change_init(&ch, j->g, 0);
	ch.full |= !ldm_copy_volume(ldm_change_add(&ch), j->volume, 1, ch.tid);
	ldm_change_drop(&ch, j->volume);
	ldm_change_drop(&ch, j->leg[o->leg]);
	while (n-- > 0)
		ldm_change_drop(&ch, piece[n]);
	if (!ldm_txn_run(j->gs, j->g, &ch, ldm_disks_of(&kept)))
		return EXIT_FAILED;
	printf("Volume %s has one leg now.\n", name);
	return EXIT_DONE;
}

static int with_volume(struct hostset *set, const struct ldm_options *o,
		       int (*work)(struct ldm_job *, const struct ldm_options *))
{
	struct ldm_job j;
	int rc = ldm_job_find(&j, set, o) ? work(&j, o) : EXIT_FAILED;

	ldm_groups_free(j.gs);
	return rc;
}

int ldm_add_mirror(struct hostset *set, const struct ldm_options *o)
{
	return with_volume(set, o, add_mirror);
}

int ldm_break(struct hostset *set, const struct ldm_options *o)
{
	return with_volume(set, o, break_mirror);
}

int ldm_remove(struct hostset *set, const struct ldm_options *o)
{
	return with_volume(set, o, remove_leg);
}
