/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tools/status.h"
#include "tools/run.h"
#include "tools/sysblock.h"

#include <blkid/blkid.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void __attribute__((format(printf, 2, 3)))
warn(struct status_warnings *w, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (w->count < STATUS_WARNINGS && vasprintf(&w->line[w->count], fmt, ap) >= 0)
		w->count++;
	va_end(ap);
}

void status_warnings_free(struct status_warnings *w)
{
	for (unsigned i = 0; i < w->count; i++)
		free(w->line[i]);
}

/* A controller that dies takes all of its disks along. */
static void same_controller(const struct hostset *set, struct status_warnings *w)
{
	char first[64], other[64];

	if (set->count < 2 || !sysblock_controller(&set->host[0], first, sizeof(first)))
		return;
	for (unsigned i = 1; i < set->count; i++)
		if (!sysblock_controller(&set->host[i], other, sizeof(other)) ||
		    strcmp(first, other))
			return;
	warn(w, "all disks are on one controller (%s)", first);
}

static void unequal_sizes(const struct hostset *set, struct status_warnings *w)
{
	const struct survey *s = &set->survey;

	for (unsigned i = 0; i < s->mirror_count; i++) {
		const struct mirror *m = &s->mirror[i];
		uint64_t low = UINT64_MAX, high = 0;

		for (unsigned k = 0; k < m->leg_count; k++) {
			const struct leg *l = &m->leg[k];
			uint64_t n;

			if (l->member == NO_MEMBER || l->disk >= set->count)
				continue;
			n = disk_s512(&set->disk[l->disk], s->member[l->member].sectors_lba);
			low = n < low ? n : low;
			high = n > high ? n : high;
		}
		/* Below 1% it is the rounding of partitions. */
		if (high && high - low > low / 100)
			warn(w,
			     "mirror %s: its legs lie on partitions of unequal size, the rest of "
			     "the larger is not used",
			     m->name);
	}
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
				warn(w, "%s: also has metadata of a firmware RAID (%s)",
				     set->host[disk].path, type);
	blkid_free_probe(probe);
	if (fd >= 0)
		close(fd);
}

static bool has_member(const struct survey *s, unsigned disk)
{
	for (unsigned i = 0; i < s->member_count; i++)
		if (s->member[i].disk == disk)
			return true;
	return false;
}

static void one_disk(const struct hostset *set, unsigned i, struct status_warnings *w)
{
	const struct survey_disk *f = &set->survey.found[i];
	const char *path = set->host[i].path;

	if (f->status == ST_IO || f->io_error)
		warn(w, "%s: some of it could not be read", path);
	else if (f->status == ST_CORRUPT)
		warn(w, "%s: its partition table is damaged", path);
	else if (f->table == PART_TABLE_GPT_BACKUP)
		warn(w, "%s: its primary GPT is damaged; the backup was used", path);
	else if (!has_member(&set->survey, i))
		warn(w, "%s: holds no member of a mirror", path);
	firmware_raid(set, i, w);
}

static void lone_leg(const struct hostset *set, struct status_warnings *w)
{
	const struct survey *s = &set->survey;

	for (unsigned i = 0; i < s->mirror_count; i++) {
		const struct mirror *m = &s->mirror[i];
		unsigned here = 0;

		for (unsigned k = 0; k < m->leg_count; k++)
			here += m->leg[k].member != NO_MEMBER;
		if (here == 1 && m->expected > 1 && !m->behind)
			warn(w,
			     "mirror %s: only one of its %u legs is here; whether another is newer "
			     "can't be told",
			     m->name, m->expected);
	}
}

/* What the boot records know: a newer leg that is not here. */
static void behind(const struct hostset *set, struct status_warnings *w)
{
	for (unsigned i = 0; i < set->survey.mirror_count; i++) {
		const struct mirror *m = &set->survey.mirror[i];

		if (m->behind)
			warn(w,
			     "mirror %s: these disks are out of date (generation %llu, and %llu "
			     "was seen before): find the disk that has the newer one",
			     m->name, (unsigned long long)m->leg[m->newest].generation,
			     (unsigned long long)m->seen);
	}
}

static void failed_elsewhere(const struct hostset *set, const struct lastboot *b, unsigned number,
			     struct status_warnings *w)
{
	struct say_text t;

	say_text_init(&t);
	lastboot_put_number(set, b, b->newest, number, &t.text);
	warn(w, "the disk that was %s in the last boot failed reads: replace it", t.buf);
	free(t.buf);
}

static void last_boot(const struct hostset *set, const struct lastboot *b,
		      struct status_warnings *w)
{
	uint32_t failed = lastboot_failed(set, b);

	for (unsigned n = 0; n < 32; n++) {
		int disk;

		if (!(failed & (uint32_t)1 << n))
			continue;
		disk = lastboot_find(set, b, b->newest, n);
		if (disk >= 0)
			warn(w, "%s: failed reads during the last boot: replace it",
			     set->host[disk].path);
		else
			failed_elsewhere(set, b, n, w);
	}
	for (unsigned i = 0; i < set->count; i++)
		if (b->status[i] == ST_CORRUPT)
			warn(w, "%s: its boot record is damaged; the next boot writes a new one",
			     set->host[i].path);
	if (b->status[LASTBOOT_UEFI] == ST_CORRUPT)
		warn(w, "the firmware's boot record is damaged; the next boot writes a new one");
}

void status_warn(const struct hostset *set, const struct lastboot *b, struct status_warnings *w)
{
	w->count = 0;
	behind(set, w);
	last_boot(set, b, w);
	for (unsigned i = 0; i < set->count; i++)
		one_disk(set, i, w);
	if (set->survey.full)
		warn(w, "there are more members or mirrors than can be kept: some were left out");
	lone_leg(set, w);
	unequal_sizes(set, w);
	same_controller(set, w);
}
