/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * How many different states of the disks were looked at, by command. A program of the
 * simulations names its commands, plays their scenes, and says at its end what each came to.
 *
 * SIM_STATES=N (`make cuts`: 10000): so many different ones of each command, or all that there
 * are; with fewer the program fails. Without it: a bounded sample, as `make sim` has it.
 */
#ifndef TESTS_SIM_CRASHCOUNT_H
#define TESTS_SIM_CRASHCOUNT_H

#include <stdbool.h>
#include <stdint.h>

/* Is this the whole run, by SIM_STATES? */
bool crashcount_is_whole(void);

/* The next scene is this command's, which has so many of them. */
void crashcount_scene(const char *command, unsigned scenes);

/* False: this state was looked at before, in this scene. */
bool crashcount_is_new(uint64_t hash);

/* Is this scene's share of SIM_STATES still to be reached? */
bool crashcount_wants_more(void);

/* In this scene every state that there can be was looked at. */
void crashcount_all(void);

/* One more run of the command after a cut; one more state that a real tool was asked about. */
void crashcount_rerun(void);
void crashcount_asked(const char *tool);

/*
 * Is this state one that what takes long is done with? Each of the sample, and of a scene's first
 * ones; each nth of the others.
 */
bool crashcount_is_picked(unsigned n);

/* A line for each command. rc, or 1 when one had too few states. */
int crashcount_end(int rc);

#endif
