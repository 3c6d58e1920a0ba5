/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* The parts that plans are made of. Inside of fat_plan.c and fat_put.c. */
#ifndef COMMON_FAT_JUDGE_H
#define COMMON_FAT_JUDGE_H

#include "common/fat_plan.h"

enum status fat_plan_begin(struct fat_plan *p, const struct fat_plan_options *o, void *work,
			   size_t work_bytes);
enum status fat_plan_check(struct fat_plan *p, struct fat_tree *t, struct fat *f, bool source);
/* Both trees are there. */
enum status fat_plan_end(struct fat_plan *p);

/* What happens to each node of both trees. */
enum status fat_judge(struct fat_plan *p);

#endif
