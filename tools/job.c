/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tools/job.h"
#include "tools/say.h"
#include "tools/sysblock.h"

#include <stdio.h>
#include <stdlib.h>

struct jobs *jobs_new(struct hostset *set)
{
	struct jobs *jobs = calloc(1, sizeof(*jobs));

	if (!jobs) {
		say_note("out of memory; nothing was written");
		return NULL;
	}
	jobs->set = set;
	jobs->count = set->count;
	for (unsigned i = 0; i < set->count; i++) {
		jobs->job[i].host = &set->host[i];
		jobs->job[i].disk = &set->disk[i];
	}
	return jobs;
}

void jobs_free(struct jobs *jobs)
{
	free(jobs);
}

void job_say_fault(const struct job *j, enum bootplan_fault fault)
{
	const char *path = j->host->path;

	switch (fault) {
	case BOOTPLAN_FINE: break;
	case BOOTPLAN_IO: say_about(path, "could not be read"); break;
	case BOOTPLAN_SECTOR_SIZE:
		say_about(path,
			  "has sectors of %u bytes: this version boots such disks by UEFI only",
			  1u << j->disk->shift);
		break;
	case BOOTPLAN_NO_TABLE:
		say_about(path,
			  "has no partition table, so no sectors that are free for BIOS boot");
		break;
	case BOOTPLAN_TABLE_DAMAGED:
		say_about(path, "its partition table is damaged: repair that first");
		break;
	case BOOTPLAN_NO_ROOM:
		say_about(
			path,
			"no room for the boot area: %u free sectors in a row are needed before the "
			"first partition or in a BIOS boot partition, %u were found",
			j->boot.area_sectors, j->boot.longest_sectors);
		break;
	}
}

void job_place(const struct job *j, char *text, size_t size)
{
	const struct bootplan *p = &j->boot;
	char where[64] = "in the gap before the first partition";

	if (p->place == BOOTPLAN_BIOS_BOOT)
		snprintf(where, sizeof(where), "in the tail of BIOS boot partition %u", p->part);
	snprintf(text, size, "LBA %llu..%llu, %s", (unsigned long long)p->area_lba,
		 (unsigned long long)(p->area_lba + p->area_sectors - 1), where);
}

bool job_esp_mounted(const struct job *j)
{
	char *where = NULL;

	if (!sysblock_mounted(j->host, j->esp.start_bytes, j->esp.len_bytes, &where))
		return false;
	say_about(j->host->path, "its EFI system partition %u is mounted on %s: unmount it first",
		  j->esp.part, where ? where : "?");
	free(where);
	return true;
}

void job_say_write_error(const struct job *j, const struct bootwrite_error *err)
{
	say_about(j->host->path, "%s failed at LBA %llu%s; its LBA 0 is %s", err->doing,
		  (unsigned long long)err->lba,
		  err->mismatch ? ": what was read back is not what was written" : "",
		  err->lba0_old ? "as it was before" : "changed");
}

void jobs_say_untouched(const struct jobs *jobs, unsigned i)
{
	for (unsigned k = i + 1; k < jobs->count; k++)
		say_about(jobs->job[k].host->path, "was left untouched");
}
