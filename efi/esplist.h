/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * EFI system partitions as the disks' own partition tables have them, mounted by the firmware
 * or not: what commands list and number, read and write.
 */
#ifndef EFI_ESPLIST_H
#define EFI_ESPLIST_H

#include "efi/efidisk.h"

#define ESPLIST_MAX 16

struct esplist_esp {
	unsigned disk; /* of struct efidisks */
	const struct disk *d;
	uint16_t part;
	struct guid uuid; /* of the partition; zeros on an MBR disk */
	uint64_t start_lba, sectors;
	bool removable;    /* the disk is, or is none but by name */
	bool leg;          /* a member of a mirror lies over it */
	bool untrusted;    /* and so is all on its disk */
	bool own;          /* we were started from it */
	EFI_HANDLE handle; /* the firmware's, of the partition; NULL: it has none */
	bool taken;        /* esplist_take() */
};

struct esplist {
	unsigned count;
	bool full; /* there were more */
	struct esplist_esp esp[ESPLIST_MAX];
	struct part_list parts; /* scratch */
};

/* After survey_probe() of these disks. own: the handle that we were started from, or NULL. */
void esplist_find(struct esplist *l, const struct efidisks *disks, const struct survey *s,
		  EFI_HANDLE own);

/* The one that a word names: its number, from 1 on, or its partition GUID. NULL: none. */
struct esplist_esp *esplist_named(struct esplist *l, const char *word);

/* "ESP 2": what messages call it. */
void esplist_say(const struct esplist *l, const struct esplist_esp *e, struct text *out);

/*
 * No file system of the firmware's shows it, or has anything of it in memory, until
 * esplist_give(). False: the firmware keeps it.
 */
bool esplist_take(struct esplist_esp *e);
void esplist_give(struct esplist_esp *e);

#endif
