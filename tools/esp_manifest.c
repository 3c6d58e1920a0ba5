/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tools/esp_manifest.h"

#include "common/esppolicy.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define PIECE_BYTES (1u << 20)

static bool __attribute__((format(printf, 2, 3))) fail(struct espman *m, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(m->why, sizeof(m->why), fmt, ap);
	va_end(ap);
	return false;
}

const char *espman_fault_text(enum status st)
{
	if (st == ST_IO)
		return "could not be read";
	return st == ST_FULL ? "is too deep in folders" : "is damaged in the file system";
}

/* The boot files that install writes anew whenever they are not this build's. */
static bool is_our_loader(const char *path)
{
	static const char *const places[] = {
		"\\EFI\\mirrorboot\\mirrorboot.efi", "\\EFI\\mirrorboot\\mirrorbootia32.efi",
		"\\EFI\\BOOT\\BOOTX64.EFI", "\\EFI\\BOOT\\BOOTIA32.EFI"};

	for (unsigned i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (!strcasecmp(path, places[i]))
			return true;
	return false;
}

static enum status hash_file(struct fat *f, const struct fat_entry *e, uint8_t *buf,
			     uint8_t sha256[SHA256_BYTES])
{
	struct fat_file file;
	struct sha256 sum;
	uint32_t got = 1;
	enum status st = fat_file_open(f, e, &file);

	sha256_init(&sum);
	while (st == ST_OK && got) {
		st = fat_file_read(f, &file, buf, PIECE_BYTES, &got);
		if (st == ST_OK)
			sha256_add(&sum, buf, got);
	}
	sha256_end(&sum, sha256);
	return st;
}

static struct espman_file *add_file(struct espman *m, const char *path, enum status st)
{
	struct espman_file *file;

	if (m->count == m->room) {
		m->room = m->room ? m->room * 2 : 64;
		file = realloc(m->file, m->room * sizeof(*file));
		if (!file)
			abort();
		m->file = file;
	}
	file = &m->file[m->count++];
	memset(file, 0, sizeof(*file));
	file->status = st;
	file->f.path = strdup(path);
	file->f.path_bytes = strlen(path);
	if (!file->f.path)
		abort();
	return file;
}

static void free_files(struct espman *m)
{
	for (unsigned i = 0; i < m->count; i++)
		free((char *)m->file[i].f.path);
	free(m->file);
	m->file = NULL;
	m->count = m->room = 0;
}

static void scan(struct espman *m, struct fat *f, uint8_t *buf)
{
	static struct fat_walk w;
	struct espman_file *file;
	enum status st;

	fat_walk_start(f, &w);
	while ((st = fat_walk_next(f, &w)) != ST_ABSENT) {
		if (w.path_bytes && !esppolicy_is_covered(w.path, w.path_bytes)) {
			w.descend = false;
		} else if (st != ST_OK) {
			add_file(m, w.path_bytes ? w.path : "\\", st);
		} else if (!fat_is_folder(&w.entry)) {
			file = add_file(m, w.path, ST_OK);
			file->f.bytes = w.entry.bytes;
			file->f.fat_time = w.entry.write_time;
			if (!m->quick)
				file->status = hash_file(f, &w.entry, buf, file->f.sha256);
		}
	}
}

/* The manifest that is there. */
static void read_old(struct espman *m, struct fat *f)
{
	static struct fat_entry e;
	struct fat_file file;
	uint32_t got, room;

	m->status = fat_find(f, MANIFEST_PATH, strlen(MANIFEST_PATH), &e);
	if (m->status == ST_OK)
		m->status = fat_file_open(f, &e, &file);
	if (m->status != ST_OK)
		return;
	if (e.bytes > MANIFEST_BYTES_MAX) {
		m->status = ST_CORRUPT;
		return;
	}
	room = e.bytes / DISK_SECTOR_BYTES * DISK_SECTOR_BYTES + DISK_SECTOR_BYTES;
	m->old_text = malloc(room);
	if (!m->old_text)
		abort();
	m->status = fat_file_read(f, &file, m->old_text, room, &got);
	if (m->status == ST_OK)
		m->status = manifest_open(&m->old, m->old_text, got);
}

/* As FAT compares: a path with a NUL behind it, and one without. */
static int by_path(const char *path, const char *other, size_t other_bytes)
{
	int sign = strncasecmp(path, other, other_bytes);

	return sign ? sign : path[other_bytes] != 0;
}

static int by_file(const void *a, const void *b)
{
	const struct espman_file *const *x = a, *const *y = b;

	return strcasecmp((*x)->f.path, (*y)->f.path);
}

static int by_line(const void *line, const void *file)
{
	const struct manifest_file *f = line;
	const struct espman_file *const *there = file;

	return -by_path((*there)->f.path, f->path, f->path_bytes);
}

void espman_missing(const struct espman *m, unsigned n, struct manifest_file *f)
{
	*f = m->gone[n];
}

static void add_gone(struct espman *m, const struct manifest_file *f)
{
	m->gone = realloc(m->gone, (m->missing + 1) * sizeof(*m->gone));
	if (!m->gone)
		abort();
	m->gone[m->missing++] = *f;
	m->same = false;
	if (!esppolicy_is_ours(f->path, f->path_bytes))
		m->updated = true;
}

static void compare(struct espman *m)
{
	struct espman_file **sorted = calloc(m->count + 1, sizeof(struct espman_file *)), **found;
	struct manifest_file f;
	size_t at = m->old.first;

	if (!sorted)
		abort();
	m->same = true;
	m->updated = false;
	m->missing = 0;
	for (unsigned i = 0; i < m->count; i++) {
		sorted[i] = &m->file[i];
		sorted[i]->verdict = MANIFEST_UNLISTED;
	}
	qsort(sorted, m->count, sizeof(struct espman_file *), by_file);
	while (manifest_next(&m->old, &at, &f)) {
		struct espman_file *file;

		found = bsearch(&f, sorted, m->count, sizeof(struct espman_file *), by_line);
		if (!found) {
			add_gone(m, &f);
			continue;
		}
		file = *found;
		if (file->verdict != MANIFEST_UNLISTED)
			continue; /* of two lines about it, the first counts */
		if (m->quick && f.fat_time == file->f.fat_time)
			memcpy(file->f.sha256, f.sha256, SHA256_BYTES);
		file->verdict = (uint8_t)manifest_judge(&f, file->f.bytes, file->f.fat_time,
							file->f.sha256);
		if (f.fat_time != file->f.fat_time)
			m->same = false;
	}
	for (unsigned i = 0; i < m->count; i++) {
		if (m->file[i].verdict == MANIFEST_SAME)
			continue;
		m->same = false;
		if (!esppolicy_is_ours(m->file[i].f.path, m->file[i].f.path_bytes))
			m->updated = true;
	}
	free(sorted);
}

static bool open_fat(struct espman *m, struct fat *f, const struct esp *e, const struct disk *d)
{
	enum status st = fat_open(f, d, e->start_bytes >> d->shift, e->len_bytes >> d->shift);

	return st == ST_OK ||
	       fail(m, "its EFI system partition %u %s", e->part, espman_fault_text(st));
}

static bool look(struct espman *m, const struct esp *e, const struct disk *d, bool quick)
{
	static struct fat fat;
	uint8_t *buf;

	memset(m, 0, sizeof(*m));
	m->quick = quick;
	m->source = e->uuid;
	if (!open_fat(m, &fat, e, d))
		return false;
	buf = malloc(PIECE_BYTES);
	if (!buf)
		abort();
	m->fat_type = fat.type;
	read_old(m, &fat);
	scan(m, &fat, buf);
	free(buf);
	/* An unfinished one lists nothing that there was anything to compare with. */
	if (m->status == ST_OK && m->old.state == MANIFEST_COMPLETE)
		compare(m);
	return true;
}

bool espman_look(struct espman *m, const struct esp *e, const struct disk *d)
{
	return look(m, e, d, false);
}

bool espman_look_quick(struct espman *m, const struct esp *e, const struct disk *d)
{
	return look(m, e, d, true);
}

void espman_free(struct espman *m)
{
	free_files(m);
	free(m->old_text);
	free(m->gone);
	m->old_text = NULL;
	m->gone = NULL;
}

bool espman_may_renew(struct espman *m, bool mended)
{
	if (m->status == ST_UNSUPPORTED)
		return fail(m, "its manifest was written by a newer mirrorboot: use that one");
	for (unsigned i = 0; i < m->count; i++) {
		const struct espman_file *file = &m->file[i];

		if (mended && is_our_loader(file->f.path))
			continue;
		if (file->status != ST_OK)
			return fail(m, "%s %s", file->f.path, espman_fault_text(file->status));
		if (m->status == ST_OK && file->verdict == MANIFEST_DAMAGED)
			return fail(
				m,
				"%s is damaged: size and time are as they were, what is in it is "
				"not. Install it again, or touch it if it is as it should be",
				file->f.path);
	}
	return true;
}
