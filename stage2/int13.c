/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * The functions of INT 13h. Numbers and side effects follow the EDD 3.0
 * specification and Ralf Brown's Interrupt List; where firmware differs, the
 * reason for our choice stands beside it.
 */
#include "stage2/int13.h"

#include "common/mem.h"
#include "common/range.h"

#define BDA_SEGMENT 0x40
#define BDA_STATUS  0x74 /* status of the last hard disk operation */
#define BDA_DRIVES  0x75 /* number of hard disks */

#define FIRST_DRIVE    0x80
#define CHS_COUNT_MAX  128
#define MEMORY_END     0x100000u
#define BIOS_COUNT_MAX 127 /* sectors that every EDD BIOS reads at once */
#define TRIES          2

#define EDD_MAGIC        0xaa55
#define EDD_VERSION      0x30
#define EDD_CLAIM        0x0005 /* packet access, drive parameters; no flat addresses */
#define EDD_PARAMS_BYTES 26
#define EDD_DPTE_BYTES   30
#define EDD_DMA_HANDLED  0x0001
#define EDD_CHS_VALID    0x0002
#define EDD_CHS_SECTORS  15482880u /* beyond, EDD says that CHS fields mean nothing */

/*
 * An answer that leaves the last status in 40:74 as it is: 08, 15, 41 and 48 are
 * asked in between and must not hide an earlier error from AH=01.
 */
#define QUIET 0x100

/* AH=48h, as far as we fill it in. */
struct edd_params {
	le16 size_bytes;
	le16 flags;
	le32 cylinders, heads, track_sectors;
	le64 sectors;
	le16 sector_bytes;
	le32 dpte; /* FFFF:FFFF: there is none */
};
_Static_assert(sizeof(struct edd_params) == EDD_DPTE_BYTES, "EDD parameters are 30 bytes");

/* What a call asks to be moved. */
struct transfer {
	uint64_t lba;
	uint32_t count;
	uint32_t addr; /* linear */
};

static uint8_t code_of(enum status st)
{
	/* A table is smaller than the branches; what is not in it can't come from a vdisk. */
	static const uint8_t codes[] = {
		[ST_OK] = INT13_OK,
		[ST_IO] = INT13_UNREADABLE,
		[ST_RANGE] = INT13_BAD_PARAMETER,
		[ST_READONLY] = INT13_WRITE_PROTECTED,
	};

	return codes[st];
}

/* ---- moving sectors --------------------------------------------------------------------- */

/* Not a dead controller, no medium, a timeout: those cost half a minute a time. */
static bool is_worth_a_retry(uint8_t code)
{
	return code != 0x20 && code != 0x31 && code != 0x80;
}

enum status int13_disk_read(const struct disk *d, uint64_t lba, uint32_t n, void *buf)
{
	uint32_t addr = (uint32_t)(uintptr_t)buf;

	if (!range_ok(lba, n, d->sectors))
		return ST_RANGE;
	while (n > 0) {
		/* Up to the next 64 KiB boundary, unless a sector lies across it. */
		uint32_t part = (0x10000 - (addr & 0xffff)) >> d->shift;
		unsigned tries = 0;
		struct int13_dap dap;
		uint8_t code;

		if (part == 0)
			part = 1;
		if (part > BIOS_COUNT_MAX)
			part = BIOS_COUNT_MAX;
		if (part > n)
			part = n;
		do {
			/* Made anew for each try: a failing BIOS writes into it. */
			dap.size_bytes = sizeof(dap);
			dap.reserved = 0;
			dap.count = le16_of((uint16_t)part);
			dap.offset = le16_of((uint16_t)(addr & 15));
			dap.segment = le16_of((uint16_t)(addr >> 4));
			dap.lba = le64_of(lba);
			code = bios_read((uint8_t)(uintptr_t)d->ctx, &dap);
		} while (code != INT13_OK && ++tries < TRIES && is_worth_a_retry(code));
		if (code != INT13_OK)
			return ST_IO;
		lba += part;
		n -= part;
		addr += part << d->shift;
	}
	return ST_OK;
}

static uint8_t read_to(struct int13 *st, unsigned v, const struct transfer *t)
{
	/* count is at most ffffh and a sector 4096 bytes: no overflow. */
	if (t->addr > MEMORY_END || t->count << st->set.vdisk[v].shift > MEMORY_END - t->addr)
		return INT13_BOUNDARY;
	return code_of(
		vdisk_read(&st->set, v, st->disk, t->lba, t->count, (void *)(uintptr_t)t->addr));
}

/* Verify is a real read: firmware that only says yes is of no use to who asks. */
static uint8_t verify(struct int13 *st, unsigned v, const struct transfer *t)
{
	struct transfer part = {t->lba, INT13_BOUNCE_BYTES >> st->set.vdisk[v].shift,
				st->bounce_addr};
	uint32_t left = t->count;
	uint8_t code;

	do {
		if (part.count > left)
			part.count = left;
		code = read_to(st, v, &part);
		part.lba += part.count;
		left -= part.count;
	} while (left > 0 && code == INT13_OK);
	return code;
}

/*
 * The functions of both worlds have the same low digit: 02 and 42 read, and so on.
 * Each checks the range itself.
 */
static uint8_t transfer(struct int13 *st, unsigned v, unsigned function, const struct transfer *t)
{
	uint8_t code;

	switch (function & 0x0f) {
	case 2: return read_to(st, v, t);
	case 4: return verify(st, v, t);
	default: break;
	}
	code = code_of(vdisk_write(&st->set, v, st->disk, t->lba, t->count, NULL));
	/* A seek: as a write it would have been refused, so the range is good. */
	if ((function & 0x0f) != 3 && code == INT13_WRITE_PROTECTED)
		return INT13_OK;
	return code;
}

/* ---- CHS: 02 03 04 08 0C ---------------------------------------------------------------- */

static unsigned chs_access(struct int13 *st, const struct int13_drive *d, struct int13_regs *r)
{
	unsigned function = r->a.h, sector = r->c.l & 0x3f, head = r->d.h;
	unsigned cylinder = r->c.h | (r->c.l & 0xc0u) << 2;
	struct transfer t;
	uint8_t code = INT13_BAD_PARAMETER;

	t.count = function == 0x0c ? 1 : r->a.l;
	t.addr = ((uint32_t)r->es << 4) + r->b.x;
	if (t.count - 1 < CHS_COUNT_MAX && sector - 1 < d->track_sectors && head < d->heads &&
	    cylinder < d->cylinders) {
		t.lba = (cylinder * d->heads + head) * d->track_sectors + sector - 1;
		code = transfer(st, d->target, function, &t);
	}
	/* AL: sectors transferred, which is all of them or nothing. */
	if (code != INT13_OK && function != 0x0c)
		r->a.l = 0;
	return code;
}

static unsigned chs_parameters(const struct int13 *st, const struct int13_drive *d,
			       struct int13_regs *r)
{
	unsigned last = d->cylinders - 1u;

	if (d->track_sectors == 0)
		return INT13_BAD_PARAMETER;
	/* ES:DI is left alone: hard disks have no table there, and callers lose ES to it. */
	r->c.h = (uint8_t)last;
	r->c.l = (uint8_t)((last >> 2 & 0xc0) | d->track_sectors);
	r->d.h = (uint8_t)(d->heads - 1u);
	r->d.l = st->drive_count;
	r->a.l = 0;
	return INT13_OK | QUIET;
}

/* ---- EDD: 42 43 44 47 48 ------------------------------------------------------------------ */

static unsigned edd_access(struct int13 *st, const struct int13_drive *d, struct int13_regs *r)
{
	static const le16 none;
	struct int13_dap dap;
	struct transfer t;
	uint8_t code;

	far_read(r->ds, r->si.x, &dap, sizeof(dap));
	t.lba = le64_get(dap.lba);
	t.count = r->a.h == 0x47 ? 1 : le16_get(dap.count); /* seek: no count */
	t.addr = ((uint32_t)le16_get(dap.segment) << 4) + le16_get(dap.offset);
	/*
	 * FFFF:FFFF says that a 64-bit flat address follows. We do not claim to know it, and
	 * it must not reach the BIOS: there it may be taken for a place in memory.
	 */
	if (dap.size_bytes < sizeof(dap))
		return INT13_BAD_PARAMETER;
	/* AL of a write: 0, 1 write; 2 write and verify. */
	if (t.addr == 0xffff0 + 0xffff || (r->a.h == 0x43 && r->a.l > 2))
		code = INT13_BAD_PARAMETER;
	else
		code = transfer(st, d->target, r->a.h, &t);
	/* On failure the count is what was really transferred: the whole request or nothing. */
	if (code != INT13_OK && r->a.h != 0x47)
		far_write(r->ds, (uint16_t)(r->si.x + 2), &none, sizeof(none));
	return code;
}

static unsigned edd_parameters(const struct int13 *st, const struct int13_drive *d,
			       struct int13_regs *r)
{
	const struct vdisk *vd = &st->set.vdisk[d->target];
	uint16_t give = EDD_PARAMS_BYTES;
	struct edd_params p;

	far_read(r->ds, r->si.x, &p.size_bytes, sizeof(p.size_bytes));
	if (le16_get(p.size_bytes) < EDD_PARAMS_BYTES)
		return INT13_BAD_PARAMETER;
	if (le16_get(p.size_bytes) >= EDD_DPTE_BYTES)
		give = EDD_DPTE_BYTES;

	p.size_bytes = le16_of(give);
	p.flags = le16_of(EDD_DMA_HANDLED);
	if (d->track_sectors != 0 && vd->sectors <= EDD_CHS_SECTORS)
		p.flags = le16_of(EDD_DMA_HANDLED | EDD_CHS_VALID);
	p.cylinders = le32_of(d->cylinders);
	p.heads = le32_of(d->heads);
	p.track_sectors = le32_of(d->track_sectors);
	p.sectors = le64_of(vd->sectors);
	p.sector_bytes = le16_of((uint16_t)(1u << vd->shift));
	p.dpte = le32_of(0xffffffffu);
	far_write(r->ds, r->si.x, &p, give);
	return INT13_OK | QUIET;
}

/* ---- which drive, which function ----------------------------------------------------------- */

/* The answer for AH, with QUIET where 40:74 stays as it is. */
static unsigned vdisk_call(struct int13 *st, const struct int13_drive *d, struct int13_regs *r)
{
	uint32_t sectors;
	uint8_t code;

	switch (r->a.h) {
	case 0x00: /* reset. Not forwarded: no BIOS need hear of it, and legs stay latched off */
	case 0x09: /* drive parameters set */
	case 0x0d: /* reset */
	case 0x10: /* ready? */
	case 0x11: /* recalibrate */
	case 0x14: /* controller diagnostic */
	case 0x45: /* lock, unlock */
	case 0x49: /* medium changed? */ return INT13_OK;
	case 0x01: far_read(BDA_SEGMENT, BDA_STATUS, &code, 1); return code;
	case 0x02:
	case 0x03:
	case 0x04:
	case 0x0c: return chs_access(st, d, r);
	case 0x08: return chs_parameters(st, d, r);
	case 0x15: /* CX:DX says the size, as far as there is room */
		sectors = (uint32_t)min_u64(st->set.vdisk[d->target].sectors, UINT32_MAX);
		r->c.x = (uint16_t)(sectors >> 16);
		r->d.x = (uint16_t)sectors;
		return INT13_OK | QUIET;
	case 0x41:
		if (r->b.x != 0x55aa)
			break;
		r->b.x = EDD_MAGIC;
		r->c.x = EDD_CLAIM;
		return INT13_OK | QUIET;
	case 0x42:
	case 0x43:
	case 0x44:
	case 0x47: return edd_access(st, d, r);
	case 0x46: return INT13_NOT_REMOVABLE;
	case 0x48: return edd_parameters(st, d, r);
	case 0x4e: /* AL: 1 prefetch off; 3 PIO, 4 and 6 DMA mode back to the default */
		if (r->a.l == 1 || r->a.l == 3 || r->a.l == 4 || r->a.l == 6)
			return INT13_OK;
		break;
	default: break;
	}
	return INT13_BAD_PARAMETER;
}

/* A disk of the BIOS under another number. */
static void pass_call(const struct int13 *st, const struct int13_drive *d, struct int13_regs *r)
{
	uint8_t function = r->a.h, drive = r->d.l;

	r->d.l = d->target;
	bios_int13(r);
	if (!(r->flags & INT13_CARRY)) {
		if (function == 0x15 && r->a.h == 0x03)
			return; /* DX is the size */
		if (function == 0x08)
			drive = st->drive_count;
	}
	r->d.l = drive;
}

enum int13_next int13_handle(struct int13 *st, struct int13_regs *r)
{
	uint8_t function = r->a.h;
	unsigned i = (unsigned)r->d.l - FIRST_DRIVE; /* below 80h this is beyond all */
	unsigned code = INT13_BAD_PARAMETER;         /* hidden: as if it were not there */

	/* Diskettes, CD-ROMs beyond the disks, and El Torito are the BIOS's business. */
	if ((i >= st->bios_count && i >= st->drive_count) || (function >= 0x4a && function <= 0x4d))
		return INT13_CHAIN;

	/* Some BIOSes look here before they serve a number; ours are fewer or more than theirs. */
	far_write(BDA_SEGMENT, BDA_DRIVES, &st->bios_count, 1);
	if (i < st->drive_count && st->drive[i].kind == INT13_PASS) {
		pass_call(st, &st->drive[i], r);
	} else {
		if (i < st->drive_count)
			code = vdisk_call(st, &st->drive[i], r);
		r->a.h = (uint8_t)code;
		r->flags = r->a.h != INT13_OK ? INT13_CARRY : 0;
		if (!(code & QUIET))
			far_write(BDA_SEGMENT, BDA_STATUS, &r->a.h, 1);
		/* In these two AH is an answer, no error. */
		if (code == (INT13_OK | QUIET) && function == 0x15)
			r->a.h = 0x03;
		else if (code == (INT13_OK | QUIET) && function == 0x41)
			r->a.h = EDD_VERSION;
	}
	far_write(BDA_SEGMENT, BDA_DRIVES, &st->drive_count, 1);
	return INT13_DONE;
}
