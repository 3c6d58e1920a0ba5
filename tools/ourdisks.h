/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* The disks of this machine that mirrorboot is about, for commands that are given none. */
#ifndef TOOLS_OURDISKS_H
#define TOOLS_OURDISKS_H

#include "tools/hostdisk.h"

/* What a command does with disks, whether they were named or not. */
struct ourdisks {
	/* Not only disks that mirrorboot is on: without any of these, all that hold a leg. */
	bool any;
	bool writes; /* open them for writing */
	/* May look at the names before they are opened. False: they won't do, and why was said. */
	bool (*named)(char **path, int count);
	/* Takes open disks, gives an exit status. */
	int (*work)(struct hostset *set);
	/* There are none, and why: says so, gives an exit status; status is what to give. */
	int (*none)(const char *why, int status);
};

/*
 * Open the disks that were named, and do the work. When none were: those of this machine that
 * mirrorboot is installed on, and those that share a mirror with one of them.
 * sector_bytes: as given, 0 otherwise.
 */
int ourdisks_work(const struct ourdisks *o, char **arg, int count, unsigned sector_bytes);

#endif
