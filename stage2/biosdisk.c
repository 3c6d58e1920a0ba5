/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * BIOSes are not to be believed: counts disagree, AH=41h loses DL, AH=08h loses
 * ES, AH=48h writes more than it was asked for, and a failed read says nothing
 * useful about how much arrived.
 */
#include "stage2/biosdisk.h"

#include "common/mem.h"
#include "common/range.h"
#include "common/wire.h"
#include "stage2/bios.h"

#define BIOS_COUNT_MAX 127 /* sectors that every EDD BIOS reads at once */
#define TRIES          2

/* Errors that another try does not mend: controller, no medium, no answer in time. */
#define ERROR_CONTROLLER 0x20
#define ERROR_NO_MEDIUM  0x31
#define ERROR_TIMEOUT    0x80
#define ERROR_CORRECTED  0x11 /* ECC put it right: the data are good */

struct dap {
	uint8_t size_bytes;
	uint8_t reserved;
	le16 count;
	le16 offset, segment;
	le64 lba;
};
_Static_assert(sizeof(struct dap) == 16, "DAP is 16 bytes");

struct edd_params {
	le16 size_bytes;
	le16 flags;
	le32 cylinders, heads, track_sectors;
	le64 sectors;
	le16 sector_bytes;
	uint8_t beyond[102]; /* for BIOSes that write more than they were asked for */
};
_Static_assert(offsetof(struct edd_params, beyond) == 26, "EDD parameters are 26 bytes");

static uint8_t error_of(const struct regs *r)
{
	uint8_t code = (uint8_t)(r->eax >> 8);

	if (!(r->flags & FLAG_CARRY) || code == ERROR_CORRECTED)
		return 0;
	return code ? code : 0xff;
}

/* AH=42h: DL drive, DS:SI packet (it is on our stack, in segment 0). Out: CF, AH. */
static enum status read_bounce(uint8_t drive, uint64_t lba, uint32_t n)
{
	for (unsigned i = 0; i < TRIES; i++) {
		struct dap dap = {
			.size_bytes = sizeof(dap),
			.count = le16_of((uint16_t)n),
			.segment = le16_of(bios_segment(BOUNCE_ADDR)),
			.lba = le64_of(lba),
		};
		struct regs r = {.eax = 0x4200, .edx = drive, .esi = (uint32_t)&dap};

		bios_int(0x13, &r);
		switch (error_of(&r)) {
		case 0: return ST_OK;
		case ERROR_CONTROLLER:
		case ERROR_NO_MEDIUM:
		case ERROR_TIMEOUT: return ST_IO;
		default: break;
		}
	}
	return ST_IO;
}

static enum status biosdisk_read(const struct disk *d, uint64_t lba, uint32_t n, void *buf)
{
	uint8_t *to = buf;

	if (!range_ok(lba, n, d->sectors))
		return ST_RANGE;
	while (n > 0) {
		uint32_t part = (uint32_t)min_u64(n, BOUNCE_BYTES >> d->shift);
		enum status st;

		part = (uint32_t)min_u64(part, BIOS_COUNT_MAX);
		st = read_bounce((uint8_t)(uintptr_t)d->ctx, lba, part);
		if (st != ST_OK)
			return st;
		memcpy(to, (const void *)low_memory(BOUNCE_ADDR), (size_t)part << d->shift);
		to += part << d->shift;
		lba += part;
		n -= part;
	}
	return ST_OK;
}

/* AH=08h: DL drive, ES:DI 0 (some BIOSes want it). Out: CX, DH geometry, DL count. ES:DI are lost.
 */
static bool drive_parameters(uint8_t drive, struct regs *r)
{
	*r = (struct regs){.eax = 0x0800, .edx = drive};
	bios_int(0x13, r);
	/* A geometry of no sectors is a failure, whatever carry says. */
	return !(r->flags & FLAG_CARRY) && (r->ecx & 0x3f) != 0;
}

/* AH=41h: BX=55AAh, DL drive. Out: CF=0, BX=AA55h, CX bit 0: packet access. DL may be lost. */
static bool has_edd(uint8_t drive)
{
	struct regs r = {.eax = 0x4100, .ebx = 0x55aa, .edx = drive};

	bios_int(0x13, &r);
	return !(r.flags & FLAG_CARRY) && (uint16_t)r.ebx == 0xaa55 && (r.ecx & 1);
}

/* log2 of a sector size; 0: not one that we can use. */
static uint8_t shift_of(uint32_t bytes)
{
	for (uint8_t s = DISK_SHIFT_MIN; s <= DISK_SHIFT_MAX; s++)
		if (bytes == 1u << s)
			return s;
	return 0;
}

/* AH=48h: DL drive, DS:SI buffer. Out: CF, the buffer. */
static void find_size(uint8_t drive, struct disk *d)
{
	struct edd_params p;
	struct regs r = {.eax = 0x4800, .edx = drive, .esi = (uint32_t)&p};

	memset(&p, 0, sizeof(p));
	p.size_bytes = le16_of(offsetof(struct edd_params, beyond));
	bios_int(0x13, &r);
	if (error_of(&r) != 0)
		return;
	d->shift = shift_of(le16_get(p.sector_bytes) ? le16_get(p.sector_bytes) : 512);
	d->sectors = le64_get(p.sectors);
	if (d->sectors == 0) /* seen in the wild: only the geometry is filled in */
		d->sectors = (uint64_t)le32_get(p.cylinders) * le32_get(p.heads) *
			     le32_get(p.track_sectors);
	if (d->shift == 0)
		d->sectors = 0;
}

/* The smaller of two counts that should be equal, but never fewer than the disk that we run from.
 */
static unsigned count_drives(uint8_t boot_drive)
{
	unsigned count = bda8(BDA_DRIVES), least = boot_drive - BIOSDISK_FIRST + 1u;
	struct regs r;

	if (drive_parameters(BIOSDISK_FIRST, &r) && (r.edx & 0xff) < count)
		count = r.edx & 0xff;
	return count < least ? least : count;
}

void biosdisk_find(struct biosdisks *disks, uint8_t boot_drive)
{
	disks->count = (unsigned)min_u64(count_drives(boot_drive), SURVEY_DISKS);
	for (unsigned i = 0; i < disks->count; i++) {
		uint8_t drive = (uint8_t)(BIOSDISK_FIRST + i);
		struct disk *d = &disks->disk[i];
		struct regs r;

		*d = (struct disk){.read = biosdisk_read,
				   .ctx = (void *)(uintptr_t)drive,
				   .shift = DISK_SHIFT_MIN};
		disks->chs[i] = (struct biosdisk_chs){0};
		if (drive_parameters(drive, &r)) {
			disks->chs[i].heads = (uint16_t)((r.edx >> 8 & 0xff) + 1);
			disks->chs[i].track_sectors = (uint8_t)(r.ecx & 0x3f);
		}
		if (has_edd(drive))
			find_size(drive, d);
	}
}

void biosdisk_name(const struct report_names *n, unsigned disk, struct text *out)
{
	(void)n;
	text_hex(out, BIOSDISK_FIRST + disk, 2);
	text_char(out, 'h');
}
