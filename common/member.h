/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * A member: what one metadata record, on a disk or a partition, says of itself
 * and of its mirror. Every format fills the same struct; nothing after the
 * parsers knows bytes of a format.
 *
 * Units: _lba in sectors of the disk it lies on, _s512 in 512-byte units.
 * Positions inside a member count from its start_lba.
 */
#ifndef COMMON_MEMBER_H
#define COMMON_MEMBER_H

#include "common/guid.h"
#include "common/reason.h"

#include <stdbool.h>
#include <stdint.h>

enum format_id {
	FORMAT_MD_0_90,
	FORMAT_MD_1_0,
	FORMAT_MD_1_1,
	FORMAT_MD_1_2,
	FORMAT_LDM,
	FORMAT_COUNT,
};

#define MEMBER_ROLES 128 /* entries of the role map that we keep: mdadm writes 128 */
#define MEMBER_HOLES 16  /* bad ranges that we keep; more are merged, never dropped */
#define NAME_BYTES   33

/* Roles, in md's own encoding; other formats translate to it. */
#define ROLE_SPARE   0xffff
#define ROLE_FAULTY  0xfffe
#define ROLE_JOURNAL 0xfffd
#define ROLE_MAX     0xff00 /* regular roles are below */

enum member_flag {
	MEMBER_WRITE_MOSTLY = 1 << 0, /* read it only when there is no other */
	MEMBER_FAILFAST = 1 << 1,
	MEMBER_DIRTY = 1 << 2,       /* the array was not closed: legs may differ */
	MEMBER_BITMAP = 1 << 3,      /* has an internal write-intent bitmap */
	MEMBER_REPLACEMENT = 1 << 4, /* shares its role with the leg that it replaces */
	MEMBER_PARTIAL = 1 << 5,     /* good below good_s512 only (rebuilding) */
	MEMBER_PIECE = 1 << 6,       /* a part of a leg: others with its role have the rest */
	MEMBER_SURVIVOR = 1 << 7,    /* LDM: its log says that another leg was detached */
};

/* A range of the mirror's data that this member can't serve. */
struct hole {
	uint64_t start_s512; /* from the start of the data */
	uint64_t len_s512;
};

struct member {
	uint8_t format; /* enum format_id */
	uint8_t status; /* enum status: OK, CORRUPT or UNSUPPORTED, with why below */
	struct reason why;
	uint8_t flags; /* enum member_flag */

	/* where: filled in by probe */
	uint8_t disk;  /* index of the disk in the survey */
	uint16_t part; /* partition number, 0 for the whole disk */
	uint64_t start_lba;
	uint64_t sectors_lba;

	/* identity */
	struct guid set_uuid;
	struct guid device_uuid; /* zero where the format has none */
	char name[NAME_BYTES];   /* always NUL-terminated, printable ASCII */

	/* the array, as this member sees it */
	int32_t level; /* 1: a mirror */
	uint32_t raid_disks;
	uint64_t events;     /* its generation */
	uint32_t check;      /* LDM: members of one generation have the same */
	uint32_t raw_check;  /* and this, where neither is 0 */
	uint32_t dev_number; /* its index in the role map */
	uint16_t role;       /* its own role, by its own map */
	uint16_t role_count;
	uint16_t roles[MEMBER_ROLES];

	/* the data */
	uint64_t sb_s512;         /* where the superblock is */
	uint64_t data_start_s512; /* where the data is */
	uint64_t data_s512;       /* how much of it the array uses */
	uint64_t good_s512;       /* MEMBER_PARTIAL: valid below this, from the data's start */
	uint64_t resync_s512;     /* the superblock's resync_offset; beyond data_s512: closed */
	uint64_t bitmap_s512;     /* MEMBER_BITMAP: where it is */
	uint16_t role_max;        /* entries that the role map has on disk */
	uint8_t hole_count;
	struct hole hole[MEMBER_HOLES];
};

#endif
