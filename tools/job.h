/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * What install, verify and uninstall share: for each disk, what is installed on
 * it and what is to be done.
 */
#ifndef TOOLS_JOB_H
#define TOOLS_JOB_H

#include "tools/bootwrite.h"
#include "tools/esp_manifest.h"
#include "tools/hostdisk.h"

struct job {
	const struct hostdisk *host;
	const struct disk *disk;
	bool bios, uefi; /* what this run is about */
	/* install --add: what is there already, and stays as it is */
	bool has_bios, has_uefi;
	struct bootplan boot;
	struct esp esp;
	struct espman man; /* looked at by jobs_plan_manifests(), and by verify */
};

struct jobs {
	struct hostset *set;
	unsigned count;
	struct job job[SURVEY_DISKS];
};

struct jobs *jobs_new(struct hostset *set);
void jobs_free(struct jobs *jobs);

/* Why a disk has no place for BIOS boot: one line on stderr. */
void job_say_fault(const struct job *j, enum bootplan_fault fault);

/* "LBA 1977..2047, in the gap before the first partition" */
void job_place(const struct job *j, char *text, size_t size);

/* Is the ESP of this disk mounted? Says so. */
bool job_esp_mounted(const struct job *j);

/* Is the ESP of this disk a member of a mirror? Writing to one leg would make the legs differ. */
bool job_esp_is_leg(const struct job *j, const struct hostset *set);

/*
 * The manifests of all ESPs that this run is about: read, and which of them need a new one
 * (espman_plan). installing: install is going to write the files that are not this build's.
 * False: what is wrong has been said.
 */
bool jobs_plan_manifests(struct jobs *jobs, bool installing);

/*
 * Just before writing: is the disk still as it was when the plan was made? config: for
 * install, NULL keeps the old; removing: for uninstall. False: what is wrong has been said.
 */
bool job_is_as_planned(const struct job *j, const char *config, bool removing);

/* Why writing failed, and how far it had come. */
void job_say_write_error(const struct job *j, const struct bootwrite_error *err);

/* After a failure at disk i: which disks have not been touched. */
void jobs_say_untouched(const struct jobs *jobs, unsigned i);

/* Was a signal held back while disk i was written? Says so, and what was left untouched. */
bool jobs_stopped(const struct jobs *jobs, unsigned i);

#endif
