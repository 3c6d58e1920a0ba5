/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * The firmware's console as a struct text, and a person's answers. Which screens,
 * keyboards and serial lines it is made of is the firmware's choice: the config has no
 * say in it.
 */
#ifndef EFI_CONSOLE_H
#define EFI_CONSOLE_H

#include "common/console.h"
#include "common/text.h"

/*
 * The sink is valid until we return to the firmware. The watchdog that the firmware armed for a
 * boot is stopped: chain.c arms it for the next loader. For a boot the screen is cleared; who
 * started a command goes on when it returns.
 */
struct text *console_init(bool command);

/* Show what is still buffered, and give back what waiting for keys took; later waits take it anew.
 */
void console_close(void);

/* Show what is still buffered (a newline does it too). */
void console_flush(void);

/* What was typed before the question is no answer to it. */
void console_forget_keys(void);

#endif
