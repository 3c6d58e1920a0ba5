/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "common/disk.h"

#include "common/range.h"

enum status disk_read(const struct disk *d, uint64_t lba, uint32_t n, void *buf)
{
	if (!range_ok(lba, n, d->sectors))
		return ST_RANGE;
	return d->read(d, lba, n, buf);
}

enum status disk_read_s512(const struct disk *d, uint64_t from_s512, uint32_t n_s512, void *buf)
{
	unsigned shift = d->shift - 9u;

	if (!disk_s512_aligned(d, from_s512) || !disk_s512_aligned(d, n_s512))
		return ST_RANGE;
	return disk_read(d, from_s512 >> shift, n_s512 >> shift, buf);
}
