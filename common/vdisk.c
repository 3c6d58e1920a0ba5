/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * Reading a vdisk, with failover. Runs everywhere, the resident real-mode part
 * included: no 64-bit division, no pointer into the set, buf never dereferenced.
 */
#include "common/vdisk.h"

#include "common/range.h"

#include <stddef.h>

/* The extent that holds lba. Extents have no gaps, so for an lba in range there is one. */
static const struct vdisk_extent *find_extent(const struct vdisk_set *set, const struct vdisk *vd,
					      uint64_t lba)
{
	const struct vdisk_extent *e = &set->extent[vd->first_extent];

	for (unsigned i = 0; i < vd->extent_count; i++, e++)
		if (lba >= e->lba && lba - e->lba < e->sectors)
			return e;
	return NULL;
}

/* Best leg not yet tried for this request; latched ones only when no other is left. */
static unsigned pick_leg(const struct vdisk_set *set, const struct vdisk_extent *e, uint32_t tried)
{
	unsigned last_resort = VDISK_NO_LEG;

	for (unsigned i = 0; i < VDISK_EXTENT_LEGS; i++) {
		unsigned l = e->leg[i];

		if (l >= set->leg_count)
			break; /* VDISK_NO_LEG ends the list */
		if (tried & (uint32_t)1 << l)
			continue;
		if (!set->leg[l].latched)
			return l;
		if (last_resort == VDISK_NO_LEG)
			last_resort = l;
	}
	return last_resort;
}

/*
 * A leg of a mirror is latched: a disk whose every read takes 32 s must cost one
 * wait a boot, not one a request. A disk as it is has no other to turn to.
 */
static void latch(struct vdisk_set *set, unsigned leg)
{
	if (set->leg[leg].mirror == VDISK_NO_LEG || set->leg[leg].latched)
		return;
	set->leg[leg].latched = 1;
	set->failovers++;
}

/*
 * One pass over the request, without the legs in tried. A leg that fails ends the
 * pass (ST_IO, *failed is the leg), or, by_piece, only its piece, which the next leg
 * then gets. *failed is VDISK_NO_LEG when a piece has no leg left.
 */
static enum status read_pass(struct vdisk_set *set, const struct vdisk *vd, const struct disk *disk,
			     uint64_t lba, uint32_t n, uint8_t *buf, uint32_t tried, bool by_piece,
			     unsigned *failed)
{
	while (n > 0) {
		const struct vdisk_extent *e = find_extent(set, vd, lba);
		const struct vdisk_leg *leg;
		const struct disk *d;
		uint32_t part;

		*failed = e ? pick_leg(set, e, tried) : VDISK_NO_LEG;
		if (*failed == VDISK_NO_LEG)
			return ST_IO;
		leg = &set->leg[*failed];
		d = &disk[leg->disk];
		part = (uint32_t)min_u64(n, e->sectors - (lba - e->lba));

		/* Any failure, a range one too (a disk that ends early), is the leg's. */
		if (d->read(d, leg->start_lba + e->offset + (lba - e->lba), part, buf) != ST_OK) {
			latch(set, *failed);
			if (!by_piece)
				return ST_IO;
			tried |= (uint32_t)1 << *failed;
			continue;
		}
		if (by_piece)
			tried = 0;
		lba += part;
		n -= part;
		buf += (uint32_t)part << vd->shift;
	}
	return ST_OK;
}

enum status vdisk_read(struct vdisk_set *set, unsigned v, const struct disk *disk, uint64_t lba,
		       uint32_t n, void *buf)
{
	const struct vdisk *vd;
	const struct vdisk_extent *e;
	uint32_t tried = 0; /* bounds the loop: each turn adds a leg */
	unsigned failed;

	if (v >= set->vdisk_count || !range_ok(lba, n, set->vdisk[v].sectors))
		return ST_RANGE;
	vd = &set->vdisk[v];

	while (read_pass(set, vd, disk, lba, n, buf, tried, false, &failed) != ST_OK) {
		if (failed != VDISK_NO_LEG) {
			tried |= (uint32_t)1 << failed;
			continue;
		}
		/* No leg can give the whole. Of several pieces, each may still have one. */
		e = find_extent(set, vd, lba);
		if (!e || range_ok(lba - e->lba, n, e->sectors))
			return ST_IO;
		return read_pass(set, vd, disk, lba, n, buf, 0, true, &failed);
	}
	return ST_OK;
}

enum status vdisk_write(struct vdisk_set *set, unsigned v, const struct disk *disk, uint64_t lba,
			uint32_t n, const void *buf)
{
	(void)disk;
	(void)buf;
	if (v >= set->vdisk_count || !range_ok(lba, n, set->vdisk[v].sectors))
		return ST_RANGE;
	return ST_READONLY;
}

static enum status handle_read(const struct disk *d, uint64_t lba, uint32_t n, void *buf)
{
	struct vdisk_handle *h = d->ctx;

	return vdisk_read(h->set, h->v, h->disk, lba, n, buf);
}

struct disk vdisk_as_disk(struct vdisk_handle *h)
{
	const struct vdisk *vd = &h->set->vdisk[h->v];

	return (struct disk){
		.read = handle_read, .ctx = h, .sectors = vd->sectors, .shift = vd->shift};
}
