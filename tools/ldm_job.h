/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* What the verbs of `mirrorboot ldm` share: their options, what must hold, plan and question. */
#ifndef TOOLS_LDM_JOB_H
#define TOOLS_LDM_JOB_H

#include "tools/ldm_copy.h"
#include "tools/ldm_group.h"
#include "tools/ldm_init.h"
#include "tools/ldm_txn.h"

struct ldm_options {
	const char *volume; /* as given: a name, a drive letter, a GUID */
	const char *name, *letter, *to, *keep;
	uint64_t size_bytes; /* 0: as much as there is */
	int leg;             /* -1: not given */
	bool yes, json, gpt, force;
};

struct ldm_job {
	struct ldm_groups *gs;
	struct ldm_group *g;
	const struct ldm_raw *volume;
	const struct ldm_raw *leg[LDM_LEGS];
	unsigned legs;
};

/* The volume that the options name. False: there is none, which was said. */
bool ldm_job_find(struct ldm_job *j, struct hostset *set, const struct ldm_options *o);

/*
 * May the group be changed? repair: with copies that disagree, too. False: why not was said.
 */
bool ldm_job_may_change(const struct ldm_job *j, bool repair);

/* A line of the plan: an update that was cut is undone or finished first. */
void ldm_job_print_cut(const struct ldm_job *j);

/* Ask. EXIT_DONE: go on. */
int ldm_job_ask(const struct ldm_options *o);

/* The plan is shown: ask, then undo or finish an update that was cut. EXIT_DONE: go on. */
int ldm_job_begin(struct ldm_job *j, const struct ldm_options *o);

/* "12.5 GiB" */
const char *ldm_size_text(uint64_t s512);

/* Names that are free: "Volume1-02", "Disk3-01", "Disk4", "Volume5". */
void ldm_name_next(const struct ldm_group *g, unsigned type, const char *before, unsigned digits,
		   char name[LDM_NAME_BYTES]);
/* The highest number that a volume has. */
uint64_t ldm_last_number(const struct ldm_group *g);

/* Disks that have a piece of this component: bit i is disk i. */
uint64_t ldm_disks_of(const struct ldm_extents *e);

int ldm_show(struct hostset *set, const struct ldm_options *o);
int ldm_create(struct hostset *set, const struct ldm_options *o);
int ldm_add_mirror(struct hostset *set, const struct ldm_options *o);
int ldm_break(struct hostset *set, const struct ldm_options *o);
int ldm_remove(struct hostset *set, const struct ldm_options *o);
int ldm_repair(struct hostset *set, const struct ldm_options *o);

/* A place for a leg. */
struct ldm_place {
	unsigned disk;
	bool fresh;    /* the disk is to be made a dynamic disk first */
	bool unlisted; /* it has the group's database, and the group no record of it */
	struct ldm_fresh made;
	uint64_t start_s512; /* from the public start */
};
/* For a second leg: on the disk that --to names, else where there is room. False: said. */
bool ldm_place_find(struct ldm_job *j, const struct ldm_options *o, uint64_t size_s512,
		    struct ldm_place *p);
void ldm_place_print(const struct ldm_job *j, const struct ldm_place *p);
/*
 * Copy the data of a leg there, then make it the volume's: in one transaction, which drops
 * an old component (or NULL), too.
 */
bool ldm_place_leg(struct ldm_job *j, const struct ldm_place *p, const struct ldm_raw *from,
		   const struct ldm_raw *old);

#endif
