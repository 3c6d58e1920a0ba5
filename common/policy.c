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

void policy_decide(const struct survey *s, const struct config *c, struct policy *p)
{
	*p = (struct policy){.action = POLICY_BOOT};
	p->mirror = (uint8_t)survey_find_mirror(s, c->mirror);
	if (p->mirror == SURVEY_MIRRORS && c->mirror[0] != '\0') {
		p->named_absent = true;
		p->mirror = (uint8_t)survey_find_mirror(s, "");
	}
	if (p->mirror == SURVEY_MIRRORS) {
		p->action = POLICY_NO_MIRROR;
		return;
	}

	switch (s->mirror[p->mirror].state) {
	case MIRROR_HEALTHY: break;
	case MIRROR_UNUSABLE: p->action = POLICY_UNUSABLE; return;
	case MIRROR_SPLIT_BRAIN:
		if (c->split_brain == CONFIG_HALT) {
			p->action = POLICY_HALT;
		} else if (c->split_brain == CONFIG_ASK) {
			p->action = POLICY_ASK;
		} else {
			p->action = POLICY_PAUSE;
			p->pause_s = c->timeout_s ? c->timeout_s : POLICY_PAUSE_S;
		}
		return;
	default: break;
	}

	/*
	 * Something is not as it should be, and not dangerous: say it; wait only if asked
	 * to. But a disk that can't be read, or that there was no room for, may hold a
	 * newer leg: that has to be seen.
	 */
	if (s->mirror[p->mirror].state != MIRROR_HEALTHY || p->named_absent)
		p->pause_s = c->timeout_s;
	if (p->pause_s == 0 && (s->full || has_unreadable_leg(&s->mirror[p->mirror])))
		p->pause_s = POLICY_PAUSE_S;
	if (p->pause_s > 0)
		p->action = POLICY_PAUSE;
}

bool policy_choose(struct survey *s, unsigned mirror, unsigned leg)
{
	struct mirror *m;
	struct leg *l;
	bool alone;

	if (mirror >= s->mirror_count || leg >= s->mirror[mirror].leg_count)
		return false;
	m = &s->mirror[mirror];
	l = &m->leg[leg];
	if (l->member == NO_MEMBER || s->member[l->member].status != ST_OK)
		return false;

	/*
	 * In-sync legs stay each other's failover. One that ran alone shares its data
	 * with nobody: taken, it is the only leg, and the others are out of sight.
	 */
	alone = l->verdict == VERDICT_CONFLICT && l->why.code == REASON_SPLIT_BRAIN;
	if (!alone && l->verdict != VERDICT_IN_SYNC)
		return false;
	if (alone) {
		m->order_count = 1;
		m->order[0] = (uint8_t)leg;
	} else {
		unsigned at = 0;

		while (at < m->order_count && m->order[at] != leg)
			at++;
		for (; at > 0 && at < m->order_count; at--)
			m->order[at] = m->order[at - 1];
		m->order[0] = (uint8_t)leg;
	}
	m->chosen = (uint8_t)leg;
	return true;
}
