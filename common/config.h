/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * The configuration: one text of "key = value" lines, the same keys for BIOS
 * (kept in the boot area) and UEFI (\EFI\mirrorboot\mirrorboot.conf). "#" at the
 * start of a line or after a blank starts a comment. Unknown keys and bad values are errors at
 * install, warnings at boot.
 */
#ifndef COMMON_CONFIG_H
#define COMMON_CONFIG_H

#include "common/status.h"
#include "common/trust.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONFIG_TEXT_BYTES  2048 /* a longer text is an error */
#define CONFIG_VALUE_BYTES 128

/* AUTO, not said: the disk, but the volume where legs are whole disks with metadata before the
 * data. */
enum config_view { CONFIG_VIEW_AUTO, CONFIG_DISK, CONFIG_VOLUME };
enum config_members { CONFIG_RAW, CONFIG_CONTENTS };
enum config_writes { CONFIG_WRITES_AUTO, CONFIG_WRITES_NO, CONFIG_WRITES_MIRROR };
enum config_split { CONFIG_NEWEST, CONFIG_ASK, CONFIG_HALT };
enum config_verify { CONFIG_VERIFY_LOADER, CONFIG_VERIFY_ALL, CONFIG_VERIFY_NO };
enum config_console { CONFIG_VGA = 1, CONFIG_SERIAL = 2, CONFIG_BOTH = 3 };

struct config {
	uint8_t boot_disk;               /* boot-disk = disk | volume */
	uint8_t members;                 /* members = raw | contents */
	bool volumes;                    /* volumes = yes | no; by default yes on UEFI only */
	uint8_t writes;                  /* writes = auto | no | mirror */
	uint8_t split_brain;             /* split-brain = newest | ask | halt */
	uint8_t timeout_s;               /* timeout = 0..255: each boot waits for a key */
	bool hide_stale;                 /* hide-stale = yes | no */
	uint8_t console;                 /* console = vga | serial | both */
	uint8_t verify;                  /* verify = loader | all | no (UEFI) */
	char mirror[CONFIG_VALUE_BYTES]; /* mirror = UUID or name; "": the first */
	char next[CONFIG_VALUE_BYTES];   /* next = path on the ESP (UEFI); "": what was replaced */
	struct trust trust; /* trust = UUIDs, in as many lines as wanted; with it stale is hidden */
};

enum config_fault {
	CONFIG_FINE,
	CONFIG_UNKNOWN_KEY,
	CONFIG_BAD_VALUE,
	CONFIG_NO_EQUALS,
	CONFIG_TOO_LONG,
	CONFIG_TWICE,
};

/* The first line that is wrong. */
struct config_error {
	uint8_t fault; /* enum config_fault */
	uint16_t line; /* from 1 */
	char word[32]; /* the key or value, cut to fit */
};

void config_default(struct config *c);

/*
 * Parse text (n bytes, a NUL ends it early) over the defaults. Lines that are
 * wrong are skipped, the rest counts; ST_CORRUPT then, and *err has the first.
 */
enum status config_parse(struct config *c, const char *text, size_t n_bytes,
			 struct config_error *err);

/* "unknown key", "bad value" ... */
const char *config_fault_text(uint8_t fault);

#endif
