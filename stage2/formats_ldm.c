/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* The table of formats of a stage2 for LDM alone: what it does not name is not linked in. */
#include "common/formats.h"
#include "common/ldm_probe.h"

const struct format formats[FORMAT_COUNT] = {
	[FORMAT_LDM] = {"ldm", NULL},
};

const struct format_dynamic *const format_dynamic = &ldm_dynamic;

const char *const *const format_reasons[] = {reason_ldm, NULL};
