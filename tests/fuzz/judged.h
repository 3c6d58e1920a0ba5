/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* What must hold of judged mirrors whatever the disks say. */
#ifndef TESTS_FUZZ_JUDGED_H
#define TESTS_FUZZ_JUDGED_H

#include "common/range.h"
#include "common/survey.h"
#include "tests/fuzz/fuzz.h"

/*
 * A leg that md would call the freshest: whole, in the array and in sync by its own account. A
 * leg that is read must not be further than one event behind it (Linux 6.1 drivers/md/md.c,
 * super_1_validate(): "ev1 + 1 < events" is not fresh). A dynamic disk's database has no margin.
 */
static inline bool judged_is_newer(const struct member *m, const struct member *than)
{
	/* One that is being rebuilt may be an event ahead of the newest, which is one ahead. */
	uint64_t margin = m->flags & MEMBER_PARTIAL ? 2 : 1;

	return m->status == ST_OK && m->level == 1 && m->role < ROLE_MAX &&
	       m->format != FORMAT_LDM && m->events > than->events &&
	       m->events - than->events > margin;
}

static inline void judged_check_leg(const struct survey *s, const struct mirror *m,
				    const struct leg *l)
{
	const struct member *of = &s->member[l->member];

	check(l->member < s->member_count && l->disk == of->disk);
	check(leg_readable(l) && of->status == ST_OK && of->level == 1);
	check(range_ok(of->start_lba, of->sectors_lba, s->disk[of->disk].sectors));
	/* Within the member, to the last sector of data; a piece has only a part of it. */
	if (!(of->flags & MEMBER_PIECE))
		check(range_ok(of->data_start_s512, of->data_s512,
			       disk_s512(&s->disk[of->disk], of->sectors_lba)));
	for (unsigned i = 0; i < s->member_count && m->format != FORMAT_LDM; i++) {
		const struct member *other = &s->member[i];

		if (other->format == m->format && guid_equal(&other->set_uuid, &m->uuid))
			check(!judged_is_newer(other, of));
	}
}

static inline void judged_check(const struct survey *s, const struct mirror *m)
{
	check(m->leg_count <= MIRROR_LEGS && m->order_count <= m->leg_count);
	check((m->chosen == NO_LEG) ==
	      (m->state == MIRROR_UNUSABLE || m->state == MIRROR_UNTRUSTED));
	check((m->chosen == NO_LEG) == (m->order_count == 0));
	if (m->chosen != NO_LEG) {
		check(m->chosen < m->leg_count && m->order[0] == m->chosen);
		check(m->leg[m->chosen].verdict == VERDICT_IN_SYNC);
	}
	for (unsigned i = 0; i < m->order_count; i++) {
		const struct leg *l = &m->leg[m->order[i]];

		judged_check_leg(s, m, l);
		/* No leg twice, and no device twice: of a disk and its copy one is read. */
		for (unsigned k = 0; k < i; k++) {
			const struct leg *o = &m->leg[m->order[k]];

			check(m->order[k] != m->order[i]);
			if (m->format != FORMAT_LDM)
				check(s->member[o->member].dev_number !=
				      s->member[l->member].dev_number);
		}
	}
	/* Every readable leg that is not in the order has its reason: it is no leg in sync. */
	for (unsigned i = 0; i < m->leg_count; i++)
		check(m->leg[i].verdict < VERDICT_COUNT && m->leg[i].why.code < REASON_COUNT);
}

/* All that tells a member from its copy: of two that are alike in it, either may be taken. */
static inline bool judged_alike(const struct member *a, const struct member *b)
{
	return a->role == b->role && a->dev_number == b->dev_number && a->events == b->events &&
	       guid_equal(&a->device_uuid, &b->device_uuid);
}

/*
 * Two members with one identity that say different things: which of them is believed is the
 * disks' order's to say, because nothing else tells them apart.
 */
static inline bool judged_has_false_twins(const struct survey *s, const struct mirror *m)
{
	for (unsigned i = 0; i < m->leg_count; i++)
		for (unsigned k = 0; k < i; k++) {
			const struct member *a, *b;

			if (m->leg[i].member == NO_MEMBER || m->leg[k].member == NO_MEMBER)
				continue;
			a = &s->member[m->leg[i].member];
			b = &s->member[m->leg[k].member];
			if (judged_alike(a, b) &&
			    (a->flags != b->flags || a->status != b->status ||
			     a->raid_disks != b->raid_disks || a->data_s512 != b->data_s512 ||
			     memcmp(a->roles, b->roles, sizeof(a->roles)) != 0))
				return true;
		}
	return false;
}

/* The same disks in another order: mirror m, found there, must be judged and chosen alike. */
static inline void judged_check_order(const struct survey *s, const struct mirror *m,
				      const struct survey *other)
{
	const struct mirror *o = NULL;

	for (unsigned i = 0; i < other->mirror_count && !o; i++)
		if (other->mirror[i].format == m->format &&
		    guid_equal(&other->mirror[i].uuid, &m->uuid))
			o = &other->mirror[i];
	check(o != NULL);
	if (judged_has_false_twins(s, m))
		return;
	check((o->chosen == NO_LEG) == (m->chosen == NO_LEG));
	check(o->order_count == m->order_count && o->leg_count == m->leg_count);
	if (m->chosen == NO_LEG)
		return;
	check(judged_alike(&s->member[m->leg[m->chosen].member],
			   &other->member[o->leg[o->chosen].member]));
	check(o->state == m->state && o->dirty == m->dirty);
}

static inline void judged_say(const struct survey *s)
{
	char word[64];

	say_number("members", s->member_count);
	for (unsigned i = 0; i < s->member_count; i++) {
		snprintf(word, sizeof(word), "member:%s", reason_name(s->member[i].why.code));
		say(word);
	}
	for (unsigned i = 0; i < s->mirror_count; i++) {
		snprintf(word, sizeof(word), "mirror:%s", mirror_state_name(s->mirror[i].state));
		say(word);
		for (unsigned k = 0; k < s->mirror[i].leg_count; k++) {
			const struct leg *l = &s->mirror[i].leg[k];

			snprintf(word, sizeof(word), "leg:%s/%s", verdict_name(l->verdict),
				 reason_name(l->why.code));
			say(word);
		}
	}
}

#endif
