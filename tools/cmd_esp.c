/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* esp list, esp manifest: the EFI system partitions' contents. */
#include "tools/command.h"
#include "tools/esp_side.h"
#include "tools/job.h"
#include "tools/say.h"
#include "tools/stop.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

/* Find the ESP of every disk. False: said. */
static bool look(struct jobs *jobs)
{
	bool fine = true;

	for (unsigned i = 0; i < jobs->count; i++) {
		struct job *j = &jobs->job[i];

		if (!esp_look(&j->esp, j->disk)) {
			say_about(j->host->path, "%s", j->esp.why);
			fine = false;
		} else if (!j->esp.part) {
			say_about(j->host->path, "it has no EFI system partition");
			fine = false;
		}
		j->uefi = j->esp.part;
	}
	return fine;
}

/* ---- esp list ---- */

static void print_file(const struct manifest_file *f)
{
	uint32_t t = f->fat_time;

	for (unsigned i = 0; i < SHA256_BYTES; i++)
		printf("%02x", f->sha256[i]);
	printf(" %10llu %04u-%02u-%02u %02u:%02u:%02u %s\n", (unsigned long long)f->bytes,
	       1980 + (t >> 25), t >> 21 & 15, t >> 16 & 31, t >> 11 & 31, t >> 5 & 63,
	       (t & 31) * 2, f->path);
}

static int list_one(struct esp_place *p)
{
	struct esp_side s = {.place = p};
	int rc = EXIT_DONE;

	if (!esp_place_find(p, false) || !esp_side_look(&s))
		return EXIT_FAILED;
	printf("%s: ", p->arg);
	if (p->part)
		printf("partition %u, ", p->part);
	printf("FAT%u\n", s.fat.type);
	for (unsigned i = 0; i < s.man.count; i++) {
		const struct espman_file *file = &s.man.file[i];

		if (file->status == ST_OK) {
			print_file(&file->f);
			continue;
		}
		say_about(p->arg, "%s %s", file->f.path, espman_fault_text(file->status));
		rc = EXIT_FAILED;
	}
	esp_side_forget(&s);
	return rc;
}

static int list(char **arg, int count, unsigned sector_bytes)
{
	int rc, worst = EXIT_DONE;
	struct esp_places *ps = esp_places_open(arg, count, sector_bytes, ESP_PLACES, &rc);

	if (!ps)
		return rc;
	for (unsigned i = 0; i < ps->count; i++)
		if (list_one(&ps->place[i]) != EXIT_DONE)
			worst = EXIT_FAILED;
	esp_places_close(ps);
	return worst;
}

/* ---- esp manifest ---- */

static bool plan(struct jobs *jobs)
{
	bool fine = look(jobs);

	for (unsigned i = 0; i < jobs->count && fine; i++) {
		struct job *j = &jobs->job[i];

		if (!esp_is_installed(&j->esp)) {
			say_about(j->host->path,
				  "mirrorboot is not on its EFI system partition: run \"mirrorboot "
				  "install --uefi\"");
			fine = false;
		} else if (job_esp_mounted(j) || job_esp_is_leg(j, jobs->set)) {
			fine = false;
		}
	}
	return fine && jobs_plan_manifests(jobs, false);
}

static int write_all(struct jobs *jobs)
{
	stop_hold();
	for (unsigned i = 0; i < jobs->count; i++) {
		struct job *j = &jobs->job[i];
		const struct espman *m = &j->man;

		if (!m->needed) {
			printf("%s: the manifest is as it should be (generation %llu)\n",
			       j->host->path, (unsigned long long)m->generation);
			continue;
		}
		if (!job_is_as_planned(j, NULL, true))
			return jobs_say_untouched(jobs, i), EXIT_FAILED;
		if (!esp_make_folders(&j->esp)) {
			say_about(j->host->path, "%s", j->esp.why);
			jobs_say_untouched(jobs, i);
			return EXIT_FAILED;
		}
		if (!espman_write_complete(&j->man, &j->esp, j->disk)) {
			say_about(j->host->path, "%s", m->why);
			jobs_say_untouched(jobs, i);
			return EXIT_FAILED;
		}
		printf("%s: manifest of %u files written, generation %llu\n", j->host->path,
		       m->count, (unsigned long long)m->generation);
		fflush(stdout);
		if (jobs_stopped(jobs, i))
			return EXIT_FAILED;
	}
	return EXIT_DONE;
}

static int manifest(struct hostset *set)
{
	struct jobs *jobs = jobs_new(set);
	int rc = EXIT_FAILED;

	if (!jobs)
		return rc;
	/* No mirror is needed for it; but what is a leg has to be known. */
	survey_run(&set->survey, set->disk, set->count);
	if (plan(jobs))
		rc = write_all(jobs);
	else
		say_note("nothing was written");
	jobs_free(jobs);
	return rc;
}

static const struct option options[] = {COMMON_OPTIONS, {0}};

const struct command cmd_esp_list = {
	.name = "esp list",
	.args = "ESP...",
	.summary = "lists the files of the EFI system partitions: SHA-256, size, time, path",
	.help = "  ESP              a disk or image that has one, an image of one, a partition's "
		"device,\n"
		"                   DISK:NUMBER, DISK:GUID or PARTUUID=GUID\n",
	.short_options = "",
	.options = options,
	.work_on = list,
};

const struct command cmd_esp_manifest = {
	.name = "esp manifest",
	.args = "DISK...",
	.summary = "says of the files on EFI system partitions that they are as they should be",
	.help = "After loaders or kernels on them were updated: the manifests are written anew, "
		"and\n"
		"the partitions that are named count as equally new.\n\n",
	.short_options = "",
	.options = options,
	.writes = true,
	.work = manifest,
};
