/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* The leg menu on BIOS: when it is shown, and how keys come to it. */
#ifndef STAGE2_MENU_H
#define STAGE2_MENU_H

#include "common/menu.h"

/*
 * Wait as the policy says (one that boots, pauses, asks, or has an unusable mirror),
 * and show the menu to a person who wants it. No time passes where nobody asked for
 * it: then only keys count that are already there. True: go on with the mirror.
 * False: start this disk as it is.
 */
bool menu_offer(struct survey *s, const struct policy *p, const struct report_names *names,
		struct text *out);

#endif
