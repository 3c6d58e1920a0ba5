/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * A boot entry for the mirrorboot of each EFI system partition, before all others in the boot
 * order: installers of other loaders put theirs there, and the firmware asks no fallback then.
 */
#ifndef TOOLS_INSTALL_ENTRIES_H
#define TOOLS_INSTALL_ENTRIES_H

#include "tools/entries.h"
#include "tools/job.h"

struct install_entries {
	const char *folder; /* --efivars; NULL: the firmware's, for devices */
	bool none;          /* --no-entries */

	bool planned; /* all below is there */
	const struct jobs *jobs;
	struct entries_vars vars;
	struct entries_store store;
	struct nvram all;
	struct nvplan plan;
	unsigned there; /* of ours, already */
	void *memory;
};

/* With nothing to write to, or none of the disks one for UEFI: an empty plan. False: said. */
bool install_entries_plan(struct install_entries *e, const struct jobs *jobs, bool removing);
bool install_entries_is_empty(const struct install_entries *e);
/*
 * For verify: what differs from what install would leave, a sentence; NULL: nothing does, or there
 * is no entry of ours at all, which is how --no-entries leaves it.
 */
const char *install_entries_drift(const struct install_entries *e);
void install_entries_print(const struct install_entries *e);
/* False: why was said. */
bool install_entries_write(struct install_entries *e);
void install_entries_free(struct install_entries *e);

#endif
