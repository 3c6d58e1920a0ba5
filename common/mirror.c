/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* assemble: members that name the same array become one mirror. Pure. */
#include "common/mirror.h"

#include "common/mem.h"
#include "common/survey.h"
#include "common/trust.h"

const char *verdict_name(uint8_t verdict)
{
	static const char *const names[VERDICT_COUNT] = {
		[VERDICT_IN_SYNC] = "in-sync",
		[VERDICT_STALE] = "stale",
		[VERDICT_REBUILDING] = "rebuilding",
		[VERDICT_FAULTY] = "faulty",
		[VERDICT_MISSING] = "missing",
		[VERDICT_UNREADABLE] = "unreadable",
		[VERDICT_SPARE] = "spare",
		[VERDICT_CONFLICT] = "conflict",
		[VERDICT_UNSUPPORTED] = "unsupported",
		[VERDICT_UNTRUSTED] = "untrusted",
	};

	return verdict < VERDICT_COUNT ? names[verdict] : "?";
}

const char *mirror_state_name(uint8_t state)
{
	static const char *const names[MIRROR_STATE_COUNT] = {
		[MIRROR_HEALTHY] = "healthy",         [MIRROR_DEGRADED] = "degraded",
		[MIRROR_SPLIT_BRAIN] = "split-brain", [MIRROR_UNUSABLE] = "unusable",
		[MIRROR_UNTRUSTED] = "untrusted",
	};

	return state < MIRROR_STATE_COUNT ? names[state] : "?";
}

bool leg_readable(const struct leg *l)
{
	return l->verdict == VERDICT_IN_SYNC || l->verdict == VERDICT_REBUILDING;
}

/* An array of another level is somebody else's data, whatever state it is in. */
static bool is_of_a_mirror(const struct member *m)
{
	return m->level == 1;
}

static struct mirror *find(struct survey *s, const struct member *m, bool any_format)
{
	for (unsigned i = 0; i < s->mirror_count; i++)
		if ((any_format || s->mirror[i].format == m->format) &&
		    guid_equal(&s->mirror[i].uuid, &m->set_uuid))
			return &s->mirror[i];
	return NULL;
}

static enum status add(struct survey *s, unsigned member, bool untrusted)
{
	const struct member *m = &s->member[member];
	struct mirror *to = NULL;

	if (untrusted || is_of_a_mirror(m))
		to = find(s, m, untrusted);
	if (!to) {
		if (!is_of_a_mirror(m))
			return ST_OK;
		if (s->mirror_count == SURVEY_MIRRORS)
			return ST_FULL;
		to = &s->mirror[s->mirror_count++];
		memset(to, 0, sizeof(*to));
		to->format = m->format;
		to->uuid = m->set_uuid;
		memcpy(to->name, m->name, sizeof(to->name));
		to->newest = to->chosen = NO_LEG;
	}
	if (to->leg_count == MIRROR_LEGS)
		return ST_FULL;
	to->leg[to->leg_count++] = (struct leg){.member = (uint8_t)member, .disk = m->disk};
	return ST_OK;
}

/*
 * What is not trusted may be made to be in the way: it comes last, and gets the room that is
 * left. Its format and level are not asked, for a loader that knows md may not ask either: what
 * claims to be of a mirror is kept from it.
 */
enum status mirror_assemble(struct survey *s)
{
	enum status st = ST_OK;

	s->mirror_count = 0;
	for (unsigned untrusted = 0; untrusted < 2; untrusted++)
		for (unsigned i = 0; i < s->member_count; i++)
			if (trust_refused(&s->member[i]) == untrusted &&
			    add(s, i, untrusted) != ST_OK)
				st = ST_FULL;
	return st;
}
