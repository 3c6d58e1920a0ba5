/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "common/share.h"

#include "common/range.h"

#define MIN_UNITS    2u  /* shorter ones are never cut */
#define FIRST_UNITS  16u /* the first try: 1 MiB, so that it costs little if it does not pay */
#define MAX_UNITS    (1u << 20)
#define MAX_TICKS    (1u << 30) /* so that no product below overflows */
#define RECENT_UNITS 1024u      /* plain reads beyond this count half */

/* Parts begin at multiples of this from the start of the request: 4 KiB at least. */
#define GRAIN_SECTORS 8u

static bool may_share(const struct survey *s, const struct vdisk_leg *l)
{
	const struct member *m, *chosen;
	const struct mirror *of;

	if (l->mirror == VDISK_NO_LEG || l->steady)
		return false;
	of = &s->mirror[l->mirror];
	if (of->dirty || of->chosen == NO_LEG || of->leg[l->leg].verdict != VERDICT_IN_SYNC)
		return false;
	m = &s->member[of->leg[l->leg].member];
	chosen = &s->member[of->leg[of->chosen].member];
	return m->events == chosen->events && !(m->flags & (MEMBER_WRITE_MOSTLY | MEMBER_FAILFAST |
							    MEMBER_REPLACEMENT | MEMBER_PARTIAL));
}

void share_init(struct share *sh, struct vdisk_set *set, const struct survey *s)
{
	*sh = (struct share){.set = set, .survey = s};
	for (unsigned i = 0; i < set->leg_count; i++)
		if (may_share(s, &set->leg[i]))
			sh->mask |= (uint32_t)1 << i;
}

static bool shares(const struct share *sh, unsigned v, const struct vdisk_place *p, unsigned leg)
{
	unsigned mirror = sh->set->leg[leg].mirror;

	return sh->mask & (uint32_t)1 << leg &&
	       range_ok(p->pos, p->n,
			sh->survey->mirror[mirror].size_s512 >> (sh->set->vdisk[v].shift - 9));
}

static bool has_disk(const struct vdisk_set *set, const uint8_t *leg, unsigned count, unsigned disk)
{
	for (unsigned i = 0; i < count; i++)
		if (set->leg[leg[i]].disk == disk)
			return true;
	return false;
}

unsigned share_legs(const struct share *sh, unsigned v, const struct vdisk_place *p,
		    uint8_t leg[VDISK_EXTENT_LEGS])
{
	const struct vdisk_set *set = sh->set;
	unsigned count = 0;

	for (unsigned i = 0; i < VDISK_EXTENT_LEGS; i++) {
		unsigned l = p->e->leg[i];

		if (l >= set->leg_count)
			break;
		if (set->leg[l].latched != VDISK_GOOD)
			continue;
		if (count > 0 &&
		    (!shares(sh, v, p, l) || has_disk(set, leg, count, set->leg[l].disk)))
			continue;
		leg[count++] = (uint8_t)l;
		if (count == 1 && !shares(sh, v, p, l))
			break;
	}
	return count;
}

unsigned share_cut(const struct share *sh, unsigned v, uint64_t lba, uint32_t n, uint32_t min,
		   struct share_part part[VDISK_EXTENT_LEGS])
{
	const struct vdisk_set *set = sh->set;
	uint8_t leg[VDISK_EXTENT_LEGS];
	struct vdisk_place p;
	uint32_t each, at = 0;
	unsigned count;

	if (v >= set->vdisk_count || !range_ok(lba, n, set->vdisk[v].sectors) || n < min)
		return 0;
	if (!vdisk_locate(set, &set->vdisk[v], lba, n, &p) || p.n < n)
		return 0;
	count = share_legs(sh, v, &p, leg);
	each = count > 1 ? n / count & ~(GRAIN_SECTORS - 1) : 0;
	if (each == 0)
		return 0;
	for (unsigned i = 0; i < count; i++) {
		part[i].leg = leg[i];
		part[i].lba = set->leg[leg[i]].start_lba + p.pos + at;
		part[i].at = at;
		part[i].n = i + 1 < count ? each : n - at;
		at += part[i].n;
	}
	return count;
}

void share_pace_init(struct share_pace *p)
{
	*p = (struct share_pace){.min_units = FIRST_UNITS, .floor_units = MIN_UNITS};
}

void share_plain(struct share_pace *p, uint64_t units, uint64_t ticks)
{
	/* A clock that jumps must not make products of these overflow. */
	if (units == 0 || units > MAX_UNITS || ticks >= MAX_TICKS)
		return;
	p->plain_ticks += ticks;
	p->plain_units += units;
	while (p->plain_units > RECENT_UNITS) {
		p->plain_ticks >>= 1;
		p->plain_units >>= 1;
	}
}

bool share_pays(const struct share_pace *p, uint64_t units)
{
	return p->plain_ticks > 0 && units >= p->min_units && units <= MAX_UNITS;
}

void share_learn(struct share_pace *p, uint64_t units, uint64_t ticks)
{
	uint64_t took, plain;

	if (units == 0 || units > MAX_UNITS || ticks >= MAX_TICKS)
		return;
	/* Both times the same factor: no division. */
	took = ticks * p->plain_units;
	plain = p->plain_ticks * units;
	if (took <= plain - (plain >> 3)) {
		if (took <= plain - (plain >> 2) && p->min_units >> 1 >= p->floor_units)
			p->min_units >>= 1;
		return;
	}
	/*
	 * It did not. What it took beyond half of a plain read's time is taken to be the same
	 * for every length, and the other half has to be worth twice that.
	 */
	took -= plain >> 1;
	p->min_units = units << 1;
	while (p->min_units < MAX_UNITS && p->plain_ticks * p->min_units >> 1 < took << 1)
		p->min_units <<= 1;
	p->floor_units = p->min_units;
}
