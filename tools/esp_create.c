/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tools/esp_create.h"

#include "common/part.h"
#include "tools/run.h"
#include "tools/say.h"

#include <blkid/blkid.h>
#include <fcntl.h>
#include <libfdisk/libfdisk.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TYPE_ESP    "C12A7328-F81F-11D2-BA4B-00A0C93EC93B"
#define ALIGN_BYTES (1u << 20)

static struct fdisk_context *open_table(const struct esp_place *p, bool read_only)
{
	struct fdisk_context *cxt = fdisk_new_context();
	char path[32];

	run_fd_path(p->host->fd, path);
	if (!cxt)
		abort();
	fdisk_disable_dialogs(cxt, 1);
	if (!p->host->block)
		fdisk_save_user_sector_size(cxt, 1u << p->disk->shift, 1u << p->disk->shift);
	if (!fdisk_assign_device(cxt, path, read_only) &&
	    fdisk_is_labeltype(cxt, FDISK_DISKLABEL_GPT))
		return cxt;
	say_about(p->arg, "its partition table could not be read (libfdisk)");
	fdisk_unref_context(cxt);
	return NULL;
}

static void close_table(struct fdisk_context *cxt)
{
	fdisk_deassign_device(cxt, 0);
	fdisk_unref_context(cxt);
}

/* The first free space that is long enough, from a MiB on. */
static bool find_room(const struct esp_place *p, struct fdisk_table *spaces, uint64_t bytes,
		      struct esp_create *c)
{
	struct fdisk_iter *iter = fdisk_new_iter(FDISK_ITER_FORWARD);
	uint64_t align = ALIGN_BYTES >> p->disk->shift;
	struct fdisk_partition *pa;

	if (!iter)
		abort();
	while (!c->sectors && !fdisk_table_next_partition(spaces, iter, &pa)) {
		uint64_t start = fdisk_partition_get_start(pa), n = fdisk_partition_get_size(pa);
		uint64_t skip = (align - start % align) % align;

		if (skip >= n)
			continue;
		n -= skip;
		if (n << p->disk->shift > c->longest_bytes)
			c->longest_bytes = n << p->disk->shift;
		if (n < bytes >> p->disk->shift)
			continue;
		c->start_lba = start + skip;
		c->sectors = bytes >> p->disk->shift;
	}
	fdisk_free_iter(iter);
	return c->sectors;
}

bool esp_create_plan(const struct esp_place *p, uint64_t bytes, struct esp_create *c)
{
	static struct part_list list;
	uint8_t buf[DISK_SECTOR_BYTES];
	struct fdisk_table *spaces = NULL;
	struct fdisk_context *cxt;
	bool found;

	memset(c, 0, sizeof(*c));
	if (part_read(p->disk, &list, buf) != ST_OK || list.table != PART_TABLE_GPT) {
		say_about(p->arg, "has no whole GPT to make an EFI system partition in");
		return false;
	}
	cxt = open_table(p, true);
	if (!cxt)
		return false;
	bytes = (bytes + ALIGN_BYTES - 1) / ALIGN_BYTES * ALIGN_BYTES;
	found = !fdisk_get_freespaces(cxt, &spaces) && find_room(p, spaces, bytes, c);
	fdisk_unref_table(spaces);
	close_table(cxt);
	if (!found)
		say_about(p->arg,
			  "has no free space of %llu MiB for an EFI system partition; the longest "
			  "is %llu MiB: say --size",
			  (unsigned long long)bytes >> 20,
			  (unsigned long long)c->longest_bytes >> 20);
	return found;
}

static bool add(struct fdisk_context *cxt, const struct esp_create *c)
{
	struct fdisk_partition *pa = fdisk_new_partition();
	struct fdisk_parttype *type =
		fdisk_label_get_parttype_from_string(fdisk_get_label(cxt, NULL), TYPE_ESP);
	bool done;

	if (!pa || !type)
		abort();
	fdisk_disable_dialogs(cxt, 1);
	fdisk_partition_partno_follow_default(pa, 1);
	done = !fdisk_partition_set_start(pa, c->start_lba) &&
	       !fdisk_partition_set_size(pa, c->sectors) && !fdisk_partition_set_type(pa, type) &&
	       !fdisk_partition_set_name(pa, "EFI system partition") &&
	       !fdisk_add_partition(cxt, pa, NULL);
	fdisk_unref_partition(pa);
	fdisk_unref_parttype(type);
	return done;
}

bool esp_create_write(struct esp_place *p, const struct esp_create *c)
{
	struct fdisk_context *cxt = open_table(p, false);
	struct fdisk_table *before = NULL;
	bool done;

	if (!cxt)
		return false;
	fdisk_get_partitions(cxt, &before);
	done = add(cxt, c) && !fdisk_write_disklabel(cxt);
	/* The kernel is told of the new one alone: others may be in use. */
	if (done && p->host->block)
		fdisk_reread_changes(cxt, before);
	fdisk_unref_table(before);
	close_table(cxt);
	if (!done || p->disk->flush(p->disk) != ST_OK) {
		say_about(p->arg, "its partition table could not be written (libfdisk)");
		return false;
	}
	if (!esp_place_find(p, true))
		return false;
	if (p->none || p->start_lba != c->start_lba || p->sectors != c->sectors) {
		say_about(p->arg, "the EFI system partition that was made is not there when read "
				  "back");
		return false;
	}
	return true;
}

bool esp_create_holds(const struct esp_place *p, char *what, size_t size)
{
	blkid_probe probe = blkid_new_probe();
	const char *type = NULL;
	char path[32];
	bool found = true;
	int fd, rc;

	run_fd_path(p->host->fd, path);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	snprintf(what, size, "something that libblkid can't look at");
	if (probe && fd >= 0 &&
	    !blkid_probe_set_device(probe, fd, (blkid_loff_t)(p->start_lba << p->disk->shift),
				    (blkid_loff_t)(p->sectors << p->disk->shift))) {
		blkid_probe_enable_superblocks(probe, 1);
		blkid_probe_set_superblocks_flags(probe, BLKID_SUBLKS_TYPE);
		rc = blkid_do_safeprobe(probe);
		found = rc != 1;
		if (!rc && !blkid_probe_lookup_value(probe, "TYPE", &type, NULL))
			snprintf(what, size, "%s", type);
	}
	blkid_free_probe(probe);
	if (fd >= 0)
		close(fd);
	return found;
}
