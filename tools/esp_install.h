/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * The files of the UEFI part on one disk's EFI system partition:
 *
 *   \EFI\mirrorboot\mirrorboot.efi   this build's application
 *   \EFI\mirrorboot\mirrorboot.conf  the config, where there is one
 *   \EFI\mirrorboot\install.txt      what install made, for uninstall
 *   \EFI\mirrorboot\manifest         what is on this ESP (tools/esp_manifest.h)
 *   \EFI\BOOT\BOOTX64.EFI            the application again: what firmware starts
 *   \EFI\BOOT\BOOTX64.REPLACED.EFI   what was there before, beside its siblings
 *
 * and the same for 32-bit firmware (mirrorbootia32.efi, BOOTIA32.EFI), where there
 * is a BOOTIA32.EFI, or when asked.
 *
 * New files first, the fallbacks last: until that write the disk boots as before.
 */
#ifndef TOOLS_ESP_INSTALL_H
#define TOOLS_ESP_INSTALL_H

#include "common/config.h"
#include "common/guid.h"
#include "tools/efiapp.h"
#include "tools/fatfs.h"

enum esp_file { ESP_ABSENT, ESP_OURS, ESP_OURS_OTHER, ESP_FOREIGN };

/* One kind of firmware's files. */
struct esp_loader {
	bool wanted;       /* something for it is there, or was asked for */
	uint8_t app;       /* enum esp_file: OURS is this build, OURS_OTHER another build */
	uint8_t fallback;  /* enum esp_file */
	bool is_signed;    /* one of these two is ours and has a signature */
	bool replaced;     /* BOOTX64.REPLACED.EFI is there */
	const char *maker; /* of a foreign fallback: "GRUB"; NULL: not known */
	char fallback_name[FATFS_PATH_BYTES]; /* as the directory spells it */
};

struct esp {
	struct fatfs fs;
	uint16_t part; /* 0: this disk has none */
	uint64_t start_bytes, len_bytes;
	struct guid uuid; /* of the partition; zero where the table is an MBR */

	/* what is there */
	struct esp_loader loader[EFIAPP_ARCHS];
	bool folder; /* \EFI\mirrorboot is there */
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
bool esp_look(struct esp *e, const struct disk *d);

/* Is anything of ours there? */
bool esp_is_installed(const struct esp *e);

/* Or what a run that was cut has left of it, which is of no use? */
bool esp_has_leftovers(const struct esp *e);

/*
 * config: to be written; NULL: keep what is there. ia32: for 32-bit firmware in any
 * case. False: it can't be done, and e->why.
 */
bool esp_plan(struct esp *e, const char *config, bool ia32);

/* Is there room for need_bytes? False: no, and e->why. */
bool esp_has_room(struct esp *e);

/* The folders that our files lie in: before anything else is written. */
bool esp_make_folders(struct esp *e);

/* Do it. False: e->why, and *fallback_touched says whether the boot file was changed. */
bool esp_apply(struct esp *e, const char *config, bool *fallback_touched);

/* Can the replaced loader be put back: is there room? False: no, and e->why. */
bool esp_plan_remove(struct esp *e);

/* Put the replaced loader back and remove our files. */
bool esp_remove(struct esp *e, bool *fallback_touched);

#endif
