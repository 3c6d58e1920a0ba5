/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * Some disks in memory, written to by one program: every write and flush is logged, in one
 * order, and what a power cut could have left on all of them together is shown.
 */
#ifndef TESTS_SIM_CRASHGROUP_H
#define TESTS_SIM_CRASHGROUP_H

#include "common/disk.h"
#include "tests/sim/crashcuts.h"

#include <stddef.h>

#define CRASHGROUP_DISKS  CRASHCUTS_DISKS
#define CRASHGROUP_SECTOR CRASHCUTS_SECTOR

struct crashgroup_disk {
	struct crashgroup *group;
	unsigned number;
	uint64_t sectors;
	uint8_t *before; /* as it was when the log began */
	uint8_t *now;
};

struct crashgroup {
	unsigned count;
	struct crashgroup_disk disk[CRASHGROUP_DISKS];
	bool logging;
	bool halves; /* a write may be torn within a sector */
	unsigned op_count, op_room;
	struct crashop *op;
	/* faults: the write or flush of this number fails, and all after it; UINT32_MAX: none */
	uint32_t fail_at;
	uint32_t writes; /* and flushes, so far */
};

void crashgroup_init(struct crashgroup *g);
void crashgroup_free(struct crashgroup *g);
/* A disk of zeroes; a copy of one. Gives its number. */
unsigned crashgroup_add(struct crashgroup *g, uint64_t sectors);
unsigned crashgroup_add_copy(struct crashgroup *g, const struct crashgroup_disk *of);
struct disk crashgroup_disk(struct crashgroup *g, unsigned number);

/* Begin the log, from the disks as they are now. */
void crashgroup_start(struct crashgroup *g);

/* Call check with the disks as each cut could leave them (crashcuts.h). Gives the number of states.
 */
unsigned crashgroup_each_cut(const struct crashgroup *g, unsigned random, crashcuts_check *check,
			     void *ctx);

#endif
