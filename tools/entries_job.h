/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* What the verbs of `mirrorboot entries` share: options, what is read, plan, question, writing. */
#ifndef TOOLS_ENTRIES_JOB_H
#define TOOLS_ENTRIES_JOB_H

#include "tools/entries_parts.h"
#include "tools/entries_record.h"
#include "common/nvlist.h"

struct entries_options {
	const char *efivars, *record; /* NULL: the usual places */
	struct nvwant want;
	bool json, yes;
	bool reading; /* can do without the record */
};

struct entries_job {
	const struct entries_options *o;
	struct entries_vars vars;
	struct entries_store store;
	struct nvram all;
	struct entries_parts parts;
	struct entries_record record;
	struct nvplan plan;
	void *memory; /* the plan's */
	bool (*drop)(const void *job,
		     const struct nvitem *item); /* what the record shall not have */
};

/* False: why was said. Close in either case. */
bool entries_job_open(struct entries_job *j, const struct entries_options *o, struct hostset *set);
/* The plan, once all else is there. */
void entries_job_start(struct entries_job *j);
void entries_job_close(struct entries_job *j);

/* Lines of common/, on standard output. */
struct text *entries_job_text(void);

/* There is no plan: say why. An exit status. */
int entries_job_fail(const struct entries_job *j, const struct nvfail *f);

/*
 * Show the plan, ask, write. title: what it is about; part: for which, or NULL; nothing: said when
 * there is nothing to do. An exit status.
 */
int entries_job_finish(struct entries_job *j, const char *title, const struct guid *part,
		       const char *nothing);

/* The verbs, on what was opened: an exit status. */
int entries_list_run(struct entries_job *j);
int entries_clone_run(struct entries_job *j);
int entries_mirror_run(struct entries_job *j);
int entries_delete_run(struct entries_job *j);
int entries_repair_run(struct entries_job *j);

#endif
