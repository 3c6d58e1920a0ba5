/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * A person's keys, and the time in which they come. No common/ file has these
 * functions: stage2/console.c and efi/console.c do, each for its firmware.
 */
#ifndef COMMON_CONSOLE_H
#define COMMON_CONSOLE_H

#include <stdbool.h>

/*
 * Wait for a key, at most so many seconds; CONSOLE_FOREVER: without end. The key's
 * character (a key that has none is 1), or 0 when the time is up.
 */
#define CONSOLE_FOREVER 0xffff
char console_key(unsigned seconds);

/*
 * As console_key(), in ticks of the BIOS, 18.2 a second; what was waited is taken off
 * *ticks. At least one look is taken, so that *ticks = 0 asks for a key that is there.
 */
#define CONSOLE_TICKS(seconds) ((seconds)*91u / 5)
char console_key_in(unsigned *ticks);

/* Is a Shift key held? */
bool console_shift(void);

#endif
