/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "common/cloneargs.h"

bool cloneargs_parse(struct cloneargs *a, const char *const *word, unsigned count)
{
	a->yes = a->keep_extra = a->force = false;
	a->count = 0;
	for (unsigned i = 0; i < count; i++) {
		if (cmdline_same(word[i], "--yes") || cmdline_same(word[i], "-y"))
			a->yes = true;
		else if (cmdline_same(word[i], "--keep-extra"))
			a->keep_extra = true;
		else if (cmdline_same(word[i], "--force"))
			a->force = true;
		else if (word[i][0] == '-' || a->count == CMDLINE_WORDS)
			return false;
		else
			a->esp[a->count++] = word[i];
	}
	return true;
}
