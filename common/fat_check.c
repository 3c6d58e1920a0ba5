/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* FAT: is it whole? The tree, its chains, the copies of the FAT. */
#include "common/fat_check.h"

#include "common/mem.h"
#include "common/range.h"

void *fat_arena_take(struct fat_arena *a, size_t n)
{
	void *p = a->base + a->low;

	if (!range_ok(n, 7, a->high - a->low))
		return NULL;
	a->low += (n + 7) & ~(size_t)7;
	return p;
}

static enum status wrong(struct fat_tree *t, enum fat_why why)
{
	t->why = why;
	switch (why) {
	case FAT_UNREADABLE: return ST_IO;
	case FAT_TOO_DEEP:
	case FAT_NO_MEMORY: return ST_FULL;
	default: return ST_CORRUPT;
	}
}

/* What the reader answers for a folder or a chain. */
static enum status wrong_by(struct fat_tree *t, enum status st, enum fat_why why)
{
	return wrong(t, st == ST_IO ? FAT_UNREADABLE : st == ST_FULL ? FAT_TOO_DEEP : why);
}

static enum status take(struct fat_tree *t, uint32_t cluster)
{
	if (fat_map_get(t->used_map, cluster))
		return wrong(t, FAT_CROSSED); /* or it goes round */
	fat_map_set(t->used_map, cluster);
	t->used++;
	return ST_OK;
}

/* As long as the file, no more and no less; a folder's is as long as it is. */
static enum status check_chain(struct fat_tree *t, const struct fat_node *n, bool folder)
{
	const struct fat *f = t->fat;
	uint32_t bytes = le32_get(n->raw.bytes), mask = (1u << f->cluster_shift) - 1;
	uint32_t wanted = (bytes >> f->cluster_shift) + ((bytes & mask) != 0);
	uint32_t cluster = n->cluster, count = 0;

	if (!folder && !wanted)
		return cluster ? wrong(t, FAT_BAD_CHAIN) : ST_OK;
	if (!fat_cluster_ok(f, cluster))
		return wrong(t, FAT_BAD_CHAIN);
	while (cluster) {
		enum status st = take(t, cluster);

		if (st != ST_OK)
			return st;
		if (!folder && ++count > wanted)
			return wrong(t, FAT_BAD_CHAIN);
		st = fat_follow(t->fat, cluster, &cluster);
		if (st != ST_OK)
			return wrong_by(t, st, FAT_BAD_CHAIN);
	}
	return folder || count == wanted ? ST_OK : wrong(t, FAT_BAD_CHAIN);
}

static struct fat_node *add_node(struct fat_tree *t, struct fat_arena *a)
{
	struct fat_node *n = fat_arena_take(a, sizeof(*n));

	if (!n) {
		wrong(t, FAT_NO_MEMORY);
		return NULL;
	}
	memset(n, 0, sizeof(*n));
	n->match = FAT_NO_NODE;
	n->end = ++t->count;
	return n;
}

static enum status add_entry(struct fat_tree *t, struct fat_arena *a, const struct fat_walk *w,
			     uint32_t parent)
{
	const struct fat_entry *e = &w->entry;
	struct fat_node *n = add_node(t, a);

	if (!n || e->name_bytes > a->high - a->low)
		return wrong(t, FAT_NO_MEMORY);
	a->high -= e->name_bytes;
	memcpy(a->base + a->high, e->name, e->name_bytes);
	n->name = (uint32_t)a->high;
	n->name_bytes = (uint16_t)e->name_bytes;
	n->parent = parent;
	n->cluster = e->first_cluster;
	n->slot = e->slot;
	n->sector = fat_slot_sector(t->fat, w->at[w->depth - 1].dir.cluster, e->slot);
	n->long_slots = e->long_slots;
	n->raw = e->raw;
	if (fat_is_folder(e))
		n->raw.bytes = le32_of(0);
	return check_chain(t, n, fat_is_folder(e));
}

static enum status check_tree(struct fat_tree *t, struct fat_arena *a, struct fat_walk *w)
{
	uint32_t folder_at[FAT_DEPTH + 2];
	struct fat_node *root;
	enum status st;

	fat_walk_start(t->fat, w);
	root = add_node(t, a);
	if (!root)
		return ST_FULL;
	t->node = root;
	root->raw.attributes = FAT_FOLDER;
	root->cluster = w->at[0].dir.first_cluster;
	folder_at[1] = 0;
	if (root->cluster) {
		st = check_chain(t, root, true);
		if (st != ST_OK)
			return st;
	}
	while ((st = fat_walk_next(t->fat, w)) == ST_OK) {
		st = add_entry(t, a, w, folder_at[w->depth]);
		if (st != ST_OK)
			return st;
		folder_at[w->depth + 1] = t->count - 1;
	}
	if (st != ST_ABSENT)
		return wrong_by(t, st, FAT_BAD_FOLDER);
	/* Children are behind their folder: the last of them ends it. */
	for (uint32_t i = t->count; i-- > 1;)
		if (t->node[t->node[i].parent].end < t->node[i].end)
			t->node[t->node[i].parent].end = t->node[i].end;
	return ST_OK;
}

/* Clusters that are bad are in use; those that are marked and nobody's are lost. */
static enum status check_rest(struct fat_tree *t)
{
	struct fat *f = t->fat;
	uint32_t bad = f->type == FAT_12 ? 0xff7u : f->type == FAT_16 ? 0xfff7u : 0x0ffffff7u;

	for (uint32_t c = 2; fat_cluster_ok(f, c); c++) {
		uint32_t value;

		if (fat_map_get(t->used_map, c))
			continue;
		if (fat_get(f, c, &value) != ST_OK)
			return wrong(t, FAT_UNREADABLE);
		if (value == bad) {
			fat_map_set(t->used_map, c);
			t->used++;
		} else if (value) {
			t->lost++;
		}
	}
	return ST_OK;
}

static bool used(const struct fat_tree *t, uint32_t cluster)
{
	return fat_cluster_ok(t->fat, cluster) && fat_map_get(t->used_map, cluster);
}

/* Does this byte of the FAT, in the bits that differ, belong to a cluster in use? */
static bool byte_is_used(const struct fat_tree *t, uint32_t at, uint8_t differ)
{
	uint32_t three = at / 3;

	switch (t->fat->type) {
	case FAT_32: return used(t, at >> 2) && ((at & 3) != 3 || differ & 0x0f);
	case FAT_16: return used(t, at >> 1);
	default: break;
	}
	switch (at - three * 3) {
	case 0: return used(t, three * 2);
	case 1:
		return (differ & 0x0f && used(t, three * 2)) ||
		       (differ & 0xf0 && used(t, three * 2 + 1));
	default: return used(t, three * 2 + 1);
	}
}

/* One sector of the first copy, in fat_cache, against that of another, in dir_cache. */
static enum status compare_sector(struct fat_tree *t, uint32_t sector, unsigned flags)
{
	const struct fat *f = t->fat;
	uint32_t bytes = 1u << f->sector_shift;

	if (!memcmp(f->fat_cache, f->dir_cache, bytes))
		return ST_OK;
	t->copies_differ = true;
	for (uint32_t i = 0; i < bytes && !(flags & FAT_CHECK_DIRTY_OK); i++) {
		uint8_t differ = f->fat_cache[i] ^ f->dir_cache[i];

		if (differ && byte_is_used(t, (sector << f->sector_shift) + i, differ))
			return wrong(t, FAT_COPIES_DIFFER);
	}
	return ST_OK;
}

static enum status check_copies(struct fat_tree *t, unsigned flags)
{
	struct fat *f = t->fat;
	enum status st = ST_OK;

	f->fat_cached = f->dir_cached = UINT32_MAX;
	for (uint32_t i = 0; i < f->fat_sectors && st == ST_OK; i++) {
		for (unsigned k = 1; k < f->fats && st == ST_OK; k++) {
			st = fat_read_sectors(f, f->fat_sector + i, 1, f->fat_cache);
			if (st == ST_OK)
				st = fat_read_sectors(f, f->fat_sector + k * f->fat_sectors + i, 1,
						      f->dir_cache);
			if (st == ST_OK)
				st = compare_sector(t, i, flags);
			else if (flags & FAT_CHECK_TO_READ)
				st = ST_OK; /* the reader takes what it can get */
			else
				st = wrong(t, FAT_UNREADABLE);
		}
	}
	return st;
}

/* FAT32 specification, chapter 5: FSInfo. */
static enum status check_count(struct fat_tree *t)
{
	struct fat *f = t->fat;
	const le32 *word = (const void *)f->dir_cache;

	if (f->type != FAT_32 || !f->info_sector)
		return ST_OK;
	f->dir_cached = UINT32_MAX;
	if (fat_read_sectors(f, f->info_sector, 1, f->dir_cache) != ST_OK)
		return wrong(t, FAT_UNREADABLE);
	t->bad_count = le32_get(word[0]) == FAT_INFO_SIGN1 &&
		       le32_get(word[121]) == FAT_INFO_SIGN2 &&
		       le32_get(word[122]) != f->clusters - t->used;
	return ST_OK;
}

/* Linux shows names behind a folder's end, edk2 does not: only a cut run of ours may have them. */
static enum status count_orphan(void *ctx, uint32_t sector, uint32_t slot_in_sector,
				bool behind_end)
{
	struct fat_tree *t = ctx;

	t->orphans++;
	return behind_end && !t->dirty ? ST_CORRUPT : ST_OK;
}

enum status fat_check(struct fat_tree *t, struct fat *f, unsigned flags, struct fat_arena *a,
		      struct fat_walk *w)
{
	uint32_t words = ((f->clusters - 1) >> 5) + 1;
	enum status st;

	memset(t, 0, sizeof(*t));
	t->fat = f;
	t->names = (const char *)a->base;
	w->path[0] = '\0';
	w->path_bytes = 0;
	f->fat_cached = f->dir_cached = UINT32_MAX;
	t->used_map = fat_arena_take(a, (size_t)words * 4);
	if (!t->used_map || a->high > UINT32_MAX)
		return wrong(t, FAT_NO_MEMORY);
	memset(t->used_map, 0, (size_t)words * 4);
	if (fat_is_dirty(f, &t->dirty) != ST_OK)
		return wrong(t, FAT_UNREADABLE);
	if (t->dirty && !(flags & FAT_CHECK_DIRTY_OK))
		return wrong(t, FAT_DIRTY);
	st = check_tree(t, a, w);
	if (st != ST_OK)
		return st;
	w->path[0] = '\0'; /* from here on it is no file's fault */
	w->path_bytes = 0;
	st = check_rest(t);
	if (st == ST_OK)
		st = check_copies(t, flags);
	if (st != ST_OK || flags & FAT_CHECK_TO_READ)
		return st;
	st = check_count(t);
	if (st == ST_OK)
		st = fat_orphans(t, count_orphan, t);
	return st == ST_OK || t->why != FAT_FINE ? st : wrong_by(t, st, FAT_BAD_FOLDER);
}
