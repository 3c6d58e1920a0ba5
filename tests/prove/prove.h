/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * What harnesses for Frama-C's Eva share: values of which nothing is known, and disks that hold
 * and answer anything. Never compiled: Eva follows each harness for all values at once.
 */
#ifndef TESTS_PROVE_PROVE_H
#define TESTS_PROVE_PROVE_H

#include "common/disk.h"
#include "common/range.h"

#include <__fc_builtin.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline uint8_t any_u8(void)
{
	return Frama_C_unsigned_char_interval(0, UINT8_MAX);
}

static inline uint16_t any_u16(void)
{
	return Frama_C_unsigned_short_interval(0, UINT16_MAX);
}

static inline uint32_t any_u32(void)
{
	return Frama_C_unsigned_int_interval(0, UINT32_MAX);
}

static inline uint64_t any_u64(void)
{
	return Frama_C_unsigned_long_long_interval(0, UINT64_MAX);
}

static inline uint32_t any_below(uint32_t end)
{
	return Frama_C_unsigned_int_interval(0, end - 1);
}

static inline bool any_bool(void)
{
	return Frama_C_nondet(0, 1);
}

/* All bytes of an object: arbitrary, and set. */
#define ANY_BYTES(object) Frama_C_make_unknown((char *)&(object), sizeof(object))

/* A failure as the contract of struct disk allows it: any status but ST_OK. */
static inline enum status any_failure(void)
{
	return (enum status)Frama_C_interval(ST_ABSENT, ST_READONLY);
}

/*
 * As disk.h promises: it checks the range itself, answers the whole request or an error, and after
 * an error what is in the buffer is unknown. That the request fits into the buffer is what
 * Frama_C_make_unknown() requires, so it is proven at each read. The bytes are not even
 * set when nothing was read, so that no code may look at them after a failure.
 */
static enum status prove_read(const struct disk *d, uint64_t lba, uint32_t n, void *buf)
{
	if (!range_ok(lba, n, d->sectors))
		return ST_RANGE;
	Frama_C_make_unknown((char *)buf, (size_t)n << d->shift);
	return any_bool() ? ST_OK : any_failure();
}

static enum status prove_write(const struct disk *d, uint64_t lba, uint32_t n, const void *buf)
{
	size_t bytes = (size_t)n << d->shift;

	if (!range_ok(lba, n, d->sectors))
		return ST_RANGE;
	//@ assert readable: bytes == 0 || \valid_read((char *)buf + (0 .. bytes - 1));
	return any_bool() ? ST_OK : any_failure();
}

static enum status prove_flush(const struct disk *d)
{
	return any_bool() ? ST_OK : any_failure();
}

/* Of any size, none included; sectors of 1 << shift bytes. */
static inline struct disk prove_disk(unsigned shift)
{
	return (struct disk){.read = prove_read,
			     .write = prove_write,
			     .flush = prove_flush,
			     .sectors = any_u64(),
			     .shift = (uint8_t)shift};
}

/* Each size of sectors for itself: Eva knows the shift then. */
#define ON_EACH_SHIFT(function)                                                                    \
	do {                                                                                       \
		(function)(9);                                                                     \
		(function)(10);                                                                    \
		(function)(11);                                                                    \
		(function)(12);                                                                    \
	} while (0)
_Static_assert(DISK_SHIFT_MIN == 9 && DISK_SHIFT_MAX == 12, "all shifts");

#endif
