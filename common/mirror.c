/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* assemble: members that name the same array become one mirror. Pure. */
#include "common/mirror.h"

#include "common/mem.h"
#include "common/survey.h"

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
	};

	return verdict < VERDICT_COUNT ? names[verdict] : "?";
}

const char *mirror_state_name(uint8_t state)
{
	static const char *const names[MIRROR_STATE_COUNT] = {
		[MIRROR_HEALTHY] = "healthy",
		[MIRROR_DEGRADED] = "degraded",
		[MIRROR_SPLIT_BRAIN] = "split-brain",
		[MIRROR_UNUSABLE] = "unusable",
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

static struct mirror *find(struct survey *s, const struct member *m)
{
	for (unsigned i = 0; i < s->mirror_count; i++)
		if (s->mirror[i].format == m->format &&
		    guid_equal(&s->mirror[i].uuid, &m->set_uuid))
			return &s->mirror[i];
	return NULL;
}

enum status mirror_assemble(struct survey *s)
{
	enum status st = ST_OK;

	s->mirror_count = 0;
	for (unsigned i = 0; i < s->member_count; i++) {
		const struct member *m = &s->member[i];
		struct mirror *to;

		if (!is_of_a_mirror(m))
			continue;
		to = find(s, m);
		if (!to) {
			if (s->mirror_count == SURVEY_MIRRORS) {
				st = ST_FULL;
				continue;
			}
			to = &s->mirror[s->mirror_count++];
			memset(to, 0, sizeof(*to));
			to->format = m->format;
			to->uuid = m->set_uuid;
			memcpy(to->name, m->name, sizeof(to->name));
			to->newest = to->chosen = NO_LEG;
		}
		if (to->leg_count == MIRROR_LEGS) {
			st = ST_FULL;
			continue;
		}
		to->leg[to->leg_count++] = (struct leg){.member = (uint8_t)i, .disk = m->disk};
	}
	return st;
}
