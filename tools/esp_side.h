/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* One EFI system partition of a clone: its file system, its files, its manifest. */
#ifndef TOOLS_ESP_SIDE_H
#define TOOLS_ESP_SIDE_H

#include "common/fat_check.h"
#include "tools/esp_manifest.h"
#include "tools/esp_place.h"

struct esp_side {
	struct esp_place *place;
	const struct disk *disk; /* where it is read and written: the place's, or a rehearsal */
	uint64_t start_lba, sectors;
	struct fat fat;
	bool has_fat;
	struct espman man; /* what is there */
	struct espman_file **sorted;
	/* of the file system, by esp_side_check() */
	enum fat_why why;
	char wrong_path[FAT_PATH_BYTES];
	uint32_t used, lost; /* clusters */
	bool dirty;
	/* in place of a file system that is still to be made */
	struct hostset *rehearsal;
};

/* What the mount has in memory is written to the disk; its caches forgotten. False: said. */
bool esp_side_sync(const struct esp_side *s);

/* Open the file system and read everything, anew each time. False: said. */
bool esp_side_look(struct esp_side *s);
void esp_side_forget(struct esp_side *s);

/* Follow every chain (fat_check). False: s->why. */
bool esp_side_check(struct esp_side *s);

/* A sentence for that: "a cluster belongs to two files: \x". */
void esp_side_why_text(enum fat_why why, const char *path, char *text, size_t size);

/*
 * Act as if it had been formatted: on a file in memory of that many sectors. label: 11
 * bytes. False: said.
 */
bool esp_side_rehearse(struct esp_side *s, uint64_t sectors, const uint8_t *label);

/* Format it. False: said. */
bool esp_side_format(struct esp_side *s, const uint8_t *label);

/* Files that the espman of it has, with all their bytes. */
uint64_t esp_side_bytes(const struct esp_side *s);

/* By path, ASCII letters alike in both cases; NULL: not there, or not covered. */
const struct espman_file *esp_side_find(const struct esp_side *s, const char *path);

#endif
