/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* "trust =" in the text of a configuration: what it names, and the same text with another list. */
#ifndef TOOLS_TRUSTLIST_H
#define TOOLS_TRUSTLIST_H

#include "common/config.h"
#include "common/survey.h"

/* What this text trusts. */
void trustlist_of(const char *config, struct trust *t);

/*
 * The text without its "trust" lines, and with these in their place, at the end. NULL: it would
 * be longer than a configuration may be. free() it.
 */
char *trustlist_put(const char *config, const char *lines);

/* The "trust" lines of a text as they stand there; "" when there are none. free() them. */
char *trustlist_lines(const char *config);

/*
 * Does this leg take part in its mirror, by the word of the newest: in sync, being rebuilt, or
 * ready to step in? Those are what `install --trust` names.
 */
bool trustlist_takes_part(const struct leg *l);

/* "3f2a9c11:..." as mdadm has it, "3f2a9c11-..." for a dynamic disk. */
void trustlist_uuid(const struct member *m, char text[GUID_TEXT_BYTES]);

#endif
