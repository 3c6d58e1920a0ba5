/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * Reading a vdisk, with failover. Runs everywhere, the resident real-mode part
 * included: no 64-bit division, no pointer into the set, buf never dereferenced.
 */
#include "common/vdisk.h"

#include "common/range.h"

#include <stddef.h>

bool vdisk_locate(const struct vdisk_set *set, const struct vdisk *vd, uint64_t lba, uint32_t n,
		  struct vdisk_place *p)
{
	const struct vdisk_extent *e = &set->extent[vd->first_extent];

	for (unsigned i = vd->extent_count; i > 0; i--, e++) {
		uint64_t in = lba - e->lba; /* wraps for extents behind it */

		if (in >= e->sectors)
			continue;
		p->e = e;
		p->pos = e->offset + in;
		p->n = (uint32_t)min_u64(n, e->sectors - in);
		return true;
	}
	return false;
}

/* Best leg not yet tried for this request; latched ones only when no other is left. */
static unsigned pick_leg(const struct vdisk_set *set, const struct vdisk_extent *e, uint32_t tried)
{
	unsigned last_resort = VDISK_NO_LEG;

	for (unsigned i = 0; i < VDISK_EXTENT_LEGS; i++) {
		unsigned l = e->leg[i];

		if (l >= set->leg_count)
			break; /* VDISK_NO_LEG ends the list */
		if ((tried & (uint32_t)1 << l) || set->leg[l].latched == VDISK_EXPELLED)
			continue;
		if (set->leg[l].latched == VDISK_GOOD)
			return l;
		if (last_resort == VDISK_NO_LEG)
			last_resort = l;
	}
	return last_resort;
}

/* What is to be read, and how far it has come. */
struct request {
	struct vdisk_set *set;
	const struct vdisk *vd;
	const struct disk *disk;
	uint64_t lba;
	uint32_t n;
	uint8_t *buf;
};

/*
 * One pass over the request, without the legs in tried. A leg that fails ends the pass
 * (the leg is the result). By sector: another leg gets the sector, and what follows; one
 * that failed elsewhere is asked again only where no other is left. NO_LEG: a piece, or
 * sector, has no leg left. PASS_DONE: all was read.
 */
#define PASS_DONE 0x100

static unsigned read_pass(struct request r, uint32_t tried, bool by_sector)
{
	bool again = false;

	while (r.n > 0) {
		const struct vdisk_leg *leg;
		const struct disk *d;
		struct vdisk_place p;
		unsigned l;

		if (!vdisk_locate(r.set, r.vd, r.lba, r.n, &p))
			return VDISK_NO_LEG;
		if (by_sector)
			p.n = 1;
		l = pick_leg(r.set, p.e, tried);
		if (l == VDISK_NO_LEG) {
			if (!again)
				return VDISK_NO_LEG;
			again = false;
			tried = 0;
			continue;
		}
		leg = &r.set->leg[l];
		d = &r.disk[leg->disk];

		/* Any failure, a range one too (a disk that ends early), is the leg's. */
		if (d->read(d, leg->start_lba + p.pos, p.n, r.buf) != ST_OK) {
			vdisk_latch(r.set, leg);
			if (!by_sector)
				return l;
			tried |= (uint32_t)1 << l;
			continue;
		}
		again = by_sector;
		r.lba += p.n;
		r.n -= p.n;
		r.buf += p.n << r.vd->shift;
	}
	return PASS_DONE;
}

enum status vdisk_read(struct vdisk_set *set, unsigned v, const struct disk *disk, uint64_t lba,
		       uint32_t n, void *buf)
{
	struct request r = {set, &set->vdisk[v], disk, lba, n, buf};
	uint32_t tried = 0; /* bounds the loop: each turn adds a leg */
	unsigned l;

	if (v >= set->vdisk_count || !range_ok(lba, n, r.vd->sectors))
		return ST_RANGE;
	while ((l = read_pass(r, tried, false)) < VDISK_LEGS)
		tried |= (uint32_t)1 << l;
	/* No leg can give the whole: they are bad in different places, as disks of one age are. */
	if (l == VDISK_NO_LEG && n > 1)
		l = read_pass(r, 0, true);
	return l == PASS_DONE ? ST_OK : ST_IO;
}

static enum status handle_read(const struct disk *d, uint64_t lba, uint32_t n, void *buf)
{
	struct vdisk_handle *h = d->ctx;

	return vdisk_read(h->set, h->v, h->disk, lba, n, buf);
}

static enum status handle_write(const struct disk *d, uint64_t lba, uint32_t n, const void *buf)
{
	struct vdisk_handle *h = d->ctx;

	return vdisk_write(h->set, h->v, h->disk, lba, n, buf);
}

struct disk vdisk_as_disk(struct vdisk_handle *h)
{
	const struct vdisk *vd = &h->set->vdisk[h->v];

	return (struct disk){.read = handle_read,
			     .write = h->set->scratch ? handle_write : NULL,
			     .ctx = h,
			     .sectors = vd->sectors,
			     .shift = vd->shift};
}
