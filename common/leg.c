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
#include "common/leg.h"

#include "common/mem.h"
#include "common/trust.h"

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
		if (leg_is_regular(a->roles[i]) && leg_is_regular(b->roles[i]))
			return true;
	return false;
}

/*
 * Did m run alone while the newest did? Its own map has lost the newest's role,
 * the newest's map has lost m, and no device is active in both: a leg that was
 * merely left behind still has its old partners in its map.
 */
static bool ran_alone(const struct member *m, const struct member *newest)
{
	return leg_is_regular(newest->role) && !map_has_role(m, newest->role) &&
	       !leg_is_regular(role_in(newest, m->dev_number)) && !maps_share_a_device(m, newest);
}

/* Databases of one transaction that say something else, or, with none on its way, are not alike. */
static bool differ(const struct member *a, const struct member *b)
{
	return a->check != b->check ||
	       (a->raw_check && b->raw_check && a->raw_check != b->raw_check);
}

void leg_set(struct leg *l, enum verdict v, enum reason_code code, uint64_t a, uint64_t b)
{
	l->verdict = (uint8_t)v;
	l->why = (struct reason){code, a, b};
}

/* The newest's map has a place for this leg. */
static void judge_expected(struct leg *l, const struct member *m, const struct member *newest)
{
	if (leg_is_behind(m, newest))
		leg_set(l, VERDICT_STALE, REASON_STALE, m->events, newest->events);
	else if (differ(m, newest))
		leg_set(l, VERDICT_CONFLICT, REASON_DATABASES_DIFFER, m->events, newest->events);
	else if (!leg_is_regular(m->role)) /* added, and its own superblock not yet written */
		leg_set(l, VERDICT_REBUILDING, REASON_REBUILDING, 0, m->data_s512);
	else if (m->flags & MEMBER_PARTIAL)
		leg_set(l, VERDICT_REBUILDING, REASON_REBUILDING, m->good_s512, newest->data_s512);
	else if (!map_has_role(m, newest->role)) /* mdadm: "thinks that most_recent has failed" */
		leg_set(l, VERDICT_CONFLICT, REASON_SPLIT_BRAIN, m->events, newest->events);
	else if (m->data_s512 != newest->data_s512)
		leg_set(l, VERDICT_FAULTY, REASON_SIZE_DIFFERS, m->data_s512, newest->data_s512);
	else if (m->events < newest->events)
		leg_set(l, VERDICT_IN_SYNC, REASON_WITHIN_MARGIN, m->events, newest->events);
	else
		leg_set(l, VERDICT_IN_SYNC, REASON_IN_SYNC, m->events, newest->events);
}

/* The newest's map has none. */
static void judge_unexpected(struct leg *l, const struct member *m, const struct member *newest)
{
	if (m->role == ROLE_JOURNAL)
		leg_set(l, VERDICT_UNSUPPORTED, REASON_JOURNAL, 0, 0);
	else if (m->why.code &&
		 !leg_is_behind(m, newest)) /* LDM: why its own database has it out */
		leg_set(l, VERDICT_FAULTY, m->why.code, 0, 0);
	else if (!leg_is_regular(m->role))
		leg_set(l, VERDICT_SPARE, REASON_SPARE, 0, 0);
	else if (ran_alone(m, newest))
		leg_set(l, VERDICT_CONFLICT, REASON_SPLIT_BRAIN, m->events, newest->events);
	else if (map_has_role(newest, m->role))
		leg_set(l, VERDICT_STALE, REASON_REPLACED, m->events, newest->events);
	else if (leg_is_behind(m, newest))
		leg_set(l, VERDICT_STALE, REASON_STALE, m->events, newest->events);
	else
		leg_set(l, VERDICT_FAULTY, REASON_FAILED_BY_NEWEST, m->events, newest->events);
}

static void judge_leg(struct leg *l, const struct member *m, const struct member *newest)
{
	l->generation = m->events;
	/* A dynamic disk's leg that is out has its place all the same. */
	l->role = leg_is_ldm(m) ? (uint16_t)m->dev_number : m->role;
	if (m->status != ST_OK) {
		l->verdict = m->status == ST_UNSUPPORTED ? VERDICT_UNSUPPORTED
			     : trust_refused(m)          ? VERDICT_UNTRUSTED
							 : VERDICT_FAULTY;
		l->why = m->why;
		return;
	}
	if (!newest) {
		if (m->flags & MEMBER_PARTIAL)
			leg_set(l, VERDICT_REBUILDING, REASON_REBUILDING, m->good_s512,
				m->data_s512);
		else if (m->why.code)
			leg_set(l, VERDICT_FAULTY, m->why.code, 0, 0);
		else
			leg_set(l, VERDICT_SPARE, REASON_SPARE, 0, 0);
		return;
	}

	uint16_t role = role_in(newest, m->dev_number);

	if (leg_is_regular(role)) {
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

			const struct member *lm = leg_member(s, l), *om = leg_member(s, o);
			bool replaces = (lm->flags | om->flags) & MEMBER_REPLACEMENT;

			if ((lm->flags & MEMBER_PIECE) &&
			    lm->data_start_s512 != om->data_start_s512)
				continue;
			if (lm->dev_number == om->dev_number || (l->role == o->role && !replaces))
				leg_set(l, VERDICT_CONFLICT, REASON_DUPLICATE, k, 0);
		}
	}
}

/* Roles of which a leg is in sync; sorted by role, so a replacement beside its leg counts once. */
unsigned leg_roles_in_sync(const struct mirror *m)
{
	uint32_t last_role = UINT32_MAX;
	unsigned n = 0;

	for (unsigned i = 0; i < m->leg_count; i++)
		if (m->leg[i].verdict == VERDICT_IN_SYNC && m->leg[i].role != last_role) {
			last_role = m->leg[i].role;
			n++;
		}
	return n;
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
	return newest_compare(leg_member(s, a), leg_member(s, b)) < 0;
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
	for (unsigned i = 0; i < s->disk_count; i++) {
		const struct survey_disk *d = &s->found[i];
		bool silent = d->io_error ||
			      (m->format == FORMAT_LDM && d->dynamic == SURVEY_DYNAMIC_BROKEN);

		if (silent && !has_member_on(m, i))
			return i;
	}
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
			leg_set(l, VERDICT_MISSING, REASON_MISSING, role, 0);
		else
			leg_set(l, VERDICT_UNREADABLE, REASON_MISSING_UNREADABLE, role, 0);
	}
}

/*
 * What to read first. A dirty array is read from its lowest role that is not
 * write-mostly: that is the leg that md reads, and the source of its resync.
 */
static unsigned preference(const struct survey *s, const struct mirror *m, const struct leg *l)
{
	const struct member *lm = leg_member(s, l);
	unsigned rank = 0;

	if (l->verdict == VERDICT_REBUILDING)
		rank += 8;
	if (lm->flags & MEMBER_WRITE_MOSTLY)
		rank += 4;
	if (lm->flags & MEMBER_REPLACEMENT)
		rank += 2;
	if (lm->hole_count > 0 && !m->dirty)
		rank += 1;
	if (leg_is_ldm(lm) && (lm->flags & MEMBER_DIRTY))
		rank += 2;
	return rank;
}

/* A leg that was added, and whose superblock does not say how far it is copied, is good nowhere. */
static bool can_serve(const struct survey *s, const struct leg *l)
{
	return leg_readable(l) &&
	       (l->verdict == VERDICT_IN_SYNC || (leg_member(s, l)->flags & MEMBER_PARTIAL));
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

		if (l->verdict != VERDICT_IN_SYNC || m->format == FORMAT_LDM)
			continue;

		const struct member *lm = leg_member(s, l);

		if (m->dirty && m->expected > 1)
			l->why.code = i == m->chosen ? REASON_DIRTY_LOWEST : REASON_DIRTY_OTHER;
		else if (lm->hole_count > 0)
			l->why = (struct reason){REASON_BAD_BLOCKS, lm->hole_count, 0};
		else if (lm->flags & MEMBER_WRITE_MOSTLY)
			l->why.code = REASON_WRITE_MOSTLY;
	}
}

static uint8_t state_of(const struct survey *s, const struct mirror *m)
{
	if (m->chosen == NO_LEG)
		return trust_has_leg(s, m) ? MIRROR_UNUSABLE : MIRROR_UNTRUSTED;
	for (unsigned i = 0; i < m->leg_count; i++) {
		const struct leg *l = &m->leg[i];

		if (l->verdict == VERDICT_CONFLICT &&
		    (l->why.code == REASON_SPLIT_BRAIN || l->why.code == REASON_DATABASES_DIFFER))
			return MIRROR_SPLIT_BRAIN;
	}
	return leg_roles_in_sync(m) >= m->expected ? MIRROR_HEALTHY : MIRROR_DEGRADED;
}

void leg_judge_mirror(struct survey *s, struct mirror *m)
{
	const struct member *newest = newest_find(s, m);

	for (unsigned i = 0; i < m->leg_count; i++)
		judge_leg(&m->leg[i], leg_member(s, &m->leg[i]), newest);
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
	if (newest && leg_is_ldm(newest))
		format_dynamic->judge(s, m, newest);
	/* Nobody to ask: what the members say of the size is all there is to show. */
	for (unsigned i = 0; !newest && i < m->leg_count; i++)
		if (leg_member(s, &m->leg[i])->status == ST_OK)
			m->size_s512 = leg_member(s, &m->leg[i])->data_s512;
	m->newest = NO_LEG;
	for (unsigned i = 0; newest && i < m->leg_count; i++)
		if (m->leg[i].member != NO_MEMBER && leg_member(s, &m->leg[i]) == newest)
			m->newest = (uint8_t)i;
	order_legs(s, m);
	explain(s, m);
	m->state = state_of(s, m);
}

void leg_judge(struct survey *s)
{
	for (unsigned i = 0; i < s->mirror_count; i++)
		leg_judge_mirror(s, &s->mirror[i]);
}
