/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tools/ldm_job.h"

#include "tools/say.h"
#include "tools/stop.h"

#include <stdlib.h>
#include <string.h>

bool ldm_job_find(struct ldm_job *j, struct hostset *set, const struct ldm_options *o)
{
	bool many;

	memset(j, 0, sizeof(*j));
	j->gs = ldm_groups_read(set);
	if (o->keep) {
		int keep = hostset_find(set, o->keep);

		if (keep < 0 || j->gs->copy[keep].standing < LDM_CURRENT) {
			say_about(o->keep, "is none of the disks with a database that can be used");
			return false;
		}
		ldm_groups_keep(j->gs, (unsigned)keep);
		if (j->gs->copy[keep].standing != LDM_CURRENT) {
			say_about(o->keep,
				  "its database is of transaction %llu, and there is a "
				  "newer one: nothing was written",
				  (unsigned long long)j->gs->copy[keep].tid);
			return false;
		}
	}
	j->volume = ldm_find_volume(j->gs, o->volume, &j->g, &many);
	if (j->volume) {
		j->legs = ldm_legs(j->g, j->volume, j->leg);
		return true;
	}
	if (j->gs->count == 0)
		say_note("no database of dynamic disks was found; nothing was written");
	else
		say_note(many ? "there is more than one volume \"%s\": name it by its GUID"
			      : "there is no volume \"%s\" on these disks; nothing was written",
			 o->volume);
	return false;
}

/* A disk of the group whose copy is not that of its last transaction. */
static bool says_disagree(const struct ldm_job *j, unsigned i)
{
	const struct ldm_copy *c = &j->gs->copy[i];

	switch (c->standing) {
	case LDM_BEHIND:
		say_about(c->host->path,
			  "its database is of transaction %llu, the newest is %llu: this disk "
			  "missed updates; \"mirrorboot ldm repair\" comes first",
			  (unsigned long long)c->tid, (unsigned long long)j->g->tid);
		return true;
	case LDM_DIFFERS:
		say_about(
			c->host->path,
			"its database differs from that of %s, of the same transaction: which one "
			"is right must be said, with \"mirrorboot ldm repair --keep DISK\"",
			j->gs->copy[j->g->best].host->path);
		return true;
	case LDM_UNFILLED:
	case LDM_DAMAGED:
		if (!ldm_disk_record(j->gs, j->g, i))
			return false;
		say_about(c->host->path,
			  "its database can't be used; \"mirrorboot ldm repair\" comes first");
		return true;
	default: return false;
	}
}

/* Do the volume's records fit each other, all of them? */
static bool fits(const struct ldm_job *j)
{
	const struct ldm_raw *piece[LDM_EXTENTS];

	for (unsigned i = 0; i < j->legs; i++)
		if (ldm_pieces(j->g, j->leg[i], piece, LDM_EXTENTS) !=
		    j->leg[i]->rec.component.partitions)
			return false;
	return j->legs == j->volume->rec.volume.components;
}

bool ldm_job_may_change(const struct ldm_job *j, bool repair)
{
	unsigned present, disks = ldm_group_disks(j->gs, j->g, &present);
	bool fine = true;

	if (j->g->odd || !fits(j)) {
		say_note("the database of disk group %s has records that can't be read: nothing is "
			 "changed in it",
			 j->g->name);
		return false;
	}
	for (unsigned i = 0; i < j->gs->copies; i++) {
		if (ldm_group_of(j->gs, i) != j->g)
			continue;
		fine &= repair || !says_disagree(j, i);
		fine &= !ldm_is_busy(&j->gs->copy[i]);
	}
	/* Windows wants most of a group's disks, and takes one of two. */
	if (fine && present * 2 < disks) {
		say_note("disk group %s has %u disks, and %u of them are here: give at least half "
			 "of them; nothing was written",
			 j->g->name, disks, present);
		return false;
	}
	if (!fine)
		say_note("nothing was written");
	return fine;
}

void ldm_job_print_cut(const struct ldm_job *j)
{
	unsigned present, disks = ldm_group_disks(j->gs, j->g, &present);

	if (j->g->cut)
		printf("An update of disk group %s was cut: it is %s first, as Windows would.\n",
		       j->g->name, j->g->forward ? "finished" : "undone");
	if (present < disks)
		printf("%u of the %u disks of group %s are not here: their databases become old.\n",
		       disks - present, disks, j->g->name);
}

int ldm_job_ask(const struct ldm_options *o)
{
	bool asked = true;

	fflush(stdout);
	if (o->yes || say_ask("Write this?", &asked)) {
		stop_watch();
		return EXIT_DONE;
	}
	say_note(asked ? "nothing was written"
		       : "there is no terminal to ask on: say --yes; nothing was written");
	return asked ? EXIT_FAILED : EXIT_USAGE;
}

int ldm_job_begin(struct ldm_job *j, const struct ldm_options *o)
{
	int rc = ldm_job_ask(o);

	if (rc != EXIT_DONE)
		return rc;
	return !j->g->cut || ldm_txn_recover(j->gs, j->g) ? EXIT_DONE : EXIT_FAILED;
}

const char *ldm_size_text(uint64_t s512)
{
	static char buf[4][32];
	static unsigned next;
	char *to = buf[next++ % 4];
	struct say_text t;

	say_text_init(&t);
	text_size(&t.text, s512);
	snprintf(to, sizeof(buf[0]), "%s", t.buf);
	free(t.buf);
	return to;
}

static bool name_used(const struct ldm_group *g, unsigned type, const char *name)
{
	for (unsigned i = 0; i < g->raws.count; i++)
		if (g->raws.raw[i].rec.type == type && !strcmp(g->raws.raw[i].rec.name, name))
			return true;
	return false;
}

void ldm_name_next(const struct ldm_group *g, unsigned type, const char *before, unsigned digits,
		   char name[LDM_NAME_BYTES])
{
	unsigned n = 0;

	do
		snprintf(name, LDM_NAME_BYTES, "%.24s%s%0*u", before, digits > 1 ? "-" : "",
			 (int)digits, ++n);
	while (name_used(g, type, name));
}

uint64_t ldm_last_number(const struct ldm_group *g)
{
	uint64_t last = 0;

	for (unsigned i = 0; i < g->raws.count; i++)
		/* Windows gives a new volume the highest that there is, until it has a letter. */
		if (g->raws.raw[i].rec.type == LDM_VOLUME &&
		    ldm_volume_number(&g->raws.raw[i]) < UINT32_MAX &&
		    ldm_volume_number(&g->raws.raw[i]) > last)
			last = ldm_volume_number(&g->raws.raw[i]);
	return last;
}

uint64_t ldm_disks_of(const struct ldm_extents *e)
{
	uint64_t mask = 0;

	for (unsigned i = 0; i < e->count; i++)
		mask |= UINT64_C(1) << e->extent[i].disk;
	return mask;
}
