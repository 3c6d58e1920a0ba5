/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* FAT: all files and folders, one after another. */
#include "common/fat.h"

#include "common/mem.h"
#include "common/range.h"

void fat_walk_start(const struct fat *f, struct fat_walk *w)
{
	/*
	 * No sound tree has more slots than fit, and an end for each folder: folders that share
	 * clusters, of which there could be any number to read, are found by it.
	 */
	uint64_t fit = (uint64_t)f->clusters << (f->cluster_shift - 5);
	uint64_t most = fit + f->root_entries + f->clusters + 2;

	w->path[0] = '\0';
	w->path_bytes = 0;
	w->descend = false;
	w->depth = 1;
	fat_root(f, &w->at[0].dir);
	w->at[0].path_bytes = 0;
	w->slots = (uint32_t)min_u64(most, FAT_WALK_SLOTS);
}

/* Is this folder one of those that we are in? */
static bool holds_itself(const struct fat_walk *w, uint32_t first_cluster)
{
	for (unsigned i = 0; i < w->depth; i++)
		if (w->at[i].dir.first_cluster == first_cluster)
			return true;
	return false;
}

static enum status enter(const struct fat *f, struct fat_walk *w)
{
	struct fat_dir dir;
	enum status st = fat_dir_open(f, &w->entry, &dir);

	if (st != ST_OK)
		return st;
	if (holds_itself(w, dir.first_cluster))
		return ST_CORRUPT;
	if (w->depth >= FAT_DEPTH)
		return ST_FULL;
	w->at[w->depth].dir = dir;
	w->at[w->depth].path_bytes = (uint16_t)w->path_bytes;
	w->depth++;
	return ST_OK;
}

static void cut_path(struct fat_walk *w, size_t bytes)
{
	w->path_bytes = bytes;
	w->path[bytes] = '\0';
}

/* False: no room for it; the path is the folder's then. */
static bool add_name(struct fat_walk *w)
{
	size_t n = w->entry.name_bytes;

	if (!range_ok(w->path_bytes + 1, n, FAT_PATH_BYTES - 1))
		return false;
	w->path[w->path_bytes] = '\\';
	memcpy(w->path + w->path_bytes + 1, w->entry.name, n);
	cut_path(w, w->path_bytes + 1 + n);
	return true;
}

/* Slots were read: are there any left to read? The end of a folder counts as one. */
static bool count(struct fat_walk *w, uint32_t slots)
{
	if (slots < w->slots) {
		w->slots -= slots;
		return true;
	}
	w->slots = 0;
	w->depth = 0;
	return false;
}

enum status fat_walk_next(struct fat *f, struct fat_walk *w)
{
	enum status st;

	if (w->descend) {
		w->descend = false;
		st = enter(f, w);
		if (st != ST_OK)
			return st;
	}
	while (w->depth) {
		struct fat_dir *dir = &w->at[w->depth - 1].dir;
		uint32_t before = dir->slot;

		cut_path(w, w->at[w->depth - 1].path_bytes);
		st = fat_dir_next(f, dir, &w->entry);
		if (st != ST_OK)
			w->depth--;
		if (!count(w, dir->slot - before + (st != ST_OK)))
			return ST_FULL;
		if (st == ST_ABSENT)
			continue;
		if (st != ST_OK)
			return st;
		if (!add_name(w))
			return ST_FULL;
		w->descend = fat_is_folder(&w->entry);
		return ST_OK;
	}
	return ST_ABSENT;
}
