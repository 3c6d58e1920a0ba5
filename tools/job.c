/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tools/job.h"
#include "tools/say.h"
#include "tools/stop.h"
#include "tools/sysblock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
	for (unsigned i = 0; i < jobs->count; i++)
		espman_free(&jobs->job[i].man);
	free(jobs);
}

/* Would it do to trust every disk? */
static bool is_smaller_without(const struct bootplan *p)
{
	return installed_area_sectors(variant_smallest(p->families & ~VARIANT_TRUST)) <=
	       p->longest_sectors;
}

static void say_no_room(const struct job *j)
{
	const struct bootplan *p = &j->boot;
	const struct variant *all = variant_get(0);
	char smaller[64] = "";

	if (p->variant != all)
		snprintf(smaller, sizeof(smaller), " (%u for a stage2 for %s)", p->area_sectors,
			 p->variant->what);
	say_about(
		j->host->path,
		"no room for the boot area: %u free sectors in a row are needed%s before the "
		"first partition or in a BIOS boot partition, %u were found%s",
		installed_area_sectors(all), smaller, p->longest_sectors,
		(p->families & ~VARIANT_TRUST) == (VARIANT_MD | VARIANT_LDM)
			? "; smaller ones know either md or LDM, and these disks have both"
		: p->families & VARIANT_TRUST && is_smaller_without(p)
			? "; there is room for the smallest one, which does not know \"trust =\": "
			  "say --no-trust"
			: "");
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
	case BOOTPLAN_BUILD:
		say_about(path, "can't be made bootable: this build's stage2 is too large");
		break;
	case BOOTPLAN_NEWER:
		say_about(path, "its boot area was written by a newer mirrorboot: use that one");
		break;
	case BOOTPLAN_TOO_MANY:
		say_about(path, "has more than %u partitions: which sectors are free can't be told",
			  PART_MAX);
		break;
	case BOOTPLAN_NO_ROOM: say_no_room(j); break;
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
	say_about(
		j->host->path,
		"its EFI system partition %u is mounted on %s: run \"umount %s\", then this again, "
		"then \"mount %s\"",
		j->esp.part, where ? where : "?", where ? where : "?", where ? where : "?");
	free(where);
	return true;
}

bool job_esp_is_leg(const struct job *j, const struct hostset *set)
{
	for (unsigned i = 0; i < set->survey.member_count; i++) {
		const struct member *m = &set->survey.member[i];

		uint64_t start = j->esp.start_bytes >> j->disk->shift;
		uint64_t sectors = j->esp.len_bytes >> j->disk->shift;

		/* Of the whole disk, too: what is in it belongs to the mirror. */
		if (&set->disk[m->disk] != j->disk ||
		    (m->part != j->esp.part &&
		     (m->start_lba >= start + sectors || start >= m->start_lba + m->sectors_lba)))
			continue;
		say_about(j->host->path,
			  "its EFI system partition %u is a member of a mirror: writing to one leg "
			  "would make the legs differ",
			  j->esp.part);
		return true;
	}
	return false;
}

/* One that is to be written must fit beside all else that is. */
static bool manifest_fits(struct job *j)
{
	j->esp.need_bytes += espman_bytes(&j->man);
	if (!j->man.needed || esp_has_room(&j->esp))
		return true;
	say_about(j->host->path, "%s", j->esp.why);
	return false;
}

/* Those of disks that stay as they are; no new one may say that it is newer than they. */
static void keep_manifests(struct jobs *jobs)
{
	uint64_t newest = 0;

	for (unsigned i = 0; i < jobs->count; i++) {
		struct job *j = &jobs->job[i];

		if (!j->has_uefi)
			continue;
		j->man.needed = false;
		if (j->man.status == ST_OK && j->man.old.generation > newest)
			newest = j->man.old.generation;
	}
	for (unsigned i = 0; newest && i < jobs->count; i++)
		if (jobs->job[i].uefi && jobs->job[i].man.generation > newest)
			jobs->job[i].man.generation = newest;
}

bool jobs_plan_manifests(struct jobs *jobs, bool installing)
{
	struct espman *man[SURVEY_DISKS] = {NULL};
	bool changing[SURVEY_DISKS] = {false};
	bool fine = true, any = false;

	for (unsigned i = 0; i < jobs->count; i++) {
		struct job *j = &jobs->job[i];

		if (!j->uefi && !j->has_uefi)
			continue;
		any = true;
		man[i] = &j->man;
		changing[i] = j->uefi && installing && !j->esp.unchanged;
		if (espman_look(&j->man, &j->esp, j->disk) &&
		    (!j->uefi || espman_may_renew(&j->man, installing)))
			continue;
		say_about(j->host->path, "%s", j->man.why);
		fine = false;
	}
	if (fine && any && !espman_plan(man, changing, jobs->count, !installing)) {
		say_note("there are no random numbers for a new set of manifests");
		fine = false;
	}
	keep_manifests(jobs);
	for (unsigned i = 0; i < jobs->count && fine; i++)
		fine = !jobs->job[i].uefi || manifest_fits(&jobs->job[i]);
	return fine;
}

static bool same_area(const struct bootplan_area *a, const struct bootplan_area *b)
{
	return a->sectors == b->sectors && (!a->sectors || a->lba == b->lba);
}

static bool same_boot(const struct bootplan *p, const struct bootplan *now)
{
	for (unsigned i = 0; i < p->left_count && i < now->left_count; i++)
		if (!same_area(&p->left[i], &now->left[i]))
			return false;
	return !memcmp(p->old.lba0, now->old.lba0, SECTOR) && !memcmp(p->lba0, now->lba0, SECTOR) &&
	       !memcmp(p->area, now->area, sizeof(p->area)) && p->unchanged == now->unchanged &&
	       p->in_place == now->in_place && p->saved_lost == now->saved_lost &&
	       p->area_lba == now->area_lba && p->area_sectors == now->area_sectors &&
	       same_area(&p->current, &now->current) && p->left_count == now->left_count;
}

static bool same_loader(const struct esp_loader *l, const struct esp_loader *now)
{
	return l->app == now->app && l->fallback == now->fallback && l->replaced == now->replaced &&
	       !strcmp(l->fallback_name, now->fallback_name);
}

static bool same_esp(const struct esp *e, const struct esp *now)
{
	for (unsigned i = 0; i < EFIAPP_ARCHS; i++)
		if (!same_loader(&e->loader[i], &now->loader[i]))
			return false;
	return e->start_bytes == now->start_bytes && e->len_bytes == now->len_bytes &&
	       e->folder == now->folder && !strcmp(e->config, now->config) &&
	       !strcmp(e->record, now->record);
}

bool job_is_as_planned(const struct job *j, const char *config, bool removing)
{
	static struct bootplan boot;
	static struct esp esp;
	bool same = true;

	if (j->bios && removing) {
		bootplan_look(j->disk, &boot);
		same = same_boot(&j->boot, &boot);
	} else if (j->bios) {
		same = bootplan_make(j->disk, config, j->boot.families, &boot) == BOOTPLAN_FINE &&
		       same_boot(&j->boot, &boot);
	}
	if (same && j->uefi)
		same = esp_look(&esp, j->disk) && same_esp(&j->esp, &esp);
	if (!same)
		say_about(j->host->path,
			  "has changed since the plan was made, and was left untouched: run this "
			  "again");
	return same && !(j->uefi && job_esp_mounted(j));
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

bool jobs_stopped(const struct jobs *jobs, unsigned i)
{
	if (i + 1 == jobs->count || !stop_is_held())
		return false;
	say_about(jobs->job[i].host->path, "is finished; interrupted");
	jobs_say_untouched(jobs, i);
	return true;
}
