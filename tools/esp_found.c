/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tools/esp_found.h"

#include "tools/sysblock.h"

#include <blkid/blkid.h>
#include <dirent.h>
#include <libmount/libmount.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define SYS      "/sys/block"
#define TYPE_ESP "c12a7328-f81f-11d2-ba4b-00a0c93ec93b"

static char *print(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static char *print(const char *fmt, ...)
{
	va_list ap;
	char *text;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0)
		abort();
	return text;
}

static bool read_number(const char *folder, const char *name, uint64_t *n)
{
	char *path = print("%s/%s", folder, name);
	FILE *f = fopen(path, "re");
	unsigned long long value;
	bool found = f && fscanf(f, "%llu", &value) == 1;

	if (found)
		*n = value;
	if (f)
		fclose(f);
	free(path);
	return found;
}

/* sysfs has "!" where the name has "/". */
static char *device(const char *name)
{
	char *path = print("/dev/%s", name);

	for (char *p = path; *p; p++)
		if (*p == '!')
			*p = '/';
	return path;
}

static bool is_disk(const char *name)
{
	static const char *const others[] = {"loop", "ram", "zram", "sr", "fd", "md", "dm-"};
	char *folder;
	uint64_t size = 0;

	if (*name == '.')
		return false;
	for (unsigned i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (!strncmp(name, others[i], strlen(others[i])))
			return false;
	folder = print(SYS "/%s", name);
	read_number(folder, "size", &size);
	free(folder);
	return size;
}

/* "/dev/sda1"; NULL: the kernel has no partition of this number there. */
static char *node_of(const char *disk, const struct esp_found *p)
{
	char *folder = print(SYS "/%s", disk), *node = NULL;
	DIR *dir = opendir(folder);
	struct dirent *e;

	while (dir && !node && (e = readdir(dir))) {
		char *part = print("%s/%s", folder, e->d_name);
		uint64_t number, start;
		struct stat st;

		if (read_number(part, "partition", &number) && number == p->number &&
		    read_number(part, "start", &start) && start == p->start_s512) {
			node = device(e->d_name);
			if (stat(node, &st)) {
				free(node);
				node = NULL;
			}
		}
		free(part);
	}
	if (dir)
		closedir(dir);
	free(folder);
	return node;
}

static void add(struct esp_found_list *l, const char *name, const char *disk, dev_t whole,
		blkid_partition par)
{
	const char *guid = blkid_partition_get_uuid(par);
	const char *type = blkid_partition_get_type_string(par);
	struct esp_found *p;

	if (!guid)
		return;
	l->part = realloc(l->part, (l->count + 1) * sizeof(*l->part));
	if (!l->part)
		abort();
	p = &l->part[l->count++];
	*p = (struct esp_found){.disk = print("%s", disk),
				.number = (unsigned)blkid_partition_get_partno(par),
				.is_esp = type && !strcasecmp(type, TYPE_ESP),
				.whole = whole,
				.start_s512 = (uint64_t)blkid_partition_get_start(par)};
	snprintf(p->guid, sizeof(p->guid), "%s", guid);
	p->arg = node_of(name, p);
	if (!p->arg)
		p->arg = print("%s:%s", disk, guid);
}

static void look_at(struct esp_found_list *l, const char *name)
{
	char *disk = device(name);
	struct stat st;
	blkid_probe probe = stat(disk, &st) ? NULL : blkid_new_probe_from_filename(disk);
	blkid_partlist parts = probe ? blkid_probe_get_partitions(probe) : NULL;
	blkid_parttable table = parts ? blkid_partlist_get_table(parts) : NULL;

	if (table && !strcmp(blkid_parttable_get_type(table), "gpt"))
		for (int i = 0; i < blkid_partlist_numof_partitions(parts); i++)
			add(l, name, disk, st.st_rdev, blkid_partlist_get_partition(parts, i));
	blkid_free_probe(probe);
	free(disk);
}

void esp_found_all(struct esp_found_list *l)
{
	struct dirent **e;
	int n = scandir(SYS, &e, NULL, alphasort);

	memset(l, 0, sizeof(*l));
	for (int i = 0; i < n; i++) {
		if (is_disk(e[i]->d_name))
			look_at(l, e[i]->d_name);
		free(e[i]);
	}
	if (n >= 0)
		free(e);
}

void esp_found_free(struct esp_found_list *l)
{
	for (unsigned i = 0; i < l->count; i++) {
		free(l->part[i].disk);
		free(l->part[i].arg);
	}
	free(l->part);
	memset(l, 0, sizeof(*l));
}

static bool exists(const char *path)
{
	struct stat st;

	return !stat(path, &st);
}

static enum esp_found_what resolve_image(const char *id, char **arg)
{
	const char *colon = strrchr(id, ':');
	char *file = colon ? strndup(id, (size_t)(colon - id)) : NULL;
	bool there = exists(id) || (file && exists(file));

	free(file);
	*arg = print("%s", id);
	return there ? ESP_FOUND : ESP_FOUND_MISSING;
}

enum esp_found_what esp_found_resolve(const struct esp_found_list *l, const char *id, char **arg)
{
	unsigned count = 0;

	if (strncasecmp(id, "PARTUUID=", 9) != 0)
		return resolve_image(id, arg);
	*arg = NULL;
	for (unsigned i = 0; i < l->count; i++)
		if (!strcasecmp(l->part[i].guid, id + 9) && count++ == 0)
			*arg = print("%s", l->part[i].arg);
	if (count == 1)
		return ESP_FOUND;
	free(*arg);
	*arg = print("%s", id);
	return count ? ESP_FOUND_TWICE : ESP_FOUND_MISSING;
}

/* ---- where it is mounted ---- */

static const struct esp_found *by_device(const struct esp_found_list *l, dev_t dev)
{
	uint64_t start_s512;
	dev_t whole;

	if (!sysblock_partition(dev, &whole, &start_s512))
		return NULL;
	for (unsigned i = 0; i < l->count; i++)
		if (l->part[i].whole == whole && l->part[i].start_s512 == start_s512)
			return &l->part[i];
	return NULL;
}

/* What was mounted there last counts. */
static const struct esp_found *mounted_on(const struct esp_found_list *l,
					  struct libmnt_table *table, const char *target)
{
	struct libmnt_iter *iter = mnt_new_iter(MNT_ITER_BACKWARD);
	const struct esp_found *found = NULL;
	struct libmnt_fs *fs;

	while (table && iter && !found && !mnt_table_next_fs(table, iter, &fs)) {
		const char *type = mnt_fs_get_fstype(fs);

		if (!strcmp(mnt_fs_get_target(fs), target) && type && !strcmp(type, "vfat"))
			found = by_device(l, mnt_fs_get_devno(fs));
	}
	mnt_free_iter(iter);
	return found && found->is_esp ? found : NULL;
}

const struct esp_found *esp_found_mounted(const struct esp_found_list *l)
{
	static const char *const usual[] = {"/boot/efi", "/efi", "/boot"};
	struct libmnt_table *table = mnt_new_table_from_file("/proc/self/mountinfo");
	const struct esp_found *found = NULL;

	for (unsigned i = 0; i < sizeof(usual) / sizeof(usual[0]) && !found; i++)
		found = mounted_on(l, table, usual[i]);
	mnt_unref_table(table);
	return found;
}
