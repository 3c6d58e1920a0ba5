/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* The one sentence that is read half asleep. */
#include "tools/status_check.h"

#include <stdio.h>
#include <stdlib.h>

static unsigned in_sync(const struct mirror *m)
{
	unsigned n = 0;

	for (unsigned k = 0; k < m->leg_count; k++)
		n += m->leg[k].verdict == VERDICT_IN_SYNC;
	return n;
}

static const char *name_of(const struct mirror *m)
{
	return m->name[0] ? m->name : "(no name)";
}

/* "mirror boot", "2 mirrors (boot, root)" */
static void put_mirrors(const struct hostset *set, uint8_t state, struct text *out)
{
	const char *before = " (";
	unsigned n = 0;

	for (unsigned i = 0; i < set->survey.mirror_count; i++)
		n += set->survey.mirror[i].state == state;
	if (n > 1) {
		text_u64(out, n);
		text_str(out, " mirrors");
	} else {
		text_str(out, "mirror");
		before = " ";
	}
	for (unsigned i = 0; i < set->survey.mirror_count; i++) {
		if (set->survey.mirror[i].state != state)
			continue;
		text_str(out, before);
		text_str(out, name_of(&set->survey.mirror[i]));
		before = ", ";
	}
	text_str(out, n > 1 ? ")" : "");
}

static const struct mirror *only_one(const struct hostset *set, uint8_t state)
{
	const struct mirror *found = NULL;

	for (unsigned i = 0; i < set->survey.mirror_count; i++) {
		if (set->survey.mirror[i].state != state)
			continue;
		if (found)
			return NULL;
		found = &set->survey.mirror[i];
	}
	return found;
}

/* "; 1 that is here is not trusted" */
static void put_untrusted(const struct mirror *m, struct text *out)
{
	unsigned n = 0;

	for (unsigned k = 0; k < m->leg_count; k++)
		n += m->leg[k].verdict == VERDICT_UNTRUSTED;
	if (!n)
		return;
	text_str(out, "; ");
	text_u64(out, n);
	text_str(out, n > 1 ? " more are not trusted" : " more is not trusted");
}

static void put_degraded(const struct hostset *set, struct text *out)
{
	const struct mirror *m = only_one(set, MIRROR_DEGRADED);

	put_mirrors(set, MIRROR_DEGRADED, out);
	if (m) {
		text_str(out, " has ");
		text_u64(out, in_sync(m));
		text_str(out, " of ");
		text_u64(out, m->expected);
		text_str(out, " legs up to date");
		put_untrusted(m, out);
		text_char(out, '.');
	} else {
		text_str(out, " lack a leg that is up to date.");
	}
}

static void put_sentence(const struct status_all *a, uint8_t worst, struct text *out)
{
	switch (worst) {
	case MIRROR_UNUSABLE:
		put_mirrors(a->set, worst, out);
		text_str(out, ": no leg that could be booted.");
		break;
	case MIRROR_SPLIT_BRAIN:
		put_mirrors(a->set, worst, out);
		text_str(out, ": the legs ran apart from each other.");
		break;
	case MIRROR_UNTRUSTED:
		text_str(out, "no disk here is one that the configuration trusts: a boot stops.");
		break;
	default: put_degraded(a->set, out); break;
	}
}

static uint8_t worst_of(const struct hostset *set)
{
	uint8_t worst = MIRROR_HEALTHY;

	if (status_trusts_none(set))
		return MIRROR_UNTRUSTED;
	for (unsigned i = 0; i < set->survey.mirror_count; i++)
		if (set->survey.mirror[i].state > worst &&
		    set->survey.mirror[i].state != MIRROR_UNTRUSTED)
			worst = set->survey.mirror[i].state;
	return worst;
}

/* Did a disk fail reads, now or in the last boot? */
static bool has_failed(const struct status_all *a)
{
	return status_exit(a->set) != EXIT_DONE || lastboot_failed(a->set, a->last);
}

void status_verdict(const struct status_all *a, struct status_verdict *v)
{
	static const struct status_verdict of[MIRROR_STATE_COUNT] = {
		[MIRROR_HEALTHY] = {"HEALTHY", "healthy", false, NULL},
		[MIRROR_DEGRADED] = {"DEGRADED", "degraded", false, NULL},
		[MIRROR_SPLIT_BRAIN] = {"SPLIT BRAIN", "split-brain", true, NULL},
		[MIRROR_UNUSABLE] = {"UNUSABLE", "unusable", true, NULL},
		[MIRROR_UNTRUSTED] = {"UNTRUSTED", "untrusted", true, NULL},
	};
	uint8_t worst = worst_of(a->set);
	const char *said = NULL;
	struct say_text t;

	*v = of[worst];
	if (!a->set->survey.mirror_count) {
		*v = (struct status_verdict){"NO MIRROR", "no-mirror", true, NULL};
		said = "none was found on these disks.";
	} else if (worst == MIRROR_HEALTHY && a->rc == EXIT_DONE) {
		said = a->check->installed
			       ? "all legs are up to date, and every disk has mirrorboot."
			       : "all legs are up to date. mirrorboot is not installed here.";
	} else if (worst == MIRROR_HEALTHY && has_failed(a)) {
		*v = (struct status_verdict){"FAILING", "failing", false, NULL};
		said = "all legs are up to date, but a disk failed reads.";
	} else if (worst == MIRROR_HEALTHY) {
		*v = (struct status_verdict){"DRIFT", "drift", false, NULL};
		said = a->set->survey.untrusted_count
			       ? "all legs are up to date, and a disk is here that is not trusted."
			       : "all legs are up to date, but the disks do not start alike.";
	}
	say_text_init(&t);
	text_str(&t.text, v->word);
	text_str(&t.text, ": ");
	if (said)
		text_str(&t.text, said);
	else
		put_sentence(a, worst, &t.text);
	v->text = t.buf;
}
