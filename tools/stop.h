/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * SIGINT, SIGTERM, SIGHUP, SIGQUIT: somebody wants us to end. A command that has
 * something to tidy up watches for them; one that writes to disks holds them back
 * until a disk is finished.
 */
#ifndef TOOLS_STOP_H
#define TOOLS_STOP_H

#include <stdbool.h>

/* From now on the signals are only noted; a system call that waits is interrupted. */
void stop_watch(void);

/* Has one come since stop_watch()? */
bool stop_asked(void);

/* Hold the signals back, from us and from the programs that we run. */
void stop_hold(void);

/* In the child, before another program is run: a terminal's ^C must not reach it either. */
void stop_hold_child(void);

/* Has one come since stop_hold()? */
bool stop_is_held(void);

#endif
