/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * What entry.asm gives to the C files of stage2, and the fixed places of low
 * memory; the whole map is in docs/memory-map.md.
 */
#ifndef STAGE2_BIOS_H
#define STAGE2_BIOS_H

#include <stddef.h>
#include <stdint.h>

/* In and out of a BIOS call. entry.asm knows the order. */
struct regs {
	uint32_t eax, ebx, ecx, edx, esi, edi, ebp;
	uint16_t ds, es;
	uint16_t flags; /* out only */
	uint16_t pad;
};
_Static_assert(sizeof(struct regs) == 36, "entry.asm copies nine dwords");

#define FLAG_CARRY 1

/* Run two bytes of machine code in real mode, with these registers and interrupts on. */
void bios_run(uint32_t code, struct regs *r);

/* Call software interrupt n. */
static inline void bios_int(uint32_t n, struct regs *r)
{
	bios_run(0xcd | n << 8, r);
}

/* Rest until the hardware interrupts: the clock at the latest, 18.2 times a second. */
static inline void bios_idle(void)
{
	struct regs r = {0};

	bios_run(0x90f4, &r); /* hlt, nop */
}

/* Real mode, DL = drive, DS:SI and DS:BP = entry (below 64 KiB), jump to 0000:7c00. */
void bios_start(uint32_t drive, uint32_t entry) __attribute__((noreturn));

/* The resident part, as it is linked (entry.asm includes it). */
extern const uint8_t resident_image[], resident_image_end[];

/* Fixed places. The compiler must not see that an address is a small constant. */
#define BOUNCE_ADDR  0x10000u /* sectors on their way to or from the BIOS */
#define BOUNCE_BYTES 0x8000u
#define BOOT_ADDR    0x7c00u /* where boot code expects to be */
#define MOVED_ADDR   0x0600u /* where a disk's moves to before it starts a volume's */
#define BDA_BASE_KIB 0x413u  /* 40:13, base memory in KiB */
#define BDA_SHIFT    0x417u  /* 40:17, keys held: bits 0 and 1 are Shift */
#define BDA_TICKS    0x46cu  /* 40:6C, 18.2 a second */
#define BDA_DRIVES   0x475u  /* 40:75, number of hard disks */

static inline volatile void *low_memory(uint32_t addr)
{
	__asm__("" : "+r"(addr));
	return (volatile void *)addr;
}

static inline uint16_t bda16(uint32_t addr)
{
	return *(volatile uint16_t *)low_memory(addr);
}

static inline uint32_t bda32(uint32_t addr)
{
	return *(volatile uint32_t *)low_memory(addr);
}

static inline uint8_t bda8(uint32_t addr)
{
	return *(volatile uint8_t *)low_memory(addr);
}

/* A flat address below 1 MiB as a segment, with offset addr & 15. */
static inline uint16_t bios_segment(uint32_t addr)
{
	return (uint16_t)(addr >> 4);
}

#endif
