/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "common/policy.h"

static bool has_unreadable_leg(const struct mirror *m)
{
	for (unsigned i = 0; i < m->leg_count; i++)
		if (m->leg[i].verdict == VERDICT_UNREADABLE)
			return true;
	return false;
}

/* Any of them: the system that is booted may have its data on another mirror. */
static bool has_mirror_behind(const struct survey *s)
{
	for (unsigned i = 0; i < s->mirror_count; i++)
		if (s->mirror[i].behind)
			return true;
	return false;
}

/* Databases of one transaction that are not alike: which is the newest, nobody can tell. */
static bool has_no_newest(const struct mirror *m)
{
	for (unsigned i = 0; i < m->leg_count && m->format == FORMAT_LDM; i++)
		if (m->leg[i].verdict == VERDICT_CONFLICT && m->leg[i].why.a == m->leg[i].why.b)
			return true;
	return false;
}

void policy_decide(const struct survey *s, const struct config *c, struct policy *p)
{
	*p = (struct policy){.action = POLICY_BOOT};
	p->mirror = (uint8_t)survey_find_mirror(s, c->mirror);
	if (p->mirror == SURVEY_MIRRORS && c->mirror[0] != '\0') {
		p->named_absent = true;
		p->mirror = (uint8_t)survey_find_mirror(s, "");
	}
	if (p->mirror == SURVEY_MIRRORS) {
		p->action = c->trust.pinned ? POLICY_UNTRUSTED : POLICY_NO_MIRROR;
		return;
	}

	switch (s->mirror[p->mirror].state) {
	case MIRROR_HEALTHY: break;
	case MIRROR_UNUSABLE: p->action = POLICY_UNUSABLE; return;
	case MIRROR_SPLIT_BRAIN:
		if (c->split_brain == CONFIG_HALT) {
			p->action = POLICY_HALT;
		} else if (c->split_brain == CONFIG_ASK || has_no_newest(&s->mirror[p->mirror])) {
			p->action = POLICY_ASK;
		} else {
			p->action = POLICY_PAUSE;
			p->pause_s = c->timeout_s ? c->timeout_s : POLICY_PAUSE_S;
		}
		return;
	default: break;
	}

	/*
	 * The config's wait is for every boot: a person may want another leg. And a disk
	 * that can't be read, or that there was no room for, may hold a newer leg: that has
	 * to be seen.
	 */
	p->pause_s = c->timeout_s;
	if (p->pause_s == 0 && (s->full || has_unreadable_leg(&s->mirror[p->mirror])))
		p->pause_s = POLICY_PAUSE_S;
	/* One key goes on: longer than a short timeout does no harm, and it has to be seen. */
	if (p->pause_s < POLICY_PAUSE_S && has_mirror_behind(s))
		p->pause_s = POLICY_PAUSE_S;
	if (p->pause_s > 0)
		p->action = POLICY_PAUSE;
}

enum policy_leg policy_leg(const struct survey *s, unsigned mirror, unsigned leg)
{
	const struct member *m;
	const struct leg *l;

	if (mirror >= s->mirror_count || leg >= s->mirror[mirror].leg_count)
		return POLICY_LEG_NEVER;
	l = &s->mirror[mirror].leg[leg];
	if (l->member == NO_MEMBER || s->member[l->member].status != ST_OK)
		return POLICY_LEG_NEVER;
	if (l->verdict == VERDICT_IN_SYNC)
		return POLICY_LEG_FREELY;

	/* What the others do not vouch for has to be a whole leg by its own word. */
	m = &s->member[l->member];
	if (m->role >= ROLE_MAX || m->flags & (MEMBER_PARTIAL | MEMBER_PIECE))
		return POLICY_LEG_NEVER;
	if (l->verdict == VERDICT_CONFLICT &&
	    (l->why.code == REASON_SPLIT_BRAIN || l->why.code == REASON_DATABASES_DIFFER))
		return POLICY_LEG_FREELY;
	if (l->verdict == VERDICT_STALE ||
	    (l->verdict == VERDICT_FAULTY && l->why.code == REASON_FAILED_BY_NEWEST))
		return POLICY_LEG_CONFIRMED;
	return POLICY_LEG_NEVER;
}

/* It shares its data with nobody: it is the only leg, and the others are out of sight. */
static void take_alone(const struct survey *s, struct mirror *m, unsigned leg)
{
	m->order_count = 1;
	m->order[0] = (uint8_t)leg;
	m->read_only = true;
	m->size_s512 = s->member[m->leg[leg].member].data_s512; /* the newest may have grown */
}

bool policy_choose(struct survey *s, unsigned mirror, unsigned leg, bool even_stale)
{
	enum policy_leg may = policy_leg(s, mirror, leg);
	struct mirror *m;
	unsigned at = 0;

	if (may == POLICY_LEG_NEVER || (may == POLICY_LEG_CONFIRMED && !even_stale))
		return false;
	m = &s->mirror[mirror];
	m->chosen = (uint8_t)leg;
	while (at < m->order_count && m->order[at] != leg)
		at++;
	if (at == m->order_count) {
		take_alone(s, m, leg);
		return true;
	}
	/* In-sync legs stay each other's failover. */
	for (; at > 0; at--)
		m->order[at] = m->order[at - 1];
	m->order[0] = (uint8_t)leg;
	return true;
}
