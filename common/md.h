/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* Linux md: the two superblock generations. Rules and sources are in each .c file. */
#ifndef COMMON_MD_H
#define COMMON_MD_H

#include "common/disk.h"
#include "common/member.h"

#define MD_MAGIC    0xa92b4efcu
#define MD_SB_BYTES 4096 /* a superblock of either generation is at most this */

/*
 * Where, in s512 from the start of a member of so many s512, the superblock of
 * this format is. False when the member is too small to have one.
 */
bool md0_place(uint64_t size_s512, uint64_t *sb_s512);
bool md1_place(enum format_id format, uint64_t size_s512, uint64_t *sb_s512);

/*
 * Read the MD_SB_BYTES found at sb_s512 of a member of size_s512 into m (all but
 * the "where" fields).
 *   ST_ABSENT       not a superblock of this format at this place
 *   ST_OK           m->status is OK, CORRUPT or UNSUPPORTED, m->why says why
 */
enum status md0_parse(const uint8_t *sb, uint64_t sb_s512, uint64_t size_s512, struct member *m);
enum status md1_parse(enum format_id format, const uint8_t *sb, uint64_t sb_s512,
		      uint64_t size_s512, struct member *m);

/*
 * md 1.x keeps its bad-block log beside the superblock. Where is it? False: no log.
 * log_s512 counts from the member's start; then md1_bad_blocks() reads its content.
 */
bool md1_bad_block_log(const uint8_t *sb, uint64_t sb_s512, uint64_t size_s512, uint64_t *log_s512,
		       uint32_t *len_s512);
void md1_bad_blocks(const uint8_t *sb, const uint8_t *log, uint32_t len_bytes, struct member *m);

/* The checksum as md computes it, over a superblock that says its own length. */
uint32_t md1_checksum(const uint8_t *sb);
uint32_t md0_checksum(const uint8_t *sb);

#endif
