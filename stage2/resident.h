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
	uint16_t bytes; /* with .bss; the tables, scratch and bounce memory come behind */
	uint16_t int13; /* where each vector goes */
	uint16_t int15;
	uint16_t int18;
	uint16_t int19;
	uint16_t old;       /* struct resident_old */
	uint16_t state;     /* struct int13 */
	uint16_t disk_read; /* int13_disk_read and int13_disk_write, for struct disk */
	uint16_t disk_write;
	uint16_t memory_end; /* dword: where base memory ends now, for INT 15h E820 */
};

/* What was there before us. */
struct resident_old {
	uint32_t int13; /* far pointers */
	uint32_t flags; /* of the safe hook structure: 0 */
	uint32_t int15;
	uint32_t int18;
	uint32_t int19;
	uint16_t kib;   /* 40:13 */
	uint8_t drives; /* 40:75 */
} __attribute__((packed));

#endif
