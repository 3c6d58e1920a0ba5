/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* judge: which of a mirror's members is the newest. leg.c has the rules. */
#include "common/leg.h"

int newest_compare(const struct member *a, const struct member *b)
{
	if (a->role != b->role)
		return a->role < b->role ? -1 : 1;
	if (a->dev_number != b->dev_number)
		return a->dev_number < b->dev_number ? -1 : 1;
	for (unsigned i = 0; i < sizeof(a->device_uuid.b); i++)
		if (a->device_uuid.b[i] != b->device_uuid.b[i])
			return a->device_uuid.b[i] < b->device_uuid.b[i] ? -1 : 1;
	if (a->events != b->events) /* of a disk and its copy, the newer */
		return a->events > b->events ? -1 : 1;
	if (a->disk != b->disk)
		return a->disk < b->disk ? -1 : 1;
	return a->start_lba < b->start_lba ? -1 : a->start_lba > b->start_lba;
}

/*
 * A leg that can't be used may still be the newest, and know that another is stale:
 * its superblock is whole, it is only more than we, or this disk, can do.
 */
static bool speaks_true(const struct member *m)
{
	switch (m->why.code) {
	case REASON_TRUNCATED:
	case REASON_FEATURE:
	case REASON_RESHAPE:
	case REASON_JOURNALED:
	case REASON_CLUSTERED:
	case REASON_MISALIGNED:
	case REASON_LOG_UNREADABLE: return true;
	default: return m->status == ST_OK;
	}
}

/*
 * Active and in sync, by its own map: such a leg can be the newest. A database is on all
 * disks of a group, those with failed legs too.
 */
static bool may_be_newest(const struct member *m)
{
	return speaks_true(m) && (leg_is_ldm(m) || leg_is_regular(m->role)) &&
	       !(m->flags & MEMBER_PARTIAL);
}

/* Of two legs as new as each other, the one that can be used decides, and the one that went on. */
static unsigned doubts(const struct member *m)
{
	if (m->status != ST_OK)
		return 3;
	if (!leg_is_ldm(m) || (m->flags & MEMBER_SURVIVOR))
		return 0;
	return m->flags & MEMBER_DIRTY ? 2 : 1;
}

static bool newer(const struct member *a, const struct member *b)
{
	if (a->events != b->events)
		return a->events > b->events;
	if (doubts(a) != doubts(b))
		return doubts(a) < doubts(b);
	return newest_compare(a, b) < 0;
}

/*
 * A rebuilding leg follows the one that it is copied from. When it is newer than
 * every leg in sync, that one is not here, and the others were left behind.
 */
const struct member *newest_find(const struct survey *s, const struct mirror *m)
{
	const struct member *best = NULL, *partial = NULL;

	for (unsigned i = 0; i < m->leg_count; i++) {
		const struct member *c = leg_member(s, &m->leg[i]);

		if (may_be_newest(c) && (!best || newer(c, best)))
			best = c;
		else if (speaks_true(c) && leg_is_regular(c->role) && (c->flags & MEMBER_PARTIAL) &&
			 (!partial || newer(c, partial)))
			partial = c;
	}
	if (best && partial && leg_is_behind(best, partial))
		return partial;
	return best;
}
