/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * When the leg menu is offered, and how long it waits: keys come from the console of
 * whichever firmware this is linked for.
 */
#include "common/menu.h"

#include "common/console.h"

/* More keys than any keyboard or serial port holds back: a line that never ends is noise. */
#define WAITING_KEYS 64

/*
 * Take all keys that are already there. What the firmware's own menus left over, Enter
 * or F12, is forgotten: nobody pressed it for us.
 */
static bool is_wanted(void)
{
	bool wanted = false;

	for (unsigned i = 0; i < WAITING_KEYS; i++) {
		unsigned now = 0;
		char key = console_key_in(&now);

		if (!key)
			break;
		wanted |= menu_opens(key);
	}
	return console_shift() || wanted;
}

/* True: a person wants the menu. False: another key, or the time is up. */
static bool wait_for_wish(unsigned seconds)
{
	for (unsigned ticks = CONSOLE_TICKS(seconds); ticks > 0; ticks--) {
		unsigned one = 1;
		char key = console_key_in(&one);

		if (console_shift())
			return true;
		if (key)
			return menu_opens(key);
	}
	return false;
}

static bool run(struct survey *s, const struct policy *p, const struct report_names *names,
		const struct menu_more *more, struct text *out)
{
	enum menu_answer answer = MENU_WAITS;
	unsigned ticks = 0;
	struct menu m;

	menu_init(&m, s, p, names, more, out);
	do {
		if (answer == MENU_MORE) {
			more->run(more->ctx);
			menu_init(&m, s, p, names, more, out);
		}
		if (answer != MENU_IGNORED)
			ticks = CONSOLE_TICKS(MENU_IDLE_S);
		answer = menu_key(&m, m.has_default ? console_key_in(&ticks)
						    : console_key(CONSOLE_FOREVER));
	} while (answer != MENU_GOES_ON && answer != MENU_GOES_RAW);
	return answer == MENU_GOES_ON;
}

/* A mirror without a leg that the OS would take: no time limit, and old legs at most. */
static bool ask_at_unusable(const struct survey *s, const struct policy *p, bool wanted,
			    struct text *out)
{
	bool has_choice = menu_has_choice(s, p->mirror);

	if (has_choice && wanted)
		return true;
	text_str(out, "Press a key to start this disk as it is, without the mirror.\n");
	if (has_choice)
		text_str(out, "Press m to choose one of the mirror's legs.\n");
	return menu_opens(console_key(CONSOLE_FOREVER)) && has_choice;
}

bool menu_offer(struct survey *s, const struct policy *p, const struct report_names *names,
		const struct menu_more *more, struct text *out)
{
	bool wanted = is_wanted();

	if (p->action == POLICY_UNUSABLE)
		return ask_at_unusable(s, p, wanted, out) && run(s, p, names, more, out);
	if (p->action == POLICY_PAUSE && !wanted) {
		text_str(out, "Going on in ");
		text_u64(out, p->pause_s);
		text_str(out, " s. Press m to choose a leg, another key to go on at once.\n");
		wanted = wait_for_wish(p->pause_s);
	}
	return (!wanted && p->action != POLICY_ASK) || run(s, p, names, more, out);
}
