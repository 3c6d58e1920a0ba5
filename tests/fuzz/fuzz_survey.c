/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * Four hostile disks through every room: probe, assemble, judge, view, vdisk, plan of writes.
 *
 * The input is one byte of flags and then records that are laid over zeroed
 * disks: disk (1 byte), position in s512 (4), length (2), bytes. Checksums that
 * a fuzzer can't guess are made right where the flags ask for it, so that what
 * lies behind them is reached.
 */
#include "common/crc32.h"
#include "common/gpt.h"
#include "common/mem.h"
#include "common/md.h"
#include "common/report.h"
#include "common/share.h"
#include "common/view.h"
#include "common/writeplan.h"
#include "tests/fuzz/judged.h"

#define DISKS        4
#define DISK_BYTES   (1024 * 1024)
#define REPORTED_MUL 64 /* a disk is said to be larger than what it holds: zeroes behind */

/*
 * EXACT: the disk ends where its content does, so that what lies at its end is reached. 64: what
 * can record no write is written all the same.
 */
enum flag { FIX_MD = 1, FIX_GPT = 2, SECTORS_4K = 4, FAIL_READS = 8, EXACT = 16, FIX_LDM = 32 };

static uint8_t content[DISKS][DISK_BYTES];
static bool touched[DISKS][DISK_BYTES / 512]; /* what is not zero */
static struct survey survey, turned;
static struct vdisk_set set;
static struct vdisk_tables tables;
static unsigned reads, fail_every;

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
	for (unsigned i = 0; i < DISKS; i++)
		for (unsigned k = 0; k < DISK_BYTES / 512; k++)
			if (touched[i][k])
				memset(content[i] + k * 512, 0, 512);
	memset(touched, 0, sizeof(touched));
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
		for (size_t at = 0; at < len && off + at < DISK_BYTES; at += 512)
			touched[disk][(off + at) / 512] = true;
		data += len;
		n -= len;
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

/* Disks that can be written, to see what would be: nothing is. */
static enum status fuzz_write(const struct disk *d, uint64_t lba, uint32_t n, const void *buf)
{
	check(!"a plan does not write");
	return ST_IO;
}

/* What would be written, and where: never on a leg that is not read, never over its data. */
static void check_writes(const struct disk *disk, uint8_t writes)
{
	static uint8_t scratch[VDISK_SCRATCH_SECTORS * DISK_SECTOR_BYTES];
	static char out[8192];
	struct text_buffer b;

	writeplan_make(&set, &survey, writes, scratch, 12);
	for (unsigned i = 0; i < set.mirror_count; i++) {
		const struct vdisk_mirror *w = &set.mirror[i];
		const struct mirror *m = &survey.mirror[w->mirror];

		check(w->leg_count > 0 && w->leg_count == m->order_count && !m->read_only);
		check(writeplan_open(&set, w->mirror));
		for (unsigned k = 0; k < w->leg_count; k++) {
			const struct vdisk_leg *l = &set.leg[w->leg[k].leg];
			const struct member *of = &survey.member[m->leg[l->leg].member];

			check(l->mirror == w->mirror && m->leg[l->leg].verdict == VERDICT_IN_SYNC);
			check(range_ok(l->start_lba, w->sectors, disk[l->disk].sectors));
			if (w->marks == VDISK_MARK_NONE)
				continue;
			check(w->leg[k].sb_lba < disk[l->disk].sectors);
			check(w->leg[k].sb_lba < l->start_lba ||
			      w->leg[k].sb_lba - l->start_lba >= w->sectors);
			check(of->events == survey.member[m->leg[m->chosen].member].events);
		}
	}
	text_buffer_init(&b, out, sizeof(out));
	writeplan_report(&set, &survey, writes, &b.text);
}

/* Parts cover a request, each once, and lie on different disks. */
static void check_share(const struct disk *disk)
{
	struct share_part part[VDISK_EXTENT_LEGS];
	struct share sh;

	share_init(&sh, &set, &survey);
	for (unsigned v = 0; v < set.vdisk_count; v++)
		for (unsigned i = 0; i < set.vdisk[v].extent_count; i++) {
			const struct vdisk_extent *e = &set.extent[set.vdisk[v].first_extent + i];
			uint32_t n = (uint32_t)min_u64(e->sectors, 4096), at = 0;
			unsigned parts = share_cut(&sh, v, e->lba, n, 16, part);

			for (unsigned k = 0; k < parts; k++) {
				check(part[k].at == at && part[k].n > 0);
				check(range_ok(part[k].lba, part[k].n,
					       disk[set.leg[part[k].leg].disk].sectors));
				at += part[k].n;
				for (unsigned o = 0; o < k; o++)
					check(set.leg[part[o].leg].disk !=
					      set.leg[part[k].leg].disk);
			}
			check(parts == 0 || (parts > 1 && at == n));
		}
}

/* The disks in another order: the same mirrors, and none judged otherwise. */
static void check_orders(const struct disk *disk)
{
	static const uint8_t orders[][DISKS] = {{3, 2, 1, 0}, {1, 0, 3, 2}};
	struct disk other[DISKS];

	for (unsigned k = 0; k < sizeof(orders) / sizeof(orders[0]); k++) {
		for (unsigned i = 0; i < DISKS; i++)
			other[i] = disk[orders[k][i]];
		survey_run(&turned, other, DISKS);
		if (survey.full || turned.full)
			return;
		check(survey.mirror_count == turned.mirror_count);
		for (unsigned i = 0; i < survey.mirror_count; i++)
			judged_check_order(&survey, &survey.mirror[i], &turned);
	}
}

static void make(struct disk *disk, unsigned flags)
{
	unsigned shift = flags & SECTORS_4K ? 12 : 9;
	uint64_t bytes = (uint64_t)DISK_BYTES * (flags & EXACT ? 1 : REPORTED_MUL);

	for (unsigned i = 0; i < DISKS; i++) {
		uint32_t slot = 0;

		for (size_t k = 0; k < DISK_BYTES / 512; k++) {
			uint8_t *at = content[i] + k * 512;
			size_t room = DISK_BYTES - k * 512;

			if (touched[i][k] && flags & FIX_MD)
				fix_md(at, room);
			if ((touched[i][k] || slot) && flags & FIX_LDM) {
				slot = fix_ldm(at, slot);
				touched[i][k] = true;
			}
			if (touched[i][k] && flags & FIX_GPT)
				fix_gpt(content[i], at, room, 1u << shift);
		}
		disk[i] = (struct disk){.read = fuzz_read,
					.write = fuzz_write,
					.ctx = content[i],
					.sectors = bytes >> shift,
					.shift = (uint8_t)shift};
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct disk disk[DISKS];
	unsigned flags, v;

	if (n < 1)
		return 0;
	flags = data[0];
	lay(data + 1, n - 1);
	make(disk, flags);
	reads = 0;
	fail_every = flags & FAIL_READS ? 3 : 0;
	survey_run(&survey, disk, DISKS);
	judged_say(&survey);
	for (unsigned i = 0; i < survey.mirror_count; i++)
		judged_check(&survey, &survey.mirror[i]);
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
	check_share(disk);
	check_writes(disk, flags & 64 ? CONFIG_WRITES_MIRROR : CONFIG_WRITES_AUTO);
	if (!(flags & FAIL_READS))
		check_orders(disk);
	return 0;
}
