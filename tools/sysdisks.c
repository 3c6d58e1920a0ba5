/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tools/sysdisks.h"

#include <dirent.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* A path under sysfs, to be freed. */
static char *__attribute__((format(printf, 1, 2))) sys_path(const char *fmt, ...)
{
	const char *root = getenv("MIRRORBOOT_SYSFS");
	char *rest, *path;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&rest, fmt, ap);
	va_end(ap);
	if (n < 0 || asprintf(&path, "%s/%s", root ? root : "/sys", rest) < 0)
		abort();
	free(rest);
	return path;
}

/* 0 where there is none. Takes the path. */
static unsigned long long number_in(char *path)
{
	unsigned long long n = 0;
	FILE *f = fopen(path, "re");

	if (f && fscanf(f, "%llu", &n) != 1)
		n = 0;
	if (f)
		fclose(f);
	free(path);
	return n;
}

static int is_disk(const struct dirent *d)
{
	static const char *const others[] = {"sr", "fd", "nbd", "mtd"};
	char *device;
	bool there;

	if (d->d_name[0] == '.')
		return 0;
	for (unsigned i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (!strncmp(d->d_name, others[i], strlen(others[i])))
			return 0;
	/* What the kernel makes of other devices has none of its own. */
	device = sys_path("block/%s/device", d->d_name);
	there = !access(device, F_OK);
	free(device);
	return there && number_in(sys_path("block/%s/size", d->d_name));
}

/* sysfs has "!" where names of devices have "/". */
static char *path_of(const char *name)
{
	char *path;

	if (asprintf(&path, "/dev/%s", name) < 0)
		abort();
	for (char *c = path; *c; c++)
		if (*c == '!')
			*c = '/';
	return path;
}

unsigned sysdisks_find(char ***path)
{
	struct dirent **found;
	char *folder = sys_path("block");
	int n = scandir(folder, &found, is_disk, versionsort);
	unsigned count = n < 0 ? 0 : (unsigned)n;

	free(folder);

	*path = calloc(count + 1, sizeof(**path));
	if (!*path)
		abort();
	for (unsigned i = 0; i < count; i++) {
		(*path)[i] = path_of(found[i]->d_name);
		free(found[i]);
	}
	if (n >= 0)
		free(found);
	return count;
}

void sysdisks_free(char **path, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		free(path[i]);
	free(path);
}

/* ---- partitions, arrays ---- */

/* "sda", to be freed; NULL: sysfs does not know it, as with an image. */
static char *name_of(const struct hostdisk *h)
{
	char *link, real[PATH_MAX], *folder, *name = NULL;

	if (h->block) {
		link = sys_path("dev/block/%u:%u", major(h->rdev), minor(h->rdev));
		if (realpath(link, real))
			name = strdup(strrchr(real, '/') + 1);
		free(link);
		return name;
	}
	/* A folder in place of sysfs may know images by their names. */
	if (!getenv("MIRRORBOOT_SYSFS"))
		return NULL;
	name = strdup(strrchr(h->path, '/') ? strrchr(h->path, '/') + 1 : h->path);
	folder = name ? sys_path("class/block/%s", name) : NULL;
	if (folder && access(folder, F_OK)) {
		free(name);
		name = NULL;
	}
	free(folder);
	return name;
}

/* "sda1", to be freed; NULL: there is none. */
static char *part_name(const struct hostdisk *h, unsigned part)
{
	char *disk = name_of(h), *found = NULL, *folder;
	struct dirent *e;
	DIR *dir;

	if (!disk || !part)
		return disk;
	folder = sys_path("class/block/%s", disk);
	dir = opendir(folder);
	while (dir && !found && (e = readdir(dir)))
		if (e->d_name[0] != '.' &&
		    number_in(sys_path("class/block/%s/%s/partition", disk, e->d_name)) == part)
			found = strdup(e->d_name);
	if (dir)
		closedir(dir);
	free(folder);
	free(disk);
	return found;
}

char *sysdisks_partition(const struct hostdisk *h, unsigned part)
{
	char *name = part_name(h, part), *path = name ? path_of(name) : NULL;

	free(name);
	return path;
}

char *sysdisks_array(const struct hostdisk *h, unsigned part)
{
	char *name = part_name(h, part), *folder, *path = NULL;
	struct dirent *e;
	DIR *dir;

	if (!name)
		return NULL;
	folder = sys_path("class/block/%s/holders", name);
	dir = opendir(folder);
	while (dir && !path && (e = readdir(dir)))
		if (!strncmp(e->d_name, "md", 2))
			path = path_of(e->d_name);
	if (dir)
		closedir(dir);
	free(folder);
	free(name);
	return path;
}
