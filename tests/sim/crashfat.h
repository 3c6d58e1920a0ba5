/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* FAT file systems in memory, for what is cut: made, filled, looked at. */
#ifndef TESTS_SIM_CRASHFAT_H
#define TESTS_SIM_CRASHFAT_H

#include "common/disk.h"

/* A disk in memory that is not cut. */
struct disk crashfat_disk(uint8_t *image, uint32_t sectors);

/*
 * An empty file system; FAT32 with fewer clusters than it should have, of 512 bytes. The disk is
 * one of these. cluster_bytes: 0 for what fits best.
 */
void crashfat_format(const struct disk *d, unsigned type, uint32_t cluster_bytes);

/* Bytes that a seed stands for. */
void crashfat_content(uint8_t *to, int bytes, int seed);

/*
 * What fsck.fat -n says of it. cut: it may say what a cut run can leave: the mark, clusters that
 * are nobody's, copies of the FAT that differ, a wrong count, pieces of long names. False: more
 * than that; it was printed.
 */
bool crashfat_fsck(const uint8_t *image, uint32_t sectors, bool cut);

#endif
