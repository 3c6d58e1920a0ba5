/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * judge: a verdict for each leg. Pure: plain data in, plain data out.
 *
 * The leg that Linux would take is the leg we take. Sources: Linux 6.1
 * drivers/md/md.c analyze_sbs(), super_1_validate(); drivers/md/raid1.c
 * read_balance(); mdadm 4.2 Assemble.c. The rules:
 *
 *  - The newest leg is the one with the most events among those that are active
 *    and in sync by their own role map. Its map decides about all others. Update
 *    times are never looked at: after a split brain the later one loses.
 *  - A leg more than one event behind is stale. One event behind is what a crash
 *    between two superblock writes leaves: it is taken, if the newest's map has it.
 *  - A leg with a recovery offset is good below it only.
 *  - Two legs that each recorded the other's loss ran alone: split brain.
 */
#include "common/survey.h"

#include "common/mem.h"

#define EVENT_MARGIN 1

static bool regular(uint16_t role)
{
	return role < ROLE_MAX;
}

static const struct member *member_of(const struct survey *s, const struct leg *l)
{
	return &s->member[l->member];
}

/* The role that map m gives to device number dev. */
static uint16_t role_in(const struct member *m, uint32_t dev)
{
	return dev < m->role_count ? m->roles[dev] : ROLE_SPARE;
}

static bool map_has_role(const struct member *m, uint16_t role)
{
	for (unsigned i = 0; i < m->role_count; i++)
		if (m->roles[i] == role)
			return true;
	return false;
}

/* Is there a device that both maps take for active? */
static bool maps_share_a_device(const struct member *a, const struct member *b)
{
	for (unsigned i = 0; i < a->role_count && i < b->role_count; i++)
		if (regular(a->roles[i]) && regular(b->roles[i]))
			return true;
	return false;
}

/* A total order of members that does not depend on the order of disks. */
static int compare_identity(const struct member *a, const struct member *b)
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

/* Active and in sync, by its own map: such a leg can be the newest. */
static bool may_be_newest(const struct member *m)
{
	return speaks_true(m) && regular(m->role) && !(m->flags & MEMBER_PARTIAL);
}

/* Of two legs as new as each other, the one that can be used decides. */
static bool newer(const struct member *a, const struct member *b)
{
	if (a->events != b->events)
		return a->events > b->events;
	if ((a->status == ST_OK) != (b->status == ST_OK))
		return a->status == ST_OK;
	return compare_identity(a, b) < 0;
}

/*
 * A rebuilding leg follows the one that it is copied from. When it is newer than
 * every leg in sync, that one is not here, and the others were left behind.
 */
static const struct member *find_newest(const struct survey *s, const struct mirror *m)
{
	const struct member *best = NULL, *partial = NULL;

	for (unsigned i = 0; i < m->leg_count; i++) {
		const struct member *c = member_of(s, &m->leg[i]);

		if (may_be_newest(c) && (!best || newer(c, best)))
			best = c;
		else if (speaks_true(c) && regular(c->role) && (c->flags & MEMBER_PARTIAL) &&
			 (!partial || newer(c, partial)))
			partial = c;
	}
	if (best && partial && partial->events > best->events &&
	    partial->events - best->events > EVENT_MARGIN)
		return partial;
	return best;
}

/*
 * Did m run alone while the newest did? Its own map has lost the newest's role,
 * the newest's map has lost m, and no device is active in both: a leg that was
 * merely left behind still has its old partners in its map.
 */
static bool ran_alone(const struct member *m, const struct member *newest)
{
	return !map_has_role(m, newest->role) && !regular(role_in(newest, m->dev_number)) &&
	       !maps_share_a_device(m, newest);
}

static void set(struct leg *l, enum verdict v, enum reason_code code, uint64_t a, uint64_t b)
{
	l->verdict = (uint8_t)v;
	l->why = (struct reason){code, a, b};
}

/* The newest's map has a place for this leg. */
static void judge_expected(struct leg *l, const struct member *m, const struct member *newest)
{
	if (m->events < newest->events && newest->events - m->events > EVENT_MARGIN)
		set(l, VERDICT_STALE, REASON_STALE, m->events, newest->events);
	else if (!regular(m->role)) /* added, and its own superblock not yet written */
		set(l, VERDICT_REBUILDING, REASON_REBUILDING, 0, m->data_s512);
	else if (m->flags & MEMBER_PARTIAL)
		set(l, VERDICT_REBUILDING, REASON_REBUILDING, m->good_s512, newest->data_s512);
	else if (!map_has_role(m, newest->role)) /* mdadm: "thinks that most_recent has failed" */
		set(l, VERDICT_CONFLICT, REASON_SPLIT_BRAIN, m->events, newest->events);
	else if (m->data_s512 != newest->data_s512)
		set(l, VERDICT_FAULTY, REASON_SIZE_DIFFERS, m->data_s512, newest->data_s512);
	else if (m->events < newest->events)
		set(l, VERDICT_IN_SYNC, REASON_WITHIN_MARGIN, m->events, newest->events);
	else
		set(l, VERDICT_IN_SYNC, REASON_IN_SYNC, m->events, newest->events);
}

/* The newest's map has none. */
static void judge_unexpected(struct leg *l, const struct member *m, const struct member *newest)
{
	if (m->role == ROLE_JOURNAL)
		set(l, VERDICT_UNSUPPORTED, REASON_JOURNAL, 0, 0);
	else if (!regular(m->role))
		set(l, VERDICT_SPARE, REASON_SPARE, 0, 0);
	else if (ran_alone(m, newest))
		set(l, VERDICT_CONFLICT, REASON_SPLIT_BRAIN, m->events, newest->events);
	else if (map_has_role(newest, m->role))
		set(l, VERDICT_STALE, REASON_REPLACED, m->events, newest->events);
	else if (m->events < newest->events && newest->events - m->events > EVENT_MARGIN)
		set(l, VERDICT_STALE, REASON_STALE, m->events, newest->events);
	else
		set(l, VERDICT_FAULTY, REASON_FAILED_BY_NEWEST, m->events, newest->events);
}

static void judge_leg(struct leg *l, const struct member *m, const struct member *newest)
{
	l->generation = m->events;
	l->role = m->role;
	if (m->status != ST_OK) {
		l->verdict = m->status == ST_UNSUPPORTED ? VERDICT_UNSUPPORTED : VERDICT_FAULTY;
		l->why = m->why;
		return;
	}
	if (!newest) {
		if (m->flags & MEMBER_PARTIAL)
			set(l, VERDICT_REBUILDING, REASON_REBUILDING, m->good_s512, m->data_s512);
		else
			set(l, VERDICT_SPARE, REASON_SPARE, 0, 0);
		return;
	}

	uint16_t role = role_in(newest, m->dev_number);

	if (regular(role)) {
		l->role = role;
		judge_expected(l, m, newest);
	} else {
		judge_unexpected(l, m, newest);
	}
}

/*
 * Two members with one device number: a copy of a disk, or one disk seen twice.
 * Two devices in one role, none marked as the other's replacement: md would take
 * one of them. Either way the first in order stays and the others are not read.
 */
static void reject_duplicates(const struct survey *s, struct mirror *m)
{
	for (unsigned i = 1; i < m->leg_count; i++) {
		struct leg *l = &m->leg[i];

		for (unsigned k = 0; k < i && leg_readable(l); k++) {
			const struct leg *o = &m->leg[k];

			if (!leg_readable(o))
				continue;

			const struct member *lm = member_of(s, l), *om = member_of(s, o);
			bool replaces = (lm->flags | om->flags) & MEMBER_REPLACEMENT;

			if (lm->dev_number == om->dev_number || (l->role == o->role && !replaces))
				set(l, VERDICT_CONFLICT, REASON_DUPLICATE, k, 0);
		}
	}
}

/* Sort by role, so that "leg 0" is what md calls device 0; within a role the readable first. */
static bool sorts_before(const struct survey *s, const struct leg *a, const struct leg *b)
{
	if (a->role != b->role)
		return a->role < b->role;
	if (leg_readable(a) != leg_readable(b))
		return leg_readable(a);
	if (a->member == NO_MEMBER || b->member == NO_MEMBER)
		return a->member != NO_MEMBER && b->member == NO_MEMBER;
	return compare_identity(member_of(s, a), member_of(s, b)) < 0;
}

static void sort_legs(const struct survey *s, struct mirror *m)
{
	for (unsigned i = 1; i < m->leg_count; i++) {
		struct leg l = m->leg[i];
		unsigned at = i;

		while (at > 0 && sorts_before(s, &l, &m->leg[at - 1])) {
			m->leg[at] = m->leg[at - 1];
			at--;
		}
		m->leg[at] = l;
	}
}

static bool has_member_on(const struct mirror *m, unsigned disk)
{
	for (unsigned i = 0; i < m->leg_count; i++)
		if (m->leg[i].disk == disk)
			return true;
	return false;
}

/* A disk that did not answer, and on which none of this mirror's legs was found. */
static unsigned silent_disk(const struct survey *s, const struct mirror *m)
{
	for (unsigned i = 0; i < s->disk_count; i++)
		if (s->found[i].io_error && !has_member_on(m, i))
			return i;
	return NO_DISK;
}

/* Every role that nobody claims is a missing leg. */
static void add_missing(const struct survey *s, struct mirror *m)
{
	for (uint16_t role = 0; role < m->expected && m->leg_count < MIRROR_LEGS; role++) {
		bool claimed = false;

		for (unsigned i = 0; i < m->leg_count; i++)
			claimed |= m->leg[i].role == role;
		if (claimed)
			continue;

		unsigned disk = silent_disk(s, m);
		struct leg *l = &m->leg[m->leg_count++];

		*l = (struct leg){.member = NO_MEMBER, .disk = (uint8_t)disk, .role = role};
		if (disk == NO_DISK)
			set(l, VERDICT_MISSING, REASON_MISSING, role, 0);
		else
			set(l, VERDICT_UNREADABLE, REASON_MISSING_UNREADABLE, role, 0);
	}
}

/*
 * What to read first. A dirty array is read from its lowest role that is not
 * write-mostly: that is the leg that md reads, and the source of its resync.
 */
static unsigned preference(const struct survey *s, const struct mirror *m, const struct leg *l)
{
	const struct member *lm = member_of(s, l);
	unsigned rank = 0;

	if (l->verdict == VERDICT_REBUILDING)
		rank += 8;
	if (lm->flags & MEMBER_WRITE_MOSTLY)
		rank += 4;
	if (lm->flags & MEMBER_REPLACEMENT)
		rank += 2;
	if (lm->hole_count > 0 && !m->dirty)
		rank += 1;
	return rank;
}

/* A leg that was added, and whose superblock does not say how far it is copied, is good nowhere. */
static bool can_serve(const struct survey *s, const struct leg *l)
{
	return leg_readable(l) &&
	       (l->verdict == VERDICT_IN_SYNC || (member_of(s, l)->flags & MEMBER_PARTIAL));
}

static void order_legs(const struct survey *s, struct mirror *m)
{
	m->order_count = 0;
	for (unsigned i = 0; i < m->leg_count; i++) {
		unsigned at = m->order_count, rank;

		if (!can_serve(s, &m->leg[i]))
			continue;
		rank = preference(s, m, &m->leg[i]);
		while (at > 0 && preference(s, m, &m->leg[m->order[at - 1]]) > rank) {
			m->order[at] = m->order[at - 1];
			at--;
		}
		m->order[at] = (uint8_t)i;
		m->order_count++;
	}

	m->chosen = NO_LEG;
	if (m->order_count > 0 && m->leg[m->order[0]].verdict == VERDICT_IN_SYNC)
		m->chosen = m->order[0];
	else
		m->order_count = 0; /* half a leg alone is no mirror: the OS would not start it */
}

/* Say more of the legs that can be read than that they can. */
static void explain(const struct survey *s, struct mirror *m)
{
	for (unsigned i = 0; i < m->leg_count; i++) {
		struct leg *l = &m->leg[i];

		if (l->verdict != VERDICT_IN_SYNC)
			continue;

		const struct member *lm = member_of(s, l);

		if (m->dirty && m->expected > 1)
			l->why.code = i == m->chosen ? REASON_DIRTY_LOWEST : REASON_DIRTY_OTHER;
		else if (lm->hole_count > 0)
			l->why = (struct reason){REASON_BAD_BLOCKS, lm->hole_count, 0};
		else if (lm->flags & MEMBER_WRITE_MOSTLY)
			l->why.code = REASON_WRITE_MOSTLY;
	}
}

static uint8_t state_of(const struct mirror *m)
{
	unsigned in_sync = 0;
	uint32_t last_role = UINT32_MAX;

	if (m->chosen == NO_LEG)
		return MIRROR_UNUSABLE;
	for (unsigned i = 0; i < m->leg_count; i++) {
		const struct leg *l = &m->leg[i];

		if (l->verdict == VERDICT_CONFLICT && l->why.code == REASON_SPLIT_BRAIN)
			return MIRROR_SPLIT_BRAIN;
		/* Sorted by role: a replacement beside its leg counts once. */
		if (l->verdict == VERDICT_IN_SYNC && l->role != last_role) {
			last_role = l->role;
			in_sync++;
		}
	}
	return in_sync >= m->expected ? MIRROR_HEALTHY : MIRROR_DEGRADED;
}

void leg_judge_mirror(struct survey *s, struct mirror *m)
{
	const struct member *newest = find_newest(s, m);

	for (unsigned i = 0; i < m->leg_count; i++)
		judge_leg(&m->leg[i], member_of(s, &m->leg[i]), newest);
	sort_legs(s, m);

	if (newest) {
		memcpy(m->name, newest->name, sizeof(m->name));
		m->size_s512 = newest->data_s512;
		m->expected = (uint16_t)newest->raid_disks;
		m->dirty = newest->flags & MEMBER_DIRTY;
		add_missing(s, m);
		sort_legs(s, m);
	}
	reject_duplicates(s, m); /* by the numbers that legs have in the end */
	/* Nobody to ask: what the members say of the size is all there is to show. */
	for (unsigned i = 0; !newest && i < m->leg_count; i++)
		if (member_of(s, &m->leg[i])->status == ST_OK)
			m->size_s512 = member_of(s, &m->leg[i])->data_s512;
	m->newest = NO_LEG;
	for (unsigned i = 0; newest && i < m->leg_count; i++)
		if (m->leg[i].member != NO_MEMBER && member_of(s, &m->leg[i]) == newest)
			m->newest = (uint8_t)i;
	order_legs(s, m);
	explain(s, m);
	m->state = state_of(m);
}

void leg_judge(struct survey *s)
{
	for (unsigned i = 0; i < s->mirror_count; i++)
		leg_judge_mirror(s, &s->mirror[i]);
}
