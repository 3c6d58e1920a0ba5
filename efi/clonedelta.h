/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* What makes one ESP differ from another: a plan of common/fat_plan, shown and carried out. */
#ifndef EFI_CLONEDELTA_H
#define EFI_CLONEDELTA_H

#include "efi/cloneside.h"

struct clonedelta_options {
	bool keep_extra;
	bool source_dirty_ok;
};

struct clonedelta {
	struct cloneside *from, *to;
	const struct clonedelta_options *options;
	struct fat_plan plan;
	void *work; /* that the plan is in */
	uint64_t work_bytes;
	struct fat lookup; /* the target's: the plan's own has its caches in use */
	struct fat_entry entry;
};

/* Both must have been looked at. False: said, and plan.why. */
bool clonedelta_make(struct clonedelta *d, struct cloneside *from, struct cloneside *to,
		     const struct clonedelta_options *o);

/* Once. False: said; how much was done is not known. */
bool clonedelta_apply(struct clonedelta *d);

void clonedelta_free(struct clonedelta *d);

/* What is to be written: the first files, and a sum; and what differs, in sentences. */
void clonedelta_show(const struct clonedelta *d, struct text *out);
bool clonedelta_say_differences(const struct clonedelta *d);

/* About: bytes that are free on the target when it is done. */
uint64_t clonedelta_room_after(const struct clonedelta *d);

#endif
