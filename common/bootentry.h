/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * A UEFI boot entry: what a variable Boot#### holds (EFI_LOAD_OPTION, UEFI spec 2.10, 3.1.3).
 * Attributes, a description, device paths of which the first says what is started, and data for
 * the program. Nothing in it is believed: each length is checked against what is left.
 */
#ifndef COMMON_BOOTENTRY_H
#define COMMON_BOOTENTRY_H

#include "common/guid.h"
#include "common/status.h"

#define BOOTENTRY_ACTIVE     1u
#define BOOTENTRY_FILE_UNITS 512 /* of a file's path, the NUL included */

/* HD(): a partition (UEFI spec 2.10, 10.3.5.1). */
struct bootentry_hd {
	uint32_t number;
	uint64_t start_lba, sectors; /* in sectors of its disk */
	struct guid guid;            /* or an MBR's signature */
	uint8_t table;               /* 1: MBR, 2: GPT */
	uint8_t signature_type;      /* 1: MBR signature, 2: GUID */
};

/* The pointers are into the variable's bytes. */
struct bootentry {
	uint32_t attributes;
	const uint8_t *name; /* UCS-2, not aligned, no NUL */
	size_t name_units;
	const uint8_t *path; /* all device paths */
	size_t path_bytes;
	size_t first_bytes; /* of the first of them, its end node included */
	const uint8_t *data;
	size_t data_bytes;
	/* Of the first path, where it leads to a partition of a GPT, which is what we can clone: */
	bool on_partition;
	struct bootentry_hd hd;
	size_t tail_at; /* in path: what follows HD() */
};

/* ST_CORRUPT: not a boot entry. *e is not to be used then. */
enum status bootentry_parse(struct bootentry *e, const void *variable, size_t bytes);

/* "\EFI\BOOT\BOOTX64.EFI", NUL behind it; false: no file is in the path, or a longer one. */
bool bootentry_file(const struct bootentry *e, uint16_t file[BOOTENTRY_FILE_UNITS]);

/* Wherever each is: the same file? Firmware may write a path anew, with other backslashes. */
bool bootentry_same_file(const struct bootentry *a, const struct bootentry *b);

/* Are both on this partition, or wherever each is, the same program with the same data? */
bool bootentry_same_program(const struct bootentry *a, const struct bootentry *b);

/*
 * Did the firmware make it by itself? It makes and deletes such entries as it likes.
 * (edk2, BmBoot.c: mBmAutoCreateBootOptionGuid as the data; AMI: the four bytes 00 00 "BO".)
 */
bool bootentry_is_automatic(const struct bootentry *e);

/*
 * The same entry for another partition: the first path becomes HD() of that and what followed the
 * old HD(). What stood before HD() led to the old disk, and is left out. The name gets a blank and
 * more_units of UCS-2 behind it, nothing when there are none. ST_FULL: no room. ST_UNSUPPORTED: it
 * is not on a partition.
 */
enum status bootentry_retarget(const struct bootentry *e, const struct bootentry_hd *hd,
			       const uint16_t *more, size_t more_units, void *out, size_t room,
			       size_t *bytes);

#endif
