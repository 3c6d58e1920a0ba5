/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * What the tool says to people: one clear line each on stderr, questions and
 * progress on the terminal only.
 */
#ifndef TOOLS_SAY_H
#define TOOLS_SAY_H

#include "common/text.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* "mirrorboot: PATH: ..." */
void say_about(const char *path, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* "mirrorboot: ..." */
void say_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* A text sink into a buffer that grows: *text.buf is malloc()ed, NUL-terminated. */
struct say_text {
	struct text text;
	char *buf;
	size_t size, used;
};
void say_text_init(struct say_text *t);

/* Can lines be coloured and written over there? TERM=dumb: no. */
bool say_is_terminal(FILE *out);

/* A report, with colour when out is a terminal and NO_COLOR is not set. */
void say_report(FILE *out, const char *report);

/*
 * Ask on the terminal. True for yes. Without a terminal, or when nothing but
 * Enter is typed: false. *asked tells "no" from "could not ask".
 */
bool say_ask(const char *question, bool *asked);

/* A progress bar on stderr when it is a terminal; for what takes long. */
struct say_progress {
	const char *what;
	uint64_t total;
	int shown; /* percent on the screen, -1: nothing yet */
};
void say_progress_start(struct say_progress *p, const char *what, uint64_t total);
void say_progress_at(struct say_progress *p, uint64_t done);
void say_progress_end(struct say_progress *p);

#endif
