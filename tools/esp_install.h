/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * The files of the UEFI part on one disk's EFI system partition:
 *
 *   \EFI\mirrorboot\mirrorboot.efi   this build's application
 *   \EFI\mirrorboot\mirrorboot.conf  the config, where there is one
 *   \EFI\mirrorboot\install.txt      what install made, for uninstall
 *   \EFI\BOOT\BOOTX64.EFI            the application again: what firmware starts
 *   \EFI\BOOT\BOOTX64.REPLACED.EFI   what was there before, beside its siblings
 *
 * New files first, the fallback last: until that write the disk boots as before.
 */
#ifndef TOOLS_ESP_INSTALL_H
#define TOOLS_ESP_INSTALL_H

#include "common/config.h"
#include "tools/fatfs.h"

enum esp_file { ESP_ABSENT, ESP_OURS, ESP_OURS_OTHER, ESP_FOREIGN };

struct esp {
	struct fatfs fs;
	uint16_t part; /* 0: this disk has none */
	uint64_t start_bytes, len_bytes;

	/* what is there */
	uint8_t app;      /* enum esp_file: OURS is this build, OURS_OTHER another build */
	uint8_t fallback; /* enum esp_file */
	bool replaced;    /* BOOTX64.REPLACED.EFI is there */
	bool folder;      /* \EFI\mirrorboot is there */
	char fallback_name[FATFS_PATH_BYTES]; /* as the directory spells it */
	bool has_config;
	bool config_too_long; /* config is its beginning only */
	char config[CONFIG_TEXT_BYTES + 1];
	char record[512]; /* install.txt */

	/* what install needs */
	bool unchanged;
	uint64_t need_bytes, free_bytes;
	char why[800]; /* the last failure */
};

/*
 * Find the ESP of a disk and read what is installed. True also when there is none
 * (e->part is 0). False: e->why.
 */
bool esp_look(struct esp *e, const struct hostdisk *host, const struct disk *d);

/* Is anything of ours there? */
bool esp_is_installed(const struct esp *e);

/* config: to be written; NULL: keep what is there. False: no room, and e->why. */
bool esp_plan(struct esp *e, const char *config);

/* Do it. False: e->why, and *fallback_touched says whether the boot file was changed. */
bool esp_apply(struct esp *e, const char *config, bool *fallback_touched);

/* Put the replaced loader back and remove our files. */
bool esp_remove(struct esp *e, bool *fallback_touched);

#endif
