/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * A machine with three BIOS disks, and what INT 13h should do on it, by the EDD 3.0 specification,
 * Ralf Brown's Interrupt List and what docs/architecture.md promises of mirrors:
 *
 *   80h  a mirror: legs on BIOS disks 80h (from 8 on) and 81h (from 16 on)
 *   81h  the BIOS's 83h, under another number
 *   82h  BIOS disk 82h, of sectors of 4096 bytes
 *   83h  hidden
 */
#ifndef TESTS_FUZZ_INT13_MODEL_H
#define TESTS_FUZZ_INT13_MODEL_H

#include "common/range.h"
#include "stage2/int13.h"
#include "tests/fuzz/fuzz.h"

#define DISKS          3
#define DISK_BYTES     (256u * 1024)
#define MIRROR_SECTORS 300u
#define WIDE_SECTORS   48u /* of 4096 bytes */
#define HEADS          4
#define TRACK          9
#define CYLINDERS      8
#define DRIVES         3
#define BIOS_COUNT     4
#define HIDDEN_TO      4
#define PASS_TARGET    0x83
#define MEMORY         0x110000u
#define BOUNCE_AREA    0x9c000u /* ours, to BOUNCE_END */
#define SCRATCH        0x9c000u
#define BOUNCE         0x9e000u
#define BOUNCE_END     0xa0000u
#define BOUNCE_SECTOR  4096u

static const uint32_t leg_start[2] = {8, 16};

struct machine {
	uint8_t memory[MEMORY];
	uint8_t disk[DISKS][DISK_BYTES];
	unsigned read, wrote; /* disks: a bit each */
};

/* real: what the code under test works on; model: what should be. */
static struct machine real, model;

static struct {
	uint32_t bad_read[DISKS], bad_write[DISKS]; /* LBA + 1; 0: none */
	uint8_t code;                               /* what the BIOS says of them */
	uint32_t most;                              /* sectors at once; 0: as many as there are */
	uint8_t most_code;
	bool no_move;
	bool writable;
} faults;

/* What the model knows of legs. */
static struct {
	bool latched[2]; /* has failed a read */
	bool out[2];     /* has missed a write */
	bool closed;     /* no leg took a write: the mirror is not written any more */
	uint8_t unknown[DISKS][DISK_BYTES / 512]; /* half-written: nobody knows what it holds */
	uint32_t lost_from, lost_to; /* memory whose content a failed call leaves open */
} legs;

static uint64_t disk_sectors(unsigned i)
{
	return i == 2 ? DISK_BYTES / 4096 : DISK_BYTES / 512;
}

static bool is_bad(unsigned disk, uint64_t lba, bool write)
{
	return (write ? faults.bad_write : faults.bad_read)[disk] == lba + 1;
}

/* The BIOS's own answer for the disk that is passed through. */
static void pass_answer(struct int13_regs *r)
{
	uint8_t function = r->a.h;

	r->flags = function & 1 ? INT13_CARRY : 0;
	r->a.x = (uint16_t)(function & 1 ? 0x0100 : 0x00aa);
	r->b.x ^= 0x0f0f;
	if (function == 0x08)
		r->d.x = 0x0304;
	if (function == 0x15) {
		r->flags = 0;
		r->a.h = 3;
		r->c.x = 0x0012;
		r->d.x = 0x3456;
	}
}

static void model_machine(struct input *in)
{
	static const uint8_t codes[] = {0x04, 0x10, 0x20, 0x01, 0x09, 0x80, 0x31, 0xaa};
	uint8_t how = take8(in), more = take8(in);

	memset(&faults, 0, sizeof(faults));
	memset(&legs, 0, sizeof(legs));
	faults.writable = how & 1;
	faults.no_move = (how & 6) == 6;
	faults.code = codes[how >> 3 & 7];
	if (how & 64)
		faults.most = 1 + (more & 31);
	faults.most_code = more & 32 ? 1 : 9;
	for (unsigned i = 0; i < DISKS; i++) {
		uint32_t r = take8(in), w = take8(in);

		/* Somewhere in what is shown of the disk. */
		if (more & 64u)
			faults.bad_read[i] = r ? r + (i < 2 ? leg_start[i] : 0) : 0;
		if (more & 128u)
			faults.bad_write[i] = w ? w + (i < 2 ? leg_start[i] : 0) : 0;
	}
	memset(real.memory, 0x55, sizeof(real.memory));
	real.memory[0x474] = 0x77;
	real.memory[0x475] = DRIVES;
	for (unsigned i = 0; i < DISKS; i++)
		for (uint32_t at = 0; at < DISK_BYTES; at += 512) {
			uint32_t lba = at / 512 - (i < 2 ? leg_start[i] : 0);

			memset(real.disk[i] + at, (int)(lba * 7 + (i == 2)), 512);
			memcpy(real.disk[i] + at, &lba, 4);
		}
	memcpy(&model, &real, sizeof(model));
}

static uint8_t model_get(uint32_t at)
{
	return at < MEMORY ? model.memory[at] : 0;
}

static void model_put(uint32_t at, uint8_t value)
{
	if (at < MEMORY)
		model.memory[at] = value;
}

/* ---- mirrors -----------------------------------------------------------------------------------
 */

/* Can disk i give, or take, these? What it has read by then is asked of it in any case. */
static bool model_disk_can(unsigned i, uint64_t lba, uint32_t n, bool write)
{
	for (uint32_t k = 0; k < n; k++)
		if (is_bad(i, lba + k, write))
			return false;
	return true;
}

static unsigned shift_of(unsigned drive)
{
	return drive == 2 ? 12 : 9;
}

#define BY_SECTOR (DISKS + 2)

/* A leg that has missed no write and can give this sector; 2: none. */
static unsigned model_leg_for(uint64_t lba)
{
	for (unsigned i = 0; i < 2; i++)
		if (!legs.out[i] && model_disk_can(i, lba + leg_start[i], 1, false))
			return i;
	return 2;
}

/* The disk that gives sectors of a drive; BY_SECTOR: each from another; DISKS: none can. */
static unsigned model_read_from(unsigned drive, uint64_t lba, uint32_t n, uint64_t *at)
{
	bool tried[2] = {false, false};

	*at = lba;
	if (n == 0)
		return DISKS + 1;
	if (drive == 2) {
		model.read |= 4;
		return model_disk_can(2, lba, n, false) ? 2 : DISKS;
	}
	for (;;) {
		unsigned best = 2;

		/* In order; those that have failed only when no other is left; never one that is
		 * out. */
		for (unsigned late = 0; late < 2 && best == 2; late++)
			for (unsigned i = 0; i < 2 && best == 2; i++)
				if (!tried[i] && !legs.out[i] && legs.latched[i] == (late == 1))
					best = i;
		/* Nobody has all of it: each sector from whoever has that. */
		for (uint32_t k = 0; best == 2 && k < n; k++)
			if (n == 1 || model_leg_for(lba + k) == 2)
				return DISKS;
		if (best == 2) {
			*at = lba;
			return BY_SECTOR;
		}
		tried[best] = true;
		model.read |= 1u << best;
		*at = lba + leg_start[best];
		if (model_disk_can(best, *at, n, false))
			return best;
		legs.latched[best] = true;
	}
}

static void model_disk_write(unsigned i, uint64_t lba, uint32_t n, unsigned shift, uint32_t from,
			     bool half)
{
	for (uint32_t k = 0; k < n << shift; k++)
		model.disk[i][(lba << shift) + k] = model_get(from + k);
	for (uint64_t at = lba << shift >> 9; at < (lba + n) << shift >> 9; at++)
		legs.unknown[i][at] = half;
}

/* INT 13h's code. from: where the caller has them. */
static uint8_t model_write(unsigned drive, uint64_t lba, uint32_t n, uint32_t from)
{
	unsigned left = 0;

	if (!faults.writable)
		return INT13_WRITE_PROTECTED;
	if (n == 0)
		return INT13_OK;
	if (drive == 2) {
		bool good = model_disk_can(2, lba, n, true);

		model.wrote |= 4;
		model_disk_write(2, lba, n, 12, from, !good);
		return good ? INT13_OK : INT13_WRITE_FAULT;
	}
	if (legs.closed)
		return INT13_WRITE_PROTECTED;
	/* To all legs. One that fails is out, unless nobody is left who could know of it. */
	for (unsigned i = 0; i < 2; i++)
		left += !legs.out[i];
	for (unsigned i = 0; i < 2; i++) {
		if (legs.out[i])
			continue;
		model.wrote |= 1u << i;
		if (model_disk_can(i, lba + leg_start[i], n, true)) {
			model_disk_write(i, lba + leg_start[i], n, 9, from, false);
			continue;
		}
		model_disk_write(i, lba + leg_start[i], n, 9, from, true);
		if (--left > 0) {
			legs.out[i] = true;
			continue;
		}
		legs.closed = true;
		return INT13_WRITE_FAULT;
	}
	return INT13_OK;
}

/* ---- a call
 * -------------------------------------------------------------------------------------- */

struct model_move {
	unsigned drive;
	uint8_t what; /* 2 read, 3 write, 4 verify */
	uint64_t lba; /* in sectors of 1 << shift bytes */
	uint32_t n;
	unsigned shift;
	uint32_t addr;
	bool flat;
};

static bool model_reaches(uint32_t addr, uint32_t bytes)
{
	return !faults.no_move && range_ok(addr, bytes, MEMORY);
}

static void model_load(unsigned disk, uint64_t byte, uint32_t bytes, uint32_t addr)
{
	if (disk == BY_SECTOR) {
		for (; bytes > 0; byte += 512, bytes -= 512, addr += 512) {
			unsigned leg = model_leg_for(byte >> 9);

			model_load(leg, byte + leg_start[leg] * 512u, 512, addr);
		}
		return;
	}
	for (uint32_t k = 0; k < bytes; k++) {
		model_put(addr + k, model.disk[disk][byte + k]);
		if (legs.unknown[disk][(byte + k) / 512] && legs.lost_to == 0) {
			legs.lost_from = addr;
			legs.lost_to = addr + bytes;
		}
	}
}

/* By way of 4096 bytes of our own memory: each piece is a request of its own. */
static uint8_t model_bounced(const struct model_move *m)
{
	unsigned wide = shift_of(m->drive), small = m->shift;
	uint64_t byte = m->lba << small;
	uint32_t left = m->n << small, addr = m->addr;

	while (left > 0) {
		uint32_t skip = (uint32_t)byte & ((1u << wide) - 1), bytes = BOUNCE_SECTOR - skip;
		uint32_t count;
		unsigned disk;
		uint64_t at;
		uint8_t code;

		if (bytes > left)
			bytes = left;
		count = (skip + bytes + (1u << wide) - 1) >> wide;
		if (m->what == 3) {
			if (wide != small)
				return INT13_WRITE_PROTECTED;
			if (!model_reaches(addr, bytes))
				return INT13_BOUNDARY;
			code = model_write(m->drive, byte >> wide, count, addr);
			if (code != INT13_OK)
				return code;
		} else {
			disk = model_read_from(m->drive, byte >> wide, count, &at);
			if (disk == DISKS)
				return INT13_UNREADABLE;
			if (m->what == 2 && !model_reaches(addr, bytes))
				return INT13_BOUNDARY;
			if (m->what == 2)
				model_load(disk, (at << wide) + skip, bytes, addr);
		}
		byte += bytes;
		addr += bytes;
		left -= bytes;
	}
	return INT13_OK;
}

static uint8_t model_transfer(const struct model_move *m)
{
	unsigned wide = shift_of(m->drive), disk;
	uint64_t at;

	if (m->shift == wide &&
	    !range_ok(m->lba, m->n, m->drive == 2 ? WIDE_SECTORS : MIRROR_SECTORS))
		return INT13_BAD_PARAMETER;
	if (m->what > 4)
		return INT13_OK;
	if (m->what == 4 || m->flat || m->shift != wide)
		return model_bounced(m);
	if (!range_ok(m->addr, (uint64_t)m->n << m->shift, 0x100000))
		return INT13_BOUNDARY;
	if (m->what == 3)
		return model_write(m->drive, m->lba, m->n, m->addr);
	disk = model_read_from(m->drive, m->lba, m->n, &at);
	if (disk == DISKS)
		return INT13_UNREADABLE;
	if (m->n > 0)
		model_load(disk, at << wide, m->n << wide, m->addr);
	return INT13_OK;
}

/* What of memory the call moves; false: nothing. */
static bool model_chs(const struct int13_regs *r, unsigned drive, struct model_move *m)
{
	unsigned sector = r->c.l & 63, head = r->d.h, cylinder = r->c.h + ((r->c.l & 0xc0u) << 2);

	*m = (struct model_move){.drive = drive, .what = r->a.h, .shift = 9};
	m->n = r->a.h == 0x0c ? 1 : r->a.l;
	m->addr = r->es * 16u + r->b.x;
	if (m->n < 1 || m->n > 128 || sector < 1 || sector > TRACK || head >= HEADS ||
	    cylinder >= CYLINDERS)
		return false;
	m->lba = (cylinder * HEADS + head) * TRACK + sector - 1;
	return true;
}

static uint32_t model_number(uint16_t segment, uint16_t offset, unsigned bytes)
{
	uint32_t n = 0;

	for (unsigned i = 0; i < bytes; i++)
		n |= (uint32_t)model_get(segment * 16u + (uint16_t)(offset + i)) << 8 * i;
	return n;
}

/* 0: it is to be carried out; else the code, and whether the packet's count is set to 0. */
static uint8_t model_packet(const struct int13_regs *r, unsigned drive, struct model_move *m,
			    bool *counts)
{
	uint16_t at = r->si.x;
	uint32_t size = model_number(r->ds, at, 1);

	*m = (struct model_move){.drive = drive, .what = r->a.h & 15, .shift = shift_of(drive)};
	*counts = false;
	if (size < 16)
		return INT13_BAD_PARAMETER;
	*counts = r->a.h != 0x47;
	m->n = r->a.h == 0x47 ? 1 : model_number(r->ds, (uint16_t)(at + 2), 2);
	m->lba = model_number(r->ds, (uint16_t)(at + 8), 4) |
		 (uint64_t)model_number(r->ds, (uint16_t)(at + 12), 4) << 32;
	m->addr = model_number(r->ds, (uint16_t)(at + 6), 2) * 16 +
		  model_number(r->ds, (uint16_t)(at + 4), 2);
	if (model_number(r->ds, (uint16_t)(at + 4), 4) == 0xffffffff) {
		uint64_t flat = model_number(r->ds, (uint16_t)(at + 16), 4) |
				(uint64_t)model_number(r->ds, (uint16_t)(at + 20), 4) << 32;

		if (size < 24)
			return INT13_BAD_PARAMETER;
		if (flat + ((uint64_t)m->n << m->shift) > 0xffffffffu || flat > 0xffffffffu)
			return INT13_BOUNDARY;
		m->flat = true;
		m->addr = (uint32_t)flat;
	}
	if (r->a.h == 0x43 && r->a.l > 2)
		return INT13_BAD_PARAMETER;
	return 0;
}

static bool is_chs(uint8_t function)
{
	return function == 2 || function == 3 || function == 4 || function == 0x0c;
}

static bool is_packet(uint8_t function)
{
	return (function >= 0x42 && function <= 0x44) || function == 0x47;
}

static bool is_vdisk(const struct int13_regs *r)
{
	return r->d.l == 0x80 || r->d.l == 0x82;
}

/* Does the call move, or have at its packet, memory from..to? */
static bool model_touches(const struct int13_regs *r, uint32_t from, uint32_t to)
{
	uint32_t packet = r->ds * 16u + r->si.x, end = r->ds * 16u;
	struct model_move m;
	bool counts;

	if (!is_vdisk(r))
		return false;
	if (r->a.h >= 0x42 && r->a.h <= 0x48) {
		if (packet < to && packet + 32 > from)
			return true;
		/* Its end may lie at the segment's start. */
		if (r->si.x > 0xffff - 32 && end < to && end + 32 > from)
			return true;
	}
	if (is_chs(r->a.h))
		model_chs(r, r->d.l & 3, &m);
	else if (!is_packet(r->a.h) || model_packet(r, r->d.l & 3, &m, &counts) != 0)
		return false;
	return m.addr < to && m.addr + ((uint64_t)m.n << m.shift) > from;
}

static uint8_t model_parameters(const struct int13_regs *r, unsigned drive)
{
	uint32_t give = model_number(r->ds, r->si.x, 2);
	uint8_t p[30] = {0};

	if (give < 26)
		return INT13_BAD_PARAMETER;
	give = give < 30 ? 26 : 30;
	p[0] = (uint8_t)give;
	p[2] = drive == 2 ? 1 : 3; /* DMA boundaries handled; CHS is valid */
	p[4] = CYLINDERS;
	p[8] = HEADS;
	p[12] = TRACK;
	p[16] = (uint8_t)(drive == 2 ? WIDE_SECTORS : MIRROR_SECTORS);
	p[17] = (uint8_t)((drive == 2 ? WIDE_SECTORS : MIRROR_SECTORS) >> 8);
	p[24] = 0;
	p[25] = drive == 2 ? 16 : 2;
	memset(p + 26, 0xff, 4);
	for (unsigned i = 0; i < give; i++)
		model_put(r->ds * 16u + (uint16_t)(r->si.x + i), p[i]);
	return INT13_OK;
}

/* AH of a vdisk's answer; *quiet: 40:74 stays. */
static uint8_t model_vdisk(struct int13_regs *r, unsigned drive, bool *quiet)
{
	uint32_t sectors = drive == 2 ? WIDE_SECTORS : MIRROR_SECTORS;
	struct model_move m;
	bool counts = false;
	uint8_t code;

	*quiet = false;
	switch (r->a.h) {
	case 0x00:
	case 0x09:
	case 0x0d:
	case 0x10:
	case 0x11:
	case 0x14:
	case 0x45:
	case 0x49: return INT13_OK;
	case 0x01: return model.memory[0x474];
	case 0x08:
		*quiet = true;
		r->c.x = (CYLINDERS - 1) << 8 | TRACK;
		r->d.x = (HEADS - 1) << 8 | DRIVES;
		r->a.l = 0;
		return INT13_OK;
	case 0x15:
		*quiet = true;
		r->c.x = 0;
		r->d.x = (uint16_t)sectors;
		return INT13_OK;
	case 0x41:
		if (r->b.x != 0x55aa)
			return INT13_BAD_PARAMETER;
		*quiet = true;
		r->b.x = 0xaa55;
		r->c.x = 0x000d;
		return INT13_OK;
	case 0x46: return INT13_NOT_REMOVABLE;
	case 0x48:
		code = model_parameters(r, drive);
		*quiet = code == INT13_OK;
		return code;
	case 0x4e:
		return r->a.l == 1 || r->a.l == 3 || r->a.l == 4 || r->a.l == 6
			       ? INT13_OK
			       : INT13_BAD_PARAMETER;
	default: break;
	}
	if (is_chs(r->a.h)) {
		code = model_chs(r, drive, &m) ? model_transfer(&m) : INT13_BAD_PARAMETER;
		if (code != INT13_OK && r->a.h != 0x0c)
			r->a.l = 0;
	} else if (is_packet(r->a.h)) {
		code = model_packet(r, drive, &m, &counts);
		if (code == INT13_OK)
			code = model_transfer(&m);
		if (code == INT13_OK && r->a.h == 0x43 && r->a.l == 2) {
			m.what = 4;
			code = model_transfer(&m);
		}
	} else {
		return INT13_BAD_PARAMETER;
	}
	if (code != INT13_OK && m.what == 2) { /* nobody may believe what a failed read left */
		legs.lost_from = m.addr;
		legs.lost_to = m.addr + (m.n << m.shift);
	}
	if (code != INT13_OK && counts) {
		model_put(r->ds * 16u + (uint16_t)(r->si.x + 2), 0);
		model_put(r->ds * 16u + (uint16_t)(r->si.x + 3), 0);
	}
	return code;
}

static void model_begin(void)
{
	memcpy(model.memory, real.memory, MEMORY);
	model.read = model.wrote = 0;
	legs.lost_from = legs.lost_to = 0;
}

static enum int13_next model_call(struct int13_regs *r)
{
	uint8_t function = r->a.h, number = r->d.l, code;
	bool quiet = false;

	if (number < 0x80 || number >= 0x80 + HIDDEN_TO ||
	    (function >= 0x4a && function <= 0x4d)) /* diskettes, and El Torito */
		return INT13_CHAIN;
	if (number == 0x81) {
		r->d.l = PASS_TARGET;
		pass_answer(r);
		if (!(r->flags & INT13_CARRY) && function == 0x15)
			return INT13_DONE;
		r->d.l = !(r->flags & INT13_CARRY) && function == 0x08 ? DRIVES : number;
		return INT13_DONE;
	}
	code = number == 0x83 ? INT13_BAD_PARAMETER : model_vdisk(r, number & 3u, &quiet);
	r->a.h = code;
	r->flags = code ? INT13_CARRY : 0;
	if (!quiet)
		model.memory[0x474] = code;
	else if (function == 0x15)
		r->a.h = 3;
	else if (function == 0x41)
		r->a.h = 0x30;
	return INT13_DONE;
}

/* The two machines are alike, but for what nobody can know. */
static void model_check(void)
{
	if (legs.lost_to > MEMORY)
		legs.lost_to = MEMORY;
	if (legs.lost_from < legs.lost_to)
		memcpy(model.memory + legs.lost_from, real.memory + legs.lost_from,
		       legs.lost_to - legs.lost_from);
	memcpy(model.memory + BOUNCE_AREA, real.memory + BOUNCE_AREA, BOUNCE_END - BOUNCE_AREA);
	check(memcmp(model.memory, real.memory, MEMORY) == 0);
	check(model.read == real.read && model.wrote == real.wrote);
	for (unsigned i = 0; i < DISKS; i++)
		for (uint32_t at = 0; at < DISK_BYTES; at += 512)
			if (legs.unknown[i][at / 512])
				memcpy(model.disk[i] + at, real.disk[i] + at, 512);
	check(memcmp(model.disk, real.disk, sizeof(model.disk)) == 0);
}

#endif
