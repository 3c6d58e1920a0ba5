/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * md superblock, version 1 (1.0 at the end, 1.1 at the start, 1.2 at 4 KiB).
 *
 * Layout: Linux include/uapi/linux/raid/md_p.h, struct mdp_superblock_1. What is
 * refused, and in which order, follows drivers/md/md.c super_1_load() of 6.1, so
 * that we never use a leg that the kernel would not.
 */
#include "common/md.h"

#include "common/md1_sb.h"
#include "common/mem.h"
#include "common/range.h"

#define BBLOG_S512_MAX  8u /* the kernel reads one page of it */
#define BBLOG_SHIFT_MAX 30u
#define CLEAN           UINT64_MAX

enum feature {
	FEATURE_BITMAP = 0x0001,
	FEATURE_RECOVERY_OFFSET = 0x0002,
	FEATURE_RESHAPE = 0x0004,
	FEATURE_BAD_BLOCKS = 0x0008,
	FEATURE_REPLACEMENT = 0x0010,
	FEATURE_BACKWARDS = 0x0020,
	FEATURE_NEW_OFFSET = 0x0040,
	FEATURE_CLUSTERED = 0x0100,
	FEATURE_JOURNAL = 0x0200,
	FEATURE_PPL = 0x0400,
	FEATURE_MULTI_PPL = 0x0800,
	FEATURE_ALL = 0x1fff,
};

#define DEVFLAG_WRITE_MOSTLY 1
#define DEVFLAG_FAILFAST     2

bool md1_place(enum format_id format, uint64_t size_s512, uint64_t *sb_s512)
{
	/* The kernel wants the superblock's 4 KiB and, behind 1.2's, room to be of use. */
	if (size_s512 < 24)
		return false;
	if (format == FORMAT_MD_1_0)
		*sb_s512 = (size_s512 - 16) & ~(uint64_t)7;
	else
		*sb_s512 = format == FORMAT_MD_1_2 ? 8 : 0;
	return true;
}

static const struct md1_sb *header(const uint8_t *sb)
{
	return (const struct md1_sb *)sb; /* alignment 1: all bytes */
}

static enum status refuse(struct member *m, enum status st, enum reason_code code, uint64_t a,
			  uint64_t b)
{
	m->status = (uint8_t)st;
	m->why = (struct reason){code, a, b};
	return ST_OK; /* a superblock was read; that it can't be used is in m */
}

static void copy_name(char name[NAME_BYTES], const char *from)
{
	unsigned n = 0;

	while (n < NAME_BYTES - 1 && n < 32 && from[n] > ' ' && from[n] < 0x7f) {
		name[n] = from[n];
		n++;
	}
	name[n] = '\0';
}

static void copy_identity(const uint8_t *sb, enum format_id format, uint64_t sb_s512,
			  struct member *m)
{
	const struct md1_sb *h = header(sb);
	uint32_t max_dev = le32_get(h->max_dev);

	memset(m, 0, sizeof(*m));
	m->format = (uint8_t)format;
	m->set_uuid = h->set_uuid;
	m->device_uuid = h->device_uuid;
	copy_name(m->name, h->set_name);
	m->level = (int32_t)le32_get(h->level);
	m->raid_disks = le32_get(h->raid_disks);
	m->events = le64_get(h->events);
	m->dev_number = le32_get(h->dev_number);
	m->sb_s512 = sb_s512;
	m->data_start_s512 = le64_get(h->data_offset);
	m->data_s512 = le64_get(h->size_s512);
	m->good_s512 = m->data_s512;

	m->resync_s512 = le64_get(h->resync_offset);

	m->role_max = (uint16_t)min_u64(max_dev, MD1_MAX_DEV);
	m->role_count = (uint16_t)min_u64(max_dev, MEMBER_ROLES);
	for (uint32_t i = 0; i < m->role_count; i++) {
		uint16_t role = md1_role_at(sb, i);

		/* A role that the array does not have makes a spare: analyze_sbs(). */
		m->roles[i] = role < ROLE_MAX && role >= m->raid_disks ? ROLE_SPARE : role;
	}
	/* Its own stays as it is written: such a superblock is refused as a whole. */
	m->role = ROLE_SPARE;
	if (m->dev_number < m->role_count)
		m->role = md1_role_at(sb, m->dev_number);
}

/* Features and states that are whole and not ours to use. */
static enum status check_features(const struct md1_sb *h, struct member *m)
{
	uint32_t features = le32_get(h->feature_map);

	if (features & ~(uint32_t)FEATURE_ALL)
		return refuse(m, ST_UNSUPPORTED, REASON_FEATURE, features, 0);
	if (features & (FEATURE_RESHAPE | FEATURE_BACKWARDS | FEATURE_NEW_OFFSET))
		return refuse(m, ST_UNSUPPORTED, REASON_RESHAPE, 0, 0);
	if (features & FEATURE_CLUSTERED)
		return refuse(m, ST_UNSUPPORTED, REASON_CLUSTERED, 0, 0);
	if (features & (FEATURE_JOURNAL | FEATURE_PPL | FEATURE_MULTI_PPL))
		return refuse(m, ST_UNSUPPORTED, REASON_JOURNALED, 0, 0);
	if (m->level != 1)
		return refuse(m, ST_UNSUPPORTED, REASON_NOT_A_MIRROR,
			      (uint64_t)(m->level < 0 ? 0 : m->level), 0);
	if (m->dev_number >= MEMBER_ROLES && m->dev_number < le32_get(h->max_dev))
		return refuse(m, ST_UNSUPPORTED, REASON_DEV_NUMBER, m->dev_number, 0);

	if (features & FEATURE_BITMAP) {
		m->flags |= MEMBER_BITMAP;
		/* Signed: 1.0 keeps it before the superblock. */
		m->bitmap_s512 =
			m->sb_s512 + (uint64_t)(int64_t)(int32_t)le32_get(h->bitmap_offset);
	}
	if (features & FEATURE_REPLACEMENT)
		m->flags |= MEMBER_REPLACEMENT;
	if (features & FEATURE_RECOVERY_OFFSET) {
		m->flags |= MEMBER_PARTIAL;
		m->good_s512 = min_u64(le64_get(h->recovery_offset), m->data_s512);
	}
	if (h->devflags & DEVFLAG_WRITE_MOSTLY)
		m->flags |= MEMBER_WRITE_MOSTLY;
	if (h->devflags & DEVFLAG_FAILFAST)
		m->flags |= MEMBER_FAILFAST;
	/* A resync that has come to the end of the data leaves nothing different. */
	if (le64_get(h->resync_offset) < m->data_s512)
		m->flags |= MEMBER_DIRTY;
	return ST_OK;
}

/* Does the superblock's idea of where the data lie fit this member? */
static enum status check_extent(const struct md1_sb *h, uint64_t size_s512, struct member *m)
{
	uint64_t data_size = le64_get(h->data_size);
	uint64_t room = m->sb_s512; /* 1.0: the data end where the superblock starts */

	if (m->format != FORMAT_MD_1_0) {
		if (m->data_start_s512 < m->sb_s512 + 8)
			return refuse(m, ST_CORRUPT, REASON_BAD_FIELDS, 0, 0);
		room = size_s512;
	}
	if (m->data_s512 == 0 || m->data_s512 > data_size)
		return refuse(m, ST_CORRUPT, REASON_BAD_FIELDS, 0, 0);
	if (!range_ok(m->data_start_s512, data_size, room))
		return refuse(m, ST_CORRUPT, REASON_TRUNCATED, size_s512,
			      m->data_start_s512 > UINT64_MAX - data_size
				      ? UINT64_MAX
				      : m->data_start_s512 + data_size);
	return ST_OK;
}

enum status md1_parse(enum format_id format, const uint8_t *sb, uint64_t sb_s512,
		      uint64_t size_s512, struct member *m)
{
	const struct md1_sb *h = header(sb);

	if (le32_get(h->magic) != MD_MAGIC || le32_get(h->major_version) != 1)
		return ST_ABSENT;

	copy_identity(sb, format, sb_s512, m);
	if (le32_get(h->max_dev) > MD1_MAX_DEV)
		return refuse(m, ST_CORRUPT, REASON_BAD_FIELDS, 0, 0);
	if (md1_checksum(sb) != le32_get(h->csum))
		return refuse(m, ST_CORRUPT, REASON_CHECKSUM, 0, 0);
	/* A whole superblock that belongs elsewhere: a partition's, seen through the whole disk. */
	if (le64_get(h->super_offset) != sb_s512)
		return ST_ABSENT;

	uint32_t block_bytes = le32_get(h->logical_block_size);

	if (le32_get(h->pad0) != 0 || (block_bytes & (block_bytes - 1)) != 0)
		return refuse(m, ST_UNSUPPORTED, REASON_FEATURE, le32_get(h->feature_map), 0);
	if (m->raid_disks == 0 || m->raid_disks > MD1_MAX_DEV ||
	    (m->role < ROLE_MAX && m->role >= m->raid_disks))
		return refuse(m, ST_CORRUPT, REASON_BAD_FIELDS, 0, 0);

	check_features(h, m);
	if (m->status != ST_OK)
		return ST_OK;

	uint64_t log_s512;
	uint32_t log_len_s512;

	/* A log that is said to be and can't be: what it lists would be served. */
	if (le32_get(h->feature_map) & FEATURE_BAD_BLOCKS && le16_get(h->bblog_size) > 0 &&
	    (h->bblog_shift > BBLOG_SHIFT_MAX ||
	     !md1_bad_block_log(sb, sb_s512, size_s512, &log_s512, &log_len_s512)))
		return refuse(m, ST_CORRUPT, REASON_BAD_FIELDS, 0, 0);
	return check_extent(h, size_s512, m);
}

bool md1_bad_block_log(const uint8_t *sb, uint64_t sb_s512, uint64_t size_s512, uint64_t *log_s512,
		       uint32_t *len_s512)
{
	const struct md1_sb *h = header(sb);
	uint32_t len = le16_get(h->bblog_size);

	if (!(le32_get(h->feature_map) & FEATURE_BAD_BLOCKS) || len == 0 || len > BBLOG_S512_MAX)
		return false;
	/* Two's complement: a log before the superblock (1.0) is a wrapping addition. */
	*log_s512 = sb_s512 + (uint64_t)(int64_t)(int32_t)le32_get(h->bblog_offset);
	*len_s512 = len;
	return *log_s512 != sb_s512 && range_ok(*log_s512, len, size_s512);
}

/* Keep holes sorted by start and apart; when there is no room, widen the last one. */
static void add_hole(struct member *m, uint64_t start_s512, uint64_t len_s512)
{
	unsigned at = m->hole_count;

	if (at < MEMBER_HOLES) {
		m->hole_count++;
		for (; at > 0 && m->hole[at - 1].start_s512 > start_s512; at--)
			m->hole[at] = m->hole[at - 1];
		m->hole[at] = (struct hole){start_s512, len_s512};
		return;
	}
	at = MEMBER_HOLES - 1;
	while (at > 0 && m->hole[at - 1].start_s512 > start_s512)
		at--;

	struct hole *h = &m->hole[at];
	uint64_t end = h->start_s512 + h->len_s512;

	if (end < start_s512 + len_s512)
		end = start_s512 + len_s512;
	h->start_s512 = min_u64(h->start_s512, start_s512);
	h->len_s512 = end - h->start_s512;
}

void md1_bad_blocks(const uint8_t *sb, const uint8_t *log, uint32_t len_bytes, struct member *m)
{
	unsigned shift = header(sb)->bblog_shift;

	if (shift > BBLOG_SHIFT_MAX)
		return;
	for (uint32_t i = 0; i + 8 <= len_bytes; i += 8) {
		uint64_t entry = le64_get(*(const le64 *)(log + i));
		uint64_t start = entry >> 10, len = entry & 0x3ff;

		if (entry == UINT64_MAX)
			break;
		if (start > (UINT64_MAX >> 1) >> shift || len == 0)
			continue;
		start <<= shift;
		len <<= shift;

		/* Device sectors, which include the data offset (md.h is_badblock()). */
		uint64_t end = start + len, data_end = m->data_start_s512 + m->data_s512;

		if (start < m->data_start_s512)
			start = m->data_start_s512;
		if (end > data_end)
			end = data_end;
		if (start < end)
			add_hole(m, start - m->data_start_s512, end - start);
	}
}
