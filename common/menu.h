/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * The leg menu: a person says which leg is booted. What keys mean and what is
 * answered is here, for both firmwares; how keys come is theirs (console.h).
 */
#ifndef COMMON_MENU_H
#define COMMON_MENU_H

#include "common/report.h"

/* A person at the menu has so long for each answer; then the chosen leg is booted. */
#define MENU_IDLE_S 60

enum menu_asks {
	MENU_ASKS_LEG,
	MENU_CONFIRMS_LEG, /* one that is old */
	MENU_CONFIRMS_RAW, /* this disk without the mirror */
};

/* Something else that can be done from the menu, which is shown again after it. */
struct menu_more {
	char key;         /* a small letter; none that stands for a leg */
	const char *text; /* "c: clone ..." */
	void (*run)(void *ctx);
	void *ctx;
};

struct menu {
	struct survey *survey;
	const struct menu_more *more; /* or NULL */
	const struct report_names *names;
	struct text *out;
	uint8_t mirror;
	bool has_default; /* Enter, or nobody there: the leg that is chosen now */
	uint8_t asks;     /* enum menu_asks */
	uint8_t leg;      /* MENU_CONFIRMS_LEG: which */
	uint8_t useless;  /* keys that led to nothing */
};

enum menu_answer {
	MENU_IGNORED,  /* as if nobody had pressed a key: the time goes on */
	MENU_WAITS,    /* for the next key */
	MENU_GOES_ON,  /* boot from the mirror's chosen leg */
	MENU_GOES_RAW, /* start this disk as it is, without the mirror */
	MENU_MORE,     /* more->run(); then menu_init() again */
};

/* Does this key open the menu? Others may be left over from the firmware's own menus. */
bool menu_opens(char key);

/* Has this mirror a leg that could be taken at all? */
bool menu_has_choice(const struct survey *s, unsigned mirror);

/*
 * Show legs and keys. split-brain = ask and unusable mirrors have no default. more: NULL for none;
 * mirrors whose legs need letters have none either.
 */
void menu_init(struct menu *m, struct survey *s, const struct policy *p,
	       const struct report_names *names, const struct menu_more *more, struct text *out);

/* A key: 0 when the time is up (only where there is a default). */
enum menu_answer menu_key(struct menu *m, char key);

/*
 * Wait as the policy says (one that boots, pauses, asks, or has an unusable mirror),
 * and show the menu to a person who wants it. No time passes where nobody asked for
 * it: then only keys count that are already there. True: go on with the mirror.
 * False: start this disk as it is. (menu_offer.c: for firmware only, it has a console.)
 */
bool menu_offer(struct survey *s, const struct policy *p, const struct report_names *names,
		const struct menu_more *more, struct text *out);

#endif
