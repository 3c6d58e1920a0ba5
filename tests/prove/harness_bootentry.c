/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* Boot entries: variables of any bytes and of any length that one can have. */
#include "common/bootentry.h"

#include "tests/prove/prove.h"

#define ROOM 4096

static uint8_t first[ROOM], second[ROOM];

void prove_main(void)
{
	uint16_t file[BOOTENTRY_FILE_UNITS], more[16];
	struct bootentry a, b;
	struct bootentry_hd hd;
	uint8_t out[ROOM];
	size_t bytes;

	ANY_BYTES(first);
	ANY_BYTES(second);
	ANY_BYTES(file);
	ANY_BYTES(hd);
	ANY_BYTES(more);
	if (bootentry_parse(&a, first, any_below(ROOM + 1)) != ST_OK ||
	    bootentry_parse(&b, second, any_below(ROOM + 1)) != ST_OK)
		return;
	bootentry_file(&a, file);
	bootentry_same_program(&a, &b);
	bootentry_is_automatic(&a);
	bootentry_retarget(&a, &hd, more, any_below(17), out, any_below(ROOM + 1), &bytes);
}
