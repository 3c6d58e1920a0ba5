/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * The head of the resident part, as int13_hook.asm writes it: offsets inside its
 * segment that stage2 needs to fill it in and to hook it up.
 */
#ifndef STAGE2_RESIDENT_H
#define STAGE2_RESIDENT_H

#include <stdint.h>

#define RESIDENT_MAGIC 0x5352424du /* "MBRS" */

struct resident_head {
	uint32_t magic;
	uint16_t bytes;     /* all of it, .bss and bounce buffer included */
	uint16_t int13;     /* where vector 13h goes */
	uint16_t int15;     /* where vector 15h goes */
	uint16_t old_int13; /* far pointers to put what was there before */
	uint16_t old_int15;
	uint16_t state;     /* struct int13 */
	uint16_t disk_read; /* int13_disk_read, for struct disk */
	uint16_t bounce;
	uint16_t memory_end; /* dword: where base memory ends now, for INT 15h E820 */
	uint16_t pad;
};

#endif
