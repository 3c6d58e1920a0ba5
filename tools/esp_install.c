/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tools/esp_install.h"

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

static void fallback_path(const struct esp_loader *l, char path[FATFS_PATH_BYTES * 2])
{
	snprintf(path, FATFS_PATH_BYTES * 2, DIR_BOOT "/%s", l->fallback_name);
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

/*
 * Only folders that we made, and only when nobody has put anything into them since. Ours is ours:
 * a run that was cut may have left no record of it.
 */
static bool remove_dir(struct esp *e, const char *path)
{
	char line[FATFS_PATH_BYTES];
	enum fatfs_kind kind;
	bool empty = false;

	snprintf(line, sizeof(line), "created %s\n", path);
	if (!strstr(e->record, line) && strcmp(path, DIR_OURS))
		return true;
	if (fatfs_lookup(&e->fs, path, &kind, NULL) != ST_OK ||
	    fatfs_is_empty(&e->fs, path, &empty) != ST_OK)
		return fail(e, path);
	return kind != FATFS_DIR || !empty || fatfs_delete(&e->fs, path) == ST_OK || fail(e, path);
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
	/* The record goes when all but one of the folders it lists are gone. */
	return delete_if_there(e, CONF) && remove_dir(e, DIR_BOOT) && delete_if_there(e, RECORD) &&
	       remove_dir(e, DIR_OURS) && remove_dir(e, DIR_EFI);
}
