/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* md arrays on disks that are cut: made, and judged as Linux would. */
#ifndef TESTS_SIM_CRASHMD_H
#define TESTS_SIM_CRASHMD_H

#include "tests/sim/crashgroup.h"

#define CRASHMD_SECTORS    640u
#define CRASHMD_DATA_LBA   64u
#define CRASHMD_DATA       512u
#define CRASHMD_SB_LBA     8u
#define CRASHMD_BITMAP_LBA 16u
#define CRASHMD_CHUNK      8u /* sectors a bit */
#define CRASHMD_OLD        0xda

/* Disks that are legs of an array of `of` devices, whole, in sync, the first `here` of them. */
void crashmd_make(struct crashgroup *g, unsigned here, unsigned of, bool bitmap);

/*
 * What Linux does with these members, of which a mask is attached (experiments with mdadm 4.2 and
 * Linux 6.1): a clean array is believed, a dirty one is copied where its bitmap says, or whole.
 * NULL, or what is wrong: two legs that it takes could be read as different bytes for ever.
 */
const char *crashmd_judge(uint8_t *const *image, unsigned legs, unsigned attached, bool bitmap);

#endif
