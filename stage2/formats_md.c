/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* The table of formats of a stage2 for md alone: what it does not name is not linked in. */
#include "common/formats.h"
#include "common/md_probe.h"
#include "stage2/tabledoor.h"
#include "stage2/volume.h"

const struct format formats[FORMAT_COUNT] = {
	[FORMAT_MD_0_90] = {"md-0.90", md_probe_0_90},
	[FORMAT_MD_1_0] = {"md-1.0", md_probe_1_0},
	[FORMAT_MD_1_1] = {"md-1.1", md_probe_1_1},
	[FORMAT_MD_1_2] = {"md-1.2", md_probe_1_2},
};

const struct format_dynamic *const format_dynamic;

/* Volumes that are not where they believe to be are LDM's. */
bool volume_plan(struct drives *d, struct text *out)
{
	return false;
}

enum status tabledoor_install(const struct mbr_sector *table)
{
	return ST_UNSUPPORTED;
}

const char *const *const format_reasons[] = {reason_md, NULL};
