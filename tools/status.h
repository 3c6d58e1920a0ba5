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

#define STATUS_WARNINGS 64

/* How much a sentence asks for. */
enum status_level {
	STATUS_NOTE,  /* worth knowing, no more */
	STATUS_FAULT, /* something is wrong; the exit status has it from elsewhere, or not at all */
	STATUS_DRIFT, /* and this alone makes the exit status 1 */
};

/* What there is to say beside the legs' verdicts, and what to type next. */
struct status_warnings {
	unsigned count;
	char *line[STATUS_WARNINGS];
	char *next[STATUS_WARNINGS]; /* a command; NULL: none helps */
	uint8_t level[STATUS_WARNINGS];
};
/* What is there already is not said again; then, and when there is no room, false. */
bool status_warn_once(struct status_warnings *w, enum status_level level, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* The command for the one said last. */
void status_warn_next(struct status_warnings *w, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
bool status_warns_of(const struct status_warnings *w, enum status_level level);
struct status_check;
void status_warn(const struct hostset *set, const struct lastboot *b, const struct status_check *c,
		 struct status_warnings *w);
void status_warnings_free(struct status_warnings *w);

/* What is no fault, and worth knowing of each mirror: added to w. */
void status_advise(const struct hostset *set, struct status_warnings *w);

/* Disks are called by their paths. */
struct report_names status_names(const struct hostset *set);

/* Are there mirrors, and has none a leg that the installed configuration trusts? */
bool status_trusts_none(const struct hostset *set);

/* The exit status that the worst mirror asks for. */
int status_exit(const struct hostset *set);

/* One line on stderr for each mirror that can't be used, naming a disk of it. */
void status_say_unusable(const struct hostset *set);

/* The config that install put on the first disk that has one, else the defaults. */
void status_config(const struct hostset *set, struct config *c);

/* The mirror that has a leg on every disk, the lowest one; SURVEY_MIRRORS when there is none. */
unsigned status_common_mirror(const struct hostset *set);

/* All that is printed, in one way or another. */
struct status_all {
	const struct hostset *set;
	const struct policy *policy;
	const struct lastboot *last;
	const struct status_check *check;
	const struct status_warnings *warnings;
	int rc; /* the exit status, nagios aside */
};

/* One sentence about all of it: "DEGRADED: mirror boot has 1 of 2 legs up to date." */
struct status_verdict {
	const char *word; /* "DEGRADED" */
	const char *name; /* for programs: "degraded" */
	bool worse;       /* than a warning */
	char *text;       /* the whole sentence; free() it */
};
void status_verdict(const struct status_all *a, struct status_verdict *v);

/* On stdout, for people; journal: with systemd's priorities before the lines. */
void status_text(const struct status_all *a, bool journal);

/* status --nagios: on stdout. Gives 0 to 3 as plugins do. */
int status_nagios(const struct status_all *a);

/* status --json: on stdout. */
void status_json(const struct status_all *a);

#endif
