/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* All formats. stage2/formats_md.c and formats_ldm.c are the same for a stage2 of one family. */
#include "common/formats.h"

#include "common/ldm_probe.h"
#include "common/md_probe.h"

const struct format formats[FORMAT_COUNT] = {
	[FORMAT_MD_0_90] = {"md-0.90", md_probe_0_90},
	[FORMAT_MD_1_0] = {"md-1.0", md_probe_1_0},
	[FORMAT_MD_1_1] = {"md-1.1", md_probe_1_1},
	[FORMAT_MD_1_2] = {"md-1.2", md_probe_1_2},
	[FORMAT_LDM] = {"ldm", NULL},
};

const struct format_dynamic *const format_dynamic = &ldm_dynamic;

const char *const *const format_reasons[] = {reason_md, reason_ldm, NULL};
