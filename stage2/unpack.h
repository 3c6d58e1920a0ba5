/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * The packed form of stage2: tools/pack writes it, unpack() reads it.
 *
 *   le32   bytes of the unpacked data
 *   then a raw LZMA stream (lc = 2, lp = pb = 0, no end mark), as liblzma writes it
 *
 * A call says how far away its function is, which is another number each time. So that
 * all calls of a function look alike, the packer turns the four bytes after E8 into the
 * place of the function in the data, where there is one. Distances that look like places,
 * and are none, change places with numbers that no call has: they become negative.
 */
#ifndef STAGE2_UNPACK_H
#define STAGE2_UNPACK_H

#include <stdint.h>

/* Never writes beyond the size that it is told, nor reads in front of what it has written. */
void unpack(uint8_t *to, const uint8_t *from);

#endif
