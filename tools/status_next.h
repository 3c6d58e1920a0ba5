/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* What to type next: one table of commands by verdict and reason of a leg. */
#ifndef TOOLS_STATUS_NEXT_H
#define TOOLS_STATUS_NEXT_H

#include "tools/hostdisk.h"

/* For leg k of a mirror that is not in sync. To be freed; NULL: nothing to be done for it. */
char *status_next_leg(const struct hostset *set, const struct mirror *m, unsigned k);

/* As a shell takes it; to be freed. */
char *status_next_quote(const char *path);

/* The disks of a mask, each with a blank before it, quoted; to be freed. */
char *status_next_disks(const struct hostset *set, uint32_t disks);

#endif
