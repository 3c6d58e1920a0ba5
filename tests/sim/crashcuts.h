/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * What a power cut can leave on some disks, from the writes and flushes that a program sent to
 * them, in one order. Assumed of a disk: a sector is written whole or not at all; what was
 * written before a flush that was answered is there; of the rest any sectors are, in any order.
 */
#ifndef TESTS_SIM_CRASHCUTS_H
#define TESTS_SIM_CRASHCUTS_H

#include <stdbool.h>
#include <stdint.h>

#define CRASHCUTS_DISKS  4
#define CRASHCUTS_SECTOR 512

struct crashop {
	unsigned disk;
	uint64_t lba;
	uint32_t n;    /* sectors; 0: a flush */
	uint8_t *data; /* what was written */
};

/* image: the disks; to be left as they are. what: the kind and place of the cut, for messages. */
typedef void crashcuts_check(uint8_t *const *image, const char *what, void *ctx);

struct crashcuts {
	unsigned disks;
	uint64_t sectors[CRASHCUTS_DISKS];
	const uint8_t *before[CRASHCUTS_DISKS];
	const struct crashop *op;
	unsigned op_count;
	unsigned random; /* subsets at each cut */
	bool halves;     /* torn within a sector, too: of LBA 0 never, there is no second copy */
	crashcuts_check *check;
	void *ctx;
};

/*
 * Call check with each state, once:
 *   clean    every beginning of the log
 *   torn     and a part of the next write: its first sectors, its last ones
 *   subset   of what is not flushed: none, each write alone, each left out, all subsets of up to
 *            8 writes, and any sectors of them; all there are, where these are few
 * and more of the last kind until crashcount.h has what it wants. Gives the number of states.
 */
unsigned crashcuts_each(const struct crashcuts *c);

/*
 * As if `at`, a flush, had not been issued: with each number of the writes behind it up to the
 * next, those before it are all missing, each one missing, and some at random. Until is_wrong
 * says so; false: it never did.
 */
typedef bool crashcuts_is_wrong(uint8_t *const *image, const char *what, void *ctx);
bool crashcuts_without_flush(const struct crashcuts *c, unsigned at, crashcuts_is_wrong *is_wrong);

#endif
