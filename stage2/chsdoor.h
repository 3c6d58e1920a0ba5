/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* AH=42h and 43h for disks whose BIOS has no EDD: what the resident part asks for. */
#ifndef STAGE2_CHSDOOR_H
#define STAGE2_CHSDOOR_H

#include "stage2/biosdisk.h"

/*
 * Where a disk is reached by CHS, put chsdoor.asm to the top of base memory and in
 * front of the BIOS: a KiB. To be called before present_install(), which then goes
 * below it. What lies beyond cylinder 1023 is refused with 01h. ST_FULL: no room.
 */
enum status chsdoor_install(const struct biosdisks *disks);

#endif
