/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * Advice: what is no fault, and what a person who sets up a mirror should know. Most of
 * it is what Microsoft's documents say of mirrors: articles 302873 (MBR and GPT mixed),
 * 323432 (sizes, hardware RAID beside software RAID), and the reference of DiskPart.
 */
#include "tools/run.h"
#include "tools/status.h"
#include "tools/status_ldm.h"
#include "tools/sysblock.h"
#include "tools/sysdisks.h"

#include <blkid/blkid.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Below 1% it is the rounding of partitions. */
static bool is_much_of(uint64_t part, uint64_t whole)
{
	return part > whole / 100;
}

/* The disk that a leg is on, NO_DISK when it is on none of these. */
static unsigned disk_of(const struct hostset *set, const struct leg *l)
{
	return l->member != NO_MEMBER && l->disk < set->count ? l->disk : NO_DISK;
}

static bool unequal_parts(const struct hostset *set, const struct mirror *m)
{
	uint64_t low = UINT64_MAX, high = 0;

	for (unsigned k = 0; k < m->leg_count; k++) {
		const struct leg *l = &m->leg[k];
		const struct member *mb;
		uint64_t n;

		if (disk_of(set, l) == NO_DISK)
			continue;
		mb = &set->survey.member[l->member];
		if (mb->flags & MEMBER_PIECE)
			return false;
		n = disk_s512(&set->disk[l->disk], mb->sectors_lba);
		low = n < low ? n : low;
		high = n > high ? n : high;
	}
	return high && is_much_of(high - low, low);
}

static uint64_t size_s512(const struct hostset *set, unsigned disk)
{
	return disk_s512(&set->disk[disk], set->disk[disk].sectors);
}

static void unequal_disks(const struct hostset *set, const struct mirror *m,
			  struct status_warnings *w)
{
	unsigned small = NO_DISK, large = NO_DISK;
	struct say_text t;

	for (unsigned k = 0; k < m->leg_count; k++) {
		unsigned d = disk_of(set, &m->leg[k]);

		if (d == NO_DISK)
			continue;
		if (small == NO_DISK || size_s512(set, d) < size_s512(set, small))
			small = d;
		if (large == NO_DISK || size_s512(set, d) > size_s512(set, large))
			large = d;
	}
	if (small == large ||
	    !is_much_of(size_s512(set, large) - size_s512(set, small), size_s512(set, small)))
		return;
	say_text_init(&t);
	text_str(&t.text, set->host[small].path);
	text_str(&t.text, " (");
	text_size(&t.text, size_s512(set, small));
	text_str(&t.text, ") and ");
	text_str(&t.text, set->host[large].path);
	text_str(&t.text, " (");
	text_size(&t.text, size_s512(set, large));
	text_char(&t.text, ')');
	status_warn_once(w, STATUS_NOTE,
			 "%s mirror each other and are of unequal size: what the larger has more "
			 "of can't be mirrored",
			 t.buf);
	free(t.buf);
}

static void unequal(const struct hostset *set, const struct mirror *m, struct status_warnings *w)
{
	if (unequal_parts(set, m))
		status_warn_once(w, STATUS_NOTE,
				 "mirror %s: its legs lie on partitions of unequal size, the rest "
				 "of the larger is not used",
				 m->name);
	else
		unequal_disks(set, m, w);
}

/* The one controller that all of these disks hang on. Image files are on none. */
static bool one_controller(const struct hostset *set, uint32_t disks, char *name, size_t size)
{
	unsigned count = 0;
	char other[64] = "";

	for (unsigned d = 0; d < set->count; d++) {
		if (!(disks & (uint32_t)1 << d))
			continue;
		if (!sysblock_controller(&set->host[d], count ? other : name,
					 count ? sizeof(other) : size) ||
		    (count && strcmp(name, other)))
			return false;
		count++;
	}
	return count > 1;
}

/* A controller that dies takes all of its disks along. */
static void same_controller(const struct hostset *set, struct status_warnings *w)
{
	static const char why[] = "; with one for each disk (duplexing) a mirror would outlive it";
	char name[64];

	if (one_controller(set, UINT32_MAX, name, sizeof(name))) {
		status_warn_once(w, STATUS_NOTE, "all disks are on one controller (%s)%s", name,
				 why);
		return;
	}
	for (unsigned i = 0; i < set->survey.mirror_count; i++) {
		const struct mirror *m = &set->survey.mirror[i];
		uint32_t disks = 0;

		for (unsigned k = 0; k < m->leg_count; k++)
			if (disk_of(set, &m->leg[k]) != NO_DISK)
				disks |= (uint32_t)1 << m->leg[k].disk;
		if (one_controller(set, disks, name, sizeof(name)))
			status_warn_once(w, STATUS_NOTE,
					 "mirror %s: all its disks are on one controller (%s)%s",
					 m->name, name, why);
	}
}

/* Windows aligns partitions of an MBR disk to cylinders, those of a GPT disk to nothing. */
static void mixed_tables(const struct hostset *set, const struct mirror *m,
			 struct status_warnings *w)
{
	unsigned mbr = NO_DISK, gpt = NO_DISK;

	for (unsigned k = 0; k < m->leg_count; k++) {
		unsigned d = disk_of(set, &m->leg[k]);

		if (d == NO_DISK)
			continue;
		if (set->survey.found[d].table == PART_TABLE_MBR)
			mbr = d;
		else if (set->survey.found[d].table != PART_TABLE_NONE)
			gpt = d;
	}
	if (mbr != NO_DISK && gpt != NO_DISK)
		status_warn_once(
			w, STATUS_NOTE,
			"%s has an MBR and %s a GPT: Windows aligns their partitions by "
			"different rules, and Microsoft warns of difficulties with mirrors "
			"across them",
			set->host[mbr].path, set->host[gpt].path);
}

/* Where there is room that somebody may mean to use. */
static void not_extended(const struct hostset *set, const struct mirror *m,
			 struct status_warnings *w)
{
	unsigned with_room = 0;

	for (unsigned k = 0; k < m->leg_count; k++) {
		unsigned d = disk_of(set, &m->leg[k]);

		if (d == NO_DISK)
			continue;
		if (!is_much_of(status_ldm_free_s512(set, d), size_s512(set, d)))
			return;
		with_room++;
	}
	if (with_room > 1)
		status_warn_once(w, STATUS_NOTE,
				 "mirror %s: its disks have unallocated space, but Windows can't "
				 "extend a mirrored volume",
				 m->name);
}

static bool is_firmware_raid(const char *type)
{
	return strcmp(type, "linux_raid_member") && strcmp(type, "LVM2_member");
}

/* Both the firmware and we would make a mirror of it. libblkid knows the vendors' formats. */
static void firmware_raid(const struct hostset *set, unsigned disk, struct status_warnings *w)
{
	blkid_probe probe = blkid_new_probe();
	const char *type;
	char path[32];
	int fd;

	/* Our own descriptor may be one that reads aligned buffers only, which libblkid has not. */
	run_fd_path(set->host[disk].fd, path);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (probe && fd >= 0 && !blkid_probe_set_device(probe, fd, 0, 0) &&
	    !blkid_probe_enable_superblocks(probe, 1) &&
	    !blkid_probe_filter_superblocks_usage(probe, BLKID_FLTR_ONLYIN, BLKID_USAGE_RAID))
		while (!blkid_do_probe(probe))
			if (!blkid_probe_lookup_value(probe, "TYPE", &type, NULL) &&
			    is_firmware_raid(type))
				status_warn_once(w, STATUS_NOTE,
						 "%s: also has metadata of a firmware RAID (%s)",
						 set->host[disk].path, type);
	blkid_free_probe(probe);
	if (fd >= 0)
		close(fd);
}

/* Linux marks an array as not closed while it is written, and as closed some time after. */
static void in_use(const struct hostset *set, const struct mirror *m, struct status_warnings *w)
{
	char *array = NULL;

	for (unsigned k = 0; m->dirty && !array && k < m->leg_count; k++) {
		unsigned d = disk_of(set, &m->leg[k]);

		if (d != NO_DISK)
			array = sysdisks_array(&set->host[d],
					       set->survey.member[m->leg[k].member].part);
	}
	if (array)
		status_warn_once(w, STATUS_NOTE,
				 "mirror %s is in use here, as %s: while it is, \"not closed\" is "
				 "as it should be",
				 m->name, array);
	free(array);
}

void status_advise(const struct hostset *set, struct status_warnings *w)
{
	for (unsigned i = 0; i < set->survey.mirror_count; i++) {
		const struct mirror *m = &set->survey.mirror[i];

		in_use(set, m, w);
		unequal(set, m, w);
		if (m->format == FORMAT_LDM) {
			mixed_tables(set, m, w);
			not_extended(set, m, w);
		}
	}
	same_controller(set, w);
	for (unsigned i = 0; i < set->count; i++)
		firmware_raid(set, i, w);
}
