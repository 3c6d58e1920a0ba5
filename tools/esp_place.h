/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * EFI system partitions as a command line names them: a disk or an image (its ESP), an image of
 * an ESP, the block device of a partition, DISK:N, DISK:GUID, PARTUUID=GUID.
 */
#ifndef TOOLS_ESP_PLACE_H
#define TOOLS_ESP_PLACE_H

#include "common/fat.h"
#include "common/guid.h"
#include "tools/hostdisk.h"

#define ESP_PLACES 16

struct esp_place {
	const char *arg; /* as given: what messages call it */
	char *path;      /* of the disk */
	char select[64]; /* "2", a GUID, or nothing */
	uint64_t s512;   /* a partition's block device: where it starts; UINT64_MAX otherwise */
	bool written;    /* opened for writing */
	struct hostset *set;
	const struct hostdisk *host;
	const struct disk *disk;
	/* what was found */
	unsigned part;    /* 0: no table, the disk is the file system */
	struct guid uuid; /* of the partition; zeros: it has none */
	uint64_t start_lba, sectors;
	bool none;        /* a good GPT without an ESP: one can be made */
	bool is_esp;      /* by its type */
	enum status fat;  /* ABSENT: no FAT file system */
	char *mounted_on; /* NULL: it is not */
};

struct esp_places {
	unsigned count;
	struct esp_place place[ESP_PLACES];
};

/*
 * Take the arguments apart and open the disks, each once; those from first_written on for
 * writing. NULL: what is wrong has been said, and *exit_status is set.
 */
struct esp_places *esp_places_open(char **arg, int count, unsigned sector_bytes,
				   unsigned first_written, int *exit_status);
void esp_places_close(struct esp_places *ps);

/*
 * Find the partition, anew each time. may_lack: no ESP, or no FAT in it, is no failure.
 * False: said.
 */
bool esp_place_find(struct esp_place *p, bool may_lack);

/* Do two of them lie over each other? Says so. */
bool esp_places_overlap(const struct esp_places *ps);

/* Is it a leg of a mirror? */
bool esp_place_is_leg(struct esp_place *p);

/* May it be written: not mounted, not in use, no leg of a mirror? False: why not was said. */
bool esp_place_may_write(struct esp_place *p);

/* "partition 1, FAT32", "FAT16"; f: NULL when it has none. */
void esp_place_text(const struct esp_place *p, const struct fat *f, char *text, size_t size);

#endif
