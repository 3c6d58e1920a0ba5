/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * Carry out a plan. A power cut at any moment leaves, of each file, the old or the new content,
 * whole; what it can leave behind is clusters that belong to nothing, copies of the FAT
 * that differ, a wrong count of free clusters, pieces of long names, and the dirty mark. A new plan
 * (target_dirty_ok) puts all of that right.
 *
 * The order:
 *   the dirty mark; flush
 *   content into free clusters, and their chains; flush; read back
 *   names: the sector of the folder that has a file's entry switches it; flush
 *   (again from the second line, as often as the free clusters ask for it; loaders and
 *   configurations come last)
 *   names that go; flush; what is left of their long names
 *   clusters that nothing has any more are freed; flush; the dirty mark goes; flush
 */
#ifndef COMMON_FAT_WRITE_H
#define COMMON_FAT_WRITE_H

#include "common/fat_plan.h"

/*
 * A plan is carried out once: then, or after an error, make another; an empty one proves
 * that the target is as it should be. An empty plan writes nothing. Errors: p->why, p->path.
 */
enum status fat_write_apply(struct fat_plan *p);

#endif
