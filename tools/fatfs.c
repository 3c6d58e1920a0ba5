/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tools/fatfs.h"

#include "common/espcheck.h"
#include "common/fat_write.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MEMORY_TRIES 8

static enum status fail(struct fatfs *f, enum status st)
{
	static const char *const why[] = {
		[ST_IO] = "the disk can't be read",
		[ST_ABSENT] = "it is not there",
		[ST_CORRUPT] = "the file system is damaged",
		[ST_RANGE] = "the file system is larger than its partition",
		[ST_UNSUPPORTED] = "a kind of FAT file system that is not known",
		[ST_FULL] = "it is too large",
	};
	const char *text = (size_t)st < sizeof(why) / sizeof(why[0]) ? why[st] : NULL;

	snprintf(f->error, sizeof(f->error), "%s", text ? text : "failed");
	return st;
}

enum status fatfs_open(struct fatfs *f, const struct disk *d, uint64_t start_lba, uint64_t sectors)
{
	enum status st;

	memset(f, 0, sizeof(*f));
	f->disk = d;
	f->start_lba = start_lba;
	f->sectors = sectors;
	st = fat_open(&f->fat, d, start_lba, sectors);
	return st == ST_OK ? ST_OK : fail(f, st);
}

/* As common/fat takes it: from the root. */
static size_t full_path(const char *path, char full[FAT_PATH_BYTES])
{
	size_t n;

	snprintf(full, FAT_PATH_BYTES, "\\%s", path);
	for (n = 0; full[n]; n++)
		if (full[n] == '/')
			full[n] = '\\';
	return n;
}

/* ST_OK, ST_ABSENT, or a failure that has its error. */
static enum status find(struct fatfs *f, const char *path, struct fat_entry *e)
{
	char full[FAT_PATH_BYTES];
	size_t n = full_path(path, full);
	enum status st = fat_find(&f->fat, full, n, e);

	return st == ST_OK || st == ST_ABSENT ? st : fail(f, st);
}

enum status fatfs_lookup(struct fatfs *f, const char *path, enum fatfs_kind *kind,
			 char name[FATFS_PATH_BYTES])
{
	static struct fat_entry e;
	enum status st = find(f, path, &e);

	*kind = FATFS_NONE;
	if (st != ST_OK)
		return st == ST_ABSENT ? ST_OK : st;
	*kind = fat_is_folder(&e) ? FATFS_DIR : FATFS_FILE;
	/* By its short name, where the long one is too long for us. */
	if (name && e.name_bytes < FATFS_PATH_BYTES)
		memcpy(name, e.name, e.name_bytes + 1);
	else if (name)
		memcpy(name, e.alias, sizeof(e.alias));
	return ST_OK;
}

enum status fatfs_is_empty(struct fatfs *f, const char *path, bool *empty)
{
	static struct fat_entry e;
	struct fat_dir dir;
	enum status st = find(f, path, &e);

	*empty = st == ST_ABSENT;
	if (st != ST_OK)
		return st == ST_ABSENT ? ST_OK : st;
	st = fat_dir_open(&f->fat, &e, &dir);
	if (st == ST_OK)
		st = fat_dir_next(&f->fat, &dir, &e);
	*empty = st == ST_ABSENT;
	return st == ST_OK || st == ST_ABSENT ? ST_OK : fail(f, st);
}

enum status fatfs_read(struct fatfs *f, const char *path, uint8_t **data, size_t *n_bytes)
{
	static struct fat_entry e;
	struct fat_file file;
	uint32_t got = 1, room;
	enum status st = find(f, path, &e);

	*data = NULL;
	*n_bytes = 0;
	if (st != ST_OK || fat_is_folder(&e))
		return st == ST_OK ? ST_ABSENT : st;
	if (e.bytes > FATFS_FILE_MAX)
		return fail(f, ST_FULL);
	room = (e.bytes / DISK_SECTOR_BYTES + 1) * DISK_SECTOR_BYTES;
	*data = malloc(room);
	if (!*data)
		abort();
	st = fat_file_open(&f->fat, &e, &file);
	while (st == ST_OK && got) {
		st = fat_file_read(
			&f->fat, &file, *data + *n_bytes,
			room - (uint32_t)*n_bytes / DISK_SECTOR_BYTES * DISK_SECTOR_BYTES, &got);
		*n_bytes += st == ST_OK ? got : 0;
	}
	(*data)[*n_bytes] = 0;
	if (st == ST_OK)
		return ST_OK;
	free(*data);
	*data = NULL;
	*n_bytes = 0;
	return fail(f, st);
}

/* ---- changes ---- */

struct change {
	enum { PUT, FOLDER, DROP } what;
	char path[FAT_PATH_BYTES];
	const void *data;
	uint32_t bytes;
	bool *rehearsal; /* set when there is something to be put right; NULL: write */
};

static uint32_t fat_now(void)
{
	time_t now = time(NULL);
	struct tm t;

	localtime_r(&now, &t);
	return espcheck_fat_time((unsigned)t.tm_year + 1900, (unsigned)t.tm_mon + 1,
				 (unsigned)t.tm_mday, (unsigned)t.tm_hour, (unsigned)t.tm_min,
				 (unsigned)t.tm_sec);
}

static enum status plan(struct fatfs *f, const struct change *c, struct fat_plan *p, void *work,
			size_t work_bytes)
{
	/* An installation that was cut may have left it so. */
	static const struct fat_plan_options how = {.target_dirty_ok = true};

	memset(p, 0, sizeof(*p));
	switch (c->what) {
	case PUT:
		return fat_plan_put(p, &f->fat, c->path, c->data, c->bytes, fat_now(), &how, work,
				    work_bytes);
	case FOLDER: return fat_plan_folder(p, &f->fat, c->path, fat_now(), &how, work, work_bytes);
	default: return fat_plan_drop(p, &f->fat, c->path, &how, work, work_bytes);
	}
}

static enum status change(struct fatfs *f, const struct change *c)
{
	static struct fat_plan p;
	uint64_t room = fat_plan_memory(NULL, &f->fat, 1024);
	enum status st = ST_FULL, again;
	void *work = NULL;

	for (unsigned i = 0; i < MEMORY_TRIES; i++, room *= 2) {
		free(work);
		work = malloc(room);
		if (!work)
			abort();
		st = plan(f, c, &p, work, room);
		if (st == ST_OK || p.why != FAT_NO_MEMORY)
			break;
	}
	if (st == ST_OK && c->rehearsal)
		*c->rehearsal = p.tidy;
	else if (st == ST_OK)
		st = fat_write_apply(&p);
	if (st != ST_OK && p.why != FAT_FINE)
		snprintf(f->error, sizeof(f->error), "%s%s%.300s", fat_why_text(p.why),
			 p.path[0] ? ": " : "", p.path);
	else if (st != ST_OK)
		fail(f, st);
	free(work);
	/* What is cached of the FAT and of folders is what was there before. */
	again = fat_open(&f->fat, f->disk, f->start_lba, f->sectors);
	if (st == ST_OK && again != ST_OK)
		st = fail(f, again);
	return st;
}

enum status fatfs_write(struct fatfs *f, const char *path, const void *data, size_t n_bytes)
{
	struct change c = {.what = PUT, .data = data, .bytes = (uint32_t)n_bytes};

	if (n_bytes > FATFS_FILE_MAX)
		return fail(f, ST_FULL);
	full_path(path, c.path);
	return change(f, &c);
}

enum status fatfs_mkdir(struct fatfs *f, const char *path)
{
	struct change c = {.what = FOLDER};

	full_path(path, c.path);
	return change(f, &c);
}

enum status fatfs_may_write(struct fatfs *f, bool *tidy)
{
	struct change c = {.what = FOLDER, .path = "\\EFI", .rehearsal = tidy};

	*tidy = false;
	return change(f, &c);
}

enum status fatfs_delete(struct fatfs *f, const char *path)
{
	struct change c = {.what = DROP};

	full_path(path, c.path);
	return change(f, &c);
}

enum status fatfs_free_bytes(struct fatfs *f, uint64_t *free_bytes)
{
	uint32_t value, n = 0;
	enum status st = ST_OK;

	for (uint32_t c = 2; st == ST_OK && c < f->fat.clusters + 2; c++) {
		st = fat_get(&f->fat, c, &value);
		n += st == ST_OK && !value;
	}
	*free_bytes = (uint64_t)n << f->fat.cluster_shift;
	return st == ST_OK ? ST_OK : fail(f, st);
}
