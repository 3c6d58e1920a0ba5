/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * What the tests of md, survey, judge, view and vdisk share: disks in memory that
 * fail where told to, and md superblocks made here from the offsets in Linux
 * include/uapi/linux/raid/md_p.h, without the code under test.
 */
#ifndef TESTS_UNIT_HELP_MD_H
#define TESTS_UNIT_HELP_MD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/survey.h"

/* Little-endian numbers at a place in a buffer. */
void put16(uint8_t *to, uint16_t x);
void put32(uint8_t *to, uint32_t x);
void put64(uint8_t *to, uint64_t x);
uint32_t get32(const uint8_t *from);

/* ---- a disk in memory ---- */

#define MEMDISK_BAD 8

struct memdisk {
	struct disk disk; /* ctx is this struct: do not copy the memdisk, copy this */
	uint8_t *bytes;
	struct {
		uint64_t lba, sectors;
	} bad[MEMDISK_BAD];
	unsigned bad_count;
	bool dead;         /* every read fails */
	unsigned requests; /* reads asked for, failed ones included */
	uint64_t last_lba; /* of the last read */
	uint32_t last_n;
};

void memdisk_open(struct memdisk *m, uint64_t sectors, unsigned shift);
void memdisk_close(struct memdisk *m);
/* Reads that touch this range answer ST_IO, after scribbling over the buffer. */
void memdisk_fail(struct memdisk *m, uint64_t lba, uint64_t sectors);
/* Each 512 bytes: 504 times the tag, and their number from first on in the last 8. */
void memdisk_fill(struct memdisk *m, uint64_t from_s512, uint64_t n_s512, uint8_t tag,
		  uint64_t first);
/* Was this sector written by memdisk_fill so? */
bool sector_is(const uint8_t *sector, uint8_t tag, uint64_t number);
/* A primary MBR partition, 1 to 4. */
void memdisk_mbr(struct memdisk *m, unsigned number, uint8_t type, uint32_t start_lba,
		 uint32_t sectors);

/* ---- superblocks ---- */

#define TEST_ROLES 128

struct md1_spec {
	enum format_id format;
	uint8_t uuid;   /* every byte of the array's UUID */
	uint8_t device; /* every byte of the device's */
	const char *name;
	uint32_t features;
	int32_t level;
	uint32_t raid_disks;
	uint64_t size, data_offset, data_size; /* s512 */
	uint64_t recovery_offset, resync_offset;
	uint32_t dev;
	uint8_t devflags, bblog_shift;
	uint16_t bblog_size;
	int32_t bblog_offset;
	uint64_t events;
	uint32_t max_dev;
	uint16_t roles[TEST_ROLES];
};

/*
 * Device dev of a two-legged mirror that is in sync: 100 events, roles 0 and 1, data of
 * 512 s512 at 64 (at 0 for 1.0).
 */
struct md1_spec md1_spec(enum format_id format, unsigned dev);
void md1_build(const struct md1_spec *spec, uint64_t size_s512, uint8_t sb[4096]);
/* After a change to what md1_build() made. */
void md1_resum(uint8_t sb[4096]);
uint64_t md1_at(enum format_id format, uint64_t size_s512);
/* Write the superblock where it belongs in a member of the disk. */
void md1_put(struct memdisk *m, uint64_t start_s512, uint64_t size_s512,
	     const struct md1_spec *spec);

enum { MD0_ACTIVE_SYNC = 6, MD0_FAULTY = 1, MD0_REMOVED = 8 };

struct md0_spec {
	uint8_t uuid;
	uint32_t minor, level, raid_disks, size_kib, md_minor, state;
	uint64_t events;
	uint32_t dev;
	uint32_t own_state;      /* further bits in this_disk, as write-mostly */
	uint32_t disk_state[27]; /* of descriptor i, whose role is i */
};

/* Device dev of a two-legged mirror that is in sync: 100 events, 256 KiB of data. */
struct md0_spec md0_spec(unsigned dev);
void md0_build(const struct md0_spec *spec, uint8_t sb[4096]);
void md0_resum(uint8_t sb[4096]);
uint64_t md0_at(uint64_t size_s512);
void md0_put(struct memdisk *m, uint64_t start_s512, uint64_t size_s512,
	     const struct md0_spec *spec);

/* ---- members without disks, for judge ---- */

/* In sync, 100 events, 512 s512 of data, raid_disks roles 0..n-1 for devices 0..n-1. */
struct member make_member(unsigned dev, unsigned raid_disks);
/* Put m into the survey, as found on this disk. */
void survey_add(struct survey *s, const struct member *m, unsigned disk);
/* The leg of this survey's first mirror whose member lies on the disk; fails when there is none. */
const struct leg *leg_on(const struct survey *s, unsigned mirror, unsigned disk);

#endif
