/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* A drill: its cases, their results, and what is wrong with the disks. */
#ifndef TOOLS_DRILL_H
#define TOOLS_DRILL_H

#include "tools/qemu.h"
#include "tools/verify_disk.h"

enum drill_kind {
	DRILL_ALL,
	DRILL_WITHOUT,    /* this disk is detached */
	DRILL_UNREADABLE, /* this disk is there, and every read of it fails */
	DRILL_ONLY,       /* all others are detached */
	DRILL_KINDS,
};

#define DRILL_CASES (2 * (1 + 3 * SURVEY_DISKS))

struct drill_case {
	bool uefi;
	uint8_t kind; /* enum drill_kind */
	unsigned disk;
	/* what came of it */
	bool handed_over;   /* our line before the next loader was seen */
	bool expected_seen; /* --expect */
	double seconds;
	char *said;          /* our sentence about the mirror, or the last thing said */
	char *last;          /* the last lines that were said, a newline behind each */
	const char *picture; /* how its name ends; NULL: none */
};

enum { DRILL_BIOS = 1 << 0, DRILL_UEFI = 1 << 1 };

/* Something about a disk, found without starting it. */
struct drill_finding {
	unsigned disk;
	bool fault;       /* it keeps the machine from starting from this disk alone as it should */
	uint8_t firmware; /* DRILL_BIOS, DRILL_UEFI: whose boots it is about */
	const char *run;  /* as in struct verify_finding */
	char *text;
};

struct drill {
	const struct hostset *set;
	const char *expect; /* or NULL */
	const char *keep;   /* or NULL */
	const char *dir;    /* where files go */
	int timeout_s, memory_mib;
	bool table;              /* print rows as they come */
	char *paths;             /* all disks, for commands */
	unsigned planned, count; /* cases; of which done */
	struct drill_case c[DRILL_CASES];
	unsigned finding_count;
	struct drill_finding *finding;
};

/* Run the next planned case. False: it could not be run, and why has been said. */
bool drill_run_next(struct drill *d);

bool drill_case_starts(const struct drill_case *c);
/* Did every boot get there, and is there no fault? */
bool drill_is_fine(const struct drill *d);
/* Is this disk there and can be read in this case? */
bool drill_case_has(const struct drill_case *c, unsigned disk);
/* "uefi-without-1": how its files are called. */
void drill_case_file(const struct drill_case *c, char name[64]);
/* "without /dev/sdb" */
void drill_case_text(const struct drill *d, const struct drill_case *c, char *text, size_t size);
void drill_free(struct drill *d);

/* ---- drill_fault.c: what is wrong, told without a boot ---- */

/* Should the machine start from this disk? Not when nothing is started from its mirrors. */
bool drill_should_start(const struct drill *d, const struct verify *v, unsigned disk);
/* firmware: whose boots are drilled, DRILL_BIOS or DRILL_UEFI or both. */
void drill_faults_find(struct drill *d, const struct verify *v, unsigned firmware);
/*
 * Those that may be behind the failure of this case: faults of the disks that were there, or
 * what else differs on them when there is none. The n'th; NULL: no more.
 */
const struct drill_finding *drill_fault_of(const struct drill *d, const struct drill_case *c,
					   unsigned n);
/* "/dev/sdb: LBA 0 is not our boot code: run "..."", to be freed. */
char *drill_fault_text(const struct drill *d, const struct drill_finding *f);

/* ---- drill_print.c ---- */

void drill_print_findings(const struct drill *d);
void drill_print_row(const struct drill *d, const struct drill_case *c);
void drill_print_end(const struct drill *d);
void drill_print_json(const struct drill *d);
/* On a terminal: which case is running, and for how long. Then drill_progress_end(). */
void drill_progress(const struct drill *d, double seconds);
void drill_progress_end(void);

#endif
