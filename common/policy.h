/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * From verdicts to an action: what stage2 and the EFI application do next. The
 * one place where config and survey meet, so that both firmwares decide alike.
 */
#ifndef COMMON_POLICY_H
#define COMMON_POLICY_H

#include "common/config.h"
#include "common/survey.h"

enum policy_action {
	POLICY_BOOT,      /* present, chain-load */
	POLICY_PAUSE,     /* wait a moment (pause_s) so that the screen can be read, then boot */
	POLICY_ASK,       /* split brain: a person chooses the leg */
	POLICY_HALT,      /* split brain, and the config says stop */
	POLICY_NO_MIRROR, /* none found: start what would have been started without us */
	POLICY_UNUSABLE, /* a mirror without a leg that the OS would take: say so, wait for a key */
	/*
	 * The configuration says what is trusted, and none of it is in a mirror here: stop. What
	 * would be started without us may find and read what is not trusted.
	 */
	POLICY_UNTRUSTED,
};

struct policy {
	uint8_t action;    /* enum policy_action */
	uint8_t pause_s;   /* POLICY_PAUSE: so long; a person may choose a leg meanwhile */
	uint8_t mirror;    /* the boot mirror in the survey; SURVEY_MIRRORS when none */
	bool named_absent; /* config names a mirror that was not found: another was taken */
};

#define POLICY_PAUSE_S                                                                             \
	5 /* when the config has no timeout: split brain, or a disk that can't be read */

void policy_decide(const struct survey *s, const struct config *c, struct policy *p);

/* May a person take this leg? */
enum policy_leg {
	POLICY_LEG_NEVER,
	POLICY_LEG_FREELY,    /* in sync, or a side of a split brain */
	POLICY_LEG_CONFIRMED, /* whole, and old: only for one who knows that */
};

enum policy_leg policy_leg(const struct survey *s, unsigned mirror, unsigned leg);

/*
 * Take this leg for its mirror, as a person said; even_stale: who knows that it is
 * old. What is not in sync with the others is taken alone, and is read-only: a write
 * would make it differ from legs that nothing tells of it. False: not a choice.
 */
bool policy_choose(struct survey *s, unsigned mirror, unsigned leg, bool even_stale);

#endif
