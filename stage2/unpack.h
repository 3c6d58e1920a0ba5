/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * The packed form of stage2: tools/pack writes it, unpack() reads it.
 *
 *   le32 bytes of the unpacked data, then a stream of bytes and bits. Bits are taken
 *   from a byte, highest first, and the next such byte is fetched when they are used
 *   up; whole bytes are read from the same stream in between.
 *
 *   bit 0            a literal: one byte
 *   bit 1            a copy: number g, then where from, then its length
 *     g = 1            from as far back as the last copy
 *     g >= 2           from (g - 2) * 256 + byte + 1 back
 *     number           length - 1
 *
 *   A number n >= 1 is its bits below the highest, each after a bit 1; then a bit 0.
 */
#ifndef STAGE2_UNPACK_H
#define STAGE2_UNPACK_H

#include <stdint.h>

/* Unpack to "to"; the checksum of what is read was tested by who loaded it. */
void unpack(uint8_t *to, const uint8_t *from);

#endif
