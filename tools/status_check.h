/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * What starts the machine from each disk: mirrorboot, the EFI system partition, the firmware's
 * boot entries. A quick look: files are judged by size and time, `verify` reads them.
 */
#ifndef TOOLS_STATUS_CHECK_H
#define TOOLS_STATUS_CHECK_H

#include "tools/entries_parts.h"
#include "tools/entries_record.h"
#include "tools/esp_manifest.h"
#include "tools/status.h"
#include "tools/verify_disk.h"

/* Of the BIOS' part or the UEFI part on a disk. */
enum status_installed {
	STATUS_ABSENT,
	STATUS_CURRENT,
	STATUS_OTHER,       /* another version's */
	STATUS_NEWER,       /* which this one can't read */
	STATUS_DAMAGED,     /* in part, or only one of its files is ours */
	STATUS_OVERWRITTEN, /* its boot area is there, and LBA 0 is somebody else's */
	STATUS_UNREADABLE,
};

struct status_disk {
	bool leg; /* has a leg of a mirror */
	uint8_t bios_state, uefi_state;
	const struct esp *esp; /* esp->part is 0: there is none; esp->why: it can't be used */
	bool has_files;        /* man says what is on it */
	struct espman man;
	char *mounted_on; /* the ESP; NULL: it is not mounted */
	unsigned entry;   /* an active boot entry in the order leads to the ESP; NVRAM_NONE */
};

struct status_check {
	bool named;            /* these disks were asked for, each by its name */
	struct verify *verify; /* a quick one */
	bool installed;        /* on one of the disks at least */
	bool entries;          /* boot entries were read, and lead to one of these disks */
	struct status_disk disk[SURVEY_DISKS];
	/* of the firmware, where entries is set */
	struct nvram all;
	struct entries_parts parts;
	struct entries_record record;
};

struct status_check *status_check_new(struct hostset *set);
void status_check_free(struct status_check *c);

const char *status_installed_name(uint8_t installed);

/* The disks with a leg of this mirror, by bits. */
uint32_t status_mirror_disks(const struct hostset *set, const struct mirror *m);

/* Reads boot entries; part of status_check_new(). */
void status_entries_look(struct status_check *c, struct hostset *set);

/* What they add to the warnings. */
void status_drift_install(const struct hostset *set, const struct status_check *c,
			  struct status_warnings *w);
void status_drift_esp(const struct hostset *set, const struct status_check *c,
		      struct status_warnings *w);
void status_drift_entries(const struct hostset *set, const struct status_check *c,
			  struct status_warnings *w);

/* The command said last writes to the ESPs of these disks: not while they are mounted. */
void status_next_unmount(const struct status_check *c, uint32_t disks, struct status_warnings *w);

/* The disk of these from whose ESP the others should be cloned; NO_DISK: none has one with files.
 */
unsigned status_newest_esp(const struct hostset *set, const struct status_check *c, uint32_t disks);

#endif
