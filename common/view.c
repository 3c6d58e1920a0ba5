/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * Views: from verdicts to extents. Holes, rebuilding limits, skewed starts and
 * other layouts are settled here, once, so that reading needs no judgement.
 */
#include "common/view.h"

#include "common/mem.h"
#include "common/range.h"

/* What is being built: the set, the survey, and the position on the new vdisk. */
struct builder {
	struct vdisk_set *set;
	const struct survey *s;
	uint8_t shift;
	bool contents; /* members show their data only */
	bool coarse;   /* take all holes of a leg for one: when there is no room for each */
	uint64_t lba;  /* where the next extent goes */
	unsigned first_extent, first_leg; /* to take back from */
	enum status st;                   /* the first failure sticks */
};

void view_init(struct vdisk_set *set, struct vdisk_tables *tables)
{
	memset(set, 0, sizeof(*set));
	set->vdisk = tables->vdisk;
	set->leg = tables->leg;
	set->extent = tables->extent;
	set->mirror = tables->mirror;
}

/* The set's leg for this place, made when it is new. VDISK_NO_LEG when there is no room. */
static uint8_t intern_leg(struct builder *b, const struct vdisk_leg *want)
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

/* Append an extent; one that continues the last is merged into it. */
static void emit(struct builder *b, uint64_t sectors, uint64_t offset,
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

/* Sectors of a disk as they are, up to (not including) end_lba. */
static void emit_as_is(struct builder *b, unsigned disk, uint64_t end_lba, enum vdisk_own kind)
{
	uint8_t leg[VDISK_EXTENT_LEGS];
	struct vdisk_leg own = {.disk = (uint8_t)disk, .mirror = VDISK_NO_LEG, .leg = kind};

	memset(leg, VDISK_NO_LEG, sizeof(leg));
	leg[0] = intern_leg(b, &own);
	emit(b, end_lba - b->lba, b->lba, leg);
}

/*
 * The same, told apart by what may be written: a member that is shown as it is (its
 * mirror is unusable, or no mirror of ours) is not ours to change.
 */
static void emit_own(struct builder *b, unsigned disk, uint64_t end_lba)
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
		emit_as_is(b, disk, until, kind);
	}
}

static const struct member *member_of(const struct builder *b, const struct mirror *m, unsigned leg)
{
	return &b->s->member[m->leg[leg].member];
}

/* md's 512-byte units in sectors of the vdisk. */
static uint64_t down(const struct builder *b, uint64_t s512)
{
	return s512 >> (b->shift - 9);
}

static uint64_t up(const struct builder *b, uint64_t s512)
{
	uint64_t mask = ((uint64_t)1 << (b->shift - 9)) - 1;

	return (s512 >> (b->shift - 9)) + ((s512 & mask) != 0);
}

static uint8_t intern_mirror_leg(struct builder *b, unsigned mirror, unsigned leg)
{
	const struct mirror *m = &b->s->mirror[mirror];
	const struct member *mem = member_of(b, m, leg);
	struct vdisk_leg want = {
		.start_lba = mem->start_lba + down(b, mem->data_start_s512),
		.disk = mem->disk,
		.mirror = (uint8_t)mirror,
		.leg = (uint8_t)leg,
		.steady = m->dirty,
	};

	return intern_leg(b, &want);
}

/*
 * A leg on a disk with other sectors than the vdisk's can't serve its requests. Where
 * no leg fits, a member's range is served by none: better an error than stale bytes.
 */
static bool fits(const struct builder *b, const struct member *m)
{
	return b->s->disk[m->disk].shift == b->shift;
}

/* Where hole i ends; coarse, where it and all behind it do: the first may be the longest. */
static uint64_t hole_end(const struct builder *b, const struct member *m, unsigned i)
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
static bool good_at(const struct builder *b, const struct member *m, uint64_t pos, uint64_t *until)
{
	if (m->flags & MEMBER_PARTIAL) {
		uint64_t limit = down(b, m->good_s512);

		if (pos >= limit)
			return false;
		*until = min_u64(*until, limit);
	}
	for (unsigned i = 0; i < m->hole_count; i++) {
		uint64_t start = down(b, m->hole[i].start_s512), end = hole_end(b, m, i);

		if (pos >= start && pos < end) {
			*until = min_u64(*until, end);
			return false;
		}
		if (start > pos)
			*until = min_u64(*until, start);
	}
	return true;
}

/* The mirror's data, whole, cut wherever the list of legs that can serve it changes. */
static void emit_data(struct builder *b, unsigned mirror, uint64_t sectors)
{
	const struct mirror *m = &b->s->mirror[mirror];
	uint64_t pos = 0;

	while (pos < sectors && b->st == ST_OK) {
		uint64_t until = sectors;
		uint8_t leg[VDISK_EXTENT_LEGS];
		unsigned n = 0;

		memset(leg, VDISK_NO_LEG, sizeof(leg));
		for (unsigned i = 0; i < m->order_count; i++) {
			const struct member *mem = member_of(b, m, m->order[i]);

			if (fits(b, mem) && good_at(b, mem, pos, &until) && n < VDISK_EXTENT_LEGS)
				leg[n++] = intern_mirror_leg(b, mirror, m->order[i]);
		}
		/* No leg at all here: the extent stays, and reading it fails honestly. */
		emit(b, until - pos, pos, leg);
		pos = until;
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
static void emit_metadata(struct builder *b, unsigned mirror, uint64_t member_lba, uint64_t end)
{
	const struct mirror *m = &b->s->mirror[mirror];
	const struct member *chosen = member_of(b, m, m->chosen);
	uint64_t rel = b->lba - member_lba;
	uint8_t leg[VDISK_EXTENT_LEGS];
	unsigned n = 0;

	if (end <= rel)
		return;
	memset(leg, VDISK_NO_LEG, sizeof(leg));
	for (unsigned i = 0; i < m->order_count && n < VDISK_EXTENT_LEGS; i++) {
		const struct member *mem = member_of(b, m, m->order[i]);

		/* A person may have chosen a leg of a split brain: then it is the only one. */
		if ((m->leg[m->order[i]].verdict == VERDICT_IN_SYNC || m->order[i] == m->chosen) &&
		    fits(b, mem) && same_layout(mem, chosen) && range_ok(0, end, mem->sectors_lba))
			leg[n++] = intern_mirror_leg(b, mirror, m->order[i]);
	}
	/* Legs start at their data: metadata before it is at a negative offset, modulo 2^64. */
	emit(b, end - rel, rel - down(b, chosen->data_start_s512), leg);
}

/* The next member range on this disk at or after lba; false when there is none. */
static bool next_member(const struct builder *b, unsigned disk, uint64_t lba, unsigned *mirror,
			unsigned *leg)
{
	uint64_t best_lba = UINT64_MAX;

	for (unsigned i = 0; i < b->s->mirror_count; i++) {
		const struct mirror *m = &b->s->mirror[i];

		if (m->chosen == NO_LEG)
			continue;
		for (unsigned k = 0; k < m->leg_count; k++) {
			if (m->leg[k].member == NO_MEMBER || m->leg[k].disk != disk)
				continue;

			uint64_t start = member_of(b, m, k)->start_lba;

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
static bool is_remnant(const struct builder *b, const struct member *own)
{
	return own->part == 0 && own->status != ST_OK &&
	       b->s->found[own->disk].table != PART_TABLE_NONE;
}

/* A leg that no other can stand in for is read by nobody: better an error than old bytes. */
static void emit_none(struct builder *b, const struct member *own)
{
	uint64_t end = own->start_lba + own->sectors_lba;
	uint8_t leg[VDISK_EXTENT_LEGS];
	unsigned mirror, next;

	if (b->lba == own->start_lba && is_remnant(b, own))
		return;
	/* Members inside a broken one come up next; those that data lie over are gone. */
	if (next_member(b, own->disk, b->lba + (b->lba == own->start_lba), &mirror, &next))
		end = min_u64(end, member_of(b, &b->s->mirror[mirror], next)->start_lba);
	if (end <= b->lba)
		return;
	memset(leg, VDISK_NO_LEG, sizeof(leg));
	emit(b, end - b->lba, 0, leg);
}

/* A member range on the base disk, served by the legs of its mirror. */
static void emit_member(struct builder *b, unsigned mirror, unsigned leg)
{
	const struct mirror *m = &b->s->mirror[mirror];
	const struct member *own = member_of(b, m, leg);
	const struct member *chosen = member_of(b, m, m->chosen);
	uint64_t data_start, data = down(b, m->size_s512);
	bool alike = same_layout(own, chosen);

	/*
	 * A superblock that can't be trusted says nothing of its layout; where it is
	 * found from the start of the member, the chosen leg's layout fits.
	 */
	if (own->status == ST_CORRUPT)
		alike = own->format == chosen->format && own->sb_s512 == chosen->sb_s512;
	else if (own->status != ST_OK)
		alike = false;

	if (b->contents && data <= own->sectors_lba && (alike || !is_remnant(b, own))) {
		emit_data(b, mirror, data);
		emit_none(b, own);
		return;
	}

	data_start = down(b, alike ? chosen->data_start_s512 : own->data_start_s512);
	if (!range_ok(data_start, data, own->sectors_lba) || (own->status != ST_OK && !alike)) {
		emit_none(b, own);
		return;
	}

	if (alike)
		emit_metadata(b, mirror, own->start_lba, data_start);
	else
		emit_own(b, own->disk, own->start_lba + data_start);
	emit_data(b, mirror, data);
	if (alike)
		emit_metadata(b, mirror, own->start_lba,
			      min_u64(own->sectors_lba, chosen->sectors_lba));
	emit_own(b, own->disk, own->start_lba + own->sectors_lba);
}

/* A disk, whole, with each member range served by its mirror. */
static void emit_disk(struct builder *b, unsigned disk)
{
	unsigned mirror = 0, leg = 0;

	/* Overlapping members (a hostile table) are taken in order; those behind us are skipped. */
	while (b->st == ST_OK && next_member(b, disk, b->lba, &mirror, &leg)) {
		uint64_t start = member_of(b, &b->s->mirror[mirror], leg)->start_lba, before;

		emit_own(b, disk, start);
		before = b->lba;
		emit_member(b, mirror, leg);
		if (b->lba == before) /* left as it is: step over it */
			emit_own(b, disk, start + 1);
	}
	emit_own(b, disk, b->s->disk[disk].sectors);
}

/* Take back what a build that found no room has added. */
static void undo(struct builder *b)
{
	b->set->extent_count = (uint16_t)b->first_extent;
	b->set->leg_count = (uint8_t)b->first_leg;
	b->lba = 0;
	b->st = ST_OK;
}

/*
 * Build with every hole by itself; when that takes too many extents, once more
 * with the holes of a leg taken together: less to fall back on, never a wrong byte.
 */
static enum status build(struct vdisk_set *set, const struct survey *s, unsigned base,
			 unsigned mirror, uint8_t shift, bool contents, unsigned *v)
{
	struct builder b = {.set = set,
			    .s = s,
			    .shift = shift,
			    .contents = contents,
			    .first_extent = set->extent_count,
			    .first_leg = set->leg_count};

	if (set->vdisk_count == VDISK_MAX)
		return ST_FULL;
	for (unsigned turn = 0; turn < 2; turn++) {
		b.coarse = turn > 0;
		if (mirror == VDISK_NO_LEG)
			emit_disk(&b, base);
		else
			emit_data(&b, mirror, down(&b, s->mirror[mirror].size_s512));
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
		.shift = shift,
		.base = (uint8_t)base,
		.mirror = (uint8_t)mirror,
	};
	return ST_OK;
}

enum status view_add_disk(struct vdisk_set *set, const struct survey *s, unsigned disk, unsigned *v)
{
	if (disk >= s->disk_count || s->disk[disk].sectors == 0)
		return ST_ABSENT;
	return build(set, s, disk, VDISK_NO_LEG, s->disk[disk].shift, false, v);
}

enum status view_add_contents(struct vdisk_set *set, const struct survey *s, unsigned disk,
			      unsigned *v)
{
	if (disk >= s->disk_count || s->disk[disk].sectors == 0)
		return ST_ABSENT;
	return build(set, s, disk, VDISK_NO_LEG, s->disk[disk].shift, true, v);
}

enum status view_add_volume(struct vdisk_set *set, const struct survey *s, unsigned mirror,
			    unsigned *v)
{
	const struct mirror *m;

	if (mirror >= s->mirror_count || s->mirror[mirror].chosen == NO_LEG)
		return ST_ABSENT;
	m = &s->mirror[mirror];
	return build(set, s, VDISK_NO_LEG, mirror, s->disk[m->leg[m->chosen].disk].shift, false, v);
}
