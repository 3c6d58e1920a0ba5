/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* FAT: folders, one entry after another. */
#include "common/fat.h"

#include "common/mem.h"

/* The parts of a long name as they come: its end first. */
struct parts {
	uint16_t units[FAT_LONG_SLOTS * FAT_LONG_UNITS];
	uint8_t slots; /* of the whole name; 0: none begun */
	uint8_t next;  /* the number that the next slot must have; 0: all are there */
	uint8_t sum;
};

void fat_root(const struct fat *f, struct fat_dir *dir)
{
	uint32_t cluster = f->type == FAT_32 ? f->root_cluster : 0;

	*dir = (struct fat_dir){.first_cluster = cluster, .cluster = cluster};
}

enum status fat_dir_open(const struct fat *f, const struct fat_entry *folder, struct fat_dir *dir)
{
	if (!fat_is_folder(folder))
		return ST_ABSENT;
	if (!fat_cluster_ok(f, folder->first_cluster))
		return ST_CORRUPT;
	*dir = (struct fat_dir){.first_cluster = folder->first_cluster,
				.cluster = folder->first_cluster};
	return ST_OK;
}

/* The sector, and the cluster, that the slot at dir is in. ST_ABSENT: the folder has no more. */
static enum status sector_of(struct fat *f, const struct fat_dir *dir, uint32_t *cluster,
			     uint32_t *sector)
{
	unsigned per_cluster = f->cluster_shift - 5u; /* log2 of slots */
	uint32_t at = dir->slot >> (f->sector_shift - 5);

	*cluster = dir->cluster;
	if (!dir->first_cluster) {
		*sector = f->root_sector + at;
		return dir->slot < f->root_entries ? ST_OK : ST_ABSENT;
	}
	if (dir->slot && !(dir->slot & ((1u << per_cluster) - 1))) {
		enum status st = fat_follow(f, dir->cluster, cluster);

		if (st != ST_OK || !*cluster)
			return st == ST_OK ? ST_ABSENT : st;
		if (dir->slot >= FAT_DIR_SLOTS)
			return ST_CORRUPT; /* a chain that goes round */
	}
	*sector = fat_cluster_sector(f, *cluster) +
		  (at & ((1u << (f->cluster_shift - f->sector_shift)) - 1));
	return ST_OK;
}

/* ST_ABSENT: the folder ends here. Only with ST_OK does dir move. */
static enum status next_slot(struct fat *f, struct fat_dir *dir, struct fat_slot *s)
{
	uint32_t in_sector = dir->slot & ((1u << (f->sector_shift - 5)) - 1);
	uint32_t cluster, sector;
	enum status st = sector_of(f, dir, &cluster, &sector);

	if (st != ST_OK)
		return st;
	if (f->dir_cached != sector) {
		f->dir_cached = UINT32_MAX;
		st = fat_read_sectors(f, sector, 1, f->dir_cache);
		if (st != ST_OK)
			return st;
		f->dir_cached = sector;
	}
	memcpy(s, f->dir_cache + in_sector * sizeof(*s), sizeof(*s));
	if (s->name[0] == FAT_END)
		return ST_ABSENT;
	dir->cluster = cluster;
	dir->slot++;
	return ST_OK;
}

static void take_part(struct parts *p, const struct fat_long_slot *s)
{
	uint8_t number = (uint8_t)(s->number & ~FAT_LONG_LAST);
	uint16_t *to;

	if (s->number & FAT_LONG_LAST && number <= FAT_LONG_SLOTS) {
		p->slots = p->next = number;
		p->sum = s->sum;
	}
	if (!number || number != p->next || s->sum != p->sum) {
		p->slots = 0;
		p->next = 0;
		return;
	}
	p->next--;
	to = p->units + p->next * FAT_LONG_UNITS;
	for (unsigned i = 0; i < 5; i++)
		*to++ = le16_get(s->units1[i]);
	for (unsigned i = 0; i < 6; i++)
		*to++ = le16_get(s->units2[i]);
	for (unsigned i = 0; i < 2; i++)
		*to++ = le16_get(s->units3[i]);
}

/*
 * The long name, where it is whole and belongs to this entry. What does not is an orphan that a
 * system without long names left: the short name counts, as everywhere.
 */
static bool take_long_name(const struct parts *p, struct fat_entry *e)
{
	unsigned n = 0;

	if (!p->slots || p->next || p->sum != fat_short_sum(e->raw.name))
		return false;
	while (n < p->slots * FAT_LONG_UNITS && p->units[n])
		n++;
	return fat_long_name(p->units, n, e->name, &e->name_bytes);
}

static enum status take_entry(const struct fat *f, const struct parts *p, struct fat_entry *e)
{
	const struct fat_slot *s = &e->raw;
	size_t alias_bytes;

	if (!fat_short_name(s, e->alias, &alias_bytes))
		return ST_CORRUPT; /* what is no name is no entry: this is no folder */
	e->long_slots = p->slots;
	if (!take_long_name(p, e)) {
		e->long_slots = 0;
		e->name_bytes = alias_bytes;
		memcpy(e->name, e->alias, alias_bytes + 1);
	}
	e->attributes = s->attributes;
	e->first_cluster = le16_get(s->cluster_low);
	if (f->type == FAT_32)
		e->first_cluster |= (uint32_t)le16_get(s->cluster_high) << 16;
	e->bytes = fat_is_folder(e) ? 0 : le32_get(s->bytes);
	e->write_time = (uint32_t)le16_get(s->write_date) << 16 | le16_get(s->write_time);
	return ST_OK;
}

static bool is_dot(const struct fat_slot *s)
{
	return mem_is_str((const char *)s->name, 11, ".          ") ||
	       mem_is_str((const char *)s->name, 11, "..         ");
}

enum status fat_dir_next(struct fat *f, struct fat_dir *dir, struct fat_entry *e)
{
	struct parts parts = {.slots = 0};
	enum status st;

	while ((st = next_slot(f, dir, &e->raw)) == ST_OK) {
		struct fat_slot *s = &e->raw;

		if (s->name[0] != FAT_FREE && (s->attributes & FAT_LONG_MASK) == FAT_LONG) {
			take_part(&parts, (const void *)s);
			continue;
		}
		if (s->name[0] != FAT_FREE && !(s->attributes & FAT_VOLUME) && !is_dot(s)) {
			e->slot = dir->slot - 1;
			return take_entry(f, &parts, e);
		}
		parts.slots = parts.next = 0;
	}
	return st;
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool same_name(const char *name, const char *wanted, size_t wanted_bytes)
{
	for (; wanted_bytes && *name; wanted_bytes--, name++, wanted++)
		if (lower(*name) != lower(*wanted))
			return false;
	return !wanted_bytes && !*name;
}

static enum status find_in(struct fat *f, struct fat_dir *dir, const char *name, size_t bytes,
			   struct fat_entry *e)
{
	enum status st;

	while ((st = fat_dir_next(f, dir, e)) == ST_OK)
		if (same_name(e->name, name, bytes) || same_name(e->alias, name, bytes))
			break;
	return st;
}

enum status fat_find(struct fat *f, const char *path, size_t path_bytes, struct fat_entry *e)
{
	enum status st = ST_ABSENT;
	struct fat_dir dir;
	size_t at = 0;

	fat_root(f, &dir);
	for (;;) {
		size_t from;

		while (at < path_bytes && (path[at] == '\\' || path[at] == '/'))
			at++;
		if (at == path_bytes)
			return st;
		if (st == ST_OK) /* not the first name: it is in the folder found before */
			st = fat_dir_open(f, e, &dir);
		else
			st = ST_OK;
		if (st != ST_OK)
			return st;
		for (from = at; at < path_bytes && path[at] != '\\' && path[at] != '/';)
			at++;
		st = find_in(f, &dir, path + from, at - from, e);
		if (st != ST_OK)
			return st;
	}
}
