/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * Views: from verdicts to extents. Holes, rebuilding limits, skewed starts and
 * other layouts are settled here, once, so that reading needs no judgement.
 */
#include "common/view.h"

#include "common/extents.h"
#include "common/mem.h"
#include "common/range.h"

void view_init(struct vdisk_set *set, struct vdisk_tables *tables)
{
	memset(set, 0, sizeof(*set));
	set->vdisk = tables->vdisk;
	set->leg = tables->leg;
	set->extent = tables->extent;
	set->mirror = tables->mirror;
}

/*
 * The same, told apart by what may be written: a member that is shown as it is (its
 * mirror is unusable, or no mirror of ours) is not ours to change.
 */
static void emit_own(struct extents *b, unsigned disk, uint64_t end_lba)
{
	while (b->lba < end_lba && b->st == ST_OK) {
		enum vdisk_own kind = VDISK_OWN;
		uint64_t until = end_lba;

		for (unsigned i = 0; i < b->s->member_count; i++) {
			const struct member *m = &b->s->member[i];
			uint64_t end = m->start_lba + m->sectors_lba;

			if (m->disk != disk || end <= b->lba)
				continue;
			if (m->start_lba > b->lba) {
				until = min_u64(until, m->start_lba);
				continue;
			}
			kind = VDISK_OWN_FIXED;
			until = min_u64(until, end);
		}
		extents_as_is(b, disk, until, kind);
	}
}

/* Do two members keep superblock and data at the same places, so that one can stand in whole? */
static bool same_layout(const struct member *a, const struct member *b)
{
	return a->format == b->format && a->sb_s512 == b->sb_s512 &&
	       a->data_start_s512 == b->data_start_s512;
}

/*
 * Metadata sectors of a member, up to end (sectors from the member's start): from
 * the chosen leg and those laid out like it, so that a loader that reads them
 * sees what belongs to the data.
 */
static void emit_metadata(struct extents *b, unsigned mirror, uint64_t member_lba, uint64_t end)
{
	const struct mirror *m = &b->s->mirror[mirror];
	const struct member *chosen = extents_member(b, m, m->chosen);
	uint64_t rel = b->lba - member_lba;
	uint8_t leg[VDISK_EXTENT_LEGS];
	unsigned n = 0;

	if (end <= rel)
		return;
	memset(leg, VDISK_NO_LEG, sizeof(leg));
	for (unsigned i = 0; i < m->order_count && n < VDISK_EXTENT_LEGS; i++) {
		const struct member *mem = extents_member(b, m, m->order[i]);

		/* A person may have chosen a leg of a split brain: then it is the only one. */
		if ((m->leg[m->order[i]].verdict == VERDICT_IN_SYNC || m->order[i] == m->chosen) &&
		    extents_fits(b, mem) && same_layout(mem, chosen) &&
		    range_ok(0, end, mem->sectors_lba))
			leg[n++] = extents_mirror_leg(b, mirror, m->order[i]);
	}
	/* Legs start at their data: metadata before it is at a negative offset, modulo 2^64. */
	extents_add(b, end - rel, rel - extents_down(b, chosen->data_start_s512), leg);
}

bool view_covers(const struct mirror *m, unsigned leg)
{
	return m->leg[leg].member != NO_MEMBER &&
	       (m->chosen != NO_LEG ||
		(m->leg[leg].verdict == VERDICT_UNTRUSTED && m->state != MIRROR_UNTRUSTED));
}

/* The next member range on this disk at or after lba; false when there is none. */
static bool next_member(const struct extents *b, unsigned disk, uint64_t lba, unsigned *mirror,
			unsigned *leg)
{
	uint64_t best_lba = UINT64_MAX;

	for (unsigned i = 0; i < b->s->mirror_count; i++) {
		const struct mirror *m = &b->s->mirror[i];

		for (unsigned k = 0; k < m->leg_count; k++) {
			if (!view_covers(m, k) || m->leg[k].disk != disk)
				continue;

			uint64_t start = extents_member(b, m, k)->start_lba;

			if (start >= lba && start < best_lba) {
				best_lba = start;
				*mirror = i;
				*leg = k;
			}
		}
	}
	return best_lba != UINT64_MAX;
}

/* What is left of a whole-disk member around partitions: they stay what they are. */
static bool is_remnant(const struct extents *b, const struct member *own)
{
	return own->part == 0 && own->format != FORMAT_LDM && own->status != ST_OK &&
	       b->s->found[own->disk].table != PART_TABLE_NONE && !trust_blocks(b->s, own);
}

/* A leg that no other can stand in for is read by nobody: better an error than old bytes. */
static void emit_none(struct extents *b, const struct member *own)
{
	uint64_t end = own->start_lba + own->sectors_lba;
	uint8_t leg[VDISK_EXTENT_LEGS];
	unsigned mirror, next;

	if (b->lba == own->start_lba && is_remnant(b, own))
		return;
	/* Members inside a broken one come up next; those that data lie over are gone. */
	if (next_member(b, own->disk, b->lba + (b->lba == own->start_lba), &mirror, &next))
		end = min_u64(end, extents_member(b, &b->s->mirror[mirror], next)->start_lba);
	if (end <= b->lba)
		return;
	memset(leg, VDISK_NO_LEG, sizeof(leg));
	extents_add(b, end - b->lba, 0, leg);
}

/* A member range on the base disk, served by the legs of its mirror. */
static void emit_member(struct extents *b, unsigned mirror, unsigned leg)
{
	const struct mirror *m = &b->s->mirror[mirror];
	const struct member *own = extents_member(b, m, leg);
	const struct member *chosen;
	uint64_t data_start, data = extents_down(b, m->size_s512);
	bool alike;

	if (m->chosen == NO_LEG) {
		emit_none(b, own);
		return;
	}
	chosen = extents_member(b, m, m->chosen);
	alike = same_layout(own, chosen);

	/*
	 * A superblock that can't be trusted says nothing of its layout; where it is
	 * found from the start of the member, the chosen leg's layout fits.
	 */
	if (own->status == ST_CORRUPT)
		alike = own->format == chosen->format && own->sb_s512 == chosen->sb_s512;
	else if (own->status != ST_OK)
		alike = false;

	if (b->contents && data <= own->sectors_lba && (alike || !is_remnant(b, own))) {
		extents_data(b, mirror, data);
		emit_none(b, own);
		return;
	}

	data_start = extents_down(b, alike ? chosen->data_start_s512 : own->data_start_s512);
	if (!range_ok(data_start, data, own->sectors_lba) || (own->status != ST_OK && !alike)) {
		emit_none(b, own);
		return;
	}

	if (alike)
		emit_metadata(b, mirror, own->start_lba, data_start);
	else
		emit_own(b, own->disk, own->start_lba + data_start);
	extents_data(b, mirror, data);
	if (alike)
		emit_metadata(b, mirror, own->start_lba,
			      min_u64(own->sectors_lba, chosen->sectors_lba));
	/* Another superblock at its end, say: a loader would find it. */
	if (trust_refused(own))
		emit_none(b, own);
	emit_own(b, own->disk, own->start_lba + own->sectors_lba);
}

/* A disk, whole, with each member range served by its mirror. */
static void emit_disk(struct extents *b, unsigned disk)
{
	unsigned mirror = 0, leg = 0;

	/* Overlapping members (a hostile table) are taken in order; those behind us are skipped. */
	while (b->st == ST_OK && next_member(b, disk, b->lba, &mirror, &leg)) {
		uint64_t start = extents_member(b, &b->s->mirror[mirror], leg)->start_lba, before;

		emit_own(b, disk, start);
		before = b->lba;
		emit_member(b, mirror, leg);
		if (b->lba == before) /* left as it is: step over it */
			emit_own(b, disk, start + 1);
	}
	emit_own(b, disk, b->s->disk[disk].sectors);
}

/* Take back what a build that found no room has added. */
static void undo(struct extents *b)
{
	b->set->extent_count = (uint16_t)b->first_extent;
	b->set->leg_count = (uint8_t)b->first_leg;
	b->lba = 0;
	b->st = ST_OK;
}

/* What a vdisk is made of: a disk, or volumes behind a table that lies on a disk of its own. */
struct recipe {
	uint8_t base;  /* the disk; VDISK_NO_LEG for volumes */
	uint8_t table; /* the table's disk; VDISK_NO_LEG: there is none, one volume alone */
	uint8_t shift;
	bool contents;
	const struct view_place *place;
	unsigned count;
};

static void emit_volumes(struct extents *b, const struct recipe *r)
{
	for (unsigned i = 0; i < r->count; i++) {
		const struct view_place *p = &r->place[i];

		if (p->lba > b->lba)
			extents_as_is(b, r->table, p->lba, VDISK_OWN_FIXED);
		extents_data(b, p->mirror, extents_down(b, b->s->mirror[p->mirror].size_s512));
	}
}

/*
 * Build with every hole by itself; when that takes too many extents, once more
 * with the holes of a leg taken together: less to fall back on, never a wrong byte.
 */
static enum status build(struct vdisk_set *set, const struct survey *s, const struct recipe *r,
			 unsigned *v)
{
	struct extents b = {.set = set,
			    .s = s,
			    .shift = r->shift,
			    .contents = r->contents,
			    .first_extent = set->extent_count,
			    .first_leg = set->leg_count};

	if (set->vdisk_count == VDISK_MAX)
		return ST_FULL;
	for (unsigned turn = 0; turn < 2; turn++) {
		b.coarse = turn > 0;
		if (r->base != VDISK_NO_LEG)
			emit_disk(&b, r->base);
		else
			emit_volumes(&b, r);
		if (b.st == ST_OK)
			break;
		undo(&b);
		if (b.coarse)
			return ST_FULL;
	}
	*v = set->vdisk_count;
	set->vdisk[set->vdisk_count++] = (struct vdisk){
		.sectors = b.lba,
		.first_extent = (uint16_t)b.first_extent,
		.extent_count = (uint16_t)(set->extent_count - b.first_extent),
		.shift = r->shift,
		.base = r->base,
		.mirror = r->count ? r->place[0].mirror : VDISK_NO_LEG,
	};
	return ST_OK;
}

static enum status add_disk(struct vdisk_set *set, const struct survey *s, unsigned disk,
			    bool contents, unsigned *v)
{
	struct recipe r = {.base = (uint8_t)disk, .table = VDISK_NO_LEG, .contents = contents};

	if (disk >= s->disk_count || s->disk[disk].sectors == 0)
		return ST_ABSENT;
	r.shift = s->disk[disk].shift;
	return build(set, s, &r, v);
}

enum status view_add_disk(struct vdisk_set *set, const struct survey *s, unsigned disk, unsigned *v)
{
	return add_disk(set, s, disk, false, v);
}

enum status view_add_contents(struct vdisk_set *set, const struct survey *s, unsigned disk,
			      unsigned *v)
{
	return add_disk(set, s, disk, true, v);
}

enum status view_add_volumes(struct vdisk_set *set, const struct survey *s, unsigned table,
			     const struct view_place *place, unsigned count, unsigned *v)
{
	struct recipe r = {
		.base = VDISK_NO_LEG, .table = (uint8_t)table, .place = place, .count = count};

	for (unsigned i = 0; i < count; i++) {
		const struct mirror *m = &s->mirror[place[i].mirror];
		uint8_t shift;

		if (place[i].mirror >= s->mirror_count || m->chosen == NO_LEG)
			return ST_ABSENT;
		shift = s->disk[m->leg[m->chosen].disk].shift;
		if (i > 0 && shift != r.shift)
			return ST_UNSUPPORTED;
		r.shift = shift;
	}
	return build(set, s, &r, v);
}

enum status view_add_volume(struct vdisk_set *set, const struct survey *s, unsigned mirror,
			    unsigned *v)
{
	struct view_place place = {.mirror = (uint8_t)mirror};

	if (mirror >= s->mirror_count)
		return ST_ABSENT;
	return view_add_volumes(set, s, VDISK_NO_LEG, &place, 1, v);
}
