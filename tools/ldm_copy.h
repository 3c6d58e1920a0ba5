/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* The data of a leg: where they lie, and copying them to another one. */
#ifndef TOOLS_LDM_COPY_H
#define TOOLS_LDM_COPY_H

#include "tools/ldm_group.h"

#define LDM_EXTENTS 32

struct ldm_extent {
	unsigned disk; /* of the command line */
	uint64_t start_s512, size_s512;
};

/* In the order of the data. */
struct ldm_extents {
	unsigned count;
	struct ldm_extent extent[LDM_EXTENTS];
};

/* False: a disk is not here, or the partitions do not make up the volume. */
bool ldm_extents(const struct ldm_groups *gs, const struct ldm_group *g,
		 const struct ldm_raw *component, uint64_t size_s512, struct ldm_extents *e);

/*
 * Make to's data those of from: what differs is written, flushed, and all is compared
 * afterwards. So a run that was cut goes on where it was. False: what failed was said; from
 * was only read.
 */
bool ldm_copy_data(struct ldm_groups *gs, const struct ldm_extents *from,
		   const struct ldm_extents *to, uint64_t size_s512);

/* Places on a disk of the group that nothing uses. The longest; with need_s512: the first. */
bool ldm_find_room(struct ldm_groups *gs, const struct ldm_group *g, unsigned disk,
		   uint64_t need_s512, uint64_t *start_s512, uint64_t *longest_s512);

#endif
