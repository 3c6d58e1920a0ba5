/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * Writing a vdisk: to every leg in sync, or to none. Runs in the resident part, as
 * vdisk.c does. For each piece of a mirror's data:
 *
 *   open    on each leg: a bit in the bitmap, resync_offset 0 in the superblock
 *   data    on each leg
 *   close   on each leg: resync_offset as it was, the bit taken back
 *
 * A cut at any place leaves legs that are equal, or that Linux makes equal. A leg that
 * fails at any step is left out, and all is done again on the others: opening then
 * also makes it faulty in their superblocks, as it does with a device that is missing
 * from the start. When no leg is left nothing could be recorded, and the mirror is
 * not written any more.
 */
#include "common/vdisk.h"

#include "common/md1_mark.h"
#include "common/range.h"

#include <stddef.h>

#define BITS_OFF 256 /* bytes of the bitmap's header */

/* A part of a write that lies in one extent, and in one chunk of a bitmap. */
struct piece {
	struct vdisk_set *set;
	const struct disk *disk;
	const struct vdisk *vd;
	struct vdisk_mirror *m; /* NULL: the disk as it is */
	const struct vdisk_leg *own;
	struct vdisk_place at;
	const uint8_t *buf;
};

enum step { OPEN, DATA, CLOSE, STEPS };

/* Find out where it goes and cut it to size. False: it may not be written. */
static bool prepare(struct piece *p, uint64_t lba, uint32_t n)
{
	struct vdisk_mirror *m = p->set->mirror;
	unsigned left;

	if (!vdisk_locate(p->set, p->vd, lba, n, &p->at) || p->at.e->leg[0] >= p->set->leg_count)
		return false;
	p->own = &p->set->leg[p->at.e->leg[0]];
	p->m = NULL;
	if (p->own->mirror == VDISK_NO_LEG)
		return p->own->leg == VDISK_OWN;

	for (left = p->set->mirror_count; left > 0 && m->mirror != p->own->mirror; left--)
		m++;
	/* A hole in one leg is served by fewer: after a write they would differ. */
	if (left == 0 || m->leg_count == 0 || !range_ok(p->at.pos, p->at.n, m->sectors) ||
	    p->at.e->leg[m->served - 1] == VDISK_NO_LEG)
		return false;
	p->m = m;
	if (m->marks == VDISK_MARK_BITMAP) {
		uint32_t chunk = (uint32_t)1 << m->chunk_shift;
		uint32_t room = chunk - ((uint32_t)p->at.pos & (chunk - 1));

		if (p->at.n > room)
			p->at.n = room;
	}
	return true;
}

/* A sector of metadata, by way of a slot of the scratch memory. */
static bool slot_io(const struct piece *p, const struct disk *d, unsigned slot, uint64_t lba,
		    bool write)
{
	uint8_t *buf = (uint8_t *)p->set->scratch_buf + (slot << p->vd->shift);

	return (write ? d->write(d, lba, 1, buf) : d->read(d, lba, 1, buf)) == ST_OK;
}

/*
 * Open or close leg k. What opening has read is still in the scratch memory on closing.
 * The bit is taken back only while no leg is missing and all were closed: by what stays,
 * one that comes back is brought up to date, and legs that a cut left different are made
 * equal.
 */
static bool mark(const struct piece *p, const struct disk *d, unsigned k, bool open)
{
	const struct vdisk_mirror *m = p->m;
	unsigned slot = 2 * k, shift = p->vd->shift;
	uint8_t *sb = p->set->scratch + (slot << shift);
	uint64_t lba = m->leg[k].sb_lba;

	if (open && !slot_io(p, d, slot, lba, false))
		return false;
	if (!md1_mark(sb, shift, open, m))
		return false;
	if (m->marks == VDISK_MARK_BITMAP && (open || m->leg_count == m->whole)) {
		uint32_t bit = (uint32_t)(p->at.pos >> m->chunk_shift);
		uint32_t byte = BITS_OFF + (bit >> 3);
		uint64_t bits_lba = lba + (uint64_t)(int32_t)(m->bitmap + (byte >> shift));
		uint8_t *in = sb + (1u << shift) + (byte & ((1u << shift) - 1));
		uint8_t mask = (uint8_t)(1u << (bit & 7));

		if (open && !slot_io(p, d, slot + 1, bits_lba, false))
			return false;
		*in = open ? *in | mask : *in & ~mask;
		if (!slot_io(p, d, slot + 1, bits_lba, true))
			return false;
	}
	return slot_io(p, d, slot, lba, true);
}

/* A step on all legs, one after the other. False: *k is the leg that failed. */
static bool take_step(const struct piece *p, unsigned step, unsigned *k)
{
	const struct vdisk_mirror *m = p->m;

	for (*k = 0; *k < m->leg_count; ++*k) {
		const struct vdisk_leg *l = &p->set->leg[m->leg[*k].leg];
		const struct disk *d = &p->disk[l->disk];

		if (step != DATA) {
			if (m->marks != VDISK_MARK_NONE && !mark(p, d, *k, step == OPEN))
				return false;
		} else if (d->write(d, l->start_lba + p->at.pos, p->at.n, p->buf) != ST_OK) {
			return false;
		}
		if (d->flush && d->flush(d) != ST_OK)
			return false;
	}
	return true;
}

/* Leave leg k out from now on. The last one stays readable: nobody could record it. */
static void expel(struct vdisk_set *set, struct vdisk_mirror *m, unsigned k)
{
	set->failovers++;
	set->failed_disk = set->leg[m->leg[k].leg].disk;
	m->leg_count--;
	if (m->leg_count > 0)
		set->leg[m->leg[k].leg].latched = VDISK_EXPELLED;
	m->leg[k] = m->leg[m->leg_count];
	m->dev_number[k] = m->dev_number[m->leg_count];
}

static enum status write_piece(const struct piece *p)
{
	struct vdisk_mirror *m = p->m;
	unsigned step = OPEN, k;

	if (!m) {
		const struct disk *d = &p->disk[p->own->disk];

		return d->write(d, p->own->start_lba + p->at.pos, p->at.n, p->buf);
	}
	while (step < STEPS) {
		if (take_step(p, step, &k)) {
			step++;
			continue;
		}
		expel(p->set, m, k);
		if (m->leg_count == 0)
			return ST_IO;
		step = OPEN;
	}
	return ST_OK;
}

enum status vdisk_write(struct vdisk_set *set, unsigned v, const struct disk *disk, uint64_t lba,
			uint32_t n, const void *buf)
{
	struct piece p;
	enum status st = ST_OK;

	p.set = set;
	p.disk = disk;
	p.vd = &set->vdisk[v];
	if (v >= set->vdisk_count || !range_ok(lba, n, p.vd->sectors))
		return ST_RANGE;
	if (!set->scratch)
		return ST_READONLY;

	/* First see that all of it can be written. */
	for (unsigned turn = 0; turn < 2; turn++) {
		p.buf = buf;
		for (uint32_t done = 0; done < n; done += p.at.n) {
			if (!prepare(&p, lba + done, n - done))
				return turn ? ST_IO : ST_READONLY;
			if (turn)
				st = write_piece(&p);
			if (st != ST_OK)
				return st;
			p.buf += p.at.n << p.vd->shift;
		}
	}
	return ST_OK;
}
