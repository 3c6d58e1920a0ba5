/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* For targets whose input is one small disk, read by code that checks before it asks. */
#ifndef TESTS_FUZZ_ONE_DISK_H
#define TESTS_FUZZ_ONE_DISK_H

#include "common/disk.h"
#include "common/range.h"
#include "tests/fuzz/fuzz.h"

#define DISK_BYTES (64 * 1024)

static uint8_t content[DISK_BYTES];
static unsigned reads, fail_every; /* fail_every: 0 for never */

static enum status fuzz_read(const struct disk *d, uint64_t lba, uint32_t n, void *buf)
{
	check(range_ok(lba, n, d->sectors));
	reads++;
	if (fail_every && reads % fail_every == 0)
		return ST_IO;
	memcpy(buf, content + (lba << d->shift), (size_t)n << d->shift);
	return ST_OK;
}

#endif
