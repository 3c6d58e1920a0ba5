/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* What to type next: one table of commands by verdict and reason of a leg. */
#ifndef TOOLS_STATUS_NEXT_H
#define TOOLS_STATUS_NEXT_H

#include "tools/hostdisk.h"

/* For leg k of a mirror that is not in sync. To be freed; NULL: nothing to be done for it. */
char *status_next_leg(const struct hostset *set, const struct mirror *m, unsigned k);

#endif
