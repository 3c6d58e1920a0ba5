/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "efi/clonedelta.h"

#include "common/esppolicy.h"
#include "common/fat_write.h"

/* ---- what is left out ------------------------------------------------------------------------ */

/* An entry without a counter on the source has booted well there: it is cloned. */
static void leave_counters(struct cloneside *from, struct cloneside *to)
{
	for (uint32_t i = 0; i < to->files.count; i++)
		to->files.file[i].left = false;
	for (uint32_t i = 0; i < from->files.count; i++) {
		struct espfiles_file *a = &from->files.file[i];
		size_t at, bytes;

		a->left = false;
		if (!esppolicy_counter(a->f.path, a->f.path_bytes, &at, &bytes))
			continue;
		for (uint32_t k = 0; k < to->files.count && !a->left; k++)
			if (esppolicy_keeps_counter(&a->f, &to->files.file[k].f))
				a->left = to->files.file[k].left = true;
	}
}

static bool is_left(const struct cloneside *s, const char *path, size_t bytes)
{
	const struct espfiles_file *f = espfiles_find(&s->files, path, bytes);

	return f && f->left;
}

static enum fat_policy policy(void *ctx, const char *path, size_t bytes, bool folder)
{
	struct clonedelta *d = ctx;

	if (is_left(d->from, path, bytes) || is_left(d->to, path, bytes))
		return FAT_POLICY_LEAVE;
	switch (esppolicy_of(path, bytes, NULL, 0)) {
	case ESP_LEFT: return FAT_POLICY_LEAVE;
	case ESP_ONCE:
		return folder || fat_find(&d->lookup, path, bytes, &d->entry) != ST_OK
			       ? FAT_POLICY_CLONE
			       : FAT_POLICY_LEAVE;
	default: return FAT_POLICY_CLONE;
	}
}

static bool progress(void *ctx, enum fat_phase phase, uint64_t done, uint64_t of)
{
	static const char *const what[] = {"comparing", "writing", "reading back"};
	const struct clonedelta *d = ctx;

	if (of)
		bar_at(d->to->bar, what[phase], done, of);
	return true;
}

/* ---- the plan -------------------------------------------------------------------------------- */

static void say_why(struct clonedelta *d)
{
	const struct fat_plan *p = &d->plan;
	struct cloneside *s = p->why_source ? d->from : d->to;
	struct text *out = s->bar->out;

	cloneside_say_begin(s);
	text_str(out, fat_why_text(p->why));
	if (p->path[0]) {
		text_str(out, ": ");
		text_str(out, p->path);
	}
	if (p->why == FAT_DIRTY && p->why_source)
		text_str(out, ": run fsck.fat, or say --force");
	if (p->why == FAT_NO_ROOM && p->missing_bytes) {
		text_str(out, " (about ");
		text_u64(out, (p->missing_bytes + 1023) >> 10);
		text_str(out, " KiB more would do)");
	}
	text_char(out, '\n');
}

void clonedelta_free(struct clonedelta *d)
{
	if (d->work)
		uefi_free_pages(d->work, (size_t)d->work_bytes);
	d->work = NULL;
}

bool clonedelta_make(struct clonedelta *d, struct cloneside *from, struct cloneside *to,
		     const struct clonedelta_options *o)
{
	struct espgen_esp source = cloneside_facts(from, false);
	const struct fat_plan_options how = {
		.policy = policy,
		.progress = progress,
		.ctx = d,
		.keep_extra = o->keep_extra,
		.target_dirty_ok = true,
		/* The mark says little where each file is as its manifest says. */
		.source_dirty_ok = o->source_dirty_ok || source.is_current};
	uint32_t entries = 2 * (from->files.count + to->files.count) + 256;
	enum status st = ST_FULL;

	clonedelta_free(d);
	d->from = from;
	d->to = to;
	d->options = o;
	d->lookup = to->fat;
	leave_counters(from, to);
	d->work_bytes = fat_plan_memory(&from->fat, &to->fat, entries);
	for (unsigned i = 0; i < CLONESIDE_TRIES; i++) {
		d->plan.why = FAT_NO_MEMORY;
		d->work = cloneside_memory(d->work_bytes);
		if (d->work == NULL)
			break;
		st = fat_plan_clone(&d->plan, &from->fat, &to->fat, &how, d->work,
				    (size_t)d->work_bytes);
		if (st == ST_OK || d->plan.why != FAT_NO_MEMORY)
			break;
		clonedelta_free(d);
		d->work_bytes *= 2;
	}
	bar_end(to->bar);
	if (st != ST_OK)
		say_why(d);
	return st == ST_OK;
}

bool clonedelta_apply(struct clonedelta *d)
{
	enum status st = fat_write_apply(&d->plan);

	bar_end(d->to->bar);
	if (st != ST_OK)
		say_why(d);
	return st == ST_OK;
}

/* ---- room ------------------------------------------------------------------------------------ */

static uint32_t clusters_of(const struct cloneside *s, uint64_t bytes)
{
	return (uint32_t)((bytes + (1u << s->fat.cluster_shift) - 1) >> s->fat.cluster_shift);
}

/* All that lies in a folder which goes. */
static int64_t clusters_under(const struct cloneside *to, const struct fat_plan_item *folder)
{
	int64_t clusters = 1;

	for (uint32_t i = 0; i < to->files.count; i++) {
		const struct manifest_file *f = &to->files.file[i].f;

		if (f->path_bytes > folder->path_bytes && f->path[folder->path_bytes] == '\\' &&
		    esppolicy_same(f->path, folder->path, folder->path_bytes))
			clusters += clusters_of(to, f->bytes);
	}
	return clusters;
}

uint64_t clonedelta_room_after(const struct clonedelta *d)
{
	const struct cloneside *to = d->to;
	int64_t clusters = (int64_t)to->fat.clusters - d->plan.to.used;
	struct fat_plan_item item;
	uint32_t at = 0;

	while (fat_plan_next(&d->plan, &at, &item)) {
		bool goes = item.action == FAT_REMOVE || item.action == FAT_REPLACE;
		const struct espfiles_file *old =
			goes ? espfiles_find(&to->files, item.path, item.path_bytes) : NULL;

		if (item.action == FAT_CREATE || item.action == FAT_REPLACE)
			clusters -= item.folder ? 1 : clusters_of(to, item.bytes);
		if (old)
			clusters += clusters_of(to, old->f.bytes);
		else if (item.folder && item.action == FAT_REMOVE)
			clusters += clusters_under(to, &item);
	}
	return clusters > 0 ? (uint64_t)clusters << to->fat.cluster_shift : 0;
}
