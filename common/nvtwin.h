/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * What entries there should be, where there is no record of them: EFI system partitions that are
 * clones of each other (their manifests say so) should have the same entries. What one of them
 * has and another hasn't is made anew from the one that is left.
 *
 * So it knows less than a record: nothing of an entry that is gone from all of them, and nothing
 * of one that was deleted on purpose on one.
 */
#ifndef COMMON_NVTWIN_H
#define COMMON_NVTWIN_H

#include "common/nvverb.h"

struct nvtwin_esp {
	const struct nvpart *part;
	struct guid set; /* of the manifest */
};

struct nvtwin {
	const struct nvram *all;
	const struct nvtwin_esp *esp;
	unsigned esps;
	struct nvitem *item; /* in the order in which they shall be */
	unsigned items, room;
	uint8_t *pool; /* for those that are made anew */
	size_t pool_bytes, pool_used;
};

/* The items for nvverb_repair(); number NVRAM_NONE: it never had one. ST_FULL: no room. */
enum status nvtwin_items(struct nvtwin *t);

#endif
