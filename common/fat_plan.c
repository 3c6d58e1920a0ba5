/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* FAT: what is to be written, and does it fit? */
#include "common/fat_plan.h"

#include "common/fat_apply.h"
#include "common/fat_judge.h"
#include "common/fat_table.h"
#include "common/mem.h"
#include "common/range.h"

#define HALF_LARGE  (1u << 20)
#define HALF_MIDDLE (1u << 16)

uint64_t fat_plan_memory(const struct fat *source, const struct fat *target, uint32_t entries)
{
	/* Four words of the table for each, and a name. */
	uint64_t each = sizeof(struct fat_node) + 8 + 4 * 8 + 64;

	/* enough for the large halves: fewer requests */
	return 8 * HALF_LARGE + 2 * sizeof(struct fat_out) + DISK_SECTOR_BYTES + entries * each +
	       (source ? source->clusters / 8 : 0) + target->clusters / 4 + HALF_MIDDLE;
}

static enum status refuse(struct fat_plan *p, enum fat_why why, enum status st)
{
	p->why = why;
	return st;
}

enum status fat_plan_begin(struct fat_plan *p, const struct fat_plan_options *o, void *work,
			   size_t work_bytes)
{
	size_t skip = (0u - (uintptr_t)work) & (DISK_SECTOR_BYTES - 1);

	memset(p, 0, sizeof(*p));
	if (o)
		p->options = *o;
	p->half_bytes = work_bytes >= 8 * (size_t)HALF_LARGE    ? HALF_LARGE
			: work_bytes >= 8 * (size_t)HALF_MIDDLE ? HALF_MIDDLE
								: DISK_SECTOR_BYTES;
	if (skip > work_bytes)
		return refuse(p, FAT_NO_MEMORY, ST_FULL);
	p->arena.base = (uint8_t *)work + skip;
	p->arena.high = work_bytes - skip;
	p->buf = fat_arena_take(&p->arena, 2 * (size_t)p->half_bytes);
	p->out = fat_arena_take(&p->arena, sizeof(*p->out));
	return p->buf && p->out ? ST_OK : refuse(p, FAT_NO_MEMORY, ST_FULL);
}

enum status fat_plan_check(struct fat_plan *p, struct fat_tree *t, struct fat *f, bool source)
{
	bool dirty_ok = source ? p->options.source_dirty_ok : p->options.target_dirty_ok;
	unsigned flags = (dirty_ok ? FAT_CHECK_DIRTY_OK : 0u) | (source ? FAT_CHECK_TO_READ : 0u);
	enum status st = fat_check(t, f, flags, &p->arena, &p->walk);

	if (st == ST_OK)
		return st;
	p->why = t->why;
	p->why_source = source;
	memcpy(p->path, p->walk.path, p->walk.path_bytes + 1);
	return st;
}

/* Places that were taken in rehearsal are not. */
static void reset(struct fat_plan *p)
{
	for (uint32_t i = 0; i < p->to.count; i++) {
		struct fat_node *n = &p->to.node[i];

		n->put_cluster = n->cluster;
		n->put_slot = 0;
		n->flags &= (uint8_t) ~(FAT_NODE_FRESH | FAT_NODE_TAIL);
	}
	for (uint32_t i = 0; i < p->from.count; i++)
		p->from.node[i].flags &= (uint8_t) ~(FAT_NODE_FRESH | FAT_NODE_TAIL);
}

static enum status rehearse(struct fat_plan *p)
{
	uint32_t words = ((p->to.fat->clusters - 1) >> 5) + 1;
	size_t low = p->arena.low;
	uint32_t *map = fat_arena_take(&p->arena, (size_t)words * 4);
	enum status st;

	if (!map)
		return refuse(p, FAT_NO_MEMORY, ST_FULL);
	memcpy(map, p->to.used_map, (size_t)words * 4);
	reset(p);
	fat_out_init(p->out, p->to.fat, map, p->to.used, true);
	st = fat_apply_new(p, p->out);
	reset(p);
	p->arena.low = low;
	if (st != ST_OK && p->why == FAT_FINE)
		p->why = st == ST_IO ? FAT_UNREADABLE : FAT_BAD_CHAIN;
	return st;
}

static void count(struct fat_plan *p, const struct fat_node *n, enum fat_action action)
{
	if (fat_node_is_folder(n)) {
		p->count[action].folders++;
		return;
	}
	p->count[action].files++;
	p->count[action].bytes += le32_get(n->raw.bytes);
	if (action == FAT_CREATE || action == FAT_REPLACE)
		p->write_bytes += le32_get(n->raw.bytes);
}

/* What the source has nothing to say of. */
static bool is_targets_own(const struct fat_node *n)
{
	return n->action == FAT_REMOVE || (n->action == FAT_LEAVE && n->match == FAT_NO_NODE);
}

enum status fat_plan_end(struct fat_plan *p)
{
	const struct fat_tree *t = &p->to;
	enum status st = fat_judge(p);

	if (st != ST_OK)
		return st;
	for (uint32_t i = 1; i < p->from.count; i++)
		count(p, &p->from.node[i], p->from.node[i].action);
	for (uint32_t i = 1; i < t->count; i++)
		if (is_targets_own(&t->node[i]))
			count(p, &t->node[i], t->node[i].action);
	p->tidy = t->lost || t->orphans || t->dirty || t->copies_differ || t->bad_count;
	return rehearse(p);
}

enum status fat_plan_clone(struct fat_plan *p, struct fat *source, struct fat *target,
			   const struct fat_plan_options *o, void *work, size_t work_bytes)
{
	enum status st = fat_plan_begin(p, o, work, work_bytes);

	if (st == ST_OK)
		st = fat_plan_check(p, &p->from, source, true);
	if (st == ST_OK)
		st = fat_plan_check(p, &p->to, target, false);
	return st == ST_OK ? fat_plan_end(p) : st;
}

bool fat_plan_is_empty(const struct fat_plan *p)
{
	for (unsigned i = FAT_CREATE; i <= FAT_REMOVE; i++)
		if (p->count[i].files || p->count[i].folders)
			return false;
	return !p->tidy;
}

/* From its end; how long it is comes first. */
static size_t path_of(const struct fat_tree *t, uint32_t node, char path[FAT_PATH_BYTES])
{
	size_t bytes = 0, at;

	for (uint32_t i = node; i; i = t->node[i].parent)
		bytes += t->node[i].name_bytes + 1u;
	if (bytes >= FAT_PATH_BYTES)
		bytes = 0; /* can't be: none that long was taken */
	path[bytes] = '\0';
	at = bytes;
	for (uint32_t i = node; i && at; i = t->node[i].parent) {
		at -= t->node[i].name_bytes;
		memcpy(path + at, t->names + t->node[i].name, t->node[i].name_bytes);
		path[--at] = '\\';
	}
	return bytes;
}

size_t fat_plan_path(struct fat_plan *p, const struct fat_tree *t, uint32_t node)
{
	return path_of(t, node, p->path);
}

bool fat_plan_next(const struct fat_plan *p, uint32_t *at, struct fat_plan_item *item)
{
	uint32_t all = p->from.count + p->to.count;

	while (*at < all) {
		bool source = *at < p->from.count;
		const struct fat_tree *t = source ? &p->from : &p->to;
		uint32_t i = source ? (*at)++ : (*at)++ - p->from.count;
		const struct fat_node *n = &t->node[i];

		if (!i ||
		    (!source && (!is_targets_own(n) || (n->action == FAT_REMOVE &&
							t->node[n->parent].action == FAT_REMOVE))))
			continue;
		item->action = n->action;
		item->folder = fat_node_is_folder(n);
		item->bytes = le32_get(n->raw.bytes);
		item->fat_time =
			(uint32_t)le16_get(n->raw.write_date) << 16 | le16_get(n->raw.write_time);
		item->path_bytes = path_of(t, i, item->path);
		return true;
	}
	return false;
}
