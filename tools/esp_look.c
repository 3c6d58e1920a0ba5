/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* What of ours, and of others, is on an EFI system partition. */
#include "tools/esp_install.h"
#include "common/part.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DIR_BOOT "EFI/BOOT"
#define DIR_OURS "EFI/mirrorboot"
#define CONF     DIR_OURS "/mirrorboot.conf"
#define RECORD   DIR_OURS "/install.txt"

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
		e->loader[arch].maker = *file == ESP_FOREIGN ? efiapp_maker(data, n_bytes) : NULL;
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

bool esp_has_leftovers(const struct esp *e)
{
	return e->part && (e->folder || esp_is_installed(e));
}
