/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "common/writeplan.h"

#include "common/config.h"
#include "common/md1_mark.h"
#include "common/mem.h"
#include "common/range.h"
#include "common/wire.h"

#include <stddef.h>

/* The write-intent bitmap's header. Source: Linux drivers/md/md-bitmap.h, struct bitmap_super_s. */
struct bitmap_sb {
	le32 magic;
	le32 version;
	struct guid uuid;
	le64 events;
	le64 events_cleared;
	le64 sync_size_s512;
	le32 state;
	le32 chunk_bytes;
	le32 daemon_sleep_s;
	le32 write_behind;
	le32 sectors_reserved;
	le32 nodes;
	uint8_t name[64];
	uint8_t pad[120];
};
_Static_assert(sizeof(struct bitmap_sb) == 256, "bits start at 256");
_Static_assert(offsetof(struct bitmap_sb, chunk_bytes) == 52, "chunksize at 52");

#define BITMAP_MAGIC       0x6d746962u /* "bitm" */
#define BITMAP_HOST_ENDIAN 3           /* little on every machine that we run on */
#define BITMAP_VERSION     4
#define CHUNK_SHIFT_MIN    12
#define CHUNK_SHIFT_MAX    31

const char *writeplan_text(uint8_t why)
{
	static const char *const text[WRITEPLAN_COUNT] = {
		[WRITEPLAN_WRITABLE] = "writable",
		[WRITEPLAN_UNUSABLE] = "no leg can be read",
		[WRITEPLAN_CHOSEN] = "the leg was chosen by hand",
		[WRITEPLAN_SPLIT] = "its legs ran apart, or one is a copy of another",
		[WRITEPLAN_REBUILDING] = "a leg is being rebuilt or replaced",
		[WRITEPLAN_GENERATION] = "its legs are not of one generation",
		[WRITEPLAN_FORMAT] = "its format can't record a write on its way",
		[WRITEPLAN_BITMAP] = "its bitmap can't be read, or is of an unknown kind",
		[WRITEPLAN_ROOM] = "it is larger than writing has room for",
		[WRITEPLAN_DISK] = "one of its disks can't be written",
		[WRITEPLAN_CONFIG] = "the configuration says writes = no",
	};

	return why < WRITEPLAN_COUNT ? text[why] : "?";
}

static bool is_md1(uint8_t format)
{
	return format == FORMAT_MD_1_0 || format == FORMAT_MD_1_1 || format == FORMAT_MD_1_2;
}

static const struct member *member_of(const struct survey *s, const struct mirror *m, unsigned leg)
{
	return &s->member[m->leg[leg].member];
}

static bool is_read(const struct mirror *m, unsigned leg)
{
	for (unsigned i = 0; i < m->order_count; i++)
		if (m->order[i] == leg)
			return true;
	return false;
}

/* Legs that are not written, and could be taken for whole afterwards. */
static uint8_t judge_others(const struct survey *s, const struct mirror *m)
{
	for (unsigned i = 0; i < m->leg_count; i++) {
		const struct leg *l = &m->leg[i];

		if (l->verdict == VERDICT_CONFLICT)
			return WRITEPLAN_SPLIT;
		if (l->verdict == VERDICT_REBUILDING)
			return WRITEPLAN_REBUILDING;
		if (l->verdict == VERDICT_IN_SYNC && !is_read(m, i))
			return WRITEPLAN_CHOSEN;
	}
	if (m->newest == NO_LEG || !is_read(m, m->newest))
		return WRITEPLAN_GENERATION;
	return WRITEPLAN_WRITABLE;
}

/* The legs that are written. */
static uint8_t judge_legs(const struct survey *s, const struct mirror *m, bool marked)
{
	const struct member *first = member_of(s, m, m->order[0]);

	for (unsigned i = 0; i < m->order_count; i++) {
		const struct member *c = member_of(s, m, m->order[i]);

		if (c->flags & MEMBER_REPLACEMENT)
			return WRITEPLAN_REBUILDING;
		if (c->events != first->events)
			return WRITEPLAN_GENERATION;
		if (!s->disk[c->disk].write)
			return WRITEPLAN_DISK;
		if (s->disk[c->disk].shift != s->disk[first->disk].shift)
			return WRITEPLAN_ROOM;
		if (!marked)
			continue;
		if (c->role_max > MD1_ROLES_IN(1u << s->disk[c->disk].shift))
			return WRITEPLAN_ROOM;
		if ((c->flags & MEMBER_BITMAP) != (first->flags & MEMBER_BITMAP) ||
		    ((c->flags & MEMBER_BITMAP) &&
		     c->bitmap_s512 - c->sb_s512 != first->bitmap_s512 - first->sb_s512))
			return WRITEPLAN_BITMAP;
	}
	return WRITEPLAN_WRITABLE;
}

uint8_t writeplan_judge(const struct survey *s, unsigned mirror, uint8_t writes)
{
	const struct mirror *m = &s->mirror[mirror];
	bool marked = is_md1(m->format);
	uint8_t why;

	if (m->order_count == 0)
		return WRITEPLAN_UNUSABLE;
	if (writes == CONFIG_WRITES_NO)
		return WRITEPLAN_CONFIG;
	if (m->read_only)
		return WRITEPLAN_CHOSEN;
	if (!marked && writes != CONFIG_WRITES_MIRROR)
		return WRITEPLAN_FORMAT;
	/* Without a record, a leg that is not here would never learn of what it missed. */
	if (!marked && leg_roles_in_sync(m) < m->expected)
		return WRITEPLAN_FORMAT;
	if (m->order_count > VDISK_EXTENT_LEGS)
		return WRITEPLAN_ROOM;
	why = judge_others(s, m);
	return why == WRITEPLAN_WRITABLE ? judge_legs(s, m, marked) : why;
}

static bool overlap(uint64_t a, uint64_t a_len, uint64_t b, uint64_t b_len)
{
	return a < b ? b - a < a_len : a - b < b_len;
}

/* Is this leg's bitmap one that we know, and where it can hurt nothing? */
static bool read_bitmap(const struct survey *s, const struct member *m, uint8_t *buf,
			uint8_t *chunk_shift_bytes)
{
	const struct disk *d = &s->disk[m->disk];
	const struct bitmap_sb *h = (const struct bitmap_sb *)buf;
	uint64_t size_s512 = disk_s512(d, m->sectors_lba), bytes, len_s512;
	uint32_t version;

	if (!disk_s512_aligned(d, m->bitmap_s512) || !range_ok(m->bitmap_s512, 8, size_s512) ||
	    disk_read(d, m->start_lba + (m->bitmap_s512 >> (d->shift - 9)), 1, buf) != ST_OK)
		return false;
	version = le32_get(h->version);
	if (le32_get(h->magic) != BITMAP_MAGIC || !guid_equal(&h->uuid, &m->set_uuid) ||
	    (version != BITMAP_HOST_ENDIAN && version != BITMAP_VERSION))
		return false;
	*chunk_shift_bytes = CHUNK_SHIFT_MIN;
	while (*chunk_shift_bytes < CHUNK_SHIFT_MAX &&
	       le32_get(h->chunk_bytes) != (uint32_t)1 << *chunk_shift_bytes)
		++*chunk_shift_bytes;
	if (le32_get(h->chunk_bytes) != (uint32_t)1 << *chunk_shift_bytes)
		return false;

	/* Header and all bits, to whole sectors of 4 KiB, clear of data and superblock. */
	bytes = sizeof(*h) + (m->data_s512 >> (*chunk_shift_bytes - 9) >> 3) + 1;
	len_s512 = ((bytes >> 12) + 1) << 3;
	return range_ok(m->bitmap_s512, len_s512, size_s512) &&
	       !overlap(m->bitmap_s512, len_s512, m->data_start_s512, m->data_s512) &&
	       !overlap(m->bitmap_s512, len_s512, m->sb_s512, 2);
}

static unsigned find_leg(const struct vdisk_set *set, unsigned mirror, unsigned leg)
{
	for (unsigned i = 0; i < set->leg_count; i++)
		if (set->leg[i].mirror == mirror && set->leg[i].leg == leg)
			return i;
	return VDISK_NO_LEG;
}

/* False: one of its legs is in no view, or its bitmap is not to be touched. */
static bool fill(struct vdisk_set *set, const struct survey *s, unsigned mirror,
		 struct vdisk_mirror *w)
{
	const struct mirror *m = &s->mirror[mirror];
	const struct member *first = member_of(s, m, m->order[0]);
	unsigned down = s->disk[first->disk].shift - 9u;

	*w = (struct vdisk_mirror){
		.sectors = m->size_s512 >> down,
		.resync_s512 = first->resync_s512,
		.mirror = (uint8_t)mirror,
		/* What was open before keeps its bits: md has yet to copy those chunks. */
		.whole = first->resync_s512 == UINT64_MAX ? (uint8_t)min_u64(m->expected, 0xff) : 0,
		.served = m->order_count,
		.leg_count = m->order_count,
	};
	if (is_md1(m->format))
		w->marks = first->flags & MEMBER_BITMAP ? VDISK_MARK_BITMAP : VDISK_MARK_MD1;
	if (w->marks == VDISK_MARK_BITMAP)
		w->bitmap = (uint32_t)((int64_t)(first->bitmap_s512 - first->sb_s512) >> down);

	for (unsigned k = 0; k < m->order_count; k++) {
		const struct member *c = member_of(s, m, m->order[k]);
		unsigned leg = find_leg(set, mirror, m->order[k]);
		uint8_t chunk_shift;

		if (leg == VDISK_NO_LEG)
			return false;
		w->leg[k].leg = leg;
		w->dev_number[k] = (uint16_t)c->dev_number;
		w->leg[k].sb_lba = c->start_lba + (c->sb_s512 >> down);
		if (w->marks != VDISK_MARK_BITMAP)
			continue;
		if (!read_bitmap(s, c, set->scratch, &chunk_shift))
			return false;
		chunk_shift = (uint8_t)(chunk_shift - 9 - down);
		if (k > 0 && chunk_shift != w->chunk_shift)
			return false;
		w->chunk_shift = chunk_shift;
	}
	return true;
}

void writeplan_make(struct vdisk_set *set, const struct survey *s, uint8_t writes, uint8_t *scratch,
		    unsigned scratch_shift)
{
	set->mirror_count = 0;
	set->scratch = NULL;
	if (writes == CONFIG_WRITES_NO)
		return;
	set->scratch = scratch;
	set->scratch_buf = scratch;
	for (unsigned i = 0; i < set->leg_count; i++)
		if (set->leg[i].mirror == VDISK_NO_LEG && !s->disk[set->leg[i].disk].write)
			set->leg[i].leg = VDISK_OWN_FIXED;
	for (unsigned i = 0; i < s->mirror_count && set->mirror_count < VDISK_MIRRORS; i++) {
		if (writeplan_judge(s, i, writes) != WRITEPLAN_WRITABLE ||
		    s->disk[member_of(s, &s->mirror[i], s->mirror[i].order[0])->disk].shift >
			    scratch_shift)
			continue;
		if (fill(set, s, i, &set->mirror[set->mirror_count]))
			set->mirror_count++;
	}
}

bool writeplan_open(const struct vdisk_set *set, unsigned mirror)
{
	for (unsigned i = 0; set->scratch && i < set->mirror_count; i++)
		if (set->mirror[i].mirror == mirror)
			return set->mirror[i].leg_count > 0;
	return false;
}

uint8_t writeplan_why(const struct vdisk_set *set, const struct survey *s, unsigned mirror,
		      uint8_t writes)
{
	uint8_t why = writeplan_judge(s, mirror, writes);

	if (why != WRITEPLAN_WRITABLE || writeplan_open(set, mirror))
		return why;
	/* What only the making of the plan could see. */
	for (unsigned i = 0; set->mirror_count < VDISK_MIRRORS && i < set->leg_count; i++)
		if (set->leg[i].mirror == mirror)
			return member_of(s, &s->mirror[mirror], s->mirror[mirror].chosen)->flags &
					       MEMBER_BITMAP
				       ? WRITEPLAN_BITMAP
				       : WRITEPLAN_ROOM;
	return WRITEPLAN_ROOM;
}

void writeplan_report(const struct vdisk_set *set, const struct survey *s, uint8_t writes,
		      struct text *out)
{
	for (unsigned i = 0; i < s->mirror_count; i++) {
		const struct mirror *m = &s->mirror[i];
		uint8_t why = writeplan_why(set, s, i, writes);

		/* Of a leg chosen by hand the menu has said it. */
		if (m->chosen == NO_LEG || m->read_only || why == WRITEPLAN_WRITABLE)
			continue;
		text_str(out, "Mirror ");
		text_str(out, m->name);
		text_str(out, " is write-protected: ");
		text_str(out, writeplan_text(why));
		text_str(out, ".\n");
	}
}
