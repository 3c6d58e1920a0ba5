/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * On-disk integers. Each is a struct of bytes, so that a field can be read
 * only through a getter (reading one raw does not compile), never needs
 * alignment or packing, and says its byte order in its type.
 *
 * The getters are written out, not looped: gcc then makes a single load of
 * them, also for -m16 and -m32.
 */
#ifndef COMMON_WIRE_H
#define COMMON_WIRE_H

#include <stdint.h>

typedef struct {
	uint8_t b[2];
} le16;
typedef struct {
	uint8_t b[4];
} le32;
typedef struct {
	uint8_t b[8];
} le64;

static inline uint16_t le16_get(le16 v)
{
	return (uint16_t)(v.b[0] | v.b[1] << 8);
}

static inline uint32_t le32_get(le32 v)
{
	return (uint32_t)v.b[0] | (uint32_t)v.b[1] << 8 | (uint32_t)v.b[2] << 16 |
	       (uint32_t)v.b[3] << 24;
}

static inline uint64_t le64_get(le64 v)
{
	return (uint64_t)v.b[0] | (uint64_t)v.b[1] << 8 | (uint64_t)v.b[2] << 16 |
	       (uint64_t)v.b[3] << 24 | (uint64_t)v.b[4] << 32 | (uint64_t)v.b[5] << 40 |
	       (uint64_t)v.b[6] << 48 | (uint64_t)v.b[7] << 56;
}

static inline le16 le16_of(uint16_t x)
{
	return (le16){{(uint8_t)x, (uint8_t)(x >> 8)}};
}

static inline le32 le32_of(uint32_t x)
{
	return (le32){{(uint8_t)x, (uint8_t)(x >> 8), (uint8_t)(x >> 16), (uint8_t)(x >> 24)}};
}

static inline le64 le64_of(uint64_t x)
{
	return (le64){{(uint8_t)x, (uint8_t)(x >> 8), (uint8_t)(x >> 16), (uint8_t)(x >> 24),
		       (uint8_t)(x >> 32), (uint8_t)(x >> 40), (uint8_t)(x >> 48),
		       (uint8_t)(x >> 56)}};
}

/* Big-endian: LDM. */
typedef struct {
	uint8_t b[2];
} be16;
typedef struct {
	uint8_t b[4];
} be32;
typedef struct {
	uint8_t b[8];
} be64;

#endif
