/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* install --add: the disks that have mirrorboot are the pattern for those that have not. */
#ifndef TOOLS_INSTALL_ADD_H
#define TOOLS_INSTALL_ADD_H

#include "tools/install_plan.h"

/*
 * Which firmware the disks that have mirrorboot have it for, and which have it: in->bios, uefi,
 * job.has_bios, has_uefi. False: what is wrong has been said.
 */
bool install_add_plan(struct install *in);

/* A disk that has no place in the mirror yet: says what to do first. False: there is none. */
bool install_add_say_stranger(const struct hostset *set);

/* All is installed on all of them: is there a disk missing that should be here? */
void install_add_say_missing(const struct install *in);

#endif
