/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tools/ldm_group.h"

#include "common/ldm_db.h"
#include "tools/ldm_make.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void read_copy(struct ldm_copy *c)
{
	static struct part_list list;
	uint8_t buf[DISK_SECTOR_BYTES];

	c->standing = LDM_BASIC;
	c->status = part_read(c->disk, &list, buf);
	if (c->status == ST_OK)
		c->status = ldm_head_read(c->disk, &list, &c->head, buf);
	if (c->status == ST_ABSENT || list.table == PART_TABLE_NONE)
		return;
	c->standing = LDM_DAMAGED;
	if (c->status == ST_OK)
		c->status = ldm_image_read(&c->now, c->disk, &c->head);
	if (c->status != ST_OK)
		return;
	c->state = (unsigned)ldm_image_get(&c->now, LDM_AT_STATUS, 2);
	c->tid = ldm_image_get(&c->now, LDM_AT_COMMITTED, 8);
	switch (c->state) {
	case LDM_DB_COMMIT:
		c->forward = true;
		c->tid = ldm_image_get(&c->now, LDM_AT_PENDING, 8);
		c->cut = true;
		break;
	case LDM_DB_CHANGE: c->cut = true; break;
	case LDM_DB_CLEAN: break;
	case LDM_DB_NEW: c->standing = LDM_UNFILLED; return;
	default: c->status = ST_UNSUPPORTED; return;
	}
	c->standing = LDM_CURRENT;
}

/* Damaged ones have a head, or none: then its group is all zeroes. */
static bool same_group(const struct ldm_copy *a, const struct ldm_copy *b)
{
	return a->standing != LDM_BASIC && b->standing != LDM_BASIC &&
	       !guid_is_zero(&a->head.group) && guid_equal(&a->head.group, &b->head.group);
}

/* What another disk has as committed is finished on one that was only prepared for it. */
static void finish_prepared(struct ldm_groups *gs, struct ldm_copy *c)
{
	uint64_t pending;

	if (c->standing != LDM_CURRENT || c->state != LDM_DB_CHANGE)
		return;
	pending = ldm_image_get(&c->now, LDM_AT_PENDING, 8);
	for (unsigned i = 0; i < gs->copies; i++) {
		const struct ldm_copy *o = &gs->copy[i];

		if (same_group(o, c) && o->standing == LDM_CURRENT && o->state == LDM_DB_COMMIT &&
		    o->tid == pending) {
			c->forward = true;
			c->tid = pending;
		}
	}
}

/* Each slot says which one it is, and the database says how many records it has. */
static bool is_whole(const struct ldm_image *img)
{
	struct ldm_image counted = {0};
	struct ldm_raws raws;
	bool fine = true;

	for (uint32_t i = LDM_SLOT_FIRST; i < img->slots && fine; i++)
		fine = ldm_image_slot_is(img, i);
	if (!fine || !ldm_image_records(img, &raws))
		return false;
	for (unsigned i = 0; i < raws.count; i++)
		fine &= raws.raw[i].found == raws.raw[i].pieces && raws.raw[i].parsed != ST_CORRUPT;
	ldm_raws_free(&raws);
	ldm_image_assign(&counted, img);
	ldm_image_count(&counted, LDM_AT_COUNTS, LDM_RAW_ACTIVE);
	fine &= !memcmp(counted.config, img->config, LDM_AT_PENDING_COUNTS);
	ldm_image_free(&counted);
	return fine;
}

static void settle(struct ldm_copy *c)
{
	struct ldm_raws raws;

	ldm_image_assign(&c->settled, &c->now);
	if (ldm_image_records(&c->now, &raws)) {
		for (unsigned i = 0; i < raws.count; i++)
			c->cut |= raws.raw[i].slot[0] && raws.raw[i].rec.status != LDM_RAW_ACTIVE;
		ldm_raws_free(&raws);
		ldm_image_settle(&c->settled, c->forward);
		ldm_image_clean(&c->settled, c->forward);
	}
	if (!is_whole(&c->settled)) {
		c->standing = LDM_DAMAGED;
		c->status = ST_CORRUPT;
	}
}

/* Of a type or revision that we don't know: such a record is nothing, and nothing is changed. */
static void check_records(struct ldm_group *g)
{
	for (unsigned i = 0; i < g->raws.count; i++)
		if (g->raws.raw[i].parsed != ST_OK) {
			g->odd = true;
			g->raws.raw[i].rec.type = 0;
		}
}

static void make_group(struct ldm_groups *gs, unsigned first, int keep)
{
	struct ldm_group *g = &gs->group[gs->count];
	struct ldm_copy *best = NULL;

	memset(g, 0, sizeof(*g));

	for (unsigned i = first; i < gs->copies; i++) {
		struct ldm_copy *c = &gs->copy[i];

		if (!same_group(c, &gs->copy[first]))
			continue;
		gs->of[i] = gs->count;
		/* Of equals, one that was not in the middle of something. */
		if (c->standing == LDM_CURRENT &&
		    (!best || c->tid > best->tid ||
		     (c->tid == best->tid &&
		      (i == (unsigned)keep || (best->cut && !c->cut && best - gs->copy != keep)))))
			best = c;
	}
	if (!best) {
		for (unsigned i = first; i < gs->copies; i++)
			if (gs->of[i] == gs->count)
				gs->of[i] = LDM_GROUPS;
		return;
	}
	g->best = (unsigned)(best - gs->copy);
	g->guid = best->head.group;
	g->tid = best->tid;
	memcpy(g->name, best->head.group_name, sizeof(g->name));
	for (unsigned i = first; i < gs->copies; i++) {
		struct ldm_copy *c = &gs->copy[i];

		if (gs->of[i] != gs->count || c->standing != LDM_CURRENT)
			continue;
		if (c->tid < g->tid)
			c->standing = LDM_BEHIND;
		else if (!ldm_image_same(&c->settled, &best->settled))
			c->standing = LDM_DIFFERS;
		else if (c->cut)
			g->cut = true;
		g->differs |= c->standing == LDM_DIFFERS;
		g->forward |= c->standing == LDM_CURRENT && c->forward;
	}
	ldm_image_records(&best->settled, &g->raws);
	check_records(g);
	gs->count++;
}

static void make_groups(struct ldm_groups *gs, int keep)
{
	for (unsigned i = 0; i < gs->copies; i++)
		if (gs->copy[i].standing != LDM_BASIC && gs->of[i] == LDM_GROUPS &&
		    !guid_is_zero(&gs->copy[i].head.group) && gs->count < LDM_GROUPS)
			make_group(gs, i, keep);
}

struct ldm_groups *ldm_groups_read(struct hostset *set)
{
	struct ldm_groups *gs = calloc(1, sizeof(*gs));

	if (!gs)
		abort();
	gs->set = set;
	gs->copies = set->count;
	for (unsigned i = 0; i < set->count; i++) {
		gs->of[i] = LDM_GROUPS;
		gs->copy[i].host = &set->host[i];
		gs->copy[i].disk = &set->disk[i];
		read_copy(&gs->copy[i]);
	}
	for (unsigned i = 0; i < gs->copies; i++)
		finish_prepared(gs, &gs->copy[i]);
	for (unsigned i = 0; i < gs->copies; i++)
		if (gs->copy[i].standing == LDM_CURRENT)
			settle(&gs->copy[i]);
	make_groups(gs, -1);
	return gs;
}

void ldm_groups_keep(struct ldm_groups *gs, unsigned i)
{
	for (unsigned k = 0; k < gs->count; k++)
		ldm_raws_free(&gs->group[k].raws);
	gs->count = 0;
	for (unsigned k = 0; k < gs->copies; k++) {
		gs->of[k] = LDM_GROUPS;
		if (gs->copy[k].standing >= LDM_CURRENT)
			gs->copy[k].standing = LDM_CURRENT;
	}
	make_groups(gs, (int)i);
}

void ldm_groups_free(struct ldm_groups *gs)
{
	for (unsigned i = 0; i < gs->copies; i++) {
		ldm_image_free(&gs->copy[i].now);
		ldm_image_free(&gs->copy[i].settled);
	}
	for (unsigned i = 0; i < gs->count; i++)
		ldm_raws_free(&gs->group[i].raws);
	free(gs);
}

struct ldm_group *ldm_group_of(struct ldm_groups *gs, unsigned i)
{
	return gs->of[i] < gs->count ? &gs->group[gs->of[i]] : NULL;
}

/* ---- what it says ---- */

static uint32_t id_of(const struct ldm_raw *r)
{
	return r->rec.object.id;
}

const struct ldm_raw *ldm_find(const struct ldm_group *g, unsigned type, uint32_t id)
{
	for (unsigned i = 0; i < g->raws.count; i++)
		if (g->raws.raw[i].rec.type == type && id_of(&g->raws.raw[i]) == id)
			return &g->raws.raw[i];
	return NULL;
}

int ldm_disk_index(const struct ldm_groups *gs, const struct ldm_group *g, uint32_t disk_id)
{
	const struct ldm_raw *r = ldm_find(g, LDM_DISK, disk_id);

	for (unsigned i = 0; r && i < gs->copies; i++)
		if (gs->of[i] == (unsigned)(g - gs->group) &&
		    guid_equal(&gs->copy[i].head.disk, &r->rec.disk.guid))
			return (int)i;
	return -1;
}

const struct ldm_raw *ldm_disk_record(const struct ldm_groups *gs, const struct ldm_group *g,
				      unsigned i)
{
	for (unsigned k = 0; k < g->raws.count; k++) {
		const struct ldm_raw *r = &g->raws.raw[k];

		if (r->rec.type == LDM_DISK &&
		    guid_equal(&r->rec.disk.guid, &gs->copy[i].head.disk))
			return r;
	}
	return NULL;
}

static bool is_called(const struct ldm_raw *volume, const char *text)
{
	const char *hint = volume->rec.volume.hint;

	return !strcasecmp(text, volume->rec.name) || (hint[0] && !strcasecmp(text, hint)) ||
	       guid_matches_text(&volume->rec.volume.guid, text);
}

const struct ldm_raw *ldm_find_volume(struct ldm_groups *gs, const char *text, struct ldm_group **g,
				      bool *many)
{
	const struct ldm_raw *found = NULL;

	*many = false;
	for (unsigned i = 0; i < gs->count; i++)
		for (unsigned k = 0; k < gs->group[i].raws.count; k++) {
			const struct ldm_raw *r = &gs->group[i].raws.raw[k];

			if (r->rec.type != LDM_VOLUME || !is_called(r, text))
				continue;
			*many |= found != NULL;
			found = r;
			*g = &gs->group[i];
		}
	return *many ? NULL : found;
}

unsigned ldm_legs(const struct ldm_group *g, const struct ldm_raw *volume,
		  const struct ldm_raw **leg)
{
	unsigned n = 0, at;

	for (unsigned i = 0; i < g->raws.count && n < LDM_LEGS; i++) {
		const struct ldm_raw *r = &g->raws.raw[i];

		if (r->rec.type != LDM_COMPONENT ||
		    r->rec.component.volume != volume->rec.volume.id)
			continue;
		for (at = n++; at > 0 && id_of(leg[at - 1]) > id_of(r); at--)
			leg[at] = leg[at - 1];
		leg[at] = r;
	}
	return n;
}

/* Partitions are in this order: by column, then by place. */
static bool comes_after(const struct ldm_raw *a, const struct ldm_raw *b)
{
	const struct ldm_partition *p = &a->rec.partition, *q = &b->rec.partition;

	return p->column != q->column ? p->column > q->column : p->offset_s512 > q->offset_s512;
}

unsigned ldm_pieces(const struct ldm_group *g, const struct ldm_raw *component,
		    const struct ldm_raw **piece, unsigned room)
{
	unsigned n = 0, at;

	for (unsigned i = 0; i < g->raws.count && n < room; i++) {
		const struct ldm_raw *r = &g->raws.raw[i];

		if (r->rec.type != LDM_PARTITION ||
		    r->rec.partition.component != component->rec.component.id)
			continue;
		for (at = n++; at > 0 && comes_after(piece[at - 1], r); at--)
			piece[at] = piece[at - 1];
		piece[at] = r;
	}
	return n;
}

unsigned ldm_group_disks(const struct ldm_groups *gs, const struct ldm_group *g, unsigned *present)
{
	unsigned n = 0;

	*present = 0;
	for (unsigned i = 0; i < g->raws.count; i++) {
		const struct ldm_raw *r = &g->raws.raw[i];

		if (r->rec.type != LDM_DISK)
			continue;
		n++;
		*present += ldm_disk_index(gs, g, r->rec.disk.id) >= 0;
	}
	return n;
}
