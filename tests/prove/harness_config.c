/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* A text of any bytes and of any length: one that is longer than it may be, too. */
#include "common/config.h"

#include "tests/prove/prove.h"

#define ROOM (2 * CONFIG_TEXT_BYTES)

void prove_main(void)
{
	char text[ROOM];
	struct config_error err;
	struct config c;

	ANY_BYTES(text);
	config_default(&c);
	config_parse(&c, text, any_below(ROOM + 1), &err);
	config_fault_text(any_u8());
}
