/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * A stage2 without the leg menu, for disks where there is no room for it: linked in place of
 * common/menu.c and menu_offer.c, which take 2 KiB. It waits where that one waits, and a
 * person's choices are to go on or not.
 */
#include "common/menu.h"

#include "common/console.h"

bool menu_offer(struct survey *s, const struct policy *p, const struct report_names *names,
		const struct menu_more *more, struct text *out)
{
	switch (p->action) {
	case POLICY_UNUSABLE:
		text_str(out, "Press a key to start this disk as it is, without the mirror.\n");
		console_key(CONSOLE_FOREVER);
		return false;
	case POLICY_ASK:
		text_str(out, "There was no room for the leg menu on this disk. Press a key to "
			      "boot from the newest leg.\n");
		console_key(CONSOLE_FOREVER);
		return true;
	case POLICY_PAUSE: console_key(p->pause_s); return true;
	default: return true;
	}
}
