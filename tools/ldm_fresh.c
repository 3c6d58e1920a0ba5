/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* May a disk become a dynamic disk, and what would lie where on it? Reads only. */
#include "tools/ldm_init.h"

#include "common/ldm_db.h"
#include "tools/run.h"
#include "tools/say.h"
#include "tools/sysblock.h"

#include <blkid/blkid.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define MSR_SMALL    (32u * 2048 - LDM_PRIVATE_SECTORS)
#define MSR_LARGE    (128u * 2048 - LDM_PRIVATE_SECTORS)
#define LARGE_DISK   (16ull << 21) /* 16 GiB */
#define LEAST_PUBLIC 2048u

void ldm_guid_text(const struct guid *g, char text[GUID_TEXT_BYTES])
{
	static const char hex[] = "0123456789abcdef";
	char *to = text;

	for (unsigned i = 0; i < sizeof(g->b); i++) {
		*to++ = hex[g->b[i] >> 4];
		*to++ = hex[g->b[i] & 15];
		if (i == 3 || i == 5 || i == 7 || i == 9)
			*to++ = '-';
	}
	*to = 0;
}

bool ldm_random_guid(struct guid *g, char text[GUID_TEXT_BYTES])
{
	if (getrandom(g->b, sizeof(g->b), 0) != (ssize_t)sizeof(g->b)) {
		say_note("there are no random numbers for a new GUID; nothing was written");
		return false;
	}
	g->b[6] = (g->b[6] & 0x0f) | 0x40;
	g->b[8] = (g->b[8] & 0x3f) | 0x80;
	ldm_guid_text(g, text);
	return true;
}

/* ---- may it be taken? ---- */

bool ldm_is_busy(const struct ldm_copy *c)
{
	char *where = NULL, path[32];
	int fd;

	if (sysblock_mounted(c->host, 0, c->host->bytes, &where)) {
		say_about(c->host->path, "a file system of it is mounted on %s: unmount it first",
			  where ? where : "?");
		free(where);
		return true;
	}
	if (!c->host->block)
		return false;
	run_fd_path(c->host->fd, path);
	fd = open(path, O_RDONLY | O_EXCL | O_CLOEXEC);
	if (fd < 0 && errno == EBUSY) {
		say_about(c->host->path, "is in use (by device-mapper or md, perhaps)");
		return true;
	}
	if (fd >= 0)
		close(fd);
	return false;
}

/* A disk that was "initialised": a table, and no partition but what Windows reserves. */
static bool has_partitions(const struct ldm_copy *c)
{
	/* e3c9e316-0b5c-4db8-817d-f92df00215ae, as GPT has it */
	static const struct guid reserved = {{0x16, 0xe3, 0xc9, 0xe3, 0x5c, 0x0b, 0xb8, 0x4d, 0x81,
					      0x7d, 0xf9, 0x2d, 0xf0, 0x02, 0x15, 0xae}};
	static struct part_list list;
	uint8_t buf[DISK_SECTOR_BYTES];
	enum status st = part_read(c->disk, &list, buf);

	if (st != ST_OK && st != ST_ABSENT)
		return true;
	for (unsigned i = 0; i < list.count; i++)
		if (list.table == PART_TABLE_MBR || !guid_equal(&list.part[i].type, &reserved))
			return true;
	return false;
}

/* What libblkid finds: a file system, a RAID member, a partition table. */
static bool holds_something(const struct ldm_copy *c, char *what, size_t size)
{
	blkid_probe probe = blkid_new_probe();
	const char *type = NULL;
	char path[32];
	bool found;
	int fd, rc;

	run_fd_path(c->host->fd, path);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (!probe || fd < 0 || blkid_probe_set_device(probe, fd, 0, 0)) {
		snprintf(what, size, "something that libblkid can't look at");
		found = true;
	} else {
		blkid_probe_enable_superblocks(probe, 1);
		blkid_probe_set_superblocks_flags(probe, BLKID_SUBLKS_TYPE);
		blkid_probe_enable_partitions(probe, 1);
		rc = blkid_do_safeprobe(probe);
		found = rc != 1;
		if (rc != 0) {
			snprintf(what, size, "several things that contradict each other");
		} else if (!blkid_probe_lookup_value(probe, "TYPE", &type, NULL)) {
			snprintf(what, size, "%s", type);
		} else {
			snprintf(what, size, "partitions");
			found = has_partitions(c);
		}
	}
	blkid_free_probe(probe);
	if (fd >= 0)
		close(fd);
	return found;
}

static bool is_empty(const struct ldm_groups *gs, unsigned disk, bool force)
{
	const struct ldm_copy *c = &gs->copy[disk];
	char what[64];

	/* Ours, from a run that was cut: no group has come to know of it. */
	if (c->standing == LDM_UNFILLED && c->state == LDM_DB_NEW &&
	    (gs->of[disk] == LDM_GROUPS || !ldm_disk_record(gs, &gs->group[gs->of[disk]], disk)))
		return true;
	if (c->standing != LDM_BASIC) {
		say_about(c->host->path, "is a dynamic disk already");
		return false;
	}
	if (force || !holds_something(c, what, sizeof(what)))
		return true;
	say_about(c->host->path, "is not empty: it has %s; --force takes it all the same", what);
	return false;
}

/* The last MiB of an MBR disk: how many sectors of it belong to partitions. */
static uint64_t missing_at_end(const struct ldm_copy *c)
{
	static struct part_list list;
	uint8_t buf[DISK_SECTOR_BYTES];
	uint64_t end = 0;

	if (part_read(c->disk, &list, buf) != ST_OK || list.table != PART_TABLE_MBR)
		return 0;
	for (unsigned i = 0; i < list.count; i++)
		if (list.part[i].mbr_type != LDM_MBR_TYPE &&
		    list.part[i].start_lba + list.part[i].sectors > end)
			end = list.part[i].start_lba + list.part[i].sectors;
	return end + LDM_PRIVATE_SECTORS > c->disk->sectors
		       ? end + LDM_PRIVATE_SECTORS - c->disk->sectors
		       : 0;
}

static bool lay_out(const struct ldm_copy *c, struct ldm_fresh *f)
{
	uint64_t sectors = c->disk->sectors, end;

	if (f->gpt) {
		f->private_lba = LDM_GPT_FIRST_LBA;
		f->msr_lba = f->private_lba + LDM_PRIVATE_SECTORS;
		f->msr_sectors = sectors < LARGE_DISK ? MSR_SMALL : MSR_LARGE;
		f->public_lba = f->msr_lba + f->msr_sectors;
		end = sectors - (LDM_GPT_FIRST_LBA - 1);
	} else {
		f->public_lba = LDM_MBR_PUBLIC_LBA;
		end = f->private_lba = sectors - LDM_PRIVATE_SECTORS;
	}
	if (sectors < LDM_PRIVATE_SECTORS || end > sectors || end < f->public_lba + LEAST_PUBLIC) {
		say_about(c->host->path, "is too small for a dynamic disk");
		return false;
	}
	f->public_sectors = end - f->public_lba;
	if (f->gpt || end <= UINT32_MAX)
		return true;
	say_about(c->host->path, "is larger than an MBR can say (2 TiB): use --gpt");
	return false;
}

bool ldm_fresh_plan(const struct ldm_groups *gs, unsigned disk, bool gpt, bool force,
		    struct ldm_fresh *f)
{
	const struct ldm_copy *c = &gs->copy[disk];
	uint64_t missing;

	memset(f, 0, sizeof(*f));
	f->gpt = gpt;
	f->minor = LDM_HEAD_MINOR;
	if (c->disk->shift != 9) {
		say_about(c->host->path,
			  "has sectors of %u bytes: how Windows lays such dynamic disks out is not "
			  "known well enough",
			  1u << c->disk->shift);
		return false;
	}
	missing = gpt || force ? 0 : missing_at_end(c);
	if (missing)
		say_about(c->host->path,
			  "a dynamic disk needs its last 1 MiB (2048 sectors) free: %llu sectors "
			  "are missing, a partition has them",
			  (unsigned long long)missing);
	return !missing && !ldm_is_busy(c) && is_empty(gs, disk, force) && lay_out(c, f) &&
	       ldm_random_guid(&f->disk, f->disk_text);
}
