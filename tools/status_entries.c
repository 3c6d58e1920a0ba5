/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* Boot entries that lead nowhere, and EFI system partitions that no entry leads to. */
#include "tools/status_check.h"
#include "tools/shellword.h"
#include "common/nvlist.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Does the firmware try it by itself? */
static bool is_tried(const struct nventry *e)
{
	return e->status == ST_OK && e->place >= 0 && (e->e.attributes & BOOTENTRY_ACTIVE);
}

static void find_entries(struct status_check *c, const struct hostset *set)
{
	for (unsigned k = 0; k < c->all.count; k++) {
		const struct nventry *e = &c->all.entry[k];

		for (unsigned i = 0; i < set->count && is_tried(e); i++) {
			struct status_disk *s = &c->disk[i];

			if (!s->esp->part || !e->e.on_partition ||
			    !guid_equal(&e->e.hd.guid, &s->esp->uuid))
				continue;
			c->entries = true;
			if (s->entry == NVRAM_NONE ||
			    nvram_find(&c->all, s->entry)->place > e->place)
				s->entry = e->number;
		}
	}
}

void status_entries_look(struct status_check *c, struct hostset *set)
{
	const char *folder = getenv("MIRRORBOOT_EFIVARS");
	struct entries_vars vars;

	/* A machine without UEFI; or these disks are not its own: nothing to be said. */
	if (access(folder ? folder : ENTRIES_VARS_FOLDER, R_OK | X_OK) ||
	    !entries_vars_open(&vars, NULL) || !entries_read(&c->all, &vars))
		return;
	find_entries(c, set);
	if (c->entries && entries_parts_open(&c->parts, set)) {
		/* Those of disks that were not named count, too. */
		c->parts.parts.given = false;
		if (!entries_record_open(&c->record, &vars, NULL))
			c->record.count = 0;
		nvverb_match(c->record.item, c->record.count, &c->all);
		return;
	}
	if (c->entries)
		entries_parts_free(&c->parts);
	entries_free(&c->all);
	c->entries = false;
}

/* ---- what is wrong with them ---- */

/* Images are found only where they are named, each with a blank before it; to be freed. */
static char *images(const struct hostset *set)
{
	uint32_t disks = 0;

	for (unsigned i = 0; i < set->count; i++)
		disks |= set->host[i].block ? 0 : (uint32_t)1 << i;
	return shellword_disks(set, disks);
}

static void next_repair(const struct hostset *set, struct status_warnings *w)
{
	char *disks = images(set);

	status_warn_next(w, "mirrorboot entries repair%s", disks);
	free(disks);
}

static bool leg_is_missing(const struct hostset *set)
{
	for (unsigned i = 0; i < set->survey.mirror_count; i++)
		for (unsigned k = 0; k < set->survey.mirror[i].leg_count; k++)
			if (set->survey.mirror[i].leg[k].verdict == VERDICT_MISSING)
				return true;
	return false;
}

static void one_entry(const struct hostset *set, const struct nvlist *l, struct status_warnings *w)
{
	static const char *const what[] = {
		[NVLIST_UNREADABLE] = "can't be read",
		[NVLIST_DAMAGED] = "is damaged",
		[NVLIST_PARTITION_MISSING] = "leads to a partition that is gone",
		[NVLIST_PARTITION_TWICE] = "leads to a partition that is there twice",
		[NVLIST_PARTITION_MOVED] = "has another place for its partition than is so",
		[NVLIST_FILE_MISSING] = "leads to a file that is gone",
	};
	char *name = l->e->status == ST_OK ? entries_description(&l->e->e) : NULL;

	if (l->fault == NVLIST_PARTITION_MISSING && leg_is_missing(set))
		/* Most likely that of the missing disk: it is wanted when the disk is back. */
		status_warn_once(w, STATUS_DRIFT,
				 "boot entry %04X \"%s\" leads to a partition that is gone, with "
				 "its disk perhaps: keep it until that is back or replaced",
				 l->e->number, name);
	else if (status_warn_once(w, STATUS_DRIFT, "boot entry %04X \"%s\" %s", l->e->number,
				  name ? name : "?", what[l->fault])) {
		if (l->fault == NVLIST_PARTITION_MOVED)
			next_repair(set, w);
		else if (l->fault == NVLIST_PARTITION_TWICE)
			status_warn_next(w, "lsblk -o NAME,PARTUUID,MODEL,SERIAL");
		else if (l->fault == NVLIST_UNREADABLE)
			status_warn_next(w, "mirrorboot entries list");
		else
			status_warn_next(w, "mirrorboot entries delete --id %04X", l->e->number);
	}
	free(name);
}

static void gone_entries(const struct hostset *set, const struct status_check *c,
			 struct status_warnings *w)
{
	for (unsigned i = 0; i < c->record.count; i++) {
		const struct nvitem *item = &c->record.item[i];
		char *name;

		if (item->now)
			continue;
		name = entries_description(&item->e);
		if (status_warn_once(w, STATUS_DRIFT,
				     "boot entry \"%s\", which was %04X, is gone from the firmware",
				     name, item->number))
			next_repair(set, w);
		free(name);
	}
}

/* An ESP that no entry leads to, where another of its mirror has one. */
static void without_entry(const struct hostset *set, const struct status_check *c, uint32_t disks,
			  struct status_warnings *w)
{
	unsigned from = NO_DISK;

	for (unsigned i = 0; i < set->count && from == NO_DISK; i++)
		if (disks & (uint32_t)1 << i && c->disk[i].entry != NVRAM_NONE)
			from = i;
	for (unsigned i = 0; i < set->count && from != NO_DISK; i++) {
		const struct status_disk *s = &c->disk[i];
		char *a, *b, *more;

		if (!(disks & (uint32_t)1 << i) || !s->esp->part || guid_is_zero(&s->esp->uuid) ||
		    s->entry != NVRAM_NONE ||
		    !status_warn_once(w, STATUS_DRIFT,
				      "%s: no boot entry leads to its EFI system partition",
				      set->host[i].path))
			continue;
		a = shellword_disks(set, (uint32_t)1 << from);
		b = shellword_disks(set, (uint32_t)1 << i);
		more = images(set);
		status_warn_next(w, "mirrorboot entries clone --from%s --to%s%s", a, b, more);
		free(more);
		free(a);
		free(b);
	}
}

void status_drift_entries(const struct hostset *set, const struct status_check *c,
			  struct status_warnings *w)
{
	unsigned before = w->count;

	if (!c->entries)
		return;
	gone_entries(set, c, w);
	/* What repair brings back needs no other advice. */
	for (unsigned k = 0; k < set->survey.mirror_count && w->count == before; k++)
		without_entry(set, c, status_mirror_disks(set, &set->survey.mirror[k]), w);
	for (unsigned i = 0; i < c->all.count; i++) {
		struct nvlist l;

		nvlist_look(&c->all.entry[i], &c->parts.parts, &l);
		if (nvlist_matters(&l))
			one_entry(set, &l, w);
	}
}
