/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * A disk in memory that logs every write and flush, and shows what a power cut
 * could have left on it.
 */
#ifndef TESTS_SIM_CRASHDISK_H
#define TESTS_SIM_CRASHDISK_H

#include "common/disk.h"
#include "tests/sim/crashcuts.h"

#include <stddef.h>

#define CRASHDISK_SECTOR CRASHCUTS_SECTOR
#define CRASHDISK_OPS    2048

struct crashdisk {
	uint64_t sectors;
	uint8_t *before; /* as it was when the log began */
	uint8_t *now;
	unsigned op_count;
	struct crashop op[CRASHDISK_OPS];
	/* faults: the write or flush of this number (from 0) fails; UINT32_MAX: none */
	uint32_t fail_at;
	uint32_t lie_at; /* this one is answered with ST_OK, and has a wrong bit, or was not done */
	bool lie_by_nothing;
	bool drop_writes; /* answers ST_OK and does nothing: a disk that lies */
};

/* image is copied. */
void crashdisk_init(struct crashdisk *c, const uint8_t *image, uint64_t sectors);
void crashdisk_free(struct crashdisk *c);
struct disk crashdisk_disk(struct crashdisk *c);

/* Start the log afresh from the disk as it is now. */
void crashdisk_restart(struct crashdisk *c);

/* Call check with each image that a cut could leave (crashcuts.h). Gives the number of images. */
typedef void crashdisk_check(uint8_t *image, const char *what, void *ctx);
unsigned crashdisk_each_cut(const struct crashdisk *c, crashdisk_check *check, void *ctx);

/* As if the flush that is operation `at` had not been issued: is something wrong then? */
typedef bool crashdisk_is_wrong(uint8_t *image, const char *what, void *ctx);
bool crashdisk_without_flush(const struct crashdisk *c, unsigned at, crashdisk_is_wrong *is_wrong,
			     void *ctx);

#endif
