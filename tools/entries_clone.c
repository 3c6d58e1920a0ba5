/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* The verbs of `mirrorboot entries` that write. What they mean is in common/nvverb.c. */
#include "tools/entries_job.h"
#include "tools/say.h"

#define DONE_ALREADY "All of it is there already; nothing was written."

int entries_clone_run(struct entries_job *j)
{
	struct nvfail f;

	if (!nvverb_clone(&j->plan, &j->o->want, &f))
		return entries_job_fail(j, &f);
	return entries_job_finish(j, "Clone boot entries", &j->o->want.to, DONE_ALREADY);
}

int entries_mirror_run(struct entries_job *j)
{
	struct nvfail f;

	if (!nvverb_mirror(&j->plan, &j->o->want, &f))
		return entries_job_fail(j, &f);
	return entries_job_finish(j, "Add a boot entry", &j->o->want.to, DONE_ALREADY);
}

static bool drop(const void *job, const struct nvitem *i)
{
	const struct entries_job *j = job;

	return nvverb_is_dropped(&j->plan, &j->o->want, i);
}

int entries_delete_run(struct entries_job *j)
{
	struct nvfail f;

	j->drop = drop;
	nvverb_match(j->record.item, j->record.count, &j->all);
	if (!nvverb_delete(&j->plan, &j->o->want, j->record.item, j->record.count, &f))
		return entries_job_fail(j, &f);
	return entries_job_finish(j, "Remove boot entries:", NULL,
				  "They are gone already, and are forgotten now.");
}

int entries_repair_run(struct entries_job *j)
{
	struct nvfail f;

	if (!j->record.count) {
		say_about(j->record.file,
			  "there is no record of entries: \"clone\" and \"mirror\" write it");
		return EXIT_FAILED;
	}
	if (!nvverb_repair(&j->plan, j->record.item, j->record.count, &f))
		return entries_job_fail(j, &f);
	return entries_job_finish(j, "Repair boot entries:", NULL,
				  j->plan.incomplete ? "Nothing can be done now."
						     : "All recorded entries are there.");
}
