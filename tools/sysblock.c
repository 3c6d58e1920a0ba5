/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tools/sysblock.h"

#include <libmount/libmount.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

/* One line of a file under /sys/dev/block/MAJ:MIN/. */
static bool attribute(dev_t dev, const char *name, char *line, size_t size)
{
	char path[128];
	FILE *f;
	bool ok;

	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/%s", major(dev), minor(dev), name);
	f = fopen(path, "re");
	if (!f)
		return false;
	ok = fgets(line, (int)size, f);
	fclose(f);
	if (ok)
		line[strcspn(line, "\n")] = 0;
	return ok;
}

static bool number(dev_t dev, const char *name, uint64_t *n)
{
	char line[64];

	if (!attribute(dev, name, line, sizeof(line)))
		return false;
	*n = strtoull(line, NULL, 10);
	return true;
}

bool sysblock_partition(dev_t dev, dev_t *whole, uint64_t *start_s512)
{
	char line[64];
	uint64_t part;
	unsigned maj, min;

	if (!number(dev, "partition", &part) || !number(dev, "start", start_s512) ||
	    !attribute(dev, "../dev", line, sizeof(line)) || sscanf(line, "%u:%u", &maj, &min) != 2)
		return false;
	*whole = makedev(maj, min);
	return true;
}

void sysblock_backing(struct stat *st)
{
	char file[PATH_MAX];
	struct stat under;
	uint64_t offset;

	if (S_ISBLK(st->st_mode) &&
	    attribute(st->st_rdev, "loop/backing_file", file, sizeof(file)) &&
	    number(st->st_rdev, "loop/offset", &offset) && !offset && !stat(file, &under))
		*st = under;
}

bool sysblock_is_over(dev_t dev, const struct stat *file)
{
	char path[PATH_MAX];
	struct stat st;

	return attribute(dev, "loop/backing_file", path, sizeof(path)) && !stat(path, &st) &&
	       st.st_dev == file->st_dev && st.st_ino == file->st_ino;
}

/* Is dev (not a partition) the disk h, or a loop device over it? Where it starts in h. */
static bool lies_on(const struct hostdisk *h, dev_t dev, uint64_t *offset_bytes)
{
	char file[PATH_MAX];
	struct stat st;

	*offset_bytes = 0;
	if (h->block && dev == h->rdev)
		return true;
	if (!attribute(dev, "loop/backing_file", file, sizeof(file)) || stat(file, &st))
		return false;
	number(dev, "loop/offset", offset_bytes);
	return h->block ? S_ISBLK(st.st_mode) && st.st_rdev == h->rdev
			: st.st_dev == h->dev && st.st_ino == h->ino;
}

static bool overlaps(const struct hostdisk *h, dev_t dev, uint64_t start_bytes, uint64_t len_bytes)
{
	uint64_t start_s512 = 0, size_s512 = 0, offset;
	dev_t whole = dev;

	if (!sysblock_partition(dev, &whole, &start_s512))
		whole = dev;
	if (!lies_on(h, whole, &offset) || !number(dev, "size", &size_s512))
		return false;
	offset += start_s512 << 9;
	return offset < start_bytes + len_bytes && start_bytes < offset + (size_s512 << 9);
}

bool sysblock_mounted(const struct hostdisk *h, uint64_t start_bytes, uint64_t len_bytes,
		      char **where)
{
	struct libmnt_table *table = mnt_new_table_from_file("/proc/self/mountinfo");
	struct libmnt_iter *iter = mnt_new_iter(MNT_ITER_FORWARD);
	struct libmnt_fs *fs;
	bool found = false;

	while (table && iter && !found && !mnt_table_next_fs(table, iter, &fs))
		if (overlaps(h, mnt_fs_get_devno(fs), start_bytes, len_bytes)) {
			found = true;
			*where = strdup(mnt_fs_get_target(fs));
		}
	mnt_free_iter(iter);
	mnt_unref_table(table);
	return found;
}

bool sysblock_controller(const struct hostdisk *h, char *name, size_t size)
{
	char link[64], path[PATH_MAX], *last = NULL, *save = NULL;
	unsigned domain, bus, slot, function;

	if (!h->block)
		return false;
	snprintf(link, sizeof(link), "/sys/dev/block/%u:%u", major(h->rdev), minor(h->rdev));
	if (!realpath(link, path))
		return false;
	/* The last PCI address on the way to the disk is its controller. */
	for (char *p = strtok_r(path, "/", &save); p; p = strtok_r(NULL, "/", &save))
		if (sscanf(p, "%x:%x:%x.%x", &domain, &bus, &slot, &function) == 4)
			last = p;
	if (last)
		snprintf(name, size, "%s", last);
	return last;
}
