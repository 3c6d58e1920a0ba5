/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * INT 13h as we present it. int13_handle() works on a plain register struct and
 * reaches memory and BIOS only through the four functions at the end, so that the
 * same code runs resident in real mode and in a test on the host.
 *
 * Drive numbers are compacted: 80h + i is drive[i], without gaps. A drive is one
 * of our vdisks, or a disk of the BIOS under another number.
 */
#ifndef STAGE2_INT13_H
#define STAGE2_INT13_H

#include "common/vdisk.h"
#include "common/wire.h"

#define INT13_DRIVES       32
#define INT13_DISKS        16 /* physical disks that legs can lie on */
#define INT13_BOUNCE_BYTES 4096

/* What a caller finds in AH; INT13_OK is success. */
enum int13_status {
	INT13_OK = 0x00,
	INT13_BAD_PARAMETER = 0x01, /* also: function not supported */
	INT13_WRITE_PROTECTED = 0x03,
	INT13_BOUNDARY = 0x09,   /* the buffer leaves memory that we can reach */
	INT13_UNREADABLE = 0x10, /* no leg could read it */
	INT13_NOT_REMOVABLE = 0xb2,
};

enum int13_kind {
	INT13_VDISK, /* target: index in the set */
	INT13_PASS,  /* target: the BIOS's number */
};

struct int13_drive {
	uint8_t kind; /* enum int13_kind */
	uint8_t target;
	uint8_t track_sectors; /* CHS geometry as AH=08 gives it; 0: LBA only */
	uint8_t heads;
	uint16_t cylinders; /* at most 1024 */
};

/* Plain data: stage2 fills it in and copies it into the resident part. */
struct int13 {
	struct vdisk_set set;
	struct disk disk[INT13_DISKS]; /* read: int13_disk_read, ctx: the BIOS's number */
	struct int13_drive drive[INT13_DRIVES];
	uint32_t bounce_addr; /* linear, INT13_BOUNCE_BYTES: for verify */
	uint8_t drive_count;
	uint8_t bios_count; /* what the BIOS believes */
};

/* A register by its parts: EAX is a.e, AX a.x, AH a.h, AL a.l. */
union int13_reg {
	uint32_t e;
	uint16_t x;
	struct {
		uint8_t l, h;
	};
};

/* In and out of a call. int13_hook.asm knows the order. */
struct int13_regs {
	union int13_reg a, b, c, d, si, di, bp;
	uint16_t ds, es;
	uint16_t flags; /* out: carry */
	uint16_t pad;
};
_Static_assert(sizeof(struct int13_regs) == 36, "int13_hook.asm pushes 36 bytes");

#define INT13_CARRY 1

/* The disk address packet of AH=42h..44h, 47h (EDD). */
struct int13_dap {
	uint8_t size_bytes; /* 16 or more */
	uint8_t reserved;
	le16 count;
	le16 offset, segment;
	le64 lba;
};
_Static_assert(sizeof(struct int13_dap) == 16, "DAP is 16 bytes");

enum int13_next {
	INT13_DONE,  /* regs hold the answer */
	INT13_CHAIN, /* not ours: go on to the BIOS with everything as it came */
};

enum int13_next int13_handle(struct int13 *st, struct int13_regs *r);

/* struct disk.read of a BIOS disk: buf is a linear address, never dereferenced here. */
enum status int13_disk_read(const struct disk *d, uint64_t lba, uint32_t n, void *buf);

/* ---- what the surroundings give (stage2/resident.c; the test) ---------------------------- */

/* Copy n bytes; the offset wraps at 64 KiB as it does for any real-mode program. */
void far_read(uint16_t segment, uint16_t offset, void *to, uint16_t n_bytes);
void far_write(uint16_t segment, uint16_t offset, const void *from, uint16_t n_bytes);

/* Call the BIOS's INT 13h with these registers; they come back changed. */
void bios_int13(struct int13_regs *r);

/* AH=42h of the BIOS. INT13_OK, or its error code: then no byte of the buffer is to be
 * trusted. */
uint8_t bios_read(uint8_t drive, struct int13_dap *dap);

#endif
