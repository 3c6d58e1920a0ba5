/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tools/esp_install.h"
#include "common/part.h"
#include "common/wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DIR_EFI  "EFI"
#define DIR_BOOT "EFI/BOOT"
#define DIR_OURS "EFI/mirrorboot"
#define CONF     DIR_OURS "/mirrorboot.conf"
#define RECORD   DIR_OURS "/install.txt"
#define MANIFEST DIR_OURS "/manifest"

#define ROUND_BYTES 4096 /* a guess at the cluster size, for the room that files take */

static bool fail(struct esp *e, const char *what)
{
	snprintf(e->why, sizeof(e->why), "%s: %s", what, e->fs.error[0] ? e->fs.error : "failed");
	return false;
}

static bool read_whose(struct esp *e, unsigned arch, const char *path, uint8_t *file)
{
	static const uint8_t whose[] = {[EFIAPP_FOREIGN] = ESP_FOREIGN,
					[EFIAPP_OTHER] = ESP_OURS_OTHER,
					[EFIAPP_THIS] = ESP_OURS};
	uint8_t *data;
	size_t n_bytes;
	enum status st = fatfs_read(&e->fs, path, &data, &n_bytes);

	*file = ESP_ABSENT;
	if (st == ST_OK) {
		*file = whose[efiapp_recognize(efiapp_get(arch), data, n_bytes)];
		if (*file != ESP_FOREIGN && efiapp_signed(data, n_bytes))
			e->loader[arch].is_signed = true;
	}
	free(data);
	return st == ST_OK || st == ST_ABSENT || fail(e, path);
}

static bool read_text(struct esp *e, const char *path, char *text, size_t size, bool *there,
		      bool *too_long)
{
	uint8_t *data;
	size_t n_bytes;
	enum status st = fatfs_read(&e->fs, path, &data, &n_bytes);

	*there = st == ST_OK;
	*too_long = n_bytes >= size;
	snprintf(text, size, "%s", st == ST_OK ? (char *)data : "");
	free(data);
	return st == ST_OK || st == ST_ABSENT || fail(e, path);
}

static void fallback_path(const struct esp_loader *l, char path[FATFS_PATH_BYTES * 2])
{
	snprintf(path, FATFS_PATH_BYTES * 2, DIR_BOOT "/%s", l->fallback_name);
}

static bool look_at_loader(struct esp *e, unsigned arch)
{
	const struct efiapp *app = efiapp_get(arch);
	struct esp_loader *l = &e->loader[arch];
	char path[FATFS_PATH_BYTES * 2];
	enum fatfs_kind kind;

	snprintf(path, sizeof(path), DIR_BOOT "/%s", app->fallback);
	if (fatfs_lookup(&e->fs, app->replaced, &kind, NULL) != ST_OK)
		return fail(e, app->replaced);
	l->replaced = kind == FATFS_FILE;
	if (fatfs_lookup(&e->fs, path, &kind, l->fallback_name) != ST_OK)
		return fail(e, app->fallback);
	if (kind != FATFS_FILE)
		snprintf(l->fallback_name, sizeof(l->fallback_name), "%s", app->fallback);
	if (!read_whose(e, arch, app->path, &l->app) || !read_whose(e, arch, path, &l->fallback))
		return false;
	l->wanted = arch == EFIAPP_X64 ||
		    (app->n_bytes && (l->app != ESP_ABSENT || l->fallback != ESP_ABSENT));
	return true;
}

static bool look_at_files(struct esp *e)
{
	enum fatfs_kind kind;
	bool there, too_long;

	if (fatfs_lookup(&e->fs, DIR_OURS, &kind, NULL) != ST_OK)
		return fail(e, DIR_OURS);
	e->folder = kind == FATFS_DIR;
	for (unsigned i = 0; i < EFIAPP_ARCHS; i++)
		if (!look_at_loader(e, i))
			return false;
	return read_text(e, CONF, e->config, sizeof(e->config), &e->has_config,
			 &e->config_too_long) &&
	       read_text(e, RECORD, e->record, sizeof(e->record), &there, &too_long);
}

bool esp_look(struct esp *e, const struct disk *d)
{
	static struct part_list list;
	uint8_t buf[DISK_SECTOR_BYTES];
	enum status st = part_read(d, &list, buf);

	memset(e, 0, sizeof(*e));
	if (st != ST_OK) {
		snprintf(e->why, sizeof(e->why), "its partition table %s",
			 st == ST_IO ? "could not be read" : "is damaged");
		return false;
	}
	for (unsigned i = 0; i < list.count && !e->part; i++)
		if (list.part[i].kind == PART_ESP) {
			e->part = list.part[i].number;
			e->start_bytes = list.part[i].start_lba << d->shift;
			e->len_bytes = list.part[i].sectors << d->shift;
			if (list.table != PART_TABLE_MBR)
				e->uuid = list.part[i].uuid;
		}
	if (!e->part)
		return true;
	st = fatfs_open(&e->fs, d, e->start_bytes >> d->shift, e->len_bytes >> d->shift);
	if (st == ST_RANGE)
		snprintf(e->why, sizeof(e->why),
			 "its EFI system partition %u has a file system that is larger than the "
			 "partition",
			 e->part);
	else if (st == ST_ABSENT)
		snprintf(e->why, sizeof(e->why),
			 "its EFI system partition %u has no FAT file system", e->part);
	else if (st != ST_OK)
		snprintf(e->why, sizeof(e->why), "its EFI system partition %u: %s", e->part,
			 e->fs.error);
	return st == ST_OK && look_at_files(e);
}

bool esp_is_installed(const struct esp *e)
{
	for (unsigned i = 0; e->part && i < EFIAPP_ARCHS; i++) {
		const struct esp_loader *l = &e->loader[i];

		if (l->app != ESP_ABSENT || l->fallback == ESP_OURS ||
		    (l->fallback == ESP_OURS_OTHER && (e->folder || l->replaced)))
			return true;
	}
	return false;
}

static uint64_t rounded(uint64_t n_bytes)
{
	return (n_bytes + ROUND_BYTES - 1) / ROUND_BYTES * ROUND_BYTES;
}

static bool plan_loader(struct esp *e, unsigned arch)
{
	const struct efiapp *app = efiapp_get(arch);
	struct esp_loader *l = &e->loader[arch];
	char path[FATFS_PATH_BYTES * 2];
	uint8_t *data;
	size_t n_bytes;

	if (l->app == ESP_OURS && l->fallback == ESP_OURS)
		return true;
	e->unchanged = false;
	/* Firmware with Secure Boot would not start what replaces it. */
	if (l->is_signed && !app->file) {
		snprintf(e->why, sizeof(e->why),
			 "the mirrorboot on its EFI system partition is signed, and this build is "
			 "not: sign it (make sign), then say --efi-file with the signed file");
		return false;
	}
	if (l->app != ESP_OURS)
		e->need_bytes += rounded(app->n_bytes);
	if (l->fallback != ESP_OURS)
		e->need_bytes += rounded(app->n_bytes);
	if (l->fallback == ESP_FOREIGN) {
		fallback_path(l, path);
		if (fatfs_read(&e->fs, path, &data, &n_bytes) != ST_OK)
			return fail(e, path);
		e->need_bytes += rounded(n_bytes);
		free(data);
	}
	return true;
}

static bool may_write(struct esp *e)
{
	bool tidy;

	if (fatfs_may_write(&e->fs, &tidy) == ST_OK)
		return esp_has_room(e);
	snprintf(e->why, sizeof(e->why),
		 "its EFI system partition is not written to: %s (fsck.fat may mend it)",
		 e->fs.error);
	return false;
}

/* A cut after the last of our files was there, before what it replaced was freed. */
static bool was_cut(struct esp *e)
{
	bool tidy;

	return fatfs_may_write(&e->fs, &tidy) == ST_OK && tidy;
}

bool esp_plan(struct esp *e, const char *config, bool ia32)
{
	bool new_config = config && strcmp(config, e->has_config ? e->config : "");

	if (ia32 && !efiapp_get(EFIAPP_IA32)->n_bytes) {
		snprintf(e->why, sizeof(e->why),
			 "this build has no application for 32-bit firmware: install gnu-efi's "
			 "32-bit files and build again, or say --efi-file");
		return false;
	}
	e->loader[EFIAPP_IA32].wanted |= ia32;
	e->unchanged = !new_config;
	e->need_bytes = 4 * ROUND_BYTES;
	for (unsigned i = 0; i < EFIAPP_ARCHS; i++)
		if (e->loader[i].wanted && !plan_loader(e, i))
			return false;
	if (e->unchanged)
		e->unchanged = !was_cut(e);
	return e->unchanged || may_write(e);
}

bool esp_has_room(struct esp *e)
{
	if (fatfs_free_bytes(&e->fs, &e->free_bytes) != ST_OK)
		return fail(e, "free room");
	if (e->free_bytes < e->need_bytes)
		snprintf(e->why, sizeof(e->why),
			 "its EFI system partition has too little room: %llu bytes needed, "
			 "%llu free",
			 (unsigned long long)e->need_bytes, (unsigned long long)e->free_bytes);
	return e->free_bytes >= e->need_bytes;
}

/* Make a folder; note it in the record, so that uninstall removes only what we made. */
static bool make_dir(struct esp *e, const char *path)
{
	enum fatfs_kind kind;
	size_t used = strlen(e->record);

	if (fatfs_lookup(&e->fs, path, &kind, NULL) != ST_OK)
		return fail(e, path);
	if (kind == FATFS_DIR)
		return true;
	if (fatfs_mkdir(&e->fs, path) != ST_OK)
		return fail(e, path);
	snprintf(e->record + used, sizeof(e->record) - used, "created %s\n", path);
	return true;
}

static bool put(struct esp *e, const char *path, const void *data, size_t n_bytes)
{
	return fatfs_write(&e->fs, path, data, n_bytes) == ST_OK || fail(e, path);
}

/* The fallback is written last. Should that fail, what was there is there still. */
static bool put_fallback(struct esp *e, unsigned arch, bool *touched)
{
	const struct efiapp *app = efiapp_get(arch);
	const struct esp_loader *l = &e->loader[arch];
	char path[FATFS_PATH_BYTES * 2];
	uint8_t *old = NULL;
	size_t old_bytes = 0;
	bool ok = true;

	if (!l->wanted || l->fallback == ESP_OURS)
		return true;
	fallback_path(l, path);
	if (l->fallback == ESP_FOREIGN) {
		ok = fatfs_read(&e->fs, path, &old, &old_bytes) == ST_OK || fail(e, path);
		ok = ok && put(e, app->replaced, old, old_bytes);
	}
	free(old);
	*touched |= ok;
	return ok && put(e, path, app->data, app->n_bytes);
}

bool esp_make_folders(struct esp *e)
{
	return make_dir(e, DIR_EFI) && make_dir(e, DIR_OURS) && make_dir(e, DIR_BOOT);
}

bool esp_apply(struct esp *e, const char *config, bool *fallback_touched)
{
	bool ok;

	*fallback_touched = false;
	if (e->unchanged)
		return true;
	ok = esp_make_folders(e) && put(e, RECORD, e->record, strlen(e->record));
	for (unsigned i = 0; ok && i < EFIAPP_ARCHS; i++) {
		const struct efiapp *app = efiapp_get(i);

		if (e->loader[i].wanted && e->loader[i].app != ESP_OURS)
			ok = put(e, app->path, app->data, app->n_bytes);
	}
	if (ok && config)
		ok = put(e, CONF, config, strlen(config));
	for (unsigned i = 0; ok && i < EFIAPP_ARCHS; i++)
		ok = put_fallback(e, i, fallback_touched);
	return ok;
}

static bool delete_if_there(struct esp *e, const char *path)
{
	enum fatfs_kind kind;

	if (fatfs_lookup(&e->fs, path, &kind, NULL) != ST_OK)
		return fail(e, path);
	return kind != FATFS_FILE || fatfs_delete(&e->fs, path) == ST_OK || fail(e, path);
}

/* Only folders that we made, and only when nobody has put anything into them since. */
static bool remove_dir(struct esp *e, const char *path)
{
	char line[FATFS_PATH_BYTES];
	bool empty = false;

	snprintf(line, sizeof(line), "created %s\n", path);
	if (!strstr(e->record, line))
		return true;
	if (fatfs_is_empty(&e->fs, path, &empty) != ST_OK)
		return fail(e, path);
	return !empty || fatfs_delete(&e->fs, path) == ST_OK || fail(e, path);
}

/* It takes its name from ours at once, and goes from its own after that. */
static bool put_replaced_back(struct esp *e, unsigned arch, const char *path)
{
	const struct efiapp *app = efiapp_get(arch);
	uint8_t *data;
	size_t n_bytes;
	bool ok;

	if (fatfs_read(&e->fs, app->replaced, &data, &n_bytes) != ST_OK)
		return fail(e, app->replaced);
	ok = put(e, path, data, n_bytes) && delete_if_there(e, app->replaced);
	free(data);
	return ok;
}

static bool is_ours_to_replace(const struct esp_loader *l)
{
	return l->fallback == ESP_OURS || l->fallback == ESP_OURS_OTHER ||
	       (l->fallback == ESP_ABSENT && l->replaced);
}

bool esp_plan_remove(struct esp *e)
{
	uint8_t *data;
	size_t n_bytes;

	e->need_bytes = 0;
	for (unsigned i = 0; i < EFIAPP_ARCHS; i++) {
		const char *replaced = efiapp_get(i)->replaced;

		if (!e->loader[i].replaced || !is_ours_to_replace(&e->loader[i]))
			continue;
		if (fatfs_read(&e->fs, replaced, &data, &n_bytes) != ST_OK)
			return fail(e, replaced);
		free(data);
		if (rounded(n_bytes) > e->need_bytes)
			e->need_bytes = rounded(n_bytes); /* one after the other */
	}
	return may_write(e);
}

static bool remove_loader(struct esp *e, unsigned arch, bool *touched)
{
	const struct efiapp *app = efiapp_get(arch);
	const struct esp_loader *l = &e->loader[arch];
	char path[FATFS_PATH_BYTES * 2];
	bool ours = is_ours_to_replace(l);

	fallback_path(l, path);
	*touched |= ours;
	if (ours && !(l->replaced ? put_replaced_back(e, arch, path) : delete_if_there(e, path)))
		return false;
	/* Not ours any more: somebody has installed another loader since, which stays. */
	if (!ours && !delete_if_there(e, app->replaced))
		return false;
	return delete_if_there(e, app->path);
}

bool esp_remove(struct esp *e, bool *fallback_touched)
{
	*fallback_touched = false;
	/* First: what it lists is about to change. */
	if (!delete_if_there(e, MANIFEST))
		return false;
	for (unsigned i = 0; i < EFIAPP_ARCHS; i++)
		if (!remove_loader(e, i, fallback_touched))
			return false;
	return delete_if_there(e, CONF) && delete_if_there(e, RECORD) && remove_dir(e, DIR_OURS) &&
	       remove_dir(e, DIR_BOOT) && remove_dir(e, DIR_EFI);
}
