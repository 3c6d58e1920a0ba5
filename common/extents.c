/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* Which legs can serve which sectors: holes, rebuilding limits and skewed starts are settled here.
 */
#include "common/extents.h"

#include "common/mem.h"
#include "common/range.h"

uint8_t extents_leg(struct extents *b, const struct vdisk_leg *want)
{
	struct vdisk_set *set = b->set;

	for (unsigned i = 0; i < set->leg_count; i++) {
		const struct vdisk_leg *l = &set->leg[i];

		if (l->disk == want->disk && l->start_lba == want->start_lba &&
		    l->mirror == want->mirror && l->leg == want->leg)
			return (uint8_t)i;
	}
	if (set->leg_count == VDISK_LEGS) {
		b->st = ST_FULL;
		return VDISK_NO_LEG;
	}
	set->leg[set->leg_count] = *want;
	return set->leg_count++;
}

void extents_add(struct extents *b, uint64_t sectors, uint64_t offset,
		 const uint8_t leg[VDISK_EXTENT_LEGS])
{
	struct vdisk_set *set = b->set;

	if (sectors == 0 || b->st != ST_OK)
		return;
	if (set->extent_count > b->first_extent) {
		struct vdisk_extent *last = &set->extent[set->extent_count - 1];

		if (memcmp(last->leg, leg, VDISK_EXTENT_LEGS) == 0 &&
		    last->offset + last->sectors == offset) {
			last->sectors += sectors;
			b->lba += sectors;
			return;
		}
	}
	if (set->extent_count == VDISK_EXTENTS) {
		b->st = ST_FULL;
		return;
	}

	struct vdisk_extent *e = &set->extent[set->extent_count++];

	e->lba = b->lba;
	e->sectors = sectors;
	e->offset = offset;
	memcpy(e->leg, leg, VDISK_EXTENT_LEGS);
	b->lba += sectors;
}

void extents_as_is(struct extents *b, unsigned disk, uint64_t end_lba, enum vdisk_own kind)
{
	uint8_t leg[VDISK_EXTENT_LEGS];
	struct vdisk_leg own = {.disk = (uint8_t)disk, .mirror = VDISK_NO_LEG, .leg = kind};

	memset(leg, VDISK_NO_LEG, sizeof(leg));
	leg[0] = extents_leg(b, &own);
	extents_add(b, end_lba - b->lba, b->lba, leg);
}

const struct member *extents_member(const struct extents *b, const struct mirror *m, unsigned leg)
{
	return &b->s->member[m->leg[leg].member];
}

uint64_t extents_down(const struct extents *b, uint64_t s512)
{
	return (uint64_t)((int64_t)s512 >> (b->shift - 9));
}

static uint64_t up(const struct extents *b, uint64_t s512)
{
	uint64_t mask = ((uint64_t)1 << (b->shift - 9)) - 1;

	return (s512 >> (b->shift - 9)) + ((s512 & mask) != 0);
}

uint8_t extents_mirror_leg(struct extents *b, unsigned mirror, unsigned leg)
{
	const struct mirror *m = &b->s->mirror[mirror];
	const struct member *mem = extents_member(b, m, leg);
	struct vdisk_leg want = {
		.start_lba = mem->start_lba + extents_down(b, mem->data_start_s512),
		.disk = mem->disk,
		.mirror = (uint8_t)mirror,
		.leg = (uint8_t)leg,
		.steady = m->dirty,
	};

	return extents_leg(b, &want);
}

bool extents_fits(const struct extents *b, const struct member *m)
{
	return b->s->disk[m->disk].shift == b->shift;
}

/* Where hole i ends; coarse, where it and all behind it do: the first may be the longest. */
static uint64_t hole_end(const struct extents *b, const struct member *m, unsigned i)
{
	unsigned to = b->coarse ? m->hole_count : i + 1;
	uint64_t end = 0;

	for (; i < to; i++) {
		uint64_t e = up(b, m->hole[i].start_s512 + m->hole[i].len_s512);

		if (e > end)
			end = e;
	}
	return end;
}

/*
 * Is this leg good at pos (sectors of data)? *until is where that answer ends.
 * Bounds of holes are rounded outwards, the rebuilding limit downwards.
 */
static bool good_at(const struct extents *b, const struct member *m, uint64_t pos, uint64_t *until)
{
	if (m->flags & MEMBER_PARTIAL) {
		uint64_t limit = extents_down(b, m->good_s512);

		if (pos >= limit)
			return false;
		*until = min_u64(*until, limit);
	}
	for (unsigned i = 0; i < m->hole_count; i++) {
		uint64_t start = extents_down(b, m->hole[i].start_s512), end = hole_end(b, m, i);

		if (pos >= start && pos < end) {
			*until = min_u64(*until, end);
			return false;
		}
		if (start > pos)
			*until = min_u64(*until, start);
	}
	return true;
}

void extents_data(struct extents *b, unsigned mirror, uint64_t sectors)
{
	const struct mirror *m = &b->s->mirror[mirror];
	uint64_t pos = 0;

	while (pos < sectors && b->st == ST_OK) {
		uint64_t until = sectors;
		uint8_t leg[VDISK_EXTENT_LEGS];
		unsigned n = 0;

		memset(leg, VDISK_NO_LEG, sizeof(leg));
		for (unsigned i = 0; i < m->order_count; i++) {
			const struct member *mem = extents_member(b, m, m->order[i]);

			if (extents_fits(b, mem) && good_at(b, mem, pos, &until) &&
			    n < VDISK_EXTENT_LEGS)
				leg[n++] = extents_mirror_leg(b, mirror, m->order[i]);
		}
		/* No leg at all here: the extent stays, and reading it fails honestly. */
		extents_add(b, until - pos, pos, leg);
		pos = until;
	}
}
