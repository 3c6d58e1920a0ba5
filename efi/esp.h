/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* EFI system partitions: the one that we were started from, the others, and files on them. */
#ifndef EFI_ESP_H
#define EFI_ESP_H

#include "common/config.h"
#include "efi/efidisk.h"
#include "efi/path.h"

#define ESP_MAX 16

struct esp {
	EFI_HANDLE handle;
	const void *path;         /* device path of the handle */
	const struct path_hd *hd; /* its partition; NULL when it is on none */
	unsigned disk;            /* that it lies on; NO_DISK: a volume, or none that we know */
};

struct esps {
	unsigned count;
	struct esp esp[ESP_MAX];
	bool own;                /* esp[0] is the one that we were started from */
	CHAR16 self[PATH_CHARS]; /* our own file's path; empty when not known */
	EFI_HANDLE device;       /* what we were started from, a file system or not */
	const void *device_path; /* or NULL */
	void *options;           /* our load options */
	uint32_t options_bytes;
};

/* What our loaded image says of where we come from. esp[] has that one ESP at most. */
void esp_self(struct esps *all);

/*
 * Find the others: file systems tagged as ESP on our disks that are not
 * removable. Those of volumes that we present go first when volumes_first. Says
 * of each, our own included, on which disk it is.
 */
void esp_find_others(struct esps *all, const struct efidisks *disks, bool volumes_first);

/* Is there such a file? */
bool esp_has_file(const struct esp *esp, const CHAR16 *file);

/*
 * Read \EFI\mirrorboot\mirrorboot.conf of our ESP into *c. ST_ABSENT: there is
 * none, and *c has the defaults. ST_CORRUPT: *err has the first wrong line.
 */
enum status esp_read_config(const struct esps *all, struct config *c, struct config_error *err);

#endif
