/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* What the resident part keeps, and its way to the BIOS that was there before us. */
#include "stage2/int13.h"

struct int13 resident_state;
uint8_t resident_bounce[INT13_BOUNCE_BYTES] __attribute__((section(".bounce"), aligned(4096)));

uint8_t bios_read(uint8_t drive, struct int13_dap *dap)
{
	struct int13_regs r = {.a.h = 0x42, .d.l = drive};

	/* The packet is on our stack, in the one segment that we have. */
	__asm__ volatile("movw %%ds, %0" : "=r"(r.ds));
	r.es = r.ds;
	r.si.x = (uint16_t)(uintptr_t)dap;
	bios_int13(&r);
	/* 11h: the disk corrected an error, the data are good. */
	if (!(r.flags & INT13_CARRY) || r.a.h == 0x11)
		return INT13_OK;
	return r.a.h ? r.a.h : INT13_UNREADABLE;
}
