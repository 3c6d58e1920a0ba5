/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* The cases of a drill and their results. */
#ifndef TOOLS_DRILL_H
#define TOOLS_DRILL_H

#include "tools/qemu.h"

#define DRILL_CASES (2 * (SURVEY_DISKS + 1))

struct drill_result {
	bool uefi;
	unsigned detached;  /* QEMU_ALL: none */
	bool handed_over;   /* our line before the next loader was seen */
	bool expected_seen; /* --expect */
	double seconds;
	char *said; /* our sentence about the mirror, or the last thing said */
};

struct drill {
	const char *expect; /* or NULL */
	const char *keep;   /* or NULL */
	const char *dir;    /* where files go */
	int timeout_s;
	bool table; /* print rows as they come */
	unsigned count;
	struct drill_result result[DRILL_CASES];
};

/* Run one boot. False: it could not be run, and why has been said. */
bool drill_case(struct drill *d, const struct hostset *set, bool uefi, unsigned detached);

bool drill_failed(const struct drill *d);
void drill_table_end(const struct drill *d);
void drill_json(const struct drill *d, const struct hostset *set);
void drill_free(struct drill *d);

#endif
