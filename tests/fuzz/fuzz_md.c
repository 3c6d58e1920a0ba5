/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * One md superblock, with its bad-block log. The input: flags (1 byte), the member's size
 * in s512 (8), the superblock (up to 4 KiB), the log (up to 4 KiB).
 */
#include "common/md.h"
#include "common/range.h"
#include "common/wire.h"
#include "tests/fuzz/fuzz.h"

#define SIZE_MAX_S512 (1ull << 55) /* 2^64 bytes: no disk is larger */

enum flag { FORMAT = 3, FIX_CHECKSUM = 4, FIX_PLACE = 8 };

static size_t take(const uint8_t **data, size_t *n, void *to, size_t room)
{
	size_t got = *n < room ? *n : room;

	memset(to, 0, room);
	memcpy(to, *data, got);
	*data += got;
	*n -= got;
	return got;
}

/* What must hold of every superblock that was read, good or not. */
static void check_member(const struct member *m, enum format_id format)
{
	check(m->format == format);
	check(memchr(m->name, 0, sizeof(m->name)) != NULL);
	for (const char *c = m->name; *c; c++)
		check(*c > ' ' && *c < 0x7f);
	check(m->role_count <= MEMBER_ROLES);
	check(m->status == ST_OK || m->status == ST_CORRUPT || m->status == ST_UNSUPPORTED);
	check((m->status == ST_OK) == (m->why.code == REASON_NONE));
	check(m->why.code < REASON_COUNT);
}

/* And of one that is to be used. */
static void check_usable(const struct member *m, uint64_t size_s512)
{
	uint64_t end = 0;

	check(m->level == 1 && m->raid_disks > 0);
	check(m->data_s512 > 0 && range_ok(m->data_start_s512, m->data_s512, size_s512));
	/* The data do not lie over the superblock. */
	check(m->data_start_s512 >= m->sb_s512 + 8 ||
	      range_ok(m->data_start_s512, m->data_s512, m->sb_s512));
	check(m->good_s512 <= m->data_s512);
	check(m->role >= ROLE_MAX || m->role < m->raid_disks);
	for (unsigned i = 0; i < m->role_count; i++)
		check(m->roles[i] >= ROLE_MAX || m->roles[i] < m->raid_disks);
	check(m->hole_count <= MEMBER_HOLES);
	for (unsigned i = 0; i < m->hole_count; i++) {
		const struct hole *h = &m->hole[i];

		check(h->len_s512 > 0 && range_ok(h->start_s512, h->len_s512, m->data_s512));
		check(i == 0 || h->start_s512 >= end); /* end: where the last one started */
		end = h->start_s512;
	}
}

/* Every sector that the log lists must lie in a hole: merged they may be, never dropped. */
static void check_log(const uint8_t *log, uint32_t bytes, unsigned shift, const struct member *m)
{
	for (uint32_t i = 0; i + 8 <= bytes; i += 8) {
		uint64_t e = le64_get(*(const le64 *)(log + i));
		uint64_t start = (e >> 10) << shift, len = (e & 0x3ff) << shift;
		int found = 0;

		if (e == UINT64_MAX)
			return;
		if ((e >> 10) > (UINT64_MAX >> 1) >> shift || start < m->data_start_s512 ||
		    start - m->data_start_s512 >= m->data_s512 || len == 0)
			continue;
		start -= m->data_start_s512;
		len = min_u64(len, m->data_s512 - start);
		for (unsigned k = 0; k < m->hole_count; k++)
			found |= start >= m->hole[k].start_s512 &&
				 range_ok(start - m->hole[k].start_s512, len, m->hole[k].len_s512);
		check(found);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static uint8_t sb[MD_SB_BYTES], log[MD_SB_BYTES];
	uint64_t size_s512, sb_s512, log_s512;
	enum format_id format;
	struct member m;
	uint8_t flags;
	uint32_t len;
	le64 size;
	int v0;

	take(&data, &n, &flags, 1);
	take(&data, &n, &size, sizeof(size));
	take(&data, &n, sb, sizeof(sb));
	take(&data, &n, log, sizeof(log));
	format = (enum format_id)(flags & FORMAT);
	v0 = format == FORMAT_MD_0_90;
	size_s512 = min_u64(le64_get(size), SIZE_MAX_S512);

	if (!(v0 ? md0_place(size_s512, &sb_s512) : md1_place(format, size_s512, &sb_s512)))
		return 0;
	check(range_ok(sb_s512, MD_SB_BYTES / 512, size_s512));
	if (!v0 && flags & FIX_PLACE)
		*(le64 *)(sb + 144) = le64_of(sb_s512);
	if (flags & FIX_CHECKSUM) {
		if (v0)
			*(le32 *)(sb + 152) = le32_of(md0_checksum(sb));
		else
			*(le32 *)(sb + 216) = le32_of(md1_checksum(sb));
	}

	memset(&m, 0xa5, sizeof(m));
	if ((v0 ? md0_parse(sb, sb_s512, size_s512, &m)
		: md1_parse(format, sb, sb_s512, size_s512, &m)) != ST_OK) {
		say("no-superblock");
		return 0;
	}
	check_member(&m, format);
	say_status("member", m.status);
	say(reason_name(m.why.code));
	if (m.status != ST_OK)
		return 0;
	if (!v0 && md1_bad_block_log(sb, sb_s512, size_s512, &log_s512, &len)) {
		check(len <= MD_SB_BYTES / 512 && range_ok(log_s512, len, size_s512));
		md1_bad_blocks(sb, log, len * 512, &m);
		check_log(log, len * 512, sb[185], &m);
	}
	say_number("holes", m.hole_count);
	check_usable(&m, size_s512);
	return 0;
}
