/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* The words behind "clone": which ESPs, and options. */
#ifndef COMMON_CLONEARGS_H
#define COMMON_CLONEARGS_H

#include "common/cmdline.h"

struct cloneargs {
	bool yes, keep_extra, force;
	unsigned count;
	const char *esp[CMDLINE_WORDS]; /* the first is the source */
};

/* False: a word is an option that there is not. */
bool cloneargs_parse(struct cloneargs *a, const char *const *word, unsigned count);

#endif
