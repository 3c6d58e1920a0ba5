/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* The screen and COM1 as one struct text, and a person's answers from either keyboard. */
#ifndef STAGE2_CONSOLE_H
#define STAGE2_CONSOLE_H

#include "common/console.h"
#include "common/text.h"

/*
 * which: enum config_console. COM1 is set to 115200 8N1, and not touched when the
 * configuration leaves it out: something else than a terminal may hang there.
 */
struct text *console_init(uint8_t which);

#endif
