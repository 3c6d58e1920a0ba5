/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * Two hostile disks through every room: probe, assemble, judge, view, vdisk.
 *
 * The input is one byte of flags and then records that are laid over two zeroed
 * disks: disk (1 byte), position in s512 (4), length (2), bytes. Checksums that
 * a fuzzer can't guess are made right where the flags ask for it, so that what
 * lies behind them is reached.
 */
#include "common/crc32.h"
#include "common/gpt.h"
#include "common/mem.h"
#include "common/md.h"
#include "common/range.h"
#include "common/report.h"
#include "common/view.h"

#include <stdlib.h>
#include <string.h>

#define DISKS        2
#define DISK_BYTES   (1024 * 1024)
#define REPORTED_MUL 64 /* a disk is said to be larger than what it holds: zeroes behind */

/* EXACT: the disk ends where its content does, so that what lies at its end is reached. */
enum flag { FIX_MD = 1, FIX_GPT = 2, SECTORS_4K = 4, FAIL_READS = 8, EXACT = 16, FIX_LDM = 32 };

static uint8_t content[DISKS][DISK_BYTES];
static struct survey survey, swapped;
static struct vdisk_set set;
static struct vdisk_tables tables;
static unsigned reads, fail_every;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check(int ok)
{
	if (!ok)
		abort();
}

static enum status fuzz_read(const struct disk *d, uint64_t lba, uint32_t n, void *buf)
{
	const uint8_t *from = d->ctx;
	uint64_t bytes = (uint64_t)n << d->shift, off = lba << d->shift;

	/* A request that leaves the disk may be made; it must not be believed. */
	if (!range_ok(lba, n, d->sectors))
		return ST_RANGE;
	if (fail_every && ++reads % fail_every == 0)
		return ST_IO;
	memset(buf, 0, bytes);
	if (off < DISK_BYTES)
		memcpy(buf, from + off, min_u64(bytes, DISK_BYTES - off));
	return ST_OK;
}

static void fix_md(uint8_t *sb, size_t room)
{
	uint32_t csum;

	if (room < MD_SB_BYTES || memcmp(sb, "\xfc\x4e\x2b\xa9", 4) != 0)
		return;
	if (sb[4] == 1) {
		csum = md1_checksum(sb);
		memcpy(sb + 216, &csum, 4);
	} else {
		csum = md0_checksum(sb);
		memcpy(sb + 152, &csum, 4);
	}
}

static void fix_gpt(uint8_t *disk, uint8_t *at, size_t room, unsigned sector_bytes)
{
	struct gpt_header *h = (struct gpt_header *)at;
	uint64_t off;
	uint32_t bytes;

	if (room < sector_bytes || memcmp(h->signature, "EFI PART", 8) != 0)
		return;
	off = le64_get(h->entries_lba) * sector_bytes;
	bytes = le32_get(h->entry_count) * le32_get(h->entry_bytes);
	if (range_ok(off, bytes, DISK_BYTES))
		h->entries_crc = le32_of(crc32_update(0, disk + off, bytes));
	h->header_crc = le32_of(0);
	bytes = le32_get(h->header_bytes);
	if (bytes <= sector_bytes)
		h->header_crc = le32_of(crc32_update(0, at, bytes));
}

static void put_be32(uint8_t *to, uint32_t x)
{
	for (unsigned i = 0; i < 4; i++)
		to[i] = (uint8_t)(x >> (24 - 8 * i));
}

/* Sums; and free slots behind a database, up to the log. number: 0 where there is no database. */
static uint32_t fix_ldm(uint8_t *b, uint32_t number)
{
	if (memcmp(b, "PRIVHEAD", 8) == 0 || memcmp(b, "TOCBLOCK", 8) == 0) {
		uint32_t sum = 0;

		memset(b + 8, 0, 4);
		for (unsigned i = 0; i < 512; i++)
			sum += b[i];
		put_be32(b + 8, sum);
	}
	if (memcmp(b, "VMDB", 4) == 0)
		return 4;
	if (memcmp(b, "KLOG", 4) == 0)
		return 0;
	for (unsigned i = 0; number && i < 4; i++) {
		memcpy(b + 128 * i, "VBLK", 4);
		put_be32(b + 128 * i + 4, number++);
	}
	return number;
}

static void lay(const uint8_t *data, size_t n)
{
	memset(content, 0, sizeof(content));
	while (n >= 7) {
		unsigned disk = data[0] % DISKS;
		uint32_t pos = (data[1] | (uint32_t)data[2] << 8 | (uint32_t)data[3] << 16 |
				(uint32_t)data[4] << 24);
		size_t len = data[5] | (size_t)data[6] << 8;
		uint64_t off = (uint64_t)(pos % (DISK_BYTES / 512)) * 512;

		data += 7;
		n -= 7;
		if (len > n)
			len = n;
		memcpy(content[disk] + off, data, min_u64(len, DISK_BYTES - off));
		data += len;
		n -= len;
	}
}

/* What must hold whatever the disks say. */
static void check_mirror(const struct survey *s, const struct mirror *m)
{
	check(m->leg_count <= MIRROR_LEGS && m->order_count <= m->leg_count);
	check((m->chosen == NO_LEG) == (m->state == MIRROR_UNUSABLE));
	if (m->chosen != NO_LEG) {
		check(m->chosen < m->leg_count && m->order[0] == m->chosen);
		check(m->leg[m->chosen].verdict == VERDICT_IN_SYNC);
	}
	for (unsigned i = 0; i < m->order_count; i++) {
		const struct leg *l = &m->leg[m->order[i]];

		check(leg_readable(l) && l->member < s->member_count);
		const struct member *mem = &s->member[l->member];

		check(mem->status == ST_OK && mem->level == 1);
		/* Within the disk, to the last sector of data; check_vdisk() does so for pieces. */
		if (!(mem->flags & MEMBER_PIECE))
			check(range_ok(mem->data_start_s512, mem->data_s512,
				       disk_s512(&s->disk[mem->disk], mem->sectors_lba)));
		check(range_ok(mem->start_lba, mem->sectors_lba, s->disk[mem->disk].sectors));
	}
}

/* Every extent's first and last sector can be asked for; extents have no gaps. */
static void check_vdisk(const struct disk *disk, unsigned v)
{
	static uint8_t buf[2 * DISK_SECTOR_BYTES];
	const struct vdisk *vd = &set.vdisk[v];
	uint64_t at = 0;

	for (unsigned i = 0; i < vd->extent_count; i++) {
		const struct vdisk_extent *e = &set.extent[vd->first_extent + i];

		check(e->lba == at && e->sectors > 0);
		at += e->sectors;
		for (unsigned k = 0; k < VDISK_EXTENT_LEGS; k++) {
			if (e->leg[k] == VDISK_NO_LEG)
				break;
			const struct vdisk_leg *l = &set.leg[e->leg[k]];

			check(range_ok(l->start_lba + e->offset, e->sectors,
				       disk[l->disk].sectors));
		}
		vdisk_read(&set, v, disk, e->lba, 1, buf);
		vdisk_read(&set, v, disk, e->lba + e->sectors - 1, 1, buf);
	}
	check(at == vd->sectors);
	check(vdisk_read(&set, v, disk, vd->sectors, 1, buf) == ST_RANGE);
}

/* Every text about it can be made, is printable, and ends. */
static void disk_name(const struct report_names *n, unsigned disk, struct text *out)
{
	check(disk < DISKS);
	text_u64(out, disk);
}

static void check_report(const struct survey *s)
{
	static const struct report_names names = {disk_name, NULL};
	static char out[65536];
	struct text_buffer b;
	struct config c;
	struct policy p;

	text_buffer_init(&b, out, sizeof(out));
	config_default(&c);
	policy_decide(s, &c, &p);
	check(p.mirror < s->mirror_count || p.action == POLICY_NO_MIRROR);
	report_survey(s, &names, &b.text);
	report_policy(s, &p, &names, &b.text);
	check(b.used > 0 && b.used < sizeof(out) - 1);
	for (size_t i = 0; i < b.used; i++)
		check((out[i] >= ' ' && out[i] < 0x7f) || out[i] == '\n');
}

/* All that tells a member from its copy: of two that are alike in it, either may be taken. */
static int alike(const struct member *a, const struct member *b)
{
	return a->role == b->role && a->dev_number == b->dev_number && a->events == b->events &&
	       guid_equal(&a->device_uuid, &b->device_uuid);
}

/* Mirror m, found with the disks in the other order, must be judged and chosen alike. */
static void check_order(const struct mirror *m)
{
	for (unsigned i = 0; i < swapped.mirror_count; i++) {
		const struct mirror *o = &swapped.mirror[i];

		if (o->format != m->format || !guid_equal(&o->uuid, &m->uuid))
			continue;
		check((o->chosen == NO_LEG) == (m->chosen == NO_LEG));
		if (m->chosen == NO_LEG)
			return;

		const struct member *a = &survey.member[m->leg[m->chosen].member];
		const struct member *b = &swapped.member[o->leg[o->chosen].member];

		check(alike(a, b));
		check(o->state == m->state && o->dirty == m->dirty);
		return;
	}
	check(0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct disk disk[DISKS], other[DISKS];
	unsigned flags, v;

	if (n < 1)
		return 0;
	flags = data[0];
	lay(data + 1, n - 1);
	for (unsigned i = 0; i < DISKS; i++) {
		unsigned shift = flags & SECTORS_4K ? 12 : 9;
		uint64_t bytes = (uint64_t)DISK_BYTES * (flags & EXACT ? 1 : REPORTED_MUL);
		uint32_t slot = 0;

		for (size_t off = 0; off < DISK_BYTES; off += 512) {
			if (flags & FIX_MD)
				fix_md(content[i] + off, DISK_BYTES - off);
			if (flags & FIX_LDM)
				slot = fix_ldm(content[i] + off, slot);
			if (flags & FIX_GPT)
				fix_gpt(content[i], content[i] + off, DISK_BYTES - off,
					1u << shift);
		}
		disk[i] = (struct disk){.read = fuzz_read,
					.ctx = content[i],
					.sectors = bytes >> shift,
					.shift = (uint8_t)shift};
	}

	reads = 0;
	fail_every = flags & FAIL_READS ? 3 : 0;
	survey_run(&survey, disk, DISKS);
	for (unsigned i = 0; i < survey.mirror_count; i++)
		check_mirror(&survey, &survey.mirror[i]);
	check_report(&survey);

	view_init(&set, &tables);
	for (unsigned i = 0; i < DISKS; i++)
		if ((i & 1 ? view_add_contents : view_add_disk)(&set, &survey, i, &v) == ST_OK) {
			check(set.vdisk[v].sectors == disk[i].sectors);
			check_vdisk(disk, v);
		}
	for (unsigned i = 0; i < survey.mirror_count; i++)
		if (view_add_volume(&set, &survey, i, &v) == ST_OK)
			check_vdisk(disk, v);

	/* The disks in the other order: the same mirrors, and none judged otherwise. */
	if (!(flags & FAIL_READS)) {
		other[0] = disk[1];
		other[1] = disk[0];
		survey_run(&swapped, other, DISKS);
		if (!survey.full && !swapped.full) {
			check(survey.mirror_count == swapped.mirror_count);
			for (unsigned i = 0; i < survey.mirror_count; i++)
				check_order(&survey.mirror[i]);
		}
	}
	return 0;
}
