/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* What there is to say of dynamic disks beside their mirrors. */
#ifndef TOOLS_STATUS_LDM_H
#define TOOLS_STATUS_LDM_H

#include "tools/hostdisk.h"

/*
 * Of a dynamic disk on which no leg of a mirror was found: "is a dynamic disk with
 * volumes that are not mirrors: Volume1 (simple)". To be freed; NULL: it is a basic disk.
 */
char *status_ldm_sentence(const struct hostset *set, unsigned disk);

/* How much of a dynamic disk belongs to no volume; 0 when it is none. */
uint64_t status_ldm_free_s512(const struct hostset *set, unsigned disk);

#endif
