/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * status --nagios: one line and an exit status as the monitoring plugins' guidelines have them;
 * what there is to be warned of follows as further lines.
 */
#include "tools/status.h"

#include <stdio.h>
#include <stdlib.h>

enum nagios { OK, WARNING, CRITICAL, UNKNOWN };

static enum nagios level_of(uint8_t state)
{
	switch (state) {
	case MIRROR_HEALTHY: return OK;
	case MIRROR_DEGRADED: return WARNING;
	case MIRROR_UNTRUSTED: return OK; /* unless all are */
	default: return CRITICAL;
	}
}

/* "boot degraded (leg 0 on /dev/sda stale: missed writes ...)" */
static void say_mirror(const struct hostset *set, const struct mirror *m, struct text *out)
{
	bool first = true;

	text_str(out, m->name[0] ? m->name : "without a name");
	text_char(out, ' ');
	text_str(out, mirror_state_name(m->state));
	for (unsigned k = 0; k < m->leg_count; k++) {
		const struct leg *l = &m->leg[k];

		if (l->verdict == VERDICT_IN_SYNC)
			continue;
		text_str(out, first ? " (leg " : ", leg ");
		first = false;
		text_u64(out, k);
		if (l->disk < set->count) {
			text_str(out, " on ");
			text_str(out, set->host[l->disk].path);
		}
		text_char(out, ' ');
		text_str(out, verdict_name(l->verdict));
		text_str(out, ": ");
		reason_text(&l->why, out);
	}
	text_str(out, first ? "" : ")");
}

int status_nagios(const struct status_all *a)
{
	const struct hostset *set = a->set;
	const struct status_warnings *w = a->warnings;
	static const char *const names[] = {"OK", "WARNING", "CRITICAL", "UNKNOWN"};
	enum nagios worst = OK;
	struct say_text t;

	say_text_init(&t);
	for (unsigned i = 0; i < set->survey.mirror_count; i++) {
		const struct mirror *m = &set->survey.mirror[i];

		if (level_of(m->state) > worst)
			worst = level_of(m->state);
		text_str(&t.text, i ? "; mirror " : "mirror ");
		say_mirror(set, m, &t.text);
	}
	if (status_trusts_none(set))
		worst = CRITICAL;
	if (!set->survey.mirror_count) {
		worst = UNKNOWN;
		text_str(&t.text, "no mirror was found");
	}
	/* Also what is no mirror's state: a disk that can't be read, the last boot, drift. */
	if (worst == OK && a->rc != EXIT_DONE) {
		worst = WARNING;
		for (unsigned i = 0; i < w->count; i++)
			if (w->level[i] != STATUS_NOTE) {
				text_str(&t.text, "; ");
				text_str(&t.text, w->line[i]);
				break;
			}
	}
	printf("MIRRORBOOT %s - %s\n", names[worst], t.buf);
	for (unsigned i = 0; i < w->count; i++) {
		printf("%s\n", w->line[i]);
		if (w->next[i])
			printf("next: %s\n", w->next[i]);
	}
	free(t.buf);
	return (int)worst;
}
