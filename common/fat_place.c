/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * FAT: names into slots of folders, and out of them.
 *
 * All slots of a name lie in one sector wherever that has room for so many, so that one write makes
 * it. A name of more is written in two steps, its end, with the entry itself, last.
 */
#include "common/fat_apply.h"

#include "common/mem.h"

/* Where a name goes. Clusters that the folder grows by have no number yet: grown is their count. */
struct spot {
	uint32_t cluster, slot, grown;
};
struct place {
	struct spot start, end; /* its first slot; the slot behind it */
	struct spot skip;       /* the first of the slots that never were in use */
	uint32_t last;          /* cluster that the folder ends with now */
	bool fresh, tail;
};

/* The folder on the target that a source node is in: the target's own, or a new one. */
static struct fat_node *folder_of(const struct fat_plan *p, uint32_t node)
{
	struct fat_node *parent = &p->from.node[p->from.node[node].parent];

	return fat_node_makes_folder(parent) ? parent : &p->to.node[parent->match];
}

static bool is_free(struct fat_plan *p, struct place *pl, const struct spot *at, enum status *st)
{
	struct fat *f = p->to.fat;
	uint32_t in_sector = at->slot & ((1u << (f->sector_shift - 5)) - 1);
	uint32_t sector;
	uint8_t first;

	if (pl->fresh)
		return true;
	sector = fat_slot_sector(f, at->cluster, at->slot);
	if (f->dir_cached != sector) {
		f->dir_cached = UINT32_MAX;
		*st = fat_read_sectors(f, sector, 1, f->dir_cache);
		if (*st != ST_OK)
			return false;
		f->dir_cached = sector;
	}
	first = f->dir_cache[in_sector * 32];
	pl->fresh = first == FAT_END;
	return first == FAT_END || first == FAT_FREE;
}

/* To the cluster that holds the slot at hand, which begins one. */
static enum status enter_cluster(struct fat_plan *p, struct place *pl, struct spot *at)
{
	uint32_t next = 0;
	enum status st = ST_OK;

	if (!pl->tail)
		st = fat_out_follow(p->out, at->cluster, &next);
	if (st != ST_OK)
		return st;
	if (next) {
		at->cluster = next;
		return ST_OK;
	}
	if (!pl->tail || !at->grown)
		pl->last = at->cluster;
	pl->tail = pl->fresh = true;
	at->grown++;
	return ST_OK;
}

static enum status find(struct fat_plan *p, const struct fat_node *folder, unsigned slots,
			struct place *pl)
{
	const struct fat *f = p->to.fat;
	unsigned in_sector = 1u << (f->sector_shift - 5), run = 0;
	struct spot at = {.cluster = folder->put_cluster, .slot = folder->put_slot};
	enum status st = ST_OK;
	bool was_fresh = false;

	*pl = (struct place){.fresh = folder->flags & FAT_NODE_FRESH,
			     .tail = folder->flags & FAT_NODE_TAIL};
	while (run < slots) {
		if (at.slot >= (at.cluster ? FAT_DIR_SLOTS : f->root_entries)) {
			p->why = FAT_NO_SLOTS;
			return ST_FULL;
		}
		if (at.slot && fat_slot_begins(f, at.cluster, at.slot))
			st = enter_cluster(p, pl, &at);
		if (st != ST_OK)
			return st;
		if (slots <= in_sector && !(at.slot & (in_sector - 1)))
			run = 0;
		if (!is_free(p, pl, &at, &st))
			run = 0;
		else if (run++ == 0)
			pl->start = at;
		if (st != ST_OK)
			return st;
		if (pl->fresh && !was_fresh) {
			was_fresh = true;
			pl->skip = at;
		}
		at.slot++;
	}
	pl->end = at;
	if (!was_fresh)
		pl->skip = pl->start;
	return ST_OK;
}

static unsigned slots_of(const struct fat_node *n)
{
	return n->long_slots + 1u;
}

enum status fat_place_need(struct fat_plan *p, struct fat_out *o, uint32_t node, uint32_t *grow)
{
	struct place pl;
	enum status st = find(p, folder_of(p, node), slots_of(&p->from.node[node]), &pl);

	*grow = pl.end.grown;
	return st;
}

enum status fat_place_zeroes(struct fat_plan *p, struct fat_out *o, uint32_t cluster)
{
	uint32_t sectors = 1u << (o->f->cluster_shift - o->f->sector_shift);
	uint32_t piece = p->half_bytes >> o->f->sector_shift;
	uint32_t first = fat_cluster_sector(o->f, cluster);
	enum status st = ST_OK;

	memset(p->buf, 0, p->half_bytes);
	for (uint32_t i = 0; i < sectors && st == ST_OK && !o->rehearse; i += piece) {
		uint32_t n = sectors - i < piece ? sectors - i : piece;
		uint8_t *back = p->buf + p->half_bytes;

		st = fat_out_put(o, first + i, n, p->buf);
		if (st == ST_OK)
			st = fat_read_sectors(o->f, first + i, n, back);
		if (st == ST_OK && memcmp(p->buf, back, (size_t)n << o->f->sector_shift)) {
			o->differs = true;
			st = ST_CORRUPT;
		}
	}
	return st;
}

/* A chain of its own, which the folder's last cluster is linked to later. */
static enum status grow(struct fat_plan *p, struct fat_out *o, const struct place *pl,
			uint32_t cluster[4])
{
	for (uint32_t i = 1; i <= pl->end.grown; i++) {
		enum status st =
			i < 4 ? fat_out_take(o, true, i == 1 ? pl->last : 0, &cluster[i]) : ST_FULL;

		if (st == ST_FULL)
			p->why = FAT_NO_ROOM;
		if (st == ST_OK)
			st = fat_place_zeroes(p, o, cluster[i]);
		if (st == ST_OK)
			st = fat_out_link(o, cluster[i], fat_out_end_mark(o));
		if (st == ST_OK && i > 1)
			st = fat_out_link(o, cluster[i - 1], cluster[i]);
		if (st != ST_OK)
			return st;
	}
	return ST_OK;
}

/* ---- the slots of a name ---- */

/* The next character of a name, which is UTF-8, as one or two units. */
static unsigned next_units(const char *name, size_t *at, uint16_t units[2])
{
	uint8_t b = (uint8_t)name[(*at)++];
	unsigned more = b < 0x80 ? 0 : b < 0xe0 ? 1 : b < 0xf0 ? 2 : 3;
	uint32_t c = more ? b & (0x3fu >> more) : b;

	while (more--)
		c = c << 6 | ((uint8_t)name[(*at)++] & 0x3f);
	if (c < 0x10000) {
		units[0] = (uint16_t)c;
		return 1;
	}
	units[0] = (uint16_t)(0xd800 + ((c - 0x10000) >> 10));
	units[1] = (uint16_t)(0xdc00 + ((c - 0x10000) & 0x3ff));
	return 2;
}

/* Part 1 and so on of the long name, for the short name of that sum. */
static void make_long_slot(const struct fat_plan *p, const struct fat_node *n, unsigned part,
			   uint8_t sum, struct fat_long_slot *s)
{
	const char *name = p->from.names + n->name;
	unsigned from = (part - 1) * FAT_LONG_UNITS, k = 0, end = from + FAT_LONG_UNITS;
	le16 to[FAT_LONG_UNITS];
	size_t at = 0;

	memset(to, 0xff, sizeof(to));
	while (at < n->name_bytes) {
		uint16_t units[2];
		unsigned count = next_units(name, &at, units);

		for (unsigned i = 0; i < count; i++, k++)
			if (k >= from && k < end)
				to[k - from] = le16_of(units[i]);
	}
	if (k >= from && k < end)
		to[k - from] = le16_of(0);
	memset(s, 0, sizeof(*s));
	s->number = (uint8_t)(part | (part == n->long_slots ? FAT_LONG_LAST : 0));
	s->attributes = FAT_LONG;
	s->sum = sum;
	memcpy(s->units1, to, sizeof(s->units1));
	memcpy(s->units2, to + 5, sizeof(s->units2));
	memcpy(s->units3, to + 11, sizeof(s->units3));
}

static void set_cluster(const struct fat *f, struct fat_slot *s, uint32_t cluster)
{
	s->cluster_low = le16_of((uint16_t)cluster);
	s->cluster_high = le16_of((uint16_t)(f->type == FAT_32 ? cluster >> 16 : 0));
}

static enum status dir_slot(struct fat_out *o, uint32_t cluster, uint32_t slot, struct fat_slot **s)
{
	uint32_t in_sector = slot & ((1u << (o->f->sector_shift - 5)) - 1);
	uint8_t *bytes;
	enum status st = fat_out_dir(o, fat_slot_sector(o->f, cluster, slot), &bytes);

	*s = (struct fat_slot *)(void *)bytes + in_sector;
	return st;
}

/* One slot on, which may be the first that the folder grew by. */
static enum status next_slot(struct fat_out *o, const struct fat_node *n, uint32_t *cluster,
			     uint32_t slot)
{
	if (!slot || !fat_slot_begins(o->f, *cluster, slot))
		return ST_OK;
	if (n->grow_to && *cluster == n->grow_from) {
		*cluster = n->grow_to;
		return ST_OK;
	}
	return fat_out_follow(o, *cluster, cluster);
}

/* Those in its last sector, where the entry itself is, or those before. */
static enum status put_name(struct fat_plan *p, struct fat_out *o, const struct fat_node *n,
			    bool last)
{
	unsigned in_sector = o->f->sector_shift - 5u, slots = slots_of(n);
	uint32_t cluster = n->place_cluster, end = n->place_slot + slots - 1;
	uint8_t sum = fat_short_sum(n->raw.name);

	for (uint32_t i = 0; i < slots; i++) {
		uint32_t slot = n->place_slot + i;
		enum status st = i ? next_slot(o, n, &cluster, slot) : ST_OK;
		struct fat_slot *s;

		if (st == ST_OK && (slot >> in_sector == end >> in_sector) != last)
			continue;
		if (st == ST_OK)
			st = dir_slot(o, cluster, slot, &s);
		if (st != ST_OK)
			return st;
		if (slot == end) {
			*s = n->raw;
			set_cluster(o->f, s, n->new_cluster);
		} else {
			make_long_slot(p, n, slots - 1 - i, sum, (void *)s);
		}
		o->dir_changed = true;
	}
	return ST_OK;
}

enum status fat_place_take(struct fat_plan *p, struct fat_out *o, uint32_t node)
{
	struct fat_node *folder = folder_of(p, node), *n = &p->from.node[node];
	uint32_t cluster[4] = {0, 0, 0, 0};
	struct place pl;
	enum status st = find(p, folder, slots_of(n), &pl);

	if (st == ST_OK)
		st = grow(p, o, &pl, cluster);
	if (st != ST_OK)
		return st;
	n->grow_from = pl.end.grown ? pl.last : 0;
	n->grow_to = cluster[1];
	n->place_cluster = pl.start.grown ? cluster[pl.start.grown & 3] : pl.start.cluster;
	n->place_slot = pl.start.slot;
	n->skip_cluster = pl.skip.grown ? cluster[pl.skip.grown & 3] : pl.skip.cluster;
	n->skip_slot = pl.skip.slot;
	folder->put_cluster = pl.end.grown ? cluster[pl.end.grown & 3] : pl.end.cluster;
	folder->put_slot = pl.end.slot;
	folder->flags |= (uint8_t)((pl.fresh ? FAT_NODE_FRESH : 0) | (pl.tail ? FAT_NODE_TAIL : 0));
	if (o->rehearse)
		return ST_OK;
	if (pl.end.grown > 1)
		st = fat_out_sync(o); /* the chain that the name goes along */
	return st == ST_OK ? put_name(p, o, n, false) : st;
}

/* Slots that were passed over must not be where the folder ends. */
static enum status put_skipped(struct fat_out *o, const struct fat_node *n)
{
	uint32_t cluster = n->skip_cluster;

	for (uint32_t slot = n->skip_slot; slot < n->place_slot; slot++) {
		enum status st = ST_OK;
		struct fat_slot *s;

		if (slot != n->skip_slot)
			st = next_slot(o, n, &cluster, slot);
		if (st == ST_OK)
			st = dir_slot(o, cluster, slot, &s);
		if (st != ST_OK)
			return st;
		if (s->name[0] != FAT_END)
			continue;
		s->name[0] = FAT_FREE;
		o->dir_changed = true;
	}
	return ST_OK;
}

enum status fat_place_commit(struct fat_plan *p, struct fat_out *o, uint32_t node)
{
	const struct fat_node *n = &p->from.node[node];
	enum status st = ST_OK;

	if (n->grow_to)
		st = fat_out_link(o, n->grow_from, n->grow_to);
	if (st == ST_OK)
		st = put_skipped(o, n);
	return st == ST_OK ? put_name(p, o, n, true) : st;
}

/* The cluster of a slot of a folder that is on the target. */
static enum status cluster_of(struct fat_out *o, uint32_t first, uint32_t slot, uint32_t *cluster)
{
	uint32_t left = first ? slot >> (o->f->cluster_shift - 5) : 0;
	enum status st = ST_OK;

	for (*cluster = first; left && st == ST_OK; left--)
		st = fat_out_follow(o, *cluster, cluster);
	return st == ST_OK && first && !*cluster ? ST_CORRUPT : st;
}

static enum status change_case(struct fat_plan *p, struct fat_out *o, const struct fat_node *n,
			       const struct fat_node *old)
{
	uint8_t sum = fat_short_sum(old->raw.name);
	uint32_t first = p->to.node[old->parent].cluster;

	for (unsigned i = 1; i <= n->long_slots; i++) {
		struct fat_slot *s;
		uint32_t cluster;
		enum status st = cluster_of(o, first, old->slot - i, &cluster);

		if (st == ST_OK)
			st = dir_slot(o, cluster, old->slot - i, &s);
		if (st != ST_OK)
			return st;
		make_long_slot(p, n, i, sum, (void *)s);
		o->dir_changed = true;
	}
	return ST_OK;
}

enum status fat_place_change(struct fat_plan *p, struct fat_out *o, uint32_t node)
{
	const struct fat_node *n = &p->from.node[node], *old = &p->to.node[n->match];
	uint32_t in_sector = old->slot & ((1u << (o->f->sector_shift - 5)) - 1);
	struct fat_slot *s, is;
	enum status st = ST_OK;
	uint8_t *bytes;

	if (n->flags & FAT_NODE_CASE && n->long_slots)
		st = change_case(p, o, n, old);
	if (st == ST_OK)
		st = fat_out_dir(o, old->sector, &bytes);
	if (st != ST_OK)
		return st;
	s = (struct fat_slot *)(void *)bytes + in_sector;
	is = *s;
	o->dir_changed = true;
	*s = n->raw;
	memcpy(s->name, is.name, sizeof(s->name));
	s->read_date = is.read_date;
	if (n->long_slots || old->long_slots)
		s->lower_case = is.lower_case;
	if (n->action == FAT_REPLACE) {
		set_cluster(o->f, s, n->new_cluster);
		return ST_OK;
	}
	s->bytes = is.bytes;
	s->cluster_low = is.cluster_low;
	s->cluster_high = is.cluster_high;
	return ST_OK;
}

enum status fat_place_remove(struct fat_plan *p, struct fat_out *o, uint32_t node, bool rest)
{
	const struct fat_node *n = &p->to.node[node];
	unsigned in_sector = o->f->sector_shift - 5u;

	for (uint32_t i = 0; i <= n->long_slots; i++) {
		uint32_t slot = n->slot - i, cluster;
		struct fat_slot *s;
		enum status st;

		if ((slot >> in_sector != n->slot >> in_sector) != rest)
			continue;
		st = cluster_of(o, p->to.node[n->parent].cluster, slot, &cluster);
		if (st == ST_OK)
			st = dir_slot(o, cluster, slot, &s);
		if (st != ST_OK)
			return st;
		s->name[0] = FAT_FREE;
		o->dir_changed = true;
	}
	return ST_OK;
}

void fat_place_dots(const struct fat_plan *p, uint32_t node, uint8_t *sector)
{
	const struct fat_node *n = &p->from.node[node], *parent = &p->from.node[n->parent];
	uint32_t up = fat_node_makes_folder(parent) ? parent->new_cluster
		      : parent->match == 0          ? 0
						    : p->to.node[parent->match].cluster;
	struct fat_slot *s = (struct fat_slot *)(void *)sector;

	s[0] = n->raw;
	memset(s[0].name, ' ', sizeof(s[0].name));
	s[0].lower_case = 0;
	s[0].attributes = FAT_FOLDER;
	s[1] = s[0];
	s[0].name[0] = s[1].name[0] = s[1].name[1] = '.';
	set_cluster(p->to.fat, &s[0], n->new_cluster);
	set_cluster(p->to.fat, &s[1], up);
}
