/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* FAT: slots of folders that are in use and say nothing. */
#include "common/fat_check.h"

#include "common/mem.h"

/* One folder, slot by slot, beside its children, which come in the order of their slots. */
struct look {
	const struct fat_tree *t;
	uint32_t folder, child;
	bool ended;
};

static bool is_orphan(struct look *l, uint32_t slot, const struct fat_slot *s)
{
	const struct fat_node *c;

	if (s->name[0] == FAT_END)
		l->ended = true;
	if (s->name[0] == FAT_FREE || s->name[0] == FAT_END)
		return false;
	if (l->ended)
		return true;
	while (l->child < l->t->node[l->folder].end && l->t->node[l->child].slot < slot)
		l->child = l->t->node[l->child].end;
	c = l->child < l->t->node[l->folder].end ? &l->t->node[l->child] : NULL;
	if ((s->attributes & FAT_LONG_MASK) == FAT_LONG)
		return !c || slot + c->long_slots < c->slot;
	return false; /* a name, "." and "..", or the volume label */
}

static enum status look_at(struct look *l, fat_orphan_found *found, void *ctx)
{
	struct fat *f = l->t->fat;
	uint32_t cluster = l->t->node[l->folder].cluster, slot = 0;
	uint32_t in_sector = 1u << (f->sector_shift - 5);
	enum status st = ST_OK;

	while (slot < FAT_DIR_SLOTS && (cluster || slot < f->root_entries)) {
		uint32_t sector = fat_slot_sector(f, cluster, slot);

		for (uint32_t i = 0; i < in_sector && st == ST_OK; i++) {
			/* found() may read other sectors into the cache, or write this one */
			if (f->dir_cached != sector) {
				f->dir_cached = UINT32_MAX;
				st = fat_read_sectors(f, sector, 1, f->dir_cache);
				if (st != ST_OK)
					break;
				f->dir_cached = sector;
			}
			if (is_orphan(l, slot + i, (const struct fat_slot *)f->dir_cache + i))
				st = found(ctx, sector, i, l->ended);
		}
		slot += in_sector;
		if (st == ST_OK && fat_slot_begins(f, cluster, slot)) {
			st = fat_follow(f, cluster, &cluster);
			if (st == ST_OK && !cluster)
				return ST_OK;
		}
		if (st != ST_OK)
			return st;
	}
	return ST_OK;
}

enum status fat_orphans(const struct fat_tree *t, fat_orphan_found *found, void *ctx)
{
	for (uint32_t i = 0; i < t->count; i++) {
		struct look l = {.t = t, .folder = i, .child = i + 1};
		enum status st;

		if (!(t->node[i].raw.attributes & FAT_FOLDER))
			continue;
		st = look_at(&l, found, ctx);
		if (st != ST_OK)
			return st;
	}
	return ST_OK;
}
