/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * Whole commands of the tool, each run in a child of this process, on disks that are files in
 * memory. Every write() and fsync() that reaches such a file is one of the group's operations,
 * whoever issues it: libfdisk's are among them.
 */
#ifndef TESTS_SIM_CRASHCMD_H
#define TESTS_SIM_CRASHCMD_H

#include "tests/sim/crashgroup.h"
#include "tools/command.h"

/*
 * With the group's disks behind these words. Its lines are not seen (SIM_TALK shows them). Its exit
 * status; g's disks are as it left them.
 */
int crashcmd_run(struct crashgroup *g, const struct command *c, const char *const *words);

/* How many writes and flushes that was. */
unsigned crashcmd_operations(void);

#endif
