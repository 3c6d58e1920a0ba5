/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * Reads and writes of a vdisk whose legs fail, against a model that is a plain array: what is read
 * is what was written last, a request fails only where no leg could serve it, and legs that
 * are written are equal afterwards.
 *
 * The input: flags, extents (2 bytes each), bad sectors (3 bytes each), then requests (4 bytes
 * each).
 */
#include "common/range.h"
#include "common/share.h"
#include "common/md1_sb.h"
#include "common/md.h"
#include "tests/fuzz/fuzz.h"

#define SECTORS  96u
#define LEGS     4
#define EXTENTS  5
#define BAD      6
#define REQUESTS 60
#define HEAD     24u /* sectors before a leg's data: superblock and bitmap */
#define DISK     (HEAD + SECTORS + LEGS)

/* MARKS: the legs are md 1.2 and say so when a write is on its way; BITMAP: with a bitmap. */
enum flag { WRITABLE = 1, MARKS = 2, BITMAP = 4, WIDE_CHUNKS = 8, MORE_LEGS = 16, STEADY = 32 };

static uint8_t content[LEGS][DISK * 512], truth[SECTORS * 512];
static bool unknown[SECTORS]; /* half-written on the last leg: old or new, nobody knows */
static struct {
	uint8_t disk, lba;
	bool write;
} bad[BAD];
static unsigned bad_count, legs, read_by;
static struct vdisk_set set;
static struct vdisk_tables tables;
static struct disk disks[LEGS];

static bool is_bad(unsigned disk, uint64_t lba, uint32_t n, bool write)
{
	for (unsigned i = 0; i < bad_count; i++)
		if (bad[i].disk == disk && bad[i].write == write && bad[i].lba >= lba &&
		    bad[i].lba - lba < n)
			return true;
	return false;
}

static enum status fuzz_read(const struct disk *d, uint64_t lba, uint32_t n, void *buf)
{
	unsigned i = (unsigned)(d - disks);

	check(range_ok(lba, n, d->sectors));
	read_by |= 1u << i;
	memset(buf, 0xee, (size_t)n * 512);
	if (is_bad(i, lba, n, false))
		return ST_IO;
	memcpy(buf, content[i] + lba * 512, (size_t)n * 512);
	return ST_OK;
}

static enum status fuzz_write(const struct disk *d, uint64_t lba, uint32_t n, const void *buf)
{
	unsigned i = (unsigned)(d - disks);

	check(range_ok(lba, n, d->sectors));
	for (uint32_t k = 0; k < n; k++) {
		if (is_bad(i, lba + k, 1, true))
			return ST_IO;
		memcpy(content[i] + (lba + k) * 512, (const uint8_t *)buf + k * 512u, 512);
	}
	return ST_OK;
}

static enum status fuzz_flush(const struct disk *d)
{
	return ST_OK;
}

/* ---- the set ------------------------------------------------------------------------------------
 */

static uint64_t leg_start(unsigned leg)
{
	return HEAD + leg; /* not alike, so that a wrong leg's place is seen */
}

static void put_superblock(unsigned i)
{
	struct md1_sb *h = (struct md1_sb *)content[i];
	le16 *roles = (le16 *)(content[i] + sizeof(*h));

	h->magic = le32_of(MD_MAGIC);
	h->major_version = le32_of(1);
	h->raid_disks = le32_of(legs);
	h->dev_number = le32_of(i);
	h->events = le64_of(100);
	h->resync_offset = le64_of(UINT64_MAX);
	h->max_dev = le32_of(LEGS);
	for (unsigned k = 0; k < LEGS; k++)
		roles[k] = le16_of((uint16_t)(k < legs ? k : ROLE_SPARE));
	h->csum = le32_of(md1_checksum(content[i]));
}

static void make_extents(struct input *in, unsigned flags)
{
	uint64_t at = 0;

	while (at < SECTORS && set.extent_count < EXTENTS) {
		struct vdisk_extent *e = &set.extent[set.extent_count++];
		unsigned size = take8(in), which = take8(in), k = 0;

		*e = (struct vdisk_extent){.lba = at, .offset = at};
		e->sectors = 1 + size % (SECTORS - at);
		if (set.extent_count == EXTENTS)
			e->sectors = SECTORS - at;
		at += e->sectors;
		memset(e->leg, VDISK_NO_LEG, sizeof(e->leg));
		/* In any order; where which says so, a leg has a hole here. */
		for (unsigned i = 0; i < legs; i++)
			if (!(which >> (4 + i) & 1))
				e->leg[k++] = (uint8_t)((i + which) % legs);
	}
}

static void set_up(struct input *in)
{
	static uint8_t scratch[VDISK_SCRATCH_SECTORS * 512];
	unsigned flags = take8(in);
	struct vdisk_mirror *m = tables.mirror;

	legs = flags & MORE_LEGS ? LEGS : 2;
	memset(&set, 0, sizeof(set));
	memset(&tables, 0, sizeof(tables));
	memset(unknown, 0, sizeof(unknown));
	set.vdisk = tables.vdisk;
	set.leg = tables.leg;
	set.extent = tables.extent;
	set.mirror = tables.mirror;
	set.vdisk_count = 1;
	set.leg_count = (uint8_t)legs;
	for (unsigned i = 0; i < SECTORS * 512; i++)
		truth[i] = (uint8_t)(i / 512 + (i % 512 == 0 ? 128 : 0));
	memset(content, 0, sizeof(content));
	for (unsigned i = 0; i < legs; i++) {
		memcpy(content[i] + leg_start(i) * 512, truth, sizeof(truth));
		put_superblock(i);
		set.leg[i] = (struct vdisk_leg){.disk = (uint8_t)i,
						.leg = (uint8_t)i,
						.start_lba = leg_start(i),
						.steady = flags & STEADY};
		disks[i] = (struct disk){.read = fuzz_read,
					 .write = fuzz_write,
					 .flush = i & 1 ? fuzz_flush : NULL,
					 .sectors = DISK,
					 .shift = 9};
	}
	make_extents(in, flags);
	set.vdisk[0] =
		(struct vdisk){.sectors = SECTORS, .extent_count = set.extent_count, .shift = 9};
	for (bad_count = 0; bad_count < BAD; bad_count++) {
		unsigned how = take8(in);

		bad[bad_count].disk = (uint8_t)(how & 64 ? LEGS : how % LEGS); /* or nowhere */
		bad[bad_count].write = how & 128;
		bad[bad_count].lba = (uint8_t)(take8(in) % DISK);
	}
	if (!(flags & WRITABLE))
		return;
	set.scratch = set.scratch_buf = scratch;
	set.mirror_count = 1;
	*m = (struct vdisk_mirror){.sectors = SECTORS,
				   .resync_s512 = UINT64_MAX,
				   .bitmap = 8,
				   .chunk_shift = flags & WIDE_CHUNKS ? 5 : 3,
				   .whole = (uint8_t)legs,
				   .served = (uint8_t)legs,
				   .leg_count = (uint8_t)legs};
	if (flags & MARKS)
		m->marks = flags & BITMAP ? VDISK_MARK_BITMAP : VDISK_MARK_MD1;
	for (unsigned i = 0; i < legs; i++) {
		m->leg[i].leg = i;
		m->dev_number[i] = (uint16_t)i;
	}
}

/* ---- the model ----------------------------------------------------------------------------------
 */

static const struct vdisk_extent *extent_of(uint64_t lba)
{
	const struct vdisk_extent *e = set.extent;

	while (lba - e->lba >= e->sectors)
		e++;
	return e;
}

static bool serves(const struct vdisk_extent *e, unsigned leg)
{
	for (unsigned i = 0; i < VDISK_EXTENT_LEGS; i++)
		if (e->leg[i] == leg)
			return true;
	return false;
}

/* Each sector of it can be read from a leg that has missed no write. */
static bool can_read(uint64_t lba, uint32_t n)
{
	for (; n > 0; lba++, n--) {
		bool can = false;

		for (unsigned i = 0; i < legs; i++)
			can |= serves(extent_of(lba), i) && set.leg[i].latched != VDISK_EXPELLED &&
			       !is_bad(i, leg_start(i) + lba, 1, false);
		if (!can)
			return false;
	}
	return true;
}

static bool can_write(uint64_t lba, uint32_t n)
{
	if (!set.scratch || set.mirror[0].leg_count == 0)
		return n == 0 && set.scratch;
	for (uint32_t k = 0; k < n; k++)
		for (unsigned i = 0; i < legs; i++)
			if (!serves(extent_of(lba + k), i))
				return false;
	return true;
}

static void check_same(const uint8_t *buf, uint64_t lba, uint32_t n)
{
	for (uint32_t k = 0; k < n; k++)
		if (!unknown[lba + k])
			check(memcmp(buf + k * 512u, truth + (lba + k) * 512, 512) == 0);
}

static void do_read(uint64_t lba, uint32_t n)
{
	static uint8_t buf[SECTORS * 512];
	bool expected = range_ok(lba, n, SECTORS) && can_read(lba, n);
	unsigned good = 0;
	enum status st;

	read_by = 0;
	for (unsigned i = 0; i < legs; i++)
		if (set.leg[i].latched == VDISK_GOOD)
			good |= 1u << i;
	st = vdisk_read(&set, 0, disks, lba, n, buf);
	if (!range_ok(lba, n, SECTORS)) {
		check(st == ST_RANGE && read_by == 0);
		return;
	}
	check((st == ST_OK) == expected && (st == ST_OK || st == ST_IO));
	for (unsigned i = 0; i < legs; i++)
		check(!(read_by & 1u << i) || set.leg[i].latched != VDISK_EXPELLED);
	if (st == ST_OK)
		check_same(buf, lba, n);
}

/* What every leg that is still written holds, and says. */
static void check_legs(void)
{
	const struct vdisk_mirror *m = &set.mirror[0];

	for (unsigned k = 0; k < m->leg_count; k++) {
		unsigned i = m->leg[k].leg;
		const struct md1_sb *h = (const struct md1_sb *)content[i];

		check(set.leg[i].latched != VDISK_EXPELLED);
		check_same(content[i] + leg_start(i) * 512, 0, SECTORS);
		if (m->marks == VDISK_MARK_NONE)
			continue;
		/* No write is on its way; who was left out is faulty, and nobody else. */
		check(md1_checksum(content[i]) == le32_get(h->csum));
		check(le64_get(h->resync_offset) == UINT64_MAX);
		for (unsigned d = 0; d < legs; d++)
			check((md1_role_at(content[i], d) < ROLE_MAX) ==
				      (set.leg[d].latched != VDISK_EXPELLED) ||
			      m->leg_count == m->served);
		if (m->marks == VDISK_MARK_BITMAP && m->leg_count == m->whole)
			for (unsigned b = 0; b < 512 - 256; b++)
				check(content[i][8 * 512 + 256 + b] == 0);
	}
}

static void do_write(uint64_t lba, uint32_t n, uint8_t with)
{
	static uint8_t buf[SECTORS * 512];
	bool expected = range_ok(lba, n, SECTORS) && can_write(lba, n);
	enum status st;

	memset(buf, with, sizeof(buf));
	st = vdisk_write(&set, 0, disks, lba, n, buf);
	if (!range_ok(lba, n, SECTORS)) {
		check(st == ST_RANGE);
		return;
	}
	check((st == ST_READONLY) == !expected);
	if (st == ST_READONLY)
		return;
	check(st == ST_OK || (st == ST_IO && set.mirror[0].leg_count == 0));
	for (uint32_t k = 0; k < n; k++) {
		unknown[lba + k] = st != ST_OK;
		memset(truth + (lba + k) * 512, with, 512);
	}
	if (st == ST_OK)
		check_legs();
}

/* The same by parts, each from another leg's disk. */
static void do_share(uint64_t lba, uint32_t n)
{
	static struct survey survey; /* of one mirror, closed, all of whose legs are in sync */
	static uint8_t buf[SECTORS * 512];
	struct share_part part[VDISK_EXTENT_LEGS];
	struct share sh;
	unsigned parts;

	survey.mirror_count = 1;
	survey.mirror[0].size_s512 = SECTORS;
	survey.mirror[0].chosen = 0;
	for (unsigned i = 0; i < legs; i++)
		survey.mirror[0].leg[i] = (struct leg){.member = (uint8_t)i};
	share_init(&sh, &set, &survey);
	parts = share_cut(&sh, 0, lba, n, 1, part);
	if (!range_ok(lba, n, SECTORS))
		check(parts == 0);
	for (unsigned k = 0; k < parts; k++) {
		const struct vdisk_leg *l = &set.leg[part[k].leg];

		check(l->latched == VDISK_GOOD && range_ok(part[k].at, part[k].n, n));
		if (fuzz_read(&disks[l->disk], part[k].lba, part[k].n, buf) == ST_OK)
			check_same(buf, lba + part[k].at, part[k].n);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct input in = {data, n};

	set_up(&in);
	for (unsigned i = 0; i < REQUESTS && in.left > 0; i++) {
		uint8_t what = take8(&in), with = take8(&in);
		uint64_t lba = take8(&in) % (SECTORS + 2);
		uint32_t count = take8(&in) % (SECTORS + 2);

		if (what & 64)
			lba = UINT64_MAX - lba;
		if (what & 32)
			count = UINT32_MAX - count;
		switch (what % 3) {
		case 0: do_read(lba, count); break;
		case 1: do_write(lba, count, with); break;
		default: do_share(lba, count); break;
		}
	}
	return 0;
}
