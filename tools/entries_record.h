/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * What entries there should be: the originals and the clones of all that was ever cloned, in the
 * order in which they were. Firmware deletes entries of disks that it does not see; by this
 * record they are brought back. A file of JSON on the running system, docs/entries.md says where.
 */
#ifndef TOOLS_ENTRIES_RECORD_H
#define TOOLS_ENTRIES_RECORD_H

#include "tools/entries.h"
#include "common/nvverb.h"

#define ENTRIES_RECORD_FILE   "/var/lib/mirrorboot/entries.json"
#define ENTRIES_RECORD_BESIDE "mirrorboot-entries.json" /* in a folder that is no firmware's */

struct entries_record {
	char *file;
	char *text; /* as the file has it; NULL: there is none */
	char *temporary;
	unsigned count;
	struct nvitem *item; /* whose data are its own */
	unsigned old_count;
	struct nvitem *old; /* as it was before it was renewed: a plan may point there */
};

/* file: NULL for the usual place. False: it is there and can't be used, which was said. */
bool entries_record_open(struct entries_record *r, const struct entries_vars *vars,
			 const char *file);
void entries_record_free(struct entries_record *r);

/*
 * The record for what there will be: entries of it that the record knows, and those for which
 * follow says yes. What it knows and is not there stays, but for items for which drop does.
 */
void entries_record_renew(struct entries_record *r, const struct nvram *after,
			  bool (*follow)(const void *arg, unsigned number),
			  bool (*drop)(const void *arg, const struct nvitem *item),
			  const void *arg);

/*
 * Write it beside the old one; then put it in its place. What is as it was is not written at all.
 * False: said.
 */
bool entries_record_prepare(struct entries_record *r, bool *changed);
bool entries_record_commit(struct entries_record *r);

#endif
