/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * Is what is installed on each disk what this version would install? Reads only, and says
 * nothing: for verify, drill and status.
 */
#ifndef TOOLS_VERIFY_DISK_H
#define TOOLS_VERIFY_DISK_H

#include "tools/job.h"

enum verify_what {
	VERIFY_UNREADABLE,
	VERIFY_LBA0,     /* not our boot code, or not this version's */
	VERIFY_AREA,     /* the header of the boot area, or its place */
	VERIFY_SAVED,    /* the saved boot code */
	VERIFY_STAGE2,   /* damaged, or not this version's */
	VERIFY_CONFIG,   /* of either firmware */
	VERIFY_LEFT,     /* sectors that an interrupted run left */
	VERIFY_NO_ESP,   /* none, or no file system that can be read */
	VERIFY_APP,      /* \EFI\mirrorboot\mirrorboot.efi */
	VERIFY_FALLBACK, /* \EFI\BOOT\BOOTX64.EFI */
	VERIFY_MANIFEST,
	VERIFY_FILE,  /* another file of the EFI system partition */
	VERIFY_NEWER, /* written by a newer mirrorboot */
	VERIFY_TRUST, /* a member that the installed configuration does not name, or not all do */
};

struct verify_finding {
	enum verify_what what;
	/* Can the machine not start from this disk as it should, for this? */
	bool boot;
	const char
		*run; /* arguments of mirrorboot that mend it, without the disks; NULL: none do */
	char *text;   /* without the disk, the command, an end */
};

struct verify_disk {
	const struct job *job;
	bool bios, uefi;  /* something of ours is there, or was */
	bool overwritten; /* another loader's installer has put its own in the place of ours */
	bool damage;      /* something of it is broken, not only other */
	unsigned count;
	struct verify_finding *finding;
};

struct verify {
	struct jobs *jobs;
	bool quick;         /* boot code and loaders alone: no other file is read */
	bool bios, uefi;    /* on any of the disks: then it belongs on all */
	struct trust trust; /* of the first configuration that names members */
	unsigned count;
	struct verify_disk disk[SURVEY_DISKS];
};

/*
 * Look at all of these; they have been surveyed. NULL: no memory. With neither bios nor uefi
 * mirrorboot is not installed on any, and there are no findings.
 */
struct verify *verify_new(struct hostset *set, bool quick);
void verify_free(struct verify *v);

/* 0 nothing found, 1 drift, 3 damage; not installed: 1. */
int verify_exit(const struct verify *v);

/* ---- between verify_disk.c and verify_esp.c ---- */

struct verify_finding *verify_add(struct verify_disk *d, enum verify_what what, const char *run,
				  const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* A config that can't be understood; which: "mirrorboot.conf". */
void verify_config_text(struct verify_disk *d, const char *text, const char *which);
void verify_esp(struct verify *v, struct verify_disk *d);
void verify_trust(struct verify *v);

#endif
