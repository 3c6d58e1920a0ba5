/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* The plan of an install: which firmware, what on each disk. Reads only. */
#ifndef TOOLS_INSTALL_PLAN_H
#define TOOLS_INSTALL_PLAN_H

#include "tools/job.h"

struct install {
	bool bios, uefi;    /* asked for, or found */
	bool given;         /* they were asked for */
	bool add;           /* only to disks that have it not, as it is on the others */
	bool ia32;          /* for 32-bit firmware in any case */
	bool trust;         /* --trust: name the members that are here */
	bool no_trust;      /* --no-trust */
	const char *config; /* --config, or NULL */
	unsigned mirror;    /* that all disks belong to */
	struct jobs *jobs;
	/* what is written: --config, else the first that is installed, else NULL */
	const char *bios_config, *esp_config;
	char *own_bios_config, *own_esp_config; /* NULL, or the memory of these two */
};

/* False: what is wrong has been said. */
bool install_plan(struct install *in);

/* Is everything there already? */
bool install_plan_is_empty(const struct install *in);

void install_plan_print(const struct install *in);

#endif
