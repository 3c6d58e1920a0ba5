/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* probe: md's superblocks, each at its place. */
#include "common/md_probe.h"

#include "common/formats.h"
#include "common/md.h"

#define SB_S512 (MD_SB_BYTES / 512)

/* buf: the superblock in its first half, the bad-block log in the second. */
_Static_assert(FORMAT_BUF_BYTES >= 2 * MD_SB_BYTES, "room for superblock and log");

static enum status probe_md1(enum format_id format, const struct disk *slice, struct member *m,
			     uint8_t *buf)
{
	uint64_t size_s512 = disk_s512(slice, slice->sectors), sb_s512, log_s512;
	uint32_t log_len_s512;
	enum status st;

	if (!md1_place(format, size_s512, &sb_s512))
		return ST_ABSENT;
	st = disk_read_s512(slice, sb_s512, SB_S512, buf);
	if (st != ST_OK)
		return st;
	st = md1_parse(format, buf, sb_s512, size_s512, m);
	if (st != ST_OK || m->status != ST_OK)
		return st;

	if (md1_bad_block_log(buf, sb_s512, size_s512, &log_s512, &log_len_s512)) {
		uint8_t *log = buf + MD_SB_BYTES;

		/* The kernel refuses a member whose log it can't read: holes would be served. */
		if (disk_read_s512(slice, log_s512, log_len_s512, log) == ST_OK) {
			md1_bad_blocks(buf, log, log_len_s512 * 512, m);
		} else {
			m->status = ST_CORRUPT;
			m->why = (struct reason){REASON_LOG_UNREADABLE, 0, 0};
		}
	}
	return ST_OK;
}

enum status md_probe_1_0(const struct disk *slice, struct member *m, uint8_t *buf)
{
	return probe_md1(FORMAT_MD_1_0, slice, m, buf);
}

enum status md_probe_1_1(const struct disk *slice, struct member *m, uint8_t *buf)
{
	return probe_md1(FORMAT_MD_1_1, slice, m, buf);
}

enum status md_probe_1_2(const struct disk *slice, struct member *m, uint8_t *buf)
{
	return probe_md1(FORMAT_MD_1_2, slice, m, buf);
}

enum status md_probe_0_90(const struct disk *slice, struct member *m, uint8_t *buf)
{
	uint64_t size_s512 = disk_s512(slice, slice->sectors), sb_s512;
	enum status st;

	if (!md0_place(size_s512, &sb_s512))
		return ST_ABSENT;
	st = disk_read_s512(slice, sb_s512, SB_S512, buf);
	if (st != ST_OK)
		return st;
	return md0_parse(buf, sb_s512, size_s512, m);
}
