/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * A line that shows how far something has come, drawn anew in its place: a carriage return is
 * understood by screens and serial consoles. What is done at once has none.
 */
#ifndef EFI_BAR_H
#define EFI_BAR_H

#include "common/text.h"
#include "efi/uefi.h"

struct bar {
	struct text *out;
	const char *what; /* is under way; NULL: nothing */
	EFI_EVENT timer;  /* signalled when it is time to draw; NULL: always */
	bool shown;
	unsigned percent; /* as drawn */
};

/* Draws a few times a second, when there is something new to be seen; another "what" begins another
 * line. */
void bar_at(struct bar *b, const char *what, uint64_t done, uint64_t of);

/* It is done, or has failed: the line is left behind. */
void bar_end(struct bar *b);

#endif
