/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* present: put the resident part at the top of base memory and hook it up. */
#ifndef STAGE2_PRESENT_H
#define STAGE2_PRESENT_H

#include "stage2/biosdisk.h"
#include "stage2/bootrecord.h"
#include "stage2/int13.h"

/*
 * Copy plan into the resident part (disk indices are those of disks) and take over
 * INT 13h and INT 15h E820. ST_FULL: base memory ends too low; nothing is changed.
 */
enum status present_install(const struct int13 *plan, const struct biosdisks *disks,
			    const struct bootrecord_places *places);

/* Does mirrorboot already answer INT 13h? Then it has started its own MBR as a loader. */
bool present_is_running(void);

#endif
