/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tests/sim/crashfatclone.h"

#include "tests/sim/crashfat.h"
#include "common/fat_write.h"
#include "common/manifest.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define WORK_BYTES (1u << 20)
#define FILE_MAX   60000u
#define OLD_TIME   0x58210000u
#define NEW_TIME   0x5a420000u
#define MANIFEST   "\\EFI\\mirrorboot\\manifest"

struct fat crashfatclone_target;

static uint8_t work[WORK_BYTES];
static struct fat source_fat;
static struct fat_plan plan;

/* ---- trees ---- */

static void put_file(const struct disk *d, const char *path, const void *data, size_t bytes,
		     uint32_t fat_time)
{
	assert_int_equal(fat_open(&crashfatclone_target, d, 0, d->sectors), ST_OK);
	assert_int_equal(fat_plan_put(&plan, &crashfatclone_target, path, data, (uint32_t)bytes,
				      fat_time, NULL, work, WORK_BYTES),
			 ST_OK);
	assert_int_equal(fat_write_apply(&plan), ST_OK);
}

static void put_tree(struct scene *s, const struct disk *d, bool new)
{
	enum text text = new ? TEXT_NEW : TEXT_OLD;
	static uint8_t data[FILE_MAX];

	for (unsigned i = 0; i < s->items; i++) {
		const struct item *it = &s->item[i];
		int bytes = new ? it->new_bytes : it->old_bytes;

		if (bytes == NONE)
			continue;
		crashfat_content(data, bytes, new ? it->new_seed : it->old_seed);
		put_file(d, it->path, data, (size_t)bytes, new ? NEW_TIME : OLD_TIME);
	}
	if (s->manifests)
		put_file(d, MANIFEST, s->text[text], s->text_bytes[text], OLD_TIME);
}

/* A manifest of what is there before or after, or of a clone that is under way. */
static void make_text(struct scene *s, enum text text)
{
	static const struct guid set = {{1, 2, 3}}, source = {{4, 5, 6}};
	static uint8_t data[FILE_MAX];
	struct manifest_writer w;

	manifest_begin(&w, s->text[text], CRASHFATCLONE_TEXT, &set, text == TEXT_OLD ? 1 : 2,
		       text == TEXT_UPDATING ? MANIFEST_UPDATING : MANIFEST_COMPLETE, &source);
	for (unsigned i = 0; i < s->items && text != TEXT_UPDATING; i++) {
		const struct item *it = &s->item[i];
		int bytes = text == TEXT_NEW ? it->new_bytes : it->old_bytes;
		struct manifest_file f = {.path = it->path, .path_bytes = strlen(it->path)};
		struct sha256 sum;

		if (bytes == NONE)
			continue;
		crashfat_content(data, bytes, text == TEXT_NEW ? it->new_seed : it->old_seed);
		sha256_init(&sum);
		sha256_add(&sum, data, (size_t)bytes);
		sha256_end(&sum, f.sha256);
		f.bytes = (uint64_t)bytes;
		f.fat_time = text == TEXT_NEW ? NEW_TIME : OLD_TIME;
		manifest_add(&w, &f);
	}
	assert_int_equal(manifest_end(&w), ST_OK);
	s->text_bytes[text] = w.bytes;
}

/* ---- judging ---- */

enum is { IS_OLD = 1, IS_NEW = 2 };

static bool holds(const struct fat_entry *e, const void *wanted, size_t bytes)
{
	static uint8_t got[FILE_MAX + 4096];
	struct fat_file file;
	uint32_t n = 0;

	if (e->bytes != bytes || fat_file_open(&crashfatclone_target, e, &file) != ST_OK)
		return false;
	return fat_file_read(&crashfatclone_target, &file, got, (FILE_MAX + 4096) & ~4095u, &n) ==
		       ST_OK &&
	       n == bytes && !memcmp(got, wanted, n);
}

static bool has_content(const struct fat_entry *e, int bytes, int seed)
{
	static uint8_t wanted[FILE_MAX];

	if (bytes == NONE)
		return false;
	crashfat_content(wanted, bytes, seed);
	return holds(e, wanted, (size_t)bytes);
}

/* Which of the two states it is in; both, where they are alike. */
static unsigned look_at(const struct item *it)
{
	static struct fat_entry e;
	enum status st = fat_find(&crashfatclone_target, it->path, strlen(it->path), &e);

	if (st != ST_OK || fat_is_folder(&e))
		return (it->old_bytes == NONE ? IS_OLD : 0u) |
		       (it->new_bytes == NONE ? IS_NEW : 0u);
	return (has_content(&e, it->old_bytes, it->old_seed) ? IS_OLD : 0u) |
	       (has_content(&e, it->new_bytes, it->new_seed) ? IS_NEW : 0u);
}

/* One of the three, whole; and never before what it says is so, or after. */
static enum text judge_manifest(struct scene *s, const char *what, bool any_new, bool all_new)
{
	static struct fat_entry e;
	unsigned i = TEXTS;

	if (fat_find(&crashfatclone_target, MANIFEST, strlen(MANIFEST), &e) == ST_OK)
		for (i = 0; i < TEXTS && !holds(&e, s->text[i], s->text_bytes[i]);)
			i++;
	if (i == TEXTS)
		CRASHWRONG(s, what, "the manifest is none of the three");
	if (i == TEXT_OLD && any_new)
		CRASHWRONG(s, what, "files are new, and the manifest is that of the old ones");
	if (i == TEXT_NEW && !all_new)
		CRASHWRONG(s, what, "files are old, and the manifest is that of the new ones");
	return i;
}

void crashfatclone_judge(struct scene *s, const char *what)
{
	bool any_new = false, any_old = false;
	bool first_missing = false, last_new = false, gone = false, all_new = true;
	static struct fat_walk w;
	unsigned files = 0, known = 0;
	enum status st;

	for (unsigned i = 0; i < s->items; i++) {
		const struct item *it = &s->item[i];
		unsigned is = look_at(it);

		if (!is)
			CRASHWRONG(s, what, "%s is neither old nor new", it->path);
		if (is == IS_OLD && !it->last && it->new_bytes != NONE)
			first_missing = true;
		if (is == IS_NEW && it->last)
			last_new = true;
		if (is == IS_NEW && it->new_bytes == NONE && !strstr(it->path, "dnik"))
			gone = strstr(it->path, "kind") ? gone : true;
		if (is == IS_OLD && it->new_bytes != NONE)
			all_new = false;
		any_new = any_new || is == IS_NEW;
		any_old = any_old || is == IS_OLD;
		if (is & IS_OLD && (is & IS_NEW) == 0)
			s->old++;
		if (is == IS_NEW)
			s->new ++;
		if ((is & IS_OLD && it->old_bytes != NONE) ||
		    (is & IS_NEW && it->new_bytes != NONE))
			known++;
	}
	if (last_new && first_missing)
		CRASHWRONG(s, what, "what decides the boot is new before all else is");
	if (gone && !all_new)
		CRASHWRONG(s, what, "a file is gone before all that is new is there");
	if (s->manifests) {
		judge_manifest(s, what, any_new, !any_old);
		known++;
	}
	fat_walk_start(&crashfatclone_target, &w);
	while ((st = fat_walk_next(&crashfatclone_target, &w)) == ST_OK)
		files += !fat_is_folder(&w.entry);
	if (st != ST_ABSENT)
		CRASHWRONG(s, what, "folders can't be read (%d)", st);
	if (files != known)
		CRASHWRONG(s, what, "%u files, of which %u are known", files, known);
}

/* ---- cloning ---- */

/* No plan or no write: that is wrong. Is there anything to write? */
static bool apply(struct scene *s, enum status st, bool dirty_ok, const char *what)
{
	bool empty;

	if (st != ST_OK)
		CRASHWRONG(s, what, "no plan: %s: %s", fat_why_text(plan.why), plan.path);
	if (plan.tidy && !dirty_ok)
		CRASHWRONG(s, what, "not marked as dirty, and there is something to be put right");
	empty = fat_plan_is_empty(&plan);
	st = fat_write_apply(&plan);
	if (st != ST_OK)
		CRASHWRONG(s, what, "%s: %s", fat_why_text(plan.why), plan.path);
	return !empty;
}

static bool put_text(struct scene *s, enum text text, bool dirty_ok, const char *what)
{
	const struct fat_plan_options o = {.target_dirty_ok = dirty_ok};

	return apply(s,
		     fat_plan_put(&plan, &crashfatclone_target, MANIFEST, s->text[text],
				  (uint32_t)s->text_bytes[text], NEW_TIME, &o, work, WORK_BYTES),
		     dirty_ok, what);
}

static enum fat_policy policy(void *ctx, const char *path, size_t bytes, bool folder)
{
	return !strcmp(path, MANIFEST) ? FAT_POLICY_LEAVE : FAT_POLICY_CLONE;
}

static enum status make_plan(bool dirty_ok)
{
	const struct fat_plan_options o = {.target_dirty_ok = dirty_ok, .policy = policy};

	return fat_plan_clone(&plan, &source_fat, &crashfatclone_target, &o, work, WORK_BYTES);
}

bool crashfatclone_is_begun(const struct scene *s)
{
	for (unsigned i = 0; i < s->items; i++)
		if (look_at(&s->item[i]) == IS_NEW)
			return true;
	return false;
}

const char *crashfatclone_old(const struct scene *s)
{
	for (unsigned i = 0; i < s->items; i++)
		if (!(look_at(&s->item[i]) & IS_NEW))
			return s->item[i].path;
	return NULL;
}

void crashfatclone_make(struct scene *s, struct disk *target)
{
	for (unsigned i = 0; i < TEXTS; i++)
		make_text(s, i);
	s->source = crashfat_disk(s->source_image, s->source_sectors);
	crashfat_format(&s->source, 12, 0);
	put_tree(s, &s->source, true);
	crashfat_format(target, s->type, s->cluster_bytes);
	put_tree(s, target, false);
}

bool crashfatclone_run(struct scene *s, const struct disk *d, bool dirty_ok, const char *what)
{
	bool wrote = false;

	if (fat_open(&source_fat, &s->source, 0, s->source.sectors) != ST_OK ||
	    fat_open(&crashfatclone_target, d, 0, d->sectors) != ST_OK)
		CRASHWRONG(s, what, "no FAT file system");
	if (!s->manifests)
		return apply(s, make_plan(dirty_ok), dirty_ok, what);
	if (make_plan(dirty_ok) != ST_OK)
		CRASHWRONG(s, what, "no plan: %s: %s", fat_why_text(plan.why), plan.path);
	if (!fat_plan_is_empty(&plan)) {
		wrote = put_text(s, TEXT_UPDATING, dirty_ok, what);
		wrote |= apply(s, make_plan(false), false, what);
	}
	return put_text(s, TEXT_NEW, dirty_ok && !wrote, what) || wrote;
}

enum fat_why crashfatclone_try(struct scene *s, const struct disk *d)
{
	s->looking = true;
	plan.why = FAT_FINE;
	if (setjmp(s->found)) {
		s->looking = false;
		return plan.why == FAT_FINE ? FAT_WHYS : plan.why;
	}
	crashfatclone_run(s, d, false, "lied to");
	s->looking = false;
	return FAT_FINE;
}
