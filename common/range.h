/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* Is [off, off + len) inside [0, max)? In subtraction form, so that no sum can wrap. */
#ifndef COMMON_RANGE_H
#define COMMON_RANGE_H

#include <stdbool.h>
#include <stdint.h>

static inline bool range_ok(uint64_t off, uint64_t len, uint64_t max)
{
	return off <= max && len <= max - off;
}

static inline uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

#endif
