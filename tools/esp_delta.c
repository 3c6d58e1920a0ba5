/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tools/esp_delta.h"

#include "common/fat_write.h"
#include "tools/esp_policy.h"
#include "tools/esp_renewal.h"
#include "tools/say.h"
#include "tools/stop.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MEMORY_TRIES 8

struct run {
	const struct esp_side *from, *to;
	const struct esp_delta_options *options;
	struct fat lookup; /* the target's: the plan's own has its caches in use */
	struct fat_entry entry;
	char **left; /* paths, by the rule of boot counters */
	unsigned left_count;
	struct say_progress bar;
	int phase;
};

/* ---- what is left out ---- */

static void leave(struct run *r, const char *path)
{
	r->left = realloc(r->left, (r->left_count + 1) * sizeof(*r->left));
	if (!r->left)
		abort();
	r->left[r->left_count] = strdup(path);
	if (!r->left[r->left_count++])
		abort();
}

/* An entry of the target, by what it is called without its counter. */
struct bare {
	char *name;
	const struct manifest_file *file;
};

static struct bare bare_of(const struct manifest_file *f)
{
	size_t at, bytes;
	struct bare b = {.name = strdup(f->path), .file = f};

	if (!b.name)
		abort();
	if (esppolicy_counter(f->path, f->path_bytes, &at, &bytes))
		memmove(b.name + at, b.name + at + bytes, f->path_bytes - at - bytes + 1);
	return b;
}

static int by_bare(const void *a, const void *b)
{
	const struct bare *x = a, *y = b;

	return strcasecmp(x->name, y->name);
}

static int by_text(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;

	return strcasecmp(*x, *y);
}

/* The target's file that a stands for; NULL: none. */
static const struct manifest_file *counted(const struct manifest_file *a, const struct bare *sorted,
					   unsigned count)
{
	struct bare key = bare_of(a);
	const struct bare *b = bsearch(&key, sorted, count, sizeof(*sorted), by_bare);
	const struct manifest_file *found = NULL;

	while (b && b > sorted && !by_bare(&b[-1], &key))
		b--;
	for (; b && !found && b < sorted + count && !by_bare(b, &key); b++)
		if (esppolicy_keeps_counter(a, b->file))
			found = b->file;
	free(key.name);
	return found;
}

/*
 * An entry that has a counter on the source and is, but for the counter, on the
 * target already keeps the counter it has there: which tries were made is each
 * ESP's own. Without one on the source, it has booted there: so it is cloned.
 */
static void leave_counters(struct run *r)
{
	struct bare *there = calloc(r->to->man.count + 1, sizeof(*there));
	unsigned count = 0;
	size_t at, bytes;

	if (!there)
		abort();
	for (unsigned i = 0; i < r->to->man.count; i++)
		if (esppolicy_is_entry(r->to->man.file[i].f.path, r->to->man.file[i].f.path_bytes))
			there[count++] = bare_of(&r->to->man.file[i].f);
	qsort(there, count, sizeof(*there), by_bare);
	for (unsigned i = 0; i < r->from->man.count; i++) {
		const struct manifest_file *a = &r->from->man.file[i].f, *b;

		if (!esppolicy_counter(a->path, a->path_bytes, &at, &bytes) ||
		    esp_policy_of(a->path, a->path_bytes) != ESP_CLONED)
			continue;
		b = counted(a, there, count);
		if (!b)
			continue;
		leave(r, a->path);
		leave(r, b->path);
	}
	if (r->left_count)
		qsort(r->left, r->left_count, sizeof(*r->left), by_text);
	while (count)
		free(there[--count].name);
	free(there);
}

static enum fat_policy policy(void *ctx, const char *path, size_t bytes, bool folder)
{
	struct run *r = ctx;

	if (r->left_count && bsearch(&path, r->left, r->left_count, sizeof(*r->left), by_text))
		return FAT_POLICY_LEAVE;
	switch (esp_policy_of(path, bytes)) {
	case ESP_LEFT: return FAT_POLICY_LEAVE;
	case ESP_ONCE:
		return folder || fat_find(&r->lookup, path, bytes, &r->entry) != ST_OK
			       ? FAT_POLICY_CLONE
			       : FAT_POLICY_LEAVE;
	default: return FAT_POLICY_CLONE;
	}
}

/* ---- the bar ---- */

static bool progress(void *ctx, enum fat_phase phase, uint64_t done_bytes, uint64_t of_bytes)
{
	static const char *const what[] = {"comparing", "writing", "reading back"};
	struct run *r = ctx;

	if (r->options->progress && (int)phase != r->phase) {
		if (r->phase >= 0)
			say_progress_end(&r->bar);
		r->phase = (int)phase;
		say_progress_start(&r->bar, what[phase], of_bytes);
	}
	if (r->options->progress && of_bytes)
		say_progress_at(&r->bar, done_bytes < of_bytes ? done_bytes : of_bytes);
	return !stop_is_held();
}

/* ---- the plan ---- */

void esp_delta_free(struct esp_delta *d)
{
	for (unsigned i = 0; i < d->count; i++)
		free(d->item[i].path);
	free(d->item);
	memset(d, 0, sizeof(*d));
}

static void add(struct esp_delta *d, const struct fat_plan_item *from)
{
	struct esp_delta_item *item;

	if (from->action == FAT_KEEP || from->action == FAT_LEAVE)
		return;
	if (d->count == d->room) {
		d->room = d->room ? d->room * 2 : 64;
		d->item = realloc(d->item, d->room * sizeof(*d->item));
		if (!d->item)
			abort();
	}
	item = &d->item[d->count++];
	*item = (struct esp_delta_item){.action = from->action,
					.folder = from->folder,
					.bytes = from->bytes,
					.fat_time = from->fat_time,
					.path = strdup(from->path)};
	if (!item->path)
		abort();
}

static int64_t clusters_of(const struct esp_side *s, uint64_t bytes)
{
	return (int64_t)((bytes + (1u << s->fat.cluster_shift) - 1) >> s->fat.cluster_shift);
}

/* All that lies in a folder which goes. */
static int64_t clusters_under(const struct esp_side *to, const char *folder)
{
	size_t n = strlen(folder);
	int64_t clusters = 1;

	for (unsigned i = 0; i < to->man.count; i++) {
		const struct manifest_file *f = &to->man.file[i].f;

		if (f->path_bytes > n && f->path[n] == '\\' && !strncasecmp(f->path, folder, n))
			clusters += clusters_of(to, f->bytes);
	}
	return clusters;
}

/* What is free on the target when all is done; folders that grow are not
 * counted. */
static uint64_t room_after(const struct fat_plan *p, const struct esp_delta *d,
			   const struct esp_side *to)
{
	int64_t clusters = (int64_t)to->fat.clusters - p->to.used;

	for (unsigned i = 0; i < d->count; i++) {
		const struct esp_delta_item *item = &d->item[i];
		bool goes = item->action == FAT_REMOVE || item->action == FAT_REPLACE;
		const struct espman_file *old = goes ? esp_side_find(to, item->path) : NULL;

		if (item->action == FAT_CREATE || item->action == FAT_REPLACE)
			clusters -= item->folder ? 1 : clusters_of(to, item->bytes);
		if (old)
			clusters += clusters_of(to, old->f.bytes);
		else if (item->folder && item->action == FAT_REMOVE)
			clusters += clusters_under(to, item->path);
	}
	return clusters > 0 ? (uint64_t)clusters << to->fat.cluster_shift : 0;
}

static void take(struct esp_delta *d, const struct fat_plan *p, enum status st,
		 const struct esp_side *to)
{
	struct fat_plan_item item;
	uint32_t at = 0;

	d->why = p->why;
	d->why_source = p->why_source;
	d->missing_bytes = p->missing_bytes;
	memcpy(d->path, p->path, sizeof(d->path));
	if (st != ST_OK)
		return;
	while (fat_plan_next(p, &at, &item))
		add(d, &item);
	for (unsigned i = 0; i < FAT_ACTIONS; i++) {
		d->files[i] = p->count[i].files;
		d->folders[i] = p->count[i].folders;
	}
	d->write_bytes = p->write_bytes;
	d->tidy = p->tidy;
	d->empty = fat_plan_is_empty(p);
	d->after_bytes = room_after(p, d, to);
}

bool esp_delta_same(const struct esp_delta *a, const struct esp_delta *b)
{
	if (a->count != b->count || a->write_bytes != b->write_bytes || a->tidy != b->tidy)
		return false;
	for (unsigned i = 0; i < a->count; i++)
		if (a->item[i].action != b->item[i].action ||
		    a->item[i].bytes != b->item[i].bytes ||
		    a->item[i].fat_time != b->item[i].fat_time ||
		    strcmp(a->item[i].path, b->item[i].path) != 0)
			return false;
	return true;
}

/* Two trees, and as many again. */
static uint64_t guess_memory(const struct esp_side *from, const struct esp_side *to)
{
	return fat_plan_memory(&from->fat, &to->fat, 2 * (from->man.count + to->man.count) + 256);
}

static bool run(struct esp_delta *d, struct esp_side *from, struct esp_side *to,
		const struct esp_delta_options *o, bool write)
{
	struct run r = {.from = from, .to = to, .options = o, .lookup = to->fat, .phase = -1};
	struct fat_plan_options how = {
		.policy = policy,
		.progress = progress,
		.ctx = &r,
		.keep_extra = o->keep_extra,
		.target_dirty_ok = true,
		/* The mark says little where each file is as its manifest says. */
		.source_dirty_ok = o->source_dirty_ok || from->place->mounted_on ||
				   esp_renewal_is_current(&from->man)};
	uint64_t bytes = guess_memory(from, to);
	struct fat_plan *p = malloc(sizeof(*p));
	enum status st = ST_FULL;
	void *work = NULL;

	memset(d, 0, sizeof(*d));
	leave_counters(&r);
	for (unsigned i = 0; i < MEMORY_TRIES; i++, bytes *= 2) {
		work = malloc(bytes);
		if (!work || !p)
			abort();
		memset(p, 0, sizeof(*p));
		st = fat_plan_clone(p, &from->fat, &to->fat, &how, work, bytes);
		if (st == ST_OK || p->why != FAT_NO_MEMORY)
			break;
		free(work);
		work = NULL;
	}
	take(d, p, st, to);
	if (st == ST_OK && write) {
		st = fat_write_apply(p);
		d->why = p->why;
		memcpy(d->path, p->path, sizeof(d->path));
	}
	if (r.phase >= 0)
		say_progress_end(&r.bar);
	for (unsigned i = 0; i < r.left_count; i++)
		free(r.left[i]);
	free(r.left);
	free(work);
	free(p);
	return st == ST_OK;
}

bool esp_delta_make(struct esp_delta *d, struct esp_side *from, struct esp_side *to,
		    const struct esp_delta_options *o)
{
	esp_delta_free(d);
	return run(d, from, to, o, false);
}

bool esp_delta_apply(struct esp_delta *d, struct esp_side *from, struct esp_side *to,
		     const struct esp_delta_options *o)
{
	esp_delta_free(d);
	return run(d, from, to, o, true);
}

void esp_delta_why_text(const struct esp_delta *d, char *text, size_t size)
{
	int n;

	if (d->why == FAT_STOPPED) {
		snprintf(text, size, "interrupted");
		return;
	}
	esp_side_why_text(d->why, d->path, text, size);
	n = (int)strlen(text);
	if (d->why == FAT_DIRTY && d->why_source && (size_t)n < size)
		snprintf(text + n, size - (size_t)n, ": run fsck.fat, or say --force");
	if (d->why == FAT_NO_ROOM && d->missing_bytes && (size_t)n < size)
		snprintf(text + n, size - (size_t)n, " (about %llu KiB more would do)",
			 (unsigned long long)((d->missing_bytes + 1023) >> 10));
}
