/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* A new leg: where it can go, and putting it there. */
#include "tools/ldm_job.h"

#include "tools/say.h"
#include "tools/stop.h"

#include <string.h>

#define ALIGN_S512 2048 /* 1 MiB */

/* The disk was empty and is to become one of the group. */
static bool place_on_fresh(struct ldm_job *j, const struct ldm_options *o, unsigned disk,
			   uint64_t size_s512, struct ldm_place *p)
{
	uint64_t at;

	memset(p, 0, sizeof(*p));
	p->disk = disk;
	p->fresh = true;
	if (!ldm_fresh_plan(j->gs, disk, o->gpt, o->force, &p->made))
		return false;
	at = (p->made.public_lba + ALIGN_S512 - 1) / ALIGN_S512 * ALIGN_S512;
	if (at - p->made.public_lba <= p->made.public_sectors &&
	    size_s512 > p->made.public_sectors - (at - p->made.public_lba))
		at = p->made.public_lba;
	p->start_s512 = at - p->made.public_lba;
	if (size_s512 <= p->made.public_sectors - p->start_s512)
		return true;
	say_about(j->gs->copy[disk].host->path,
		  "is too small: the volume has %s (%llu sectors), there is room for %llu sectors",
		  ldm_size_text(size_s512), (unsigned long long)size_s512,
		  (unsigned long long)p->made.public_sectors);
	return false;
}

static bool has_piece(const struct ldm_job *j, unsigned disk)
{
	const struct ldm_raw *record = ldm_disk_record(j->gs, j->g, disk);

	for (unsigned i = 0; record && i < j->legs; i++) {
		const struct ldm_raw *piece[LDM_EXTENTS];
		unsigned n = ldm_pieces(j->g, j->leg[i], piece, LDM_EXTENTS);

		while (n-- > 0)
			if (piece[n]->rec.partition.disk == record->rec.disk.id)
				return true;
	}
	return false;
}

static bool is_dynamic_here(const struct ldm_job *j, unsigned disk)
{
	return ldm_group_of(j->gs, disk) == j->g && j->gs->copy[disk].standing == LDM_CURRENT;
}

static bool is_taken_fresh(const struct ldm_job *j, unsigned disk)
{
	const struct ldm_copy *c = &j->gs->copy[disk];

	return c->standing == LDM_BASIC ||
	       (c->standing == LDM_UNFILLED && c->state == 5 &&
		(ldm_group_of(j->gs, disk) != j->g || !ldm_disk_record(j->gs, j->g, disk)));
}

/* On a dynamic disk of the group. *longest: what there is. */
static bool place_on_dynamic(struct ldm_job *j, unsigned disk, uint64_t size_s512,
			     struct ldm_place *p, uint64_t *longest)
{
	memset(p, 0, sizeof(*p));
	p->disk = disk;
	p->unlisted = !ldm_disk_record(j->gs, j->g, disk);
	return ldm_find_room(j->gs, j->g, disk, size_s512, &p->start_s512, longest);
}

static bool place_there(struct ldm_job *j, const struct ldm_options *o, unsigned disk,
			uint64_t size_s512, struct ldm_place *p)
{
	const char *path = j->gs->copy[disk].host->path;
	uint64_t longest;

	if (is_taken_fresh(j, disk))
		return place_on_fresh(j, o, disk, size_s512, p);
	if (!is_dynamic_here(j, disk)) {
		say_about(path, "is a dynamic disk that does not belong to the volume's group");
		return false;
	}
	if (has_piece(j, disk)) {
		say_about(path, "has a part of the volume: both legs would be lost together");
		return false;
	}
	if (place_on_dynamic(j, disk, size_s512, p, &longest))
		return true;
	say_about(path,
		  "has no room for it: the volume has %llu sectors, the longest unallocated space "
		  "has %llu",
		  (unsigned long long)size_s512, (unsigned long long)longest);
	return false;
}

bool ldm_place_find(struct ldm_job *j, const struct ldm_options *o, uint64_t size_s512,
		    struct ldm_place *p)
{
	uint64_t longest, best = 0;
	int to = o->to ? hostset_find(j->gs->set, o->to) : -1;

	if (o->to && to < 0) {
		say_about(o->to, "is none of the disks that were given; nothing was written");
		return false;
	}
	if (to >= 0)
		return place_there(j, o, (unsigned)to, size_s512, p);
	/* A disk that is not dynamic was given to be taken. */
	for (unsigned i = 0; i < j->gs->copies; i++)
		if (is_taken_fresh(j, i))
			return place_on_fresh(j, o, i, size_s512, p);
	for (unsigned pass = 0; pass < 2; pass++)
		for (unsigned i = 0; i < j->gs->copies; i++) {
			if (!is_dynamic_here(j, i) || has_piece(j, i) ||
			    (ldm_disk_record(j->gs, j->g, i) != NULL) != pass)
				continue;
			if (place_on_dynamic(j, i, size_s512, p, &longest))
				return true;
			if (longest > best)
				best = longest;
		}
	say_note("no other disk of the group has room for a leg of %llu sectors: the longest "
		 "unallocated space has %llu; nothing was written",
		 (unsigned long long)size_s512, (unsigned long long)best);
	return false;
}

void ldm_place_print(const struct ldm_job *j, const struct ldm_place *p)
{
	const struct ldm_copy *c = &j->gs->copy[p->disk];
	uint64_t public_lba = p->fresh ? p->made.public_lba : c->head.public_lba;

	if (p->fresh)
		printf("%s: becomes a dynamic disk (%s) of group %s\n", c->host->path,
		       p->made.gpt ? "GPT" : "MBR", j->g->name);
	printf("%s: a new leg of volume %s, %s, at LBA %llu\n", c->host->path, j->volume->rec.name,
	       ldm_size_text(j->volume->rec.volume.size_s512),
	       (unsigned long long)(public_lba + (p->start_s512 >> (c->disk->shift - 9))));
}

/* The disk gets the group's database as it is. No record says that it is one of the group. */
static bool join(struct ldm_job *j, const struct ldm_place *p)
{
	struct ldm_copy *c = &j->gs->copy[p->disk];
	struct ldm_fresh made = p->made;

	made.minor = ldm_head_minor(&j->gs->copy[j->g->best]);
	if (!ldm_fresh_write(j->gs, p->disk, &made, &j->g->guid, j->g->name))
		return false;
	if (!ldm_txn_fill(c, &j->gs->copy[j->g->best].settled))
		return false;
	j->gs->of[p->disk] = (unsigned)(j->g - j->gs->group);
	return true;
}

static uint32_t add_disk_record(struct ldm_change *ch, const struct ldm_job *j, unsigned disk,
				char name[LDM_NAME_BYTES])
{
	char text[GUID_TEXT_BYTES];
	uint32_t id = ch->next++;

	ldm_name_next(j->g, LDM_DISK, "Disk", 1, name);
	ldm_guid_text(&j->gs->copy[disk].head.disk, text);
	ldm_make_disk(ldm_change_add(ch), id, name, text, ch->tid);
	return id;
}

static void add_leg(struct ldm_change *ch, const struct ldm_job *j, const struct ldm_place *p,
		    uint32_t disk, const char *disk_name, uint64_t size_s512)
{
	const struct ldm_raw *piece[LDM_EXTENTS];
	bool later = ldm_pieces(j->g, j->leg[0], piece, LDM_EXTENTS) == 0 ||
		     ldm_partition_is_later(piece[0]);
	struct ldm_partition part = {
		.component = ch->next++,
		.disk = disk,
		.start_s512 = p->start_s512,
		.size_s512 = size_s512,
	};
	char name[LDM_NAME_BYTES];

	part.id = ch->next++;
	ldm_name_next(j->g, LDM_COMPONENT, j->volume->rec.name, 2, name);
	ldm_make_component(ldm_change_add(ch), part.component, name, j->volume->rec.volume.id, 1,
			   ch->tid);
	ldm_name_next(j->g, LDM_PARTITION, disk_name, 2, name);
	ldm_make_partition(ldm_change_add(ch), name, &part, ch->tid, later);
}

static void drop_leg(struct ldm_change *ch, const struct ldm_job *j, const struct ldm_raw *old)
{
	const struct ldm_raw *piece[LDM_EXTENTS];
	unsigned n = ldm_pieces(j->g, old, piece, LDM_EXTENTS);

	ldm_change_drop(ch, old);
	while (n-- > 0)
		ldm_change_drop(ch, piece[n]);
}

bool ldm_place_leg(struct ldm_job *j, const struct ldm_place *p, const struct ldm_raw *from,
		   const struct ldm_raw *old)
{
	uint64_t size_s512 = j->volume->rec.volume.size_s512;
	const struct ldm_raw *record;
	struct ldm_extents source, target = {.count = 1};
	char disk_name[LDM_NAME_BYTES];
	static struct ldm_change ch;
	struct ldm_copy *c = &j->gs->copy[p->disk];
	uint32_t disk;

	if (p->fresh && !join(j, p))
		return false;
	if (!ldm_extents(j->gs, j->g, from, size_s512, &source))
		return false;
	target.extent[0] = (struct ldm_extent){
		.disk = p->disk,
		.start_s512 = disk_s512(c->disk, c->head.public_lba) + p->start_s512,
		.size_s512 = size_s512,
	};
	if (!ldm_copy_data(j->gs, &source, &target, size_s512))
		return false;
	stop_hold();
	record = ldm_disk_record(j->gs, j->g, p->disk);
	ldm_change_init(&ch, j->g, record ? 2 : 3);
	if (record) {
		disk = record->rec.disk.id;
		memcpy(disk_name, record->rec.name, sizeof(disk_name));
	} else {
		disk = add_disk_record(&ch, j, p->disk, disk_name);
	}
	add_leg(&ch, j, p, disk, disk_name, size_s512);
	ch.full |= !ldm_copy_volume(ldm_change_add(&ch), j->volume, old ? j->legs : j->legs + 1,
				    ch.tid);
	ldm_change_drop(&ch, j->volume);
	if (old)
		drop_leg(&ch, j, old);
	return ldm_txn_run(j->gs, j->g, &ch, ldm_disks_of(&source));
}
