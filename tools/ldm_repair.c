/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * repair: a mirror gets its second leg back. By what is wrong with it:
 *
 *   its disk missed updates   the disk's database is marked as not to be used, the data of
 *                             its legs of all mirrors are made those of the healthy ones, then
 *                             it gets the group's database
 *   the database says so      its data are made those of the healthy leg, then it is ACTIVE
 *   its disk is not here      a new leg elsewhere takes its place (add-mirror does the same)
 */
#include "tools/ldm_job.h"

#include "common/ldm_probe.h"

#include "common/ldm_db.h"
#include "tools/say.h"
#include "tools/stop.h"

#include <stdio.h>
#include <string.h>

/* A healthy leg of a volume, not lying on disk `but`; NULL: there is none. */
static const struct ldm_raw *healthy_leg(const struct ldm_job *j, const struct ldm_raw *volume,
					 struct ldm_extents *e)
{
	const struct ldm_raw *leg[LDM_LEGS];
	unsigned n = ldm_legs(j->g, volume, leg);

	for (unsigned i = 0; i < n; i++)
		if (ldm_leg_health(j->gs, j->g, leg[i]) == LDM_HEALTHY &&
		    ldm_extents(j->gs, j->g, leg[i], volume->rec.volume.size_s512, e))
			return leg[i];
	return NULL;
}

/* Which legs of mirrors lie on the disk: each time the next, from *at on. */
static const struct ldm_raw *next_leg_on(const struct ldm_job *j, unsigned disk, unsigned *at,
					 const struct ldm_raw **volume)
{
	const struct ldm_raw *record = ldm_disk_record(j->gs, j->g, disk);

	for (; record && *at < j->g->raws.count; ++*at) {
		const struct ldm_raw *r = &j->g->raws.raw[*at], *piece[LDM_EXTENTS];
		unsigned n;

		if (r->rec.type != LDM_COMPONENT)
			continue;
		*volume = ldm_find(j->g, LDM_VOLUME, r->rec.component.volume);
		if (!*volume || ldm_is_raid5(&(*volume)->rec.volume) ||
		    (*volume)->rec.volume.components < 2)
			continue;
		n = ldm_pieces(j->g, r, piece, LDM_EXTENTS);
		while (n-- > 0)
			if (piece[n]->rec.partition.disk == record->rec.disk.id) {
				++*at;
				return r;
			}
	}
	return NULL;
}

/* Everything of the disk's mirrors must have a leg to be copied from. */
static bool disk_can_be_filled(const struct ldm_job *j, unsigned disk)
{
	const struct ldm_raw *leg, *volume;
	struct ldm_extents e;
	unsigned at = 0;

	while ((leg = next_leg_on(j, disk, &at, &volume))) {
		if (healthy_leg(j, volume, &e) &&
		    ldm_extents(j->gs, j->g, leg, volume->rec.volume.size_s512, &e))
			continue;
		say_note("volume %s has no healthy leg that its leg on %s could be copied from; "
			 "nothing was written",
			 volume->rec.name, j->gs->copy[disk].host->path);
		return false;
	}
	return true;
}

static bool fill_disk(struct ldm_job *j, unsigned disk)
{
	struct ldm_copy *c = &j->gs->copy[disk];
	const struct ldm_raw *leg, *volume;
	struct ldm_extents from, to;
	unsigned at = 0;

	/* Alone, it would be believed: half of it will soon be of another time. */
	if (!ldm_txn_forget(c))
		return false;
	while ((leg = next_leg_on(j, disk, &at, &volume))) {
		uint64_t size_s512 = volume->rec.volume.size_s512;

		if (!healthy_leg(j, volume, &from) ||
		    !ldm_extents(j->gs, j->g, leg, size_s512, &to) ||
		    !ldm_copy_data(j->gs, &from, &to, size_s512))
			return false;
	}
	stop_hold();
	return ldm_txn_fill(c, &j->gs->copy[j->g->best].settled);
}

/* The leg's data were made right: the database may say so. */
static bool activate_leg(struct ldm_job *j, const struct ldm_raw *leg,
			 const struct ldm_extents *from)
{
	const uint32_t bad_disk = LDM_DISK_FAILING | LDM_DISK_REMOVED | LDM_DISK_DETACHED;
	const uint32_t bad_piece = LDM_PARTITION_RECOVER | LDM_PARTITION_KDETACH;
	const struct ldm_raw *piece[LDM_EXTENTS];
	unsigned n = ldm_pieces(j->g, leg, piece, LDM_EXTENTS);
	static struct ldm_change ch;

	stop_hold();
	ldm_change_init(&ch, j->g, 0);
	ch.full |= !ldm_copy_component(ldm_change_add(&ch), leg, NULL, leg->rec.component.volume,
				       ch.tid);
	ldm_change_drop(&ch, leg);
	for (unsigned i = 0; i < n; i++) {
		const struct ldm_partition *p = &piece[i]->rec.partition;
		const struct ldm_raw *d = ldm_find(j->g, LDM_DISK, p->disk);

		if (p->flags & bad_piece) {
			ch.full |= !ldm_copy_partition(ldm_change_add(&ch), piece[i],
						       p->flags & ~bad_piece, ch.tid);
			ldm_change_drop(&ch, piece[i]);
		}
		for (unsigned k = 0; k < ch.drops; k++)
			if (ch.drop[k] == d)
				d = NULL;
		if (d && (d->rec.disk.flags & bad_disk)) {
			ch.full |= !ldm_copy_disk(ldm_change_add(&ch), d,
						  d->rec.disk.flags & ~bad_disk, ch.tid);
			ldm_change_drop(&ch, d);
		}
	}
	return ldm_txn_run(j->gs, j->g, &ch, ldm_disks_of(from));
}

/* What is to be done about one leg. */
struct action {
	const struct ldm_raw *leg;  /* NULL: nothing */
	unsigned fill[LDM_EXTENTS]; /* disks that get the group's database */
	unsigned fills;
	bool move; /* to `place` */
	struct ldm_place place;
	const struct ldm_raw *from;
	struct ldm_extents source;
};

static bool wants_fill(const struct ldm_copy *c)
{
	return c->standing != LDM_CURRENT && c->standing != LDM_BASIC && c->status != ST_IO &&
	       c->now.config && c->now.log;
}

/* Any disk of the group that is not up to date: repair is what all other verbs wait for. */
static void list_fills(const struct ldm_job *j, struct action *a)
{
	for (unsigned i = 0; i < j->gs->copies && a->fills < LDM_EXTENTS; i++)
		if (ldm_group_of(j->gs, i) == j->g && wants_fill(&j->gs->copy[i]) &&
		    ldm_disk_record(j->gs, j->g, i))
			a->fill[a->fills++] = i;
}

/* False: it can't be done, and why was said. */
static bool decide(struct ldm_job *j, const struct ldm_options *o, struct action *a)
{
	memset(a, 0, sizeof(*a));
	list_fills(j, a);
	for (unsigned i = 0; i < a->fills; i++)
		if (!disk_can_be_filled(j, a->fill[i]))
			return false;
	for (unsigned i = 0; i < j->legs; i++) {
		enum ldm_health h = ldm_leg_health(j->gs, j->g, j->leg[i]);

		if (h == LDM_HEALTHY || (h == LDM_STALE_DISK && a->fills))
			continue;
		a->leg = j->leg[i];
		a->move = h == LDM_NO_DISK || o->to;
		if (h == LDM_STALE_DISK && !a->move) {
			say_note("the disk of leg %u has no place for a database any more: give "
				 "another disk, and say --to DISK; nothing was written",
				 i);
			return false;
		}
		break;
	}
	if (!a->leg)
		return true;
	a->from = healthy_leg(j, j->volume, &a->source);
	if (!a->from) {
		say_note("volume %s has no healthy leg to copy from; nothing was written",
			 j->volume->rec.name);
		return false;
	}
	return !a->move || ldm_place_find(j, o, j->volume->rec.volume.size_s512, &a->place);
}

static void print_action(const struct ldm_job *j, const struct action *a)
{
	const struct ldm_raw *leg, *volume;

	for (unsigned i = 0; i < a->fills; i++) {
		const char *path = j->gs->copy[a->fill[i]].host->path;
		unsigned at = 0;

		printf("%s: gets the database of its group (transaction %llu)\n", path,
		       (unsigned long long)j->g->tid);
		while ((leg = next_leg_on(j, a->fill[i], &at, &volume)))
			printf("%s: its leg of volume %s is overwritten with the healthy leg\n",
			       path, volume->rec.name);
	}
	if (a->move) {
		printf("Volume %s: leg %s is dropped\n", j->volume->rec.name, a->leg->rec.name);
		ldm_place_print(j, &a->place);
	} else if (a->leg) {
		printf("Volume %s: leg %s is overwritten with the healthy leg\n",
		       j->volume->rec.name, a->leg->rec.name);
	}
}

static bool run_action(struct ldm_job *j, const struct action *a)
{
	struct ldm_extents to;

	for (unsigned i = 0; i < a->fills; i++)
		if (!fill_disk(j, a->fill[i]))
			return false;
	if (!a->leg)
		return true;
	if (a->move)
		return ldm_place_leg(j, &a->place, a->from, a->leg);
	return ldm_extents(j->gs, j->g, a->leg, j->volume->rec.volume.size_s512, &to) &&
	       ldm_copy_data(j->gs, &a->source, &to, j->volume->rec.volume.size_s512) &&
	       activate_leg(j, a->leg, &a->source);
}

static int repair(struct ldm_job *j, const struct ldm_options *o)
{
	char name[LDM_NAME_BYTES];
	struct action a;
	int rc;

	memcpy(name, j->volume->rec.name, sizeof(name));
	if (!ldm_job_may_change(j, true))
		return EXIT_FAILED;
	if (j->g->differs && !o->keep) {
		say_note("databases of the same transaction differ: say with --keep DISK whose is "
			 "right; nothing was written");
		return EXIT_FAILED;
	}
	if (!decide(j, o, &a))
		return EXIT_FAILED;
	if (!a.leg && !a.fills && !j->g->cut) {
		if (j->legs < 2)
			say_note("volume %s is no mirror", name);
		printf("Nothing is to be repaired; nothing was written.\n");
		return EXIT_DONE;
	}
	ldm_job_print_cut(j);
	print_action(j, &a);
	rc = ldm_job_begin(j, o);
	if (rc != EXIT_DONE)
		return rc;
	if (!run_action(j, &a))
		return EXIT_FAILED;
	printf("Volume %s is repaired.\n", name);
	return EXIT_DONE;
}

int ldm_repair(struct hostset *set, const struct ldm_options *o)
{
	struct ldm_job j;
	int rc = ldm_job_find(&j, set, o) ? repair(&j, o) : EXIT_FAILED;

	ldm_groups_free(j.gs);
	return rc;
}
