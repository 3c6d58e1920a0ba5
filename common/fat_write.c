/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* FAT: a plan, carried out. */
#include "common/fat_write.h"

#include "common/fat_apply.h"

static enum status clear_orphan(void *ctx, uint32_t sector, uint32_t slot_in_sector,
				bool behind_end)
{
	struct fat_out *o = ctx;
	uint8_t *bytes;
	enum status st = fat_out_dir(o, sector, &bytes);

	if (st != ST_OK)
		return st;
	bytes[slot_in_sector * 32] = FAT_FREE;
	o->dir_changed = true;
	return ST_OK;
}

/* The uppermost of what is removed: what is in it goes with it. */
static bool is_removed(const struct fat_tree *t, uint32_t node)
{
	const struct fat_node *n = &t->node[node];

	uint8_t above = t->node[n->parent].action;

	return n->action == FAT_REMOVE && above != FAT_REMOVE && above != FAT_REPLACE;
}

static enum status remove_names(struct fat_plan *p, struct fat_out *o, bool rest)
{
	for (uint32_t i = 1; i < p->to.count; i++) {
		enum status st = is_removed(&p->to, i) ? fat_place_remove(p, o, i, rest) : ST_OK;

		if (st != ST_OK) {
			fat_plan_path(p, &p->to, i);
			return st;
		}
	}
	return ST_OK;
}

static enum status free_removed(struct fat_plan *p, struct fat_out *o)
{
	for (uint32_t i = 1; i < p->to.count; i++) {
		enum status st = is_removed(&p->to, i) ? fat_apply_free(p, o, i) : ST_OK;

		if (st != ST_OK)
			return st;
	}
	return ST_OK;
}

static enum status run(struct fat_plan *p, struct fat_out *o)
{
	enum status st = fat_out_dirty(o, true);

	/* Without the mark, nothing that a cut leaves is there: so a plan takes it. */
	if (st == ST_OK)
		st = fat_out_flush(o);
	if (st == ST_OK && p->to.orphans)
		st = fat_orphans(&p->to, clear_orphan, o);
	if (st == ST_OK)
		st = fat_apply_new(p, o);
	if (st == ST_OK)
		st = remove_names(p, o, false);
	if (st == ST_OK)
		st = fat_out_flush(o);
	if (st == ST_OK)
		st = remove_names(p, o, true);
	if (st == ST_OK)
		st = free_removed(p, o);
	if (st == ST_OK)
		st = fat_out_sweep(o, p->to.copies_differ);
	if (st == ST_OK)
		st = fat_out_count(o);
	if (st == ST_OK)
		st = fat_out_flush(o);
	if (st == ST_OK)
		st = fat_out_dirty(o, false);
	return st == ST_OK ? fat_out_flush(o) : st;
}

enum status fat_write_apply(struct fat_plan *p)
{
	enum status st;

	p->why = FAT_FINE;
	p->path[0] = '\0';
	p->written_bytes = p->read_back_bytes = 0;
	if (fat_plan_is_empty(p))
		return ST_OK;
	fat_out_init(p->out, p->to.fat, p->to.used_map, p->to.used, false);
	st = run(p, p->out);
	p->to.fat->fat_cached = p->to.fat->dir_cached = UINT32_MAX;
	if (st == ST_OK || p->why != FAT_FINE)
		return st;
	p->why = p->out->differs                ? FAT_READ_BACK
		 : st == ST_IO && p->why_source ? FAT_UNREADABLE
		 : st == ST_CORRUPT             ? FAT_BAD_CHAIN
						: FAT_UNWRITABLE;
	return st;
}
