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
#include "common/record.h"

#define BDA_STATUS 0x74 /* status of the last hard disk operation */
#define BDA_DRIVES 0x75 /* number of hard disks */

#define FIRST_DRIVE    0x80
#define CHS_COUNT_MAX  128
#define MEMORY_END     0x100000u
#define BIOS_COUNT_MAX 127 /* sectors that every EDD BIOS reads at once */
#define TRIES          2

#define EDD_MAGIC        0xaa55
#define EDD_VERSION      0x30
#define EDD_CLAIM        0x000d /* packet access, drive parameters, flat addresses */
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

#define FLAT_PACKET (0xffff0u + 0xffffu) /* FFFF:FFFF */

/* What a call asks to be moved. */
struct transfer {
	uint64_t lba;
	uint32_t count;
	uint32_t addr;    /* linear */
	uint8_t function; /* 2 read, 3 write, 4 verify; others: seek */
	uint8_t shift;    /* of what lba and count count: CHS is always in 512 bytes */
	bool flat;        /* addr may lie where the BIOS does not reach */
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

static enum status disk_move(const struct disk *d, uint8_t function, uint64_t lba, uint32_t n,
			     uint32_t addr)
{
	uint32_t max = BIOS_COUNT_MAX;

	/* The range is inside the disk: views are made of members that were held against it. */
	while (n > 0) {
		/* Up to the next 64 KiB boundary, unless a sector lies across it. */
		uint32_t part = (0x10000 - (addr & 0xffff)) >> d->shift;
		unsigned tries = 0;
		struct int13_dap dap;
		uint8_t code;

		if (part == 0)
			part = 1;
		if (part > max)
			part = max;
		if (part > n)
			part = n;
		do {
			/* Made anew for each try: a failing BIOS writes into it. */
			dap.size_bytes = INT13_DAP_BYTES;
			dap.reserved = 0;
			dap.count = le16_of((uint16_t)part);
			dap.offset = le16_of((uint16_t)(addr & 15));
			dap.segment = le16_of((uint16_t)(addr >> 4));
			dap.lba = le64_of(lba);
			code = bios_packet(function, (uint8_t)(uintptr_t)d->ctx, &dap);
		} while (code != INT13_OK && ++tries < TRIES && is_worth_a_retry(code));
		if (code != INT13_OK) {
			/* 01h, 09h: it may be the size that the BIOS refuses. */
			if ((code & 0xf7) != 1 || part == 1)
				return ST_IO;
			max = part >> 1;
			continue;
		}
		lba += part;
		n -= part;
		addr += part << d->shift;
	}
	return ST_OK;
}

enum status int13_disk_read(const struct disk *d, uint64_t lba, uint32_t n, void *buf)
{
	return disk_move(d, 0x42, lba, n, (uint32_t)(uintptr_t)buf);
}

enum status int13_disk_write(const struct disk *d, uint64_t lba, uint32_t n, const void *buf)
{
	return disk_move(d, 0x43, lba, n, (uint32_t)(uintptr_t)buf);
}

static uint8_t move_sectors(struct int13 *st, unsigned v, bool write, uint64_t lba, uint32_t n,
			    uint32_t addr)
{
	void *buf = (void *)(uintptr_t)addr;
	enum status s;

	if (!write)
		return code_of(vdisk_read(&st->set, v, st->disk, lba, n, buf));
	s = vdisk_write(&st->set, v, st->disk, lba, n, buf);
	return s == ST_IO ? INT13_WRITE_FAULT : code_of(s);
}

/*
 * By way of the bounce buffer, as much as it holds at a time: for buffers that the BIOS
 * does not reach, for sectors smaller than the disk's, and for a verify, which is a real
 * read: firmware that only says yes is of no use to who asks.
 */
static uint8_t bounce(struct int13 *st, unsigned v, const struct transfer *t)
{
	unsigned narrow = st->set.vdisk[v].shift - t->shift;
	uint32_t addr = t->addr, left = t->count;
	uint64_t lba = t->lba;
	uint8_t code = INT13_OK;

	while (left > 0 && code == INT13_OK) {
		uint32_t skip = (uint32_t)lba & ((1u << narrow) - 1);
		uint32_t n = (INT13_BOUNCE_BYTES >> t->shift) - skip;
		uint32_t from = st->bounce_addr + (skip << t->shift);
		uint32_t whole;

		if (n > left)
			n = left;
		whole = (skip + n + (1u << narrow) - 1) >> narrow;
		if (t->function == 3) {
			if (narrow)
				return INT13_WRITE_PROTECTED;
			if (!mem_move(from, addr, n << t->shift))
				return INT13_BOUNDARY;
		}
		code = move_sectors(st, v, t->function == 3, lba >> narrow, whole, st->bounce_addr);
		if (code == INT13_OK && t->function == 2 && !mem_move(addr, from, n << t->shift))
			return INT13_BOUNDARY;
		lba += n;
		left -= n;
		addr += n << t->shift;
	}
	return code;
}

static uint8_t transfer(struct int13 *st, unsigned v, const struct transfer *t)
{
	const struct vdisk *vd = &st->set.vdisk[v];

	/* CHS in smaller sectors has been held against the geometry. */
	if (t->shift == vd->shift && !range_ok(t->lba, t->count, vd->sectors))
		return INT13_BAD_PARAMETER;
	if (t->function > 4)
		return INT13_OK;
	if (t->function == 4 || t->flat || t->shift != vd->shift)
		return bounce(st, v, t);
	/* count is at most ffffh and a sector 4096 bytes: no overflow. */
	if (t->addr > MEMORY_END || t->count << t->shift > MEMORY_END - t->addr)
		return INT13_BOUNDARY;
	return move_sectors(st, v, t->function == 3, t->lba, t->count, t->addr);
}

/* ---- CHS: 02 03 04 08 0C ---------------------------------------------------------------- */

static unsigned chs_access(struct int13 *st, const struct int13_drive *d, struct int13_regs *r)
{
	unsigned function = r->a.h, sector = r->c.l & 0x3f, head = r->d.h;
	unsigned cylinder = r->c.h | (r->c.l & 0xc0u) << 2;
	struct transfer t = {.shift = DISK_SHIFT_MIN, .function = (uint8_t)function};
	uint8_t code = INT13_BAD_PARAMETER;

	t.count = function == 0x0c ? 1 : r->a.l;
	t.addr = ((uint32_t)r->es << 4) + r->b.x;
	if (t.count - 1 < CHS_COUNT_MAX && sector - 1 < d->track_sectors && head < d->heads &&
	    cylinder < d->cylinders) {
		t.lba = (cylinder * d->heads + head) * d->track_sectors + sector - 1;
		code = transfer(st, d->target, &t);
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
	uint8_t code = INT13_BAD_PARAMETER;

	far_read(r->ds, r->si.x, &dap, sizeof(dap));
	if (dap.size_bytes < INT13_DAP_BYTES)
		return INT13_BAD_PARAMETER;
	t.lba = le64_get(dap.lba);
	t.count = r->a.h == 0x47 ? 1 : le16_get(dap.count); /* seek: no count */
	t.addr = ((uint32_t)le16_get(dap.segment) << 4) + le16_get(dap.offset);
	t.function = r->a.h & 0x0f;
	t.shift = st->set.vdisk[d->target].shift;
	t.flat = false;
	/* Never handed on: there it may be taken for a place in memory. */
	if (t.addr == FLAT_PACKET) {
		uint64_t flat = le64_get(dap.flat);

		t.addr = (uint32_t)flat;
		t.flat = true;
		if (dap.size_bytes < sizeof(dap))
			goto out;
		/* Memory above 4 GiB is out of reach of any BIOS call. */
		if (flat > UINT32_MAX || t.count << t.shift > UINT32_MAX - t.addr) {
			code = INT13_BOUNDARY;
			goto out;
		}
	}
	/* AL of a write: 0, 1 write; 2 write and verify. */
	if (r->a.h == 0x43 && r->a.l > 2)
		goto out;
	code = transfer(st, d->target, &t);
	if (code == INT13_OK && r->a.h == 0x43 && r->a.l == 2) {
		t.function = 4;
		code = transfer(st, d->target, &t);
	}
out:
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
	if (vd->shift == DISK_SHIFT_MIN && vd->sectors <= EDD_CHS_SECTORS)
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

	switch (r->a.h) {
	case 0x00: /* reset. Not forwarded: no BIOS need hear of it, and legs stay latched off */
	case 0x09: /* drive parameters set */
	case 0x0d: /* reset */
	case 0x10: /* ready? */
	case 0x11: /* recalibrate */
	case 0x14: /* controller diagnostic */
	case 0x45: /* lock, unlock */
	case 0x49: /* medium changed? */ return INT13_OK;
	case 0x01: return bda_get(BDA_STATUS);
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

/* A leg was given up: the next boot, and `mirrorboot status`, are to know. */
static void note_failovers(struct int13 *st)
{
	const struct int13_place *place = st->place;
	void *record = st->set.scratch_buf;

	if (st->set.failovers == st->noted)
		return;
	st->noted = st->set.failovers;
	for (unsigned left = st->place_count; left > 0; left--, place++) {
		const struct disk *d = &st->disk[place->disk];

		if (place->disk != st->set.failed_disk &&
		    d->read(d, place->lba, 1, record) == ST_OK &&
		    record_failover((struct record *)st->set.scratch, st->sequence,
				    (uint8_t)(uintptr_t)st->disk[st->set.failed_disk].ctx -
					    FIRST_DRIVE))
			d->write(d, place->lba, 1, record);
	}
}

enum int13_next int13_handle(struct int13 *st, struct int13_regs *r)
{
	uint8_t function = r->a.h;
	unsigned i = (unsigned)r->d.l - FIRST_DRIVE; /* below 80h this is beyond all */
	unsigned code = INT13_BAD_PARAMETER;         /* hidden: as if it were not there */

	/* Diskettes, CD-ROMs beyond the disks, and El Torito are the BIOS's business. */
	if (i >= st->hide_count || (function >= 0x4a && function <= 0x4d))
		return INT13_CHAIN;

	/* Some BIOSes look here before they serve a number; ours are fewer or more than theirs. */
	bda_set(BDA_DRIVES, st->bios_count);
	if (i < st->drive_count && st->drive[i].kind == INT13_PASS) {
		pass_call(st, &st->drive[i], r);
	} else {
		if (i < st->drive_count)
			code = vdisk_call(st, &st->drive[i], r);
		r->a.h = (uint8_t)code;
		r->flags = r->a.h != INT13_OK ? INT13_CARRY : 0;
		if (!(code & QUIET))
			bda_set(BDA_STATUS, r->a.h);
		/* In these two AH is an answer, no error. */
		if (code == (INT13_OK | QUIET) && function == 0x15)
			r->a.h = 0x03;
		else if (code == (INT13_OK | QUIET) && function == 0x41)
			r->a.h = EDD_VERSION;
	}
	note_failovers(st);
	bda_set(BDA_DRIVES, st->drive_count);
	return INT13_DONE;
}
