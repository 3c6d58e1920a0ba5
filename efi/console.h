/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * The firmware's console as a struct text, and a person's answers. Which screens and
 * serial lines it is made of is the firmware's choice: the config has no say in it.
 */
#ifndef EFI_CONSOLE_H
#define EFI_CONSOLE_H

#include "common/text.h"

#include <stdbool.h>

/* Clears the screen. The sink is valid until we return to the firmware. */
struct text *console_init(void);

/* Show what is still buffered (a newline does it too). */
void console_flush(void);

/* What was typed before the question is no answer to it. */
void console_forget_keys(void);

/*
 * Wait for a key, at most so many seconds; CONSOLE_FOREVER: without end. The key's
 * character (a key that has none is 1), or 0 when the time is up.
 */
#define CONSOLE_FOREVER 0xffff
char console_key(unsigned seconds);

#endif
