/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * A plan is carried out in an order in which any write may be the last one. New entries come
 * first, then the boot order, and what is no longer in the order is removed last: at each moment
 * the order names what it named before or what it shall name, and each entry that it names is
 * there. What fails is taken back.
 */
#ifndef COMMON_NVWRITE_H
#define COMMON_NVWRITE_H

#include "common/nvplan.h"

/* The firmware's global variables. An error is the store's own number; 0: none. */
struct nvstore {
	/* At once: the old value or the new one is there. After a failure: the old one, or none. */
	int (*set)(const struct nvstore *s, const char *name, uint32_t attributes, const void *data,
		   size_t bytes);
	int (*remove)(const struct nvstore *s, const char *name);
	/* Is it there, with these bytes and no others? Is it known not to be there? */
	bool (*holds)(const struct nvstore *s, const char *name, const void *data, size_t bytes);
	bool (*lacks)(const struct nvstore *s, const char *name);
	/* What an error means, and what can be done about it: a sentence. */
	const char *(*why)(const struct nvstore *s, int error);
};

/* What went wrong. */
struct nvfault {
	int error;         /* 0: what was read back is not what was written */
	char variable[16]; /* the one that could not be written */
	bool removing;     /* all is as planned, but that this one could not be removed */
	bool restored;     /* nothing of it is left but what was brought up to date */
	char left[16];     /* not restored: this variable is not as it was */
};

/* False: *f says why. */
bool nvwrite_plan(const struct nvplan *p, const struct nvstore *s, struct nvfault *f);

#endif
