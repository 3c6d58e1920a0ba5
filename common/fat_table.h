/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * Names of a tree by folder, long and short ones alike, ASCII letters alike in both cases: what
 * fat_find() would find, without reading. Inside of fat_plan.c.
 */
#ifndef COMMON_FAT_TABLE_H
#define COMMON_FAT_TABLE_H

#include "common/fat_plan.h"

/*
 * All names of the tree. ST_FULL: FAT_NO_MEMORY. ST_CORRUPT: FAT_SAME_NAME, and p->path is one
 * of them. The table has room for all of the other tree's names as well.
 */
enum status fat_table_fill(struct fat_plan *p, const struct fat_tree *t);

/* The node of that name in a folder of the tree; FAT_NO_NODE. */
uint32_t fat_table_find(const struct fat_plan *p, uint32_t folder, const char *name, size_t bytes);

/*
 * A node of the source's that will be created in a folder that the target has: see that
 * its short name is nobody else's there, or give it another, and note its names. ST_CORRUPT:
 * FAT_NAME_TAKEN.
 */
enum status fat_table_add(struct fat_plan *p, uint32_t node);

/* ASCII letters alike in both cases. */
bool fat_table_same(const char *a, size_t a_bytes, const char *b, size_t b_bytes);

#endif
