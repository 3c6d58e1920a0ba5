/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* The parts of "mirrorboot status" and what other commands borrow from it. */
#ifndef TOOLS_STATUS_H
#define TOOLS_STATUS_H

#include "common/policy.h"
#include "common/report.h"
#include "tools/hostdisk.h"
#include "tools/lastboot.h"
#include "tools/say.h"

#define STATUS_WARNINGS 32

/* What is not wrong with a mirror, and worth a word all the same. */
struct status_warnings {
	unsigned count;
	char *line[STATUS_WARNINGS];
};
/* What is there already is not said again. */
void status_warn_once(struct status_warnings *w, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void status_warn(const struct hostset *set, const struct lastboot *b, struct status_warnings *w);
void status_warnings_free(struct status_warnings *w);

/* What is no fault, and worth knowing of each mirror: added to w. */
void status_advise(const struct hostset *set, struct status_warnings *w);

/* Disks are called by their paths. */
struct report_names status_names(const struct hostset *set);

/* The exit status that the worst mirror asks for. */
int status_exit(const struct hostset *set);

/* One line on stderr for each mirror that can't be used, naming a disk of it. */
void status_say_unusable(const struct hostset *set);

/* The config that install put on the first disk that has one, else the defaults. */
void status_config(const struct hostset *set, struct config *c);

/* The mirror that has a leg on every disk, the lowest one; SURVEY_MIRRORS when there is none. */
unsigned status_common_mirror(const struct hostset *set);

/* status --json: on stdout. */
void status_json(const struct hostset *set, const struct policy *p, const struct lastboot *b,
		 const struct status_warnings *w);

#endif
