/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "common/espfiles.h"

#include "common/esppolicy.h"
#include "common/fat_check.h"
#include "common/mem.h"

#define PIECE_BYTES (1u << 20)
#define LINE_BYTES  128 /* of a manifest's line, its path apart */
#define PATH_BYTES  (sizeof(MANIFEST_PATH) - 1)

/* ---- memory ---- */

/* In multiples of 8, as it is handed out. */
static uint64_t rounded(uint64_t n)
{
	return (n + 7) & ~(uint64_t)7;
}

/* Room for a file that is read whole. */
static uint32_t text_room(uint32_t bytes)
{
	return bytes / DISK_SECTOR_BYTES * DISK_SECTOR_BYTES + DISK_SECTOR_BYTES;
}

static bool is_old_manifest(const struct fat_walk *w)
{
	return w->path_bytes == PATH_BYTES && esppolicy_same(w->path, MANIFEST_PATH, PATH_BYTES);
}

uint64_t espfiles_memory(struct fat *f, struct fat_walk *w, uint64_t *read_bytes)
{
	uint64_t need = PIECE_BYTES + DISK_SECTOR_BYTES;
	enum status st;

	*read_bytes = 0;
	fat_walk_start(f, w);
	while ((st = fat_walk_next(f, w)) != ST_ABSENT) {
		if (w->path_bytes && !esppolicy_is_covered(w->path, w->path_bytes)) {
			if (st == ST_OK && is_old_manifest(w))
				need += rounded(text_room(w->entry.bytes));
			w->descend = false;
			continue;
		}
		if (st == ST_OK && fat_is_folder(&w->entry))
			continue;
		need += rounded(w->path_bytes + 1) + sizeof(struct espfiles_file) +
			sizeof(struct espfiles_file *);
		if (st == ST_OK)
			*read_bytes += w->entry.bytes;
	}
	return need;
}

/* ---- the files ---- */

struct look {
	struct espfiles *e;
	struct fat *f;
	struct fat_walk *w;
	struct fat_arena arena; /* files from below, paths from above */
	uint8_t *buf;
	espfiles_progress *progress;
	void *ctx;
};

/* From above, so that the files stay a row. */
static void *take_above(struct fat_arena *a, size_t n)
{
	n = (size_t)rounded(n);
	if (n > a->high - a->low)
		return NULL;
	a->high -= n;
	return a->base + a->high;
}

static enum status hash_file(struct look *l, struct espfiles_file *file)
{
	struct fat_file from;
	struct sha256 sum;
	uint32_t got = 1;
	enum status st = fat_file_open(l->f, &l->w->entry, &from);

	sha256_init(&sum);
	while (st == ST_OK && got) {
		st = fat_file_read(l->f, &from, l->buf, PIECE_BYTES, &got);
		if (st == ST_OK)
			sha256_add(&sum, l->buf, got);
		if (st == ST_OK && l->progress && !l->progress(l->ctx, got))
			return ST_ABSENT;
	}
	sha256_end(&sum, file->f.sha256);
	file->status = (uint8_t)st;
	return ST_OK;
}

static enum status add_file(struct look *l, enum status st)
{
	struct espfiles *e = l->e;
	struct espfiles_file *file = fat_arena_take(&l->arena, sizeof(*file));
	char *path = take_above(&l->arena, l->w->path_bytes + 1);

	if (!file || !path)
		return ST_FULL;
	if (!e->count)
		e->file = file;
	e->count++;
	memset(file, 0, sizeof(*file));
	memcpy(path, l->w->path, l->w->path_bytes);
	path[l->w->path_bytes] = '\0';
	file->f.path = path;
	file->f.path_bytes = l->w->path_bytes;
	file->status = (uint8_t)st;
	if (st != ST_OK)
		return ST_OK;
	file->f.bytes = l->w->entry.bytes;
	file->f.fat_time = l->w->entry.write_time;
	e->bytes += l->w->entry.bytes;
	return hash_file(l, file);
}

static enum status scan(struct look *l)
{
	struct fat_walk *w = l->w;
	enum status st, found;

	fat_walk_start(l->f, w);
	while ((found = fat_walk_next(l->f, w)) != ST_ABSENT) {
		st = ST_OK;
		if (w->path_bytes && !esppolicy_is_covered(w->path, w->path_bytes))
			w->descend = false;
		else if (found != ST_OK || !fat_is_folder(&w->entry))
			st = add_file(l, found);
		if (st != ST_OK)
			return st;
	}
	return ST_OK;
}

/* ---- the manifest that is there ---- */

static enum status read_old(struct look *l)
{
	struct espfiles *e = l->e;
	struct fat_entry *entry = &l->w->entry;
	struct fat_file from;
	uint32_t got;
	uint8_t *text;

	e->status = fat_find(l->f, MANIFEST_PATH, PATH_BYTES, entry);
	if (e->status == ST_OK)
		e->status = fat_file_open(l->f, entry, &from);
	if (e->status == ST_OK && entry->bytes > MANIFEST_BYTES_MAX)
		e->status = ST_CORRUPT;
	if (e->status != ST_OK)
		return ST_OK;
	text = take_above(&l->arena, text_room(entry->bytes));
	if (!text)
		return ST_FULL;
	e->status = fat_file_read(l->f, &from, text, text_room(entry->bytes), &got);
	if (e->status == ST_OK)
		e->status = manifest_open(&e->old, (const char *)text, got);
	return ST_OK;
}

/* ---- one by the other ---- */

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static int compare_paths(const char *a, size_t a_bytes, const char *b, size_t b_bytes)
{
	for (size_t i = 0; i < a_bytes && i < b_bytes; i++) {
		uint8_t x = (uint8_t)lower(a[i]), y = (uint8_t)lower(b[i]);

		if (x != y)
			return x < y ? -1 : 1;
	}
	return a_bytes < b_bytes ? -1 : a_bytes > b_bytes;
}

static int compare_files(const struct espfiles_file *a, const struct espfiles_file *b)
{
	return compare_paths(a->f.path, a->f.path_bytes, b->f.path, b->f.path_bytes);
}

/* What is at i goes down in the heap of n to where it belongs. */
static void sift(struct espfiles_file **heap, uint32_t n, uint32_t i)
{
	for (;;) {
		uint32_t big = i;

		for (uint32_t k = 2 * i + 1; k <= 2 * i + 2; k++)
			if (k < n && compare_files(heap[k], heap[big]) > 0)
				big = k;
		if (big == i)
			return;
		struct espfiles_file *other = heap[big];

		heap[big] = heap[i];
		heap[i] = other;
		i = big;
	}
}

static enum status sort(struct look *l)
{
	struct espfiles *e = l->e;

	e->sorted = take_above(&l->arena, e->count * sizeof(e->sorted[0]));
	if (!e->sorted)
		return ST_FULL;
	for (uint32_t i = 0; i < e->count; i++)
		e->sorted[i] = &e->file[i];
	for (uint32_t i = e->count / 2; i-- > 0;)
		sift(e->sorted, e->count, i);
	for (uint32_t n = e->count; n > 1; n--) {
		struct espfiles_file *first = e->sorted[0];

		e->sorted[0] = e->sorted[n - 1];
		e->sorted[n - 1] = first;
		sift(e->sorted, n - 1, 0);
	}
	return ST_OK;
}

const struct espfiles_file *espfiles_find(const struct espfiles *e, const char *path, size_t bytes)
{
	uint32_t from = 0, end = e->count;

	while (from < end) {
		uint32_t middle = from + (end - from) / 2;
		const struct manifest_file *f = &e->sorted[middle]->f;
		int sign = compare_paths(path, bytes, f->path, f->path_bytes);

		if (!sign)
			return e->sorted[middle];
		if (sign < 0)
			end = middle;
		else
			from = middle + 1;
	}
	return NULL;
}

static void differs(struct espfiles *e, const struct manifest_file *f)
{
	e->same = false;
	if (!esppolicy_is_ours(f->path, f->path_bytes))
		e->updated = true;
}

static void compare(struct espfiles *e)
{
	size_t at = e->old.first;
	struct manifest_file f;

	e->same = true;
	for (uint32_t i = 0; i < e->count; i++)
		e->file[i].verdict = MANIFEST_UNLISTED;
	while (manifest_next(&e->old, &at, &f)) {
		/* It is one of e->file, which are ours to change. */
		struct espfiles_file *file =
			(struct espfiles_file *)(uintptr_t)espfiles_find(e, f.path, f.path_bytes);

		if (!file) {
			e->missing++;
			differs(e, &f);
			continue;
		}
		if (file->verdict != MANIFEST_UNLISTED)
			continue; /* of two lines about it, the first counts */
		file->verdict = (uint8_t)manifest_judge(&f, file->f.bytes, file->f.fat_time,
							file->f.sha256);
		if (f.fat_time != file->f.fat_time)
			e->same = false;
	}
	for (uint32_t i = 0; i < e->count; i++) {
		e->verdicts[e->file[i].verdict]++;
		if (e->file[i].verdict != MANIFEST_SAME)
			differs(e, &e->file[i].f);
	}
}

enum status espfiles_look(struct espfiles *e, struct fat *f, void *work, uint64_t work_bytes,
			  struct fat_walk *w, espfiles_progress *progress, void *ctx)
{
	struct look l = {.e = e, .f = f, .w = w, .progress = progress, .ctx = ctx};
	enum status st;

	memset(e, 0, sizeof(*e));
	l.arena.base = work;
	l.arena.high = work_bytes > SIZE_MAX / 2 ? 0 : (size_t)work_bytes & ~(size_t)7;
	l.buf = take_above(&l.arena, PIECE_BYTES);
	if (!l.buf)
		return ST_FULL;
	st = read_old(&l);
	if (st == ST_OK)
		st = scan(&l);
	if (st == ST_OK)
		st = sort(&l);
	e->is_complete = e->status == ST_OK && e->old.state == MANIFEST_COMPLETE;
	/* An unfinished one lists nothing that there was anything to compare with. */
	if (st == ST_OK && e->is_complete)
		compare(e);
	return st;
}

uint64_t espfiles_manifest_bytes(const struct espfiles *e)
{
	uint64_t bytes = 4096;

	for (uint32_t i = 0; i < e->count; i++)
		bytes += e->file[i].f.path_bytes + LINE_BYTES;
	return bytes;
}

const struct espfiles_file *espfiles_damaged(const struct espfiles *e)
{
	for (uint32_t i = 0; i < e->count; i++)
		if (e->file[i].status != ST_OK ||
		    (e->is_complete && e->file[i].verdict == MANIFEST_DAMAGED))
			return &e->file[i];
	return NULL;
}
