/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * Calls of int13_handle(), one after the other, against a model of what they should do that
 * is written from the EDD 3.0 specification and shares nothing with it (int13_model.h): which
 * registers change, which memory, which sectors of which disks, and which disks are read.
 *
 * The input: what is broken about the machine (10 bytes), then calls of 20 bytes.
 */
#include "tests/fuzz/int13_model.h"

#define CALLS_MAX 40

static struct int13 st;
static struct vdisk_tables tables;
static struct disk disks[DISKS];
static struct int13_drive drives[INT13_DRIVES];

/* ---- what the code under test sees of the machine ------------------------------------------ */

static uint32_t linear(uint16_t segment, uint16_t offset)
{
	return ((uint32_t)segment << 4) + offset;
}

void far_read(uint16_t segment, uint16_t offset, void *to, uint16_t n_bytes)
{
	for (uint8_t *p = to; n_bytes > 0; n_bytes--)
		*p++ = real.memory[linear(segment, offset++)];
}

void far_write(uint16_t segment, uint16_t offset, const void *from, uint16_t n_bytes)
{
	for (const uint8_t *p = from; n_bytes > 0; n_bytes--)
		real.memory[linear(segment, offset++)] = *p++;
}

uint8_t bda_get(uint32_t offset)
{
	return real.memory[0x400 + offset];
}

void bda_set(uint32_t offset, uint8_t value)
{
	real.memory[0x400 + offset] = value;
}

bool mem_move(uint32_t to, uint32_t from, uint32_t n_bytes)
{
	check(n_bytes >= 2 && n_bytes <= 0x10000 && (n_bytes & 1) == 0);
	if (faults.no_move || !range_ok(to, n_bytes, MEMORY) || !range_ok(from, n_bytes, MEMORY))
		return false;
	memmove(real.memory + to, real.memory + from, n_bytes);
	return true;
}

void bios_int13(struct int13_regs *r)
{
	check(r->d.l == PASS_TARGET && real.memory[0x475] == BIOS_COUNT);
	pass_answer(r);
}

uint8_t bios_packet(uint8_t function, uint8_t drive, struct int13_dap *dap)
{
	unsigned i = drive - 0x80u, shift = i == 2 ? 12 : 9;
	uint32_t at = linear(le16_get(dap->segment), le16_get(dap->offset));
	uint32_t n = le16_get(dap->count), bytes = n << shift;
	uint64_t lba = le64_get(dap->lba);
	bool write = function == 0x43;

	check(function == 0x42 || write);
	check(i < DISKS && n >= 1 && n <= 127 && dap->size_bytes == 16);
	check(le16_get(dap->offset) + bytes <= 0x10000 && range_ok(at, bytes, 0x100000));
	check(range_ok(lba, n, disk_sectors(i)));
	check(real.memory[0x475] == BIOS_COUNT);
	if (write)
		real.wrote |= 1u << i;
	else
		real.read |= 1u << i;
	if (faults.most && n > faults.most)
		return faults.most_code; /* no sector was moved */
	for (uint32_t k = 0; k < n; k++, lba++, at += 1u << shift) {
		if (is_bad(i, lba, write)) {
			if (!write)
				memset(real.memory + at, 0xee, 1u << shift);
			dap->count = le16_of((uint16_t)k);
			return faults.code;
		}
		if (write)
			memcpy(real.disk[i] + (lba << shift), real.memory + at, 1u << shift);
		else
			memcpy(real.memory + at, real.disk[i] + (lba << shift), 1u << shift);
	}
	return INT13_OK;
}

/* ---- the machine ----------------------------------------------------------------------------- */

static void set_up(void)
{
	struct vdisk_set *set = &st.set;

	memset(&st, 0, sizeof(st));
	memset(&tables, 0, sizeof(tables));
	memset(drives, 0, sizeof(drives));
	set->vdisk = tables.vdisk;
	set->leg = tables.leg;
	set->extent = tables.extent;
	set->mirror = tables.mirror;
	st.disk = disks;
	st.drive = drives;
	for (unsigned i = 0; i < DISKS; i++)
		disks[i] = (struct disk){.read = int13_disk_read,
					 .write = int13_disk_write,
					 .shift = i == 2 ? 12 : 9,
					 .ctx = (void *)(uintptr_t)(0x80 + i),
					 .sectors = disk_sectors(i)};
	set->vdisk_count = 2;
	set->leg_count = 3;
	set->extent_count = 2;
	for (unsigned i = 0; i < 2; i++)
		set->leg[i] = (struct vdisk_leg){
			.disk = (uint8_t)i, .start_lba = leg_start[i], .leg = (uint8_t)i};
	set->leg[2] = (struct vdisk_leg){.disk = 2, .mirror = VDISK_NO_LEG};
	for (unsigned i = 0; i < 2; i++)
		memset(set->extent[i].leg, VDISK_NO_LEG, VDISK_EXTENT_LEGS);
	set->extent[0].sectors = MIRROR_SECTORS;
	set->extent[0].leg[0] = 0;
	set->extent[0].leg[1] = 1;
	set->extent[1].sectors = WIDE_SECTORS;
	set->extent[1].leg[0] = 2;
	set->vdisk[0] = (struct vdisk){.sectors = MIRROR_SECTORS, .extent_count = 1, .shift = 9};
	set->vdisk[1] = (struct vdisk){
		.sectors = WIDE_SECTORS, .first_extent = 1, .extent_count = 1, .shift = 12};
	if (faults.writable) {
		set->scratch = real.memory + SCRATCH;
		set->scratch_buf = (void *)(uintptr_t)SCRATCH;
		set->mirror_count = 1;
		tables.mirror[0] = (struct vdisk_mirror){.sectors = MIRROR_SECTORS,
							 .whole = 2,
							 .served = 2,
							 .leg_count = 2,
							 .leg = {{.leg = 0}, {.leg = 1}}};
	}
	st.drive[0] = (struct int13_drive){.kind = INT13_VDISK,
					   .target = 0,
					   .heads = HEADS,
					   .track_sectors = TRACK,
					   .cylinders = CYLINDERS};
	st.drive[1] = (struct int13_drive){.kind = INT13_PASS, .target = PASS_TARGET};
	st.drive[2] = (struct int13_drive){.kind = INT13_VDISK,
					   .target = 1,
					   .heads = HEADS,
					   .track_sectors = TRACK,
					   .cylinders = CYLINDERS};
	st.drive_count = DRIVES;
	st.bios_count = BIOS_COUNT;
	st.hide_count = HIDDEN_TO;
	st.bounce_addr = BOUNCE;
}

/* ---- a call ---------------------------------------------------------------------------------- */

static void put_packet(struct input *in, const struct int13_regs *r)
{
	static const uint8_t sizes[] = {16, 24, 16, 24, 15, 0, 17, 255};
	struct int13_dap dap = {0};
	uint8_t how = take8(in);
	uint32_t at = linear(r->ds, r->si.x);

	dap.size_bytes = sizes[how & 7];
	dap.count = le16_of((uint16_t)(how & 8 ? take16(in) : take8(in)));
	dap.lba = le64_of(how & 16 ? take64(in) : take16(in));
	dap.segment = le16_of((uint16_t)take16(in));
	dap.offset = le16_of((uint16_t)(how & 32 ? 0xfff0 | take8(in) : take16(in) & 0x3fff));
	if (how & 64) { /* a flat address, above what a segment reaches or not */
		dap.segment = dap.offset = le16_of(0xffff);
		dap.flat = le64_of(how & 128 ? take64(in) : (uint64_t)take16(in) << 8);
	}
	/* Wherever it may lie without being a part of ourselves. */
	if (at + sizeof(dap) <= BOUNCE_AREA && r->si.x <= 0xffff - sizeof(dap))
		memcpy(real.memory + at, &dap, sizeof(dap));
}

static void take_regs(struct input *in, struct int13_regs *r)
{
	static const uint8_t functions[] = {0x02, 0x03, 0x04, 0x08, 0x0c, 0x15, 0x41, 0x42,
					    0x43, 0x44, 0x47, 0x48, 0x42, 0x43, 0x01, 0x00};
	uint8_t how = take8(in), drive = take8(in);

	memset(r, 0, sizeof(*r));
	r->a.e = 0x11110000u | take8(in);
	r->a.h = how & 0x10 ? take8(in) : functions[how & 15];
	r->b.e = 0x22220000u | take16(in);
	r->c.e = 0x33330000u | take16(in);
	r->d.e = 0x44440000u | (uint32_t)(take8(in) % (HEADS + 1)) << 8;
	r->d.l = drive < 224 ? (uint8_t)(0x80 + (drive & 3) % (drive & 4 ? 4 : 1)) : drive;
	r->si.e = 0x55550000u | (how & 0x20 ? 0xffe0u | take8(in) : take16(in) & 0x0fffu);
	r->di.e = 0x66660000u;
	r->bp.e = 0x77770000u;
	r->ds = (uint16_t)(how & 0x40 ? take16(in) : 0x2000);
	r->es = (uint16_t)(how & 0x80 ? take16(in) : 0x3000);
	r->flags = INT13_CARRY;
	if (r->a.h == 0x41 && drive & 8)
		r->b.x = 0x55aa;
	if (r->a.h >= 0x42 && r->a.h <= 0x48)
		put_packet(in, r);
	if (r->a.h == 0x48 && how & 0x20)
		real.memory[linear(r->ds, r->si.x)] = (uint8_t)(20 + (drive >> 4));
}

/* A caller that points into ourselves, or into the vectors, breaks us whatever we do. */
static bool is_suicide(const struct int13_regs *r)
{
	struct int13_regs copy = *r;

	return model_touches(&copy, BOUNCE_AREA, BOUNCE_END) || model_touches(&copy, 0, 0x500);
}

static bool one_call(struct input *in)
{
	struct int13_regs r, want;
	enum int13_next next, want_next;
	char word[16];
	uint8_t function;

	if (in->left < 4)
		return false;
	take_regs(in, &r);
	model_begin();
	if (is_suicide(&r))
		return true;
	want = r;
	function = r.a.h;
	want_next = model_call(&want);
	real.read = real.wrote = 0;
	next = int13_handle(&st, &r);
	check(next == want_next);
	if (next == INT13_CHAIN)
		check(real.read == 0 && real.wrote == 0);
	if (memcmp(&r, &want, sizeof(r)) != 0)
		fprintf(stderr, "AH=%02xh: AX %04x flags %x, should be AX %04x flags %x\n",
			function, r.a.x, r.flags, want.a.x, want.flags);
	check(memcmp(&r, &want, sizeof(r)) == 0);
	model_check();
	snprintf(word, sizeof(word), "%02x:%02x", function, r.a.h);
	say(word);
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct input in = {data, n};

	model_machine(&in);
	set_up();
	for (unsigned i = 0; i < CALLS_MAX && one_call(&in); i++)
		;
	return 0;
}
