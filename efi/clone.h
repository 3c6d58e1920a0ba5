/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* One EFI system partition's files onto others, with nothing but the firmware below. */
#ifndef EFI_CLONE_H
#define EFI_CLONE_H

#include "common/cloneargs.h"
#include "efi/clonedelta.h"

/* Too large for the stack. side[0] is the source. */
struct clone {
	struct text *out;
	const struct cloneargs *args;
	unsigned ask_s;
	struct esplist list;
	struct bar bar;
	unsigned count; /* of sides */
	struct cloneside side[ESPLIST_MAX];
	bool differs[ESPLIST_MAX];  /* files of it are to be written */
	bool manifest[ESPLIST_MAX]; /* is to be written */
	struct clonedelta delta;    /* one at a time */
	struct clonedelta_options options;
	struct espgen gen;
	uint32_t fat_time; /* that manifests get */
	bool renew_source;
};

/*
 * Choose, plan, show, ask unless args say --yes, write, verify. disks, s: found and probed. own:
 * the handle that we were started from, or NULL. ask_s: so long the question waits. Nothing is
 * mounted elsewhere afterwards than it was before.
 */
EFI_STATUS clone_run(const struct efidisks *disks, const struct survey *s, EFI_HANDLE own,
		     const struct cloneargs *args, unsigned ask_s, struct text *out);

/* ---- its parts ---- */

/* Which are the source and the targets. Other than EFI_SUCCESS: said. */
EFI_STATUS clone_choose(struct clone *c);

/* All of it, before the first write. False: said. */
bool clone_plan(struct clone *c);
bool clone_is_empty(const struct clone *c);

/* One target after the other, each verified before the next. False: said. */
bool clone_write(struct clone *c);

/* The disks, for commands: too large for the stack as well. */
struct clone_scene {
	struct efidisks disks;
	struct survey survey;
	EFI_HANDLE own;
};

/* NULL: said. Free with uefi_free_pages(). */
struct clone_scene *clone_look_around(struct text *out);

#endif
