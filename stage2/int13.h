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

#define INT13_DRIVES        32
#define INT13_BOUNCE_BYTES  4096 /* what can't be moved in place comes by here */
#define INT13_SCRATCH_BYTES (VDISK_SCRATCH_SECTORS * 512)

/* What a caller finds in AH; INT13_OK is success. */
enum int13_status {
	INT13_OK = 0x00,
	INT13_BAD_PARAMETER = 0x01, /* also: function not supported */
	INT13_WRITE_PROTECTED = 0x03,
	INT13_BOUNDARY = 0x09,    /* the buffer leaves memory that we can reach */
	INT13_UNREADABLE = 0x10,  /* no leg could read it */
	INT13_WRITE_FAULT = 0xcc, /* no leg took it */
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

#define INT13_PLACES 2

/* A copy of this boot's record (common/record.h), where failovers are noted. */
struct int13_place {
	uint64_t lba;
	uint32_t disk; /* index in disk[] */
};

/* stage2 fills it in; the tables that it points to lie behind it, as long as they need be. */
struct int13 {
	struct vdisk_set set;
	struct disk *disk; /* read: int13_disk_read, ctx: the BIOS's number */
	struct int13_drive *drive;
	uint32_t bounce_addr; /* linear, INT13_BOUNCE_BYTES */
	uint32_t sequence;    /* of the record */
	struct int13_place place[INT13_PLACES];
	uint8_t place_count;
	uint16_t noted; /* failovers that the record knows of */
	uint8_t drive_count;
	uint8_t bios_count; /* what the BIOS believes */
	uint8_t hide_count; /* numbers from 80h on that are ours to answer, or to hide */
};

/* A register by its parts: EAX is a.e, AX a.x, AH a.h, AL a.l. */
union int13_reg {
	uint32_t e;
	uint16_t x;
	struct {
		uint8_t l, h;
	};
};

/* In and out of a call, in the order of PUSHAD: int13_hook.asm relies on it. */
struct int13_regs {
	union int13_reg di, si, bp, sp, b, d, c, a; /* sp: whatever PUSHAD left there */
	uint16_t ds, es;
	uint16_t flags; /* out: carry */
	uint16_t pad;
};
_Static_assert(sizeof(struct int13_regs) == 40, "int13_hook.asm pushes 40 bytes");

#define INT13_CARRY 1

/* The disk address packet of AH=42h..44h, 47h (EDD). */
struct int13_dap {
	uint8_t size_bytes; /* 16 or more */
	uint8_t reserved;
	le16 count;
	le16 offset, segment;
	le64 lba;
	le64 flat; /* the buffer, when segment:offset is FFFF:FFFF; in packets of 24 bytes */
};
#define INT13_DAP_BYTES 16
_Static_assert(sizeof(struct int13_dap) == 24, "DAP is 16 bytes, or 24");

enum int13_next {
	INT13_DONE,  /* regs hold the answer */
	INT13_CHAIN, /* not ours: go on to the BIOS with everything as it came */
};

enum int13_next int13_handle(struct int13 *st, struct int13_regs *r);

/* A BIOS disk's functions: buf is a linear address, never dereferenced here. */
enum status int13_disk_read(const struct disk *d, uint64_t lba, uint32_t n, void *buf);
enum status int13_disk_write(const struct disk *d, uint64_t lba, uint32_t n, const void *buf);

/* ---- what the surroundings give (stage2/resident.c; the test) ---------------------------- */

/* Copy n bytes; the offset wraps at 64 KiB as it does for any real-mode program. */
void far_read(uint16_t segment, uint16_t offset, void *to, uint16_t n_bytes);
void far_write(uint16_t segment, uint16_t offset, const void *from, uint16_t n_bytes);

/* A byte of the BIOS data area, segment 40h. */
uint8_t bda_get(uint32_t offset);
void bda_set(uint32_t offset, uint8_t value);

/* Call the BIOS's INT 13h with these registers; they come back changed. */
void bios_int13(struct int13_regs *r);

/*
 * AH=42h or 43h of the BIOS, with a packet of INT13_DAP_BYTES. INT13_OK, or its error
 * code: then no byte of the buffer is to be trusted.
 */
uint8_t bios_packet(uint8_t function, uint8_t drive, struct int13_dap *dap);

/* Copy between linear addresses anywhere below 4 GiB (INT 15h AH=87h). An even number. */
bool mem_move(uint32_t to, uint32_t from, uint32_t n_bytes);

#endif
