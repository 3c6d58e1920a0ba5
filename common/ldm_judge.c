/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* judge: what legs of dynamic disks have that others have not. leg.c has done the rest. */
#include "common/ldm_probe.h"
#include "common/leg.h"

static uint64_t piece_s512(const struct member *m)
{
	uint64_t len_s512 = m->data_s512;

	for (unsigned i = 0; i < m->hole_count; i++)
		len_s512 -= m->hole[i].len_s512;
	return len_s512;
}

/* A leg in pieces is one only when all of them are here. */
static void check_pieces(const struct survey *s, struct mirror *m)
{
	for (unsigned i = 0; i < m->leg_count; i++) {
		struct leg *l = &m->leg[i];
		uint64_t have_s512 = 0;

		if (l->verdict != VERDICT_IN_SYNC || !(leg_member(s, l)->flags & MEMBER_PIECE))
			continue;
		for (unsigned k = 0; k < m->leg_count; k++)
			if (m->leg[k].role == l->role &&
			    (m->leg[k].verdict == VERDICT_IN_SYNC ||
			     m->leg[k].why.code == REASON_PIECE_MISSING))
				have_s512 += piece_s512(leg_member(s, &m->leg[k]));
		if (have_s512 != m->size_s512)
			leg_set(l, VERDICT_FAULTY, REASON_PIECE_MISSING, have_s512, m->size_s512);
	}
}

/*
 * An update was cut after one disk had it as committed, and before this one had, which was
 * ready for it. No system ran on either since: it would have finished or undone it.
 */
static bool same_update(const struct survey_disk *ready, const struct survey_disk *committed)
{
	return ready->prepared && committed->committing && ready->prepared == committed->committed;
}

/*
 * A disk of the group without a leg may have a newer database: the mirror went on without
 * the legs that are here, or is none any more. When all legs are here, and alike, none can
 * have gone on alone: an update was cut.
 */
static void check_group(const struct survey *s, struct mirror *m, const struct member *newest)
{
	uint64_t top = newest->events;

	if (leg_roles_in_sync(m) >= m->expected)
		return;
	for (unsigned i = 0; i < s->disk_count; i++)
		if (s->found[i].committed > top &&
		    !same_update(&s->found[newest->disk], &s->found[i]) &&
		    guid_equal(&s->found[i].group, &s->found[newest->disk].group))
			top = s->found[i].committed;
	for (unsigned i = 0; i < m->leg_count && top > newest->events; i++)
		if (m->leg[i].verdict == VERDICT_IN_SYNC)
			leg_set(&m->leg[i], VERDICT_STALE, REASON_STALE, newest->events, top);
}

/* Say more of the legs that can be read than that they can. */
static void explain(const struct survey *s, struct mirror *m)
{
	for (unsigned i = 0; i < m->leg_count; i++) {
		struct leg *l = &m->leg[i];
		const struct member *lm;

		if (l->verdict != VERDICT_IN_SYNC)
			continue;
		lm = leg_member(s, l);
		if (lm->flags & MEMBER_DIRTY)
			l->why.code = REASON_LOG_OPEN;
		else if (lm->flags & MEMBER_PIECE)
			l->why =
				(struct reason){REASON_PIECE, -lm->data_start_s512, piece_s512(lm)};
	}
}

void ldm_judge(const struct survey *s, struct mirror *m, const struct member *newest)
{
	check_pieces(s, m);
	check_group(s, m, newest);
	explain(s, m);
}
