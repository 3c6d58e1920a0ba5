/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * int13_handle() against its contract: a row a case. The machine has 1 MiB of
 * memory, four BIOS disks, and these drives:
 *
 *   80h  a mirror of 40000 sectors, legs on BIOS disks 80h (from 100) and 81h (from 200)
 *   81h  BIOS disk 82h, passed through
 *   82h  BIOS disk 83h, 4096 bytes a sector, as a vdisk
 *   83h  hidden (the BIOS has four disks, three are presented)
 *
 * 80h and 82h are write-protected but in rows that say "writable".
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "common/record.h"
#include "stage2/int13.h"

#define SECTORS     40000u
#define DISK_LIMIT  60000u
#define SECTORS_4K  5000u
#define DAP_SEGMENT 0x2000
#define DAP_OFFSET  0x0100
#define BUFFER      0x30000u
#define BOUNCE      0x9e000u
#define SCRATCH     0x9d000u
#define RECORD_LBA  40u
#define HIGH        0x100800u /* above what a segment reaches */
#define MARK        0x77      /* in 40:74 before each call */

/* ---- the machine --------------------------------------------------------------------------- */

static uint8_t memory[0x110000];
static struct int13 st;
static struct vdisk_tables tables;
static struct disk disks[4];
static struct int13_drive drives[INT13_DRIVES];

/* What was written, the last write last. */
static struct {
	unsigned disk;
	uint64_t lba;
	uint8_t bytes[512];
} written[256];
static unsigned written_count;
static uint32_t bad_write[4];           /* as bad_lba */
static bool no_move;                    /* INT 15h AH=87h fails */
static struct int13_regs regs, bios_in; /* bios_in: what the BIOS was called with */
static unsigned bios_calls, bios_reads, largest_read, crossings, count_seen;
static uint32_t bad_lba[4]; /* a sector that each disk can't read; 0: none */
static bool lying_count;    /* a failing BIOS claims that it transferred something */
static struct int13_regs bios_answer;

static uint32_t linear(uint16_t segment, uint16_t offset)
{
	return ((uint32_t)segment << 4) + offset;
}

void far_read(uint16_t segment, uint16_t offset, void *to, uint16_t n_bytes)
{
	for (uint8_t *p = to; n_bytes > 0; n_bytes--)
		*p++ = memory[linear(segment, offset++)];
}

void far_write(uint16_t segment, uint16_t offset, const void *from, uint16_t n_bytes)
{
	for (const uint8_t *p = from; n_bytes > 0; n_bytes--)
		memory[linear(segment, offset++)] = *p++;
}

uint8_t bda_get(uint32_t offset)
{
	return memory[0x400 + offset];
}

void bda_set(uint32_t offset, uint8_t value)
{
	memory[0x400 + offset] = value;
}

bool mem_move(uint32_t to, uint32_t from, uint32_t n_bytes)
{
	assert_int_equal(n_bytes & 1, 0);
	assert_in_range(n_bytes, 2, 0x10000);
	assert_in_range(to, 0, sizeof(memory) - n_bytes);
	assert_in_range(from, 0, sizeof(memory) - n_bytes);
	if (no_move)
		return false;
	memmove(&memory[to], &memory[from], n_bytes);
	return true;
}

void bios_int13(struct int13_regs *r)
{
	bios_calls++;
	bios_in = *r;
	count_seen = memory[0x475];
	*r = bios_answer;
}

/* What every sector of the mirror and of the 4Kn disk holds. */
static uint8_t content(uint64_t lba, unsigned byte)
{
	return (uint8_t)(lba * 7 + byte / 3 + (lba >> 8));
}

static uint8_t bad_code; /* what the BIOS says of a bad sector */

static const uint32_t leg_start[4] = {100, 200, 0, 0};

static uint8_t disk_byte(unsigned i, uint64_t lba, unsigned b)
{
	for (unsigned k = written_count; k-- > 0;)
		if (written[k].disk == i && written[k].lba == lba)
			return written[k].bytes[b];
	return content(lba - leg_start[i], b);
}

uint8_t bios_packet(uint8_t function, uint8_t drive, struct int13_dap *dap)
{
	unsigned i = drive - 0x80u, bytes = i == 3 ? 4096 : 512;
	uint32_t at = linear(le16_get(dap->segment), le16_get(dap->offset));
	uint32_t n = le16_get(dap->count);
	uint64_t lba = le64_get(dap->lba);

	if (function == 0x42)
		bios_reads++;
	else
		assert_int_equal(function, 0x43);
	count_seen = memory[0x475];
	assert_in_range(i, 0, 3);
	assert_in_range(n, 1, 127);
	assert_int_equal(dap->size_bytes, 16);
	assert_true(le16_get(dap->offset) + n * bytes <= 0x10000); /* the segment does not wrap */
	if (n > largest_read)
		largest_read = n;
	if (n > 1 && at >> 16 != (at + n * bytes - 1) >> 16)
		crossings++;
	for (uint32_t k = 0; k < n; k++, lba++) {
		const uint32_t *bad = function == 0x42 ? bad_lba : bad_write;

		if (bad[i] && lba == bad[i]) {
			if (function == 0x42)
				memset(&memory[at], 0xee, bytes);
			dap->count = le16_of((uint16_t)(lying_count ? n : k));
			return bad_code;
		}
		if (function == 0x43) {
			assert_int_equal(bytes, 512);
			assert_true(written_count < 256);
			written[written_count].disk = i;
			written[written_count].lba = lba;
			memcpy(written[written_count++].bytes, &memory[at], 512);
			at += 512;
			continue;
		}
		for (unsigned b = 0; b < bytes; b++)
			memory[at++] = disk_byte(i, lba, b);
	}
	return INT13_OK;
}

/* Both legs are written, without marks: those are tests/unit/test_vdisk_write.c's. */
static void make_writable(void)
{
	st.set.scratch = &memory[SCRATCH];
	st.set.scratch_buf = (void *)(uintptr_t)SCRATCH;
	st.set.mirror_count = 1;
	tables.mirror[0] = (struct vdisk_mirror){.sectors = SECTORS,
						 .whole = 2,
						 .served = 2,
						 .leg_count = 2,
						 .leg = {{.leg = 0}, {.leg = 1}}};
}

static int reset_machine(void **state)
{
	struct vdisk_set *set = &st.set;

	(void)state;
	memset(memory, 0, sizeof(memory));
	memset(&st, 0, sizeof(st));
	memset(&tables, 0, sizeof(tables));
	memset(drives, 0, sizeof(drives));
	memset(&regs, 0, sizeof(regs));
	memset(bad_lba, 0, sizeof(bad_lba));
	memset(bad_write, 0, sizeof(bad_write));
	written_count = 0;
	no_move = false;
	set->vdisk = tables.vdisk;
	set->leg = tables.leg;
	set->extent = tables.extent;
	set->mirror = tables.mirror;
	st.disk = disks;
	st.drive = drives;
	memset(&bios_answer, 0, sizeof(bios_answer));
	bad_code = 0x04;
	bios_calls = bios_reads = largest_read = crossings = 0;
	lying_count = false;

	for (unsigned i = 0; i < 4; i++)
		st.disk[i] = (struct disk){.read = int13_disk_read,
					   .write = int13_disk_write,
					   .shift = i == 3 ? 12 : 9,
					   .ctx = (void *)(uintptr_t)(0x80 + i),
					   .sectors = i == 3 ? SECTORS_4K : DISK_LIMIT};
	set->vdisk_count = 2;
	set->leg_count = 3;
	set->extent_count = 2;
	set->leg[0] = (struct vdisk_leg){.disk = 0, .start_lba = 100};
	set->leg[1] = (struct vdisk_leg){.disk = 1, .start_lba = 200, .leg = 1};
	set->leg[2] = (struct vdisk_leg){.disk = 3, .mirror = VDISK_NO_LEG};
	memset(set->extent[0].leg, VDISK_NO_LEG, VDISK_EXTENT_LEGS);
	set->extent[1] = set->extent[0];
	set->extent[0].sectors = SECTORS;
	set->extent[0].leg[0] = 0;
	set->extent[0].leg[1] = 1;
	set->extent[1].sectors = SECTORS_4K;
	set->extent[1].leg[0] = 2;
	set->vdisk[0] = (struct vdisk){.sectors = SECTORS, .extent_count = 1, .shift = 9};
	set->vdisk[1] = (struct vdisk){
		.sectors = SECTORS_4K, .first_extent = 1, .extent_count = 1, .shift = 12};

	st.drive[0] = (struct int13_drive){.kind = INT13_VDISK,
					   .target = 0,
					   .heads = 16,
					   .track_sectors = 32,
					   .cylinders = 78};
	st.drive[1] = (struct int13_drive){.kind = INT13_PASS, .target = 0x82};
	st.drive[2] = st.drive[0]; /* as many sectors of 512 bytes */
	st.drive[2].target = 1;
	st.drive_count = 3;
	st.bios_count = 4;
	st.hide_count = 4;
	st.bounce_addr = BOUNCE;
	memory[0x474] = MARK;
	memory[0x475] = 9; /* somebody has changed it */
	return 0;
}

/* ---- the contract: a row a case ------------------------------------------------------------ */

#define DAP(n, seg, off, sector) .dap = {.size_bytes = 16, PACKET(n, seg, off, sector)}
#define FLAT(n, addr, sector)                                                                      \
	.dap = {.size_bytes = 24,                                                                  \
		PACKET(n, 0xffff, 0xffff, sector),                                                 \
		.flat = {{(addr)&0xff, (addr) >> 8 & 0xff, (addr) >> 16 & 0xff,                    \
			  (addr) >> 24 & 0xff, (uint64_t)(addr) >> 32 & 0xff}}}
#define PACKET(n, seg, off, sector)                                                                \
	.count = {{(n)&0xff, (n) >> 8}}, .offset = {{(off)&0xff, (off) >> 8}},                     \
	.segment = {{(seg)&0xff, (seg) >> 8}},                                                     \
	.lba = {{(sector)&0xff, (sector) >> 8 & 0xff, (sector) >> 16 & 0xff,                       \
		 (sector) >> 24 & 0xff, (sector) >> 32 & 0xff}}

struct row {
	const char *name;
	uint16_t ax, bx, cx, dx;
	struct int13_dap dap;
	uint32_t bad[4]; /* see bad_lba */
	uint8_t ah;      /* expected; carry is set for all but 0, unless fine is */
	bool fine;       /* AH is an answer, no error */
	bool chain;      /* goes on to the BIOS untouched */
	bool quiet;      /* 40:74 is not touched */
	bool writable;
	uint64_t data_lba;   /* content expected at BUFFER from this sector, ... */
	uint16_t data_count; /* ... so many sectors */
	void (*check)(void);
};

static void al_is_0(void)
{
	assert_int_equal(regs.a.l, 0);
}

static void al_is_2(void)
{
	assert_int_equal(regs.a.l, 2);
}

static void is_last_status(void)
{
	assert_int_equal(regs.a.h, MARK);
}

static void count_is_0(void)
{
	assert_int_equal(memory[linear(DAP_SEGMENT, DAP_OFFSET) + 2], 0);
	assert_int_equal(memory[linear(DAP_SEGMENT, DAP_OFFSET) + 3], 0);
}

static void count_stays(void)
{
	assert_int_equal(memory[linear(DAP_SEGMENT, DAP_OFFSET) + 2], 7);
}

static void nothing_read(void)
{
	assert_int_equal(bios_reads, 0);
}

static void read_by_two_legs(void)
{
	assert_int_equal(st.set.leg[0].latched, 1);
	assert_int_equal(st.set.leg[1].latched, 0);
	assert_int_equal(st.set.failovers, 1);
}

static void buffer_untouched(void)
{
	assert_int_equal(memory[BUFFER], 0);
	assert_true(bios_reads > 0); /* verify does read */
}

static void split_at_127(void)
{
	assert_int_equal(largest_read, 127);
	assert_int_equal(crossings, 0);
	assert_true(bios_reads >= 3);
}

static void geometry(void)
{
	assert_int_equal(regs.c.x, 77 << 8 | 32); /* last cylinder 77, 32 sectors */
	assert_int_equal(regs.d.h, 15);
	assert_int_equal(regs.d.l, 3);
	assert_int_equal(regs.es, 0x1234);
	assert_int_equal(regs.di.e, 0x87654321);
}

static void size_in_cx_dx(void)
{
	assert_int_equal((uint32_t)regs.c.x << 16 | regs.d.x, SECTORS);
}

static void edd_claim(void)
{
	assert_int_equal(regs.b.x, 0xaa55);
	assert_int_equal(regs.c.x, 0x000d);
	assert_int_equal(regs.d.x, 0x5580); /* DH and DL as they came */
}

/* The caller's buffer went to both legs from sector 5 of the mirror on, n sectors. */
static void written_to_both(unsigned n)
{
	assert_int_equal(written_count, 2 * n);
	for (unsigned i = 0; i < 2; i++)
		for (unsigned k = 0; k < n; k++)
			for (unsigned b = 0; b < 512; b++)
				assert_int_equal(disk_byte(i, leg_start[i] + 5 + k, b),
						 0x40 + (k * 512 + b) % 191);
}

static void wrote_2(void)
{
	written_to_both(2);
}

static void wrote_20(void)
{
	written_to_both(20);
}

static void wrote_2_and_read(void)
{
	written_to_both(2);
	assert_true(bios_reads > 0);
}

static void nothing_written(void)
{
	assert_int_equal(written_count, 0);
}

static void high_memory(void)
{
	for (unsigned i = 0; i < 20 * 512; i++)
		assert_int_equal(memory[HIGH + i], content(777 + i / 512, i % 512));
	assert_int_equal(memory[HIGH - 1], 0);
	assert_int_equal(memory[HIGH + 20 * 512], 0);
}

/* Twelve sectors of 512 from the 13th on: the second sector of 4096 in part, the third whole. */
static void narrow(void)
{
	for (unsigned i = 0; i < 12 * 512; i++)
		assert_int_equal(memory[BUFFER + i],
				 content((13 + i / 512) / 8, (13 + i / 512) % 8 * 512 + i % 512));
	assert_int_equal(memory[BUFFER + 12 * 512], 0);
}

static void geometry_narrow(void)
{
	assert_int_equal(regs.c.x, 77 << 8 | 32);
	assert_int_equal(regs.d.l, 3);
}

static uint64_t param(unsigned offset, unsigned n)
{
	uint64_t v = 0;

	while (n-- > 0)
		v = v << 8 | memory[linear(DAP_SEGMENT, DAP_OFFSET) + offset + n];
	return v;
}

static void parameters_26(void)
{
	assert_int_equal(param(0, 2), 26);
	assert_int_equal(param(2, 2), 3); /* DMA handled, CHS valid */
	assert_int_equal(param(4, 4), 78);
	assert_int_equal(param(8, 4), 16);
	assert_int_equal(param(12, 4), 32);
	assert_int_equal(param(16, 8), SECTORS);
	assert_int_equal(param(24, 2), 512);
	assert_int_equal(param(26, 4), 0); /* beyond what was asked for */
}

static void parameters_30(void)
{
	assert_int_equal(param(0, 2), 30);
	assert_int_equal(param(26, 4), 0xffffffff);
	assert_int_equal(param(30, 4), 0);
}

static void parameters_4k(void)
{
	assert_int_equal(param(2, 2), 1); /* no CHS */
	assert_int_equal(param(16, 8), SECTORS_4K);
	assert_int_equal(param(24, 2), 4096);
}

#define PARAMS(n) .dap = {.size_bytes = (n)}

/* clang-format off: a row a line reads better */
static const struct row rows[] = {
	{"00 reset succeeds and is not forwarded", 0x0000, .dx = 0x80, .check = nothing_read},
	{"0D reset succeeds", 0x0d00, .dx = 0x80},
	{"01 gives the last status", 0x0100, .dx = 0x80, .ah = MARK, .quiet = true,
	 .check = is_last_status},
	{"02 reads", 0x0202, 0x0000, 0x0001, 0x0080, .data_lba = 0, .data_count = 2,
	 .check = al_is_2},
	{"02 counts heads and cylinders", 0x0201, 0, 0x0305, 0x0280,
	 .data_lba = (3 * 16 + 2) * 32 + 4, .data_count = 1},
	{"02 reads 128 sectors", 0x0280, 0, 0x0001, 0x0080, .data_lba = 0, .data_count = 128},
	{"02 refuses 129 sectors", 0x0281, 0, 0x0001, 0x0080, .ah = 1, .check = al_is_0},
	{"02 refuses 0 sectors", 0x0200, 0, 0x0001, 0x0080, .ah = 1, .check = nothing_read},
	{"02 refuses sector 0", 0x0201, 0, 0x0000, 0x0080, .ah = 1, .check = al_is_0},
	{"02 refuses sector 33 of 32", 0x0201, 0, 0x0021, 0x0080, .ah = 1, .check = nothing_read},
	{"02 refuses head 16 of 16", 0x0201, 0, 0x0001, 0x1080, .ah = 1, .check = nothing_read},
	{"02 refuses cylinder 78 of 78", 0x0201, 0, 0x4e01, 0x0080, .ah = 1, .check = nothing_read},
	{"02 uses the high cylinder bits", 0x0201, 0, 0x0041, 0x0080, .ah = 1,
	 .check = nothing_read},
	{"02 fails over in the middle", 0x0208, 0, 0x0001, 0x0080, .bad = {103}, .data_lba = 0,
	 .data_count = 8, .check = read_by_two_legs},
	{"02 fails when no leg is left", 0x0208, 0, 0x0001, 0x0080, .bad = {103, 203}, .ah = 0x10,
	 .check = al_is_0},
	{"03 writes to both legs", 0x0302, 0, 0x0006, 0x0080, .writable = true, .check = wrote_2},
	{"03 is write-protected", 0x0301, 0, 0x0001, 0x0080, .ah = 3, .check = al_is_0},
	{"03 checks the range first", 0x0301, 0, 0x4e01, 0x0080, .ah = 1},
	{"04 verifies by reading", 0x0402, 0, 0x0001, 0x0080, .check = buffer_untouched},
	{"04 finds what no leg can read", 0x0408, 0, 0x0001, 0x0080, .bad = {103, 203}, .ah = 0x10},
	{"05 is not known", 0x0501, .dx = 0x80, .ah = 1},
	{"06 is not known", 0x0601, .dx = 0x80, .ah = 1},
	{"07 is not known", 0x0701, .dx = 0x80, .ah = 1},
	{"08 gives geometry and count", 0x0800, .dx = 0x80, .quiet = true, .check = geometry},
	{"09 succeeds", 0x0900, .dx = 0x80},
	{"0C seeks", 0x0c00, .cx = 0x4d01, .dx = 0x0080},
	{"0C checks the range", 0x0c00, 0, 0x4e01, 0x0080, .ah = 1},
	{"10 succeeds", 0x1000, .dx = 0x80},
	{"11 succeeds", 0x1100, .dx = 0x80},
	{"14 succeeds", 0x1400, .dx = 0x80},
	{"15 says hard disk and size", 0x1500, .dx = 0x80, .ah = 3, .fine = true, .quiet = true,
	 .check = size_in_cx_dx},
	{"16 is not known", 0x1600, .dx = 0x80, .ah = 1},
	{"17 is not known", 0x1700, .dx = 0x80, .ah = 1},
	{"41 claims EDD 3.0 with flat addresses", 0x4100, 0x55aa, 0xffff, 0x5580, .ah = 0x30,
	 .fine = true, .quiet = true, .check = edd_claim},
	{"41 wants its magic", 0x4100, 0x55ab, .dx = 0x80, .ah = 1},
	{"42 reads", 0x4200, .dx = 0x80, DAP(5, 0x3000, 0, 777ull), .data_lba = 777,
	 .data_count = 5},
	{"42 reads the last sector", 0x4200, .dx = 0x80, DAP(1, 0x3000, 0, 39999ull),
	 .data_lba = 39999, .data_count = 1},
	{"42 reads nothing", 0x4200, .dx = 0x80, DAP(0, 0x3000, 0, 777ull), .check = nothing_read},
	{"42 splits what a BIOS can't", 0x4200, .dx = 0x80, DAP(300, 0x3000, 0, 1000ull),
	 .data_lba = 1000, .data_count = 300, .check = split_at_127},
	{"42 reads with an odd segment", 0x4200, .dx = 0x80, DAP(300, 0x2fff, 0x10, 1000ull),
	 .data_lba = 1000, .data_count = 300},
	{"42 checks start and count", 0x4200, .dx = 0x80, DAP(2, 0x3000, 0, 39999ull), .ah = 1,
	 .check = count_is_0},
	{"42 can't be fooled by wrapping", 0x4200, .dx = 0x80, DAP(2, 0x3000, 0, 0xffffffffffull),
	 .ah = 1, .check = nothing_read},
	{"42 fails over", 0x4200, .dx = 0x80, DAP(64, 0x3000, 0, 100ull), .bad = {210},
	 .data_lba = 100, .data_count = 64, .check = read_by_two_legs},
	{"42 fails with count 0", 0x4200, .dx = 0x80, DAP(64, 0x3000, 0, 100ull), .bad = {210, 310},
	 .ah = 0x10, .check = count_is_0},
	{"42 wants 16 bytes of packet", 0x4200, .dx = 0x80,
	 .dap = {.size_bytes = 15, .count = {{1, 0}}, .segment = {{0, 0x30}}}, .ah = 1,
	 .check = nothing_read},
	{"42 wants 24 bytes for a flat address", 0x4200, .dx = 0x80, DAP(1, 0xffff, 0xffff, 5ull),
	 .ah = 1, .check = nothing_read},
	{"42 reads to a flat address", 0x4200, .dx = 0x80, FLAT(5, BUFFER, 777ull), .data_lba = 777,
	 .data_count = 5},
	{"42 reads to high memory", 0x4200, .dx = 0x80, FLAT(20, HIGH, 777ull),
	 .check = high_memory},
	{"42 refuses what lies beyond 4 GiB", 0x4200, .dx = 0x80, FLAT(1, 0x100000000ull, 5ull),
	 .ah = 9, .check = nothing_read},
	{"42 refuses what ends beyond 4 GiB", 0x4200, .dx = 0x80, FLAT(2, 0xfffffe00ull, 5ull),
	 .ah = 9, .check = nothing_read},
	{"42 checks the range of flat ones too", 0x4200, .dx = 0x80, FLAT(2, BUFFER, 39999ull),
	 .ah = 1, .check = count_is_0},
	{"42 does not leave memory", 0x4200, .dx = 0x80, DAP(2, 0xffe0, 0, 5ull), .ah = 9,
	 .check = nothing_read},
	{"42 does not start beyond memory", 0x4200, .dx = 0x80, DAP(2, 0xfff0, 0x8000, 5ull),
	 .ah = 9, .check = nothing_read},
	{"43 writes to both legs", 0x4300, .dx = 0x80, DAP(2, 0x3000, 0, 5ull), .writable = true,
	 .check = wrote_2},
	{"43 writes from a flat address", 0x4301, .dx = 0x80, FLAT(20, BUFFER, 5ull),
	 .writable = true, .check = wrote_20},
	{"43 verifies by reading", 0x4302, .dx = 0x80, DAP(2, 0x3000, 0, 5ull), .writable = true,
	 .check = wrote_2_and_read},
	{"43 checks the range before it writes", 0x4300, .dx = 0x80, DAP(2, 0x3000, 0, 39999ull),
	 .writable = true, .ah = 1, .check = nothing_written},
	{"43 is write-protected", 0x4300, .dx = 0x80, DAP(1, 0x3000, 0, 5ull), .ah = 3,
	 .check = count_is_0},
	{"43 with verify is write-protected", 0x4302, .dx = 0x80, DAP(1, 0x3000, 0, 5ull), .ah = 3},
	{"43 AL is 0, 1 or 2", 0x4303, .dx = 0x80, DAP(1, 0x3000, 0, 5ull), .ah = 1},
	{"43 checks the range first", 0x4300, .dx = 0x80, DAP(1, 0x3000, 0, 40000ull), .ah = 1},
	{"44 verifies by reading", 0x4400, .dx = 0x80, DAP(100, 0x3000, 0, 5ull),
	 .check = buffer_untouched},
	{"44 finds what no leg can read", 0x4400, .dx = 0x80, DAP(100, 0x3000, 0, 5ull),
	 .bad = {190, 290}, .ah = 0x10, .check = count_is_0},
	{"44 checks the range", 0x4400, .dx = 0x80, DAP(2, 0x3000, 0, 39999ull), .ah = 1},
	{"45 succeeds", 0x4500, .dx = 0x80},
	{"46 can't eject", 0x4600, .dx = 0x80, .ah = 0xb2},
	{"47 seeks", 0x4700, .dx = 0x80, DAP(0, 0, 0, 39999ull)},
	{"47 checks the range", 0x4700, .dx = 0x80, DAP(7, 0, 0, 40000ull), .ah = 1,
	 .check = count_stays},
	{"47 checks the range, whatever the count", 0x4700, .dx = 0x80, DAP(0, 0, 0, 40000ull),
	 .ah = 1},
	{"48 gives 26 bytes", 0x4800, .dx = 0x80, PARAMS(26), .quiet = true,
	 .check = parameters_26},
	{"48 gives 26 for 29", 0x4800, .dx = 0x80, PARAMS(29), .quiet = true,
	 .check = parameters_26},
	{"48 gives 30 for 30", 0x4800, .dx = 0x80, PARAMS(30), .quiet = true,
	 .check = parameters_30},
	{"48 gives 30 for 74", 0x4800, .dx = 0x80, PARAMS(74), .quiet = true,
	 .check = parameters_30},
	{"48 wants 26 bytes", 0x4800, .dx = 0x80, PARAMS(25), .ah = 1},
	{"49 succeeds", 0x4900, .dx = 0x80},
	{"4A goes to the BIOS", 0x4a00, .dx = 0x80, .chain = true},
	{"4B goes to the BIOS", 0x4b01, .dx = 0x80, .chain = true},
	{"4D goes to the BIOS", 0x4d00, .dx = 0x83, .chain = true},
	{"4E knows 03", 0x4e03, .dx = 0x80},
	{"4E does not know 05", 0x4e05, .dx = 0x80, .ah = 1},
	{"FF is not known", 0xff00, .dx = 0x80, .ah = 1},
	{"diskettes go to the BIOS", 0x0201, .cx = 1, .dx = 0x00, .chain = true},
	{"CD-ROMs beyond the disks go to the BIOS", 0x4200, .dx = 0xe0, .chain = true},
	{"a hidden number is absent to 41", 0x4100, 0x55aa, .dx = 0x83, .ah = 1},
	{"a hidden number is absent to 48", 0x4800, .dx = 0x83, PARAMS(30), .ah = 1},
	{"a hidden number is absent to 02", 0x0201, .cx = 1, .dx = 0x83, .ah = 1,
	 .check = nothing_read},
	{"a hidden number is absent to 08", 0x0800, .dx = 0x83, .ah = 1},
	{"4Kn: 42 reads native sectors", 0x4200, .dx = 0x82, DAP(20, 0x3000, 0, 77ull)},
	{"4Kn: 48 says 4096", 0x4800, .dx = 0x82, PARAMS(30), .quiet = true,
	 .check = parameters_4k},
	{"4Kn: 02 reads 512 bytes a sector", 0x020c, .cx = 14, .dx = 0x82, .check = narrow},
	{"4Kn: 03 is write-protected", 0x0301, .cx = 1, .dx = 0x82, .writable = true, .ah = 3,
	 .check = nothing_written},
	{"4Kn: 08 counts 512 bytes a sector", 0x0800, .dx = 0x82, .quiet = true,
	 .check = geometry_narrow},
	{"4Kn: 42 reads to a flat address", 0x4200, .dx = 0x82, FLAT(2, BUFFER, 77ull)},
	{"4Kn: 44 verifies", 0x4400, .dx = 0x82, DAP(3, 0x3000, 0, 5ull),
	 .check = buffer_untouched},
};

static void test_row(void **state)
{
	const struct row *row = *state;
	bool error = row->ah != 0 && !row->fine;

	memcpy(&memory[linear(DAP_SEGMENT, DAP_OFFSET)], &row->dap, sizeof(row->dap));
	memcpy(bad_lba, row->bad, sizeof(bad_lba));
	lying_count = true;
	if (row->writable) {
		make_writable();
		for (unsigned i = 0; i < 20 * 512; i++)
			memory[BUFFER + i] = (uint8_t)(0x40 + i % 191);
	}
	regs = (struct int13_regs){.a.e = 0xa1a10000u | row->ax,
				   .b.e = 0xb1b10000u | row->bx,
				   .c.e = 0xc1c10000u | row->cx,
				   .d.e = 0xd1d10000u | row->dx,
				   .si.e = 0x51510000u | DAP_OFFSET,
				   .di.e = 0x87654321,
				   .bp.e = 0xb9b9b9b9,
				   .ds = DAP_SEGMENT,
				   .es = (row->ax >> 9) == 1 ? BUFFER >> 4 : 0x1234};

	const struct int13_regs before = regs;

	if (int13_handle(&st, &regs) == INT13_CHAIN) {
		assert_true(row->chain);
		assert_memory_equal(&regs, &before, sizeof(regs));
		assert_int_equal(bios_calls, 0);
		return;
	}
	assert_false(row->chain);
	assert_int_equal(regs.a.h, row->ah);
	assert_int_equal(regs.flags & INT13_CARRY, error ? INT13_CARRY : 0);
	assert_int_equal(memory[0x474], row->quiet ? MARK : row->ah);
	assert_int_equal(memory[0x475], 3); /* always put right again */
	if (bios_reads > 0)
		assert_int_equal(count_seen, 4); /* while the BIOS is asked, its own count */

	/* High halves, and everything that is not an answer, as they came. */
	assert_int_equal(regs.a.e >> 16, 0xa1a1);
	assert_int_equal(regs.b.e >> 16, 0xb1b1);
	assert_int_equal(regs.c.e >> 16, 0xc1c1);
	assert_int_equal(regs.d.e >> 16, 0xd1d1);
	assert_int_equal(regs.si.e, before.si.e);
	assert_int_equal(regs.di.e, before.di.e);
	assert_int_equal(regs.bp.e, before.bp.e);
	assert_int_equal(regs.ds, before.ds);
	assert_int_equal(regs.es, before.es);
	if ((row->ax >> 8) != 0x08 && (row->ax >> 8) != 0x15)
		assert_int_equal(regs.d.x, before.d.x);

	for (unsigned s = 0; s < row->data_count; s++)
		for (unsigned b = 0; b < 512; b++)
			assert_int_equal(memory[BUFFER + s * 512 + b],
					 content(row->data_lba + s, b));
	if (row->check)
		row->check();
}

/* ---- what one call can't show --------------------------------------------------------------- */

static enum int13_next call(uint16_t ax, uint16_t dx)
{
	regs = (struct int13_regs){.a.e = ax,
				   .d.e = dx,
				   .c.e = 1,
				   .es = BUFFER >> 4,
				   .ds = DAP_SEGMENT,
				   .si.e = DAP_OFFSET};
	return int13_handle(&st, &regs);
}

/* An error stays to be asked for while 08, 15, 41 and 48 are called. */
static void test_last_error_stays(void **state)
{
	(void)state;
	call(0x0301, 0x80);
	assert_int_equal(regs.a.h, 3);
	call(0x0800, 0x80);
	call(0x1500, 0x80);
	call(0x0100, 0x80);
	assert_int_equal(regs.a.h, 3);
	assert_int_equal(regs.flags & INT13_CARRY, INT13_CARRY);
	call(0x0000, 0x80);
	call(0x0100, 0x80);
	assert_int_equal(regs.a.h, 0);
	assert_int_equal(regs.flags & INT13_CARRY, 0);
}

/* A leg that failed is not asked again, not even after a reset. */
static void test_reset_does_not_mend_a_leg(void **state)
{
	unsigned reads;

	(void)state;
	bad_lba[0] = 100;
	call(0x0201, 0x80);
	assert_int_equal(regs.a.h, 0);
	call(0x0000, 0x80);
	reads = bios_reads;
	call(0x0201, 0x80);
	assert_int_equal(regs.a.h, 0);
	assert_int_equal(bios_reads, reads + 1);
	assert_int_equal(st.set.leg[0].latched, 1);
}

/* A passing error costs one more try, and no failover. */
static void test_retried_once(void **state)
{
	(void)state;
	bad_lba[0] = 100;
	bad_lba[1] = 200;
	call(0x0201, 0x80);
	assert_int_equal(regs.a.h, 0x10);
	assert_int_equal(bios_reads, 4); /* two legs, twice each */

	/* a timeout, no medium, a dead controller: each costs half a minute, so once only */
	static const uint8_t dead[] = {0x20, 0x31, 0x80};

	for (unsigned k = 0; k < sizeof(dead); k++) {
		bad_code = dead[k];
		bios_reads = 0;
		call(0x0201, 0x80);
		assert_int_equal(regs.a.h, 0x10);
		assert_int_equal(bios_reads, 2);
	}
}

/* Passed through: the BIOS's number goes down, ours comes back; everything else is its own. */
static void test_pass_through(void **state)
{
	(void)state;
	bios_answer = (struct int13_regs){.a.e = 0x1234, .d.e = 0xaa99};
	assert_int_equal(call(0x4200, 0x5581), INT13_DONE);
	assert_int_equal(bios_in.d.x, 0x5582);
	assert_int_equal(bios_in.a.x, 0x4200);
	assert_int_equal(bios_in.ds, DAP_SEGMENT);
	assert_int_equal(bios_in.si.e, DAP_OFFSET);
	assert_int_equal(regs.a.x, 0x1234);
	assert_int_equal(regs.d.x, 0xaa81);
	assert_int_equal(count_seen, 4);
	assert_int_equal(memory[0x474], MARK); /* the BIOS has said it */
	assert_int_equal(memory[0x475], 3);
}

static void test_pass_through_08(void **state)
{
	(void)state;
	bios_answer = (struct int13_regs){.d.e = 0x0f04};
	call(0x0800, 0x81);
	assert_int_equal(regs.d.x, 0x0f03); /* our count */
	bios_answer = (struct int13_regs){.a.e = 0x0100, .d.e = 0x0f04, .flags = INT13_CARRY};
	call(0x0800, 0x81);
	assert_int_equal(regs.d.l, 0x81);
	assert_int_equal(regs.flags & INT13_CARRY, INT13_CARRY);
}

static void test_pass_through_15(void **state)
{
	(void)state;
	bios_answer = (struct int13_regs){.a.e = 0x0300, .c.e = 1, .d.e = 0xbeef};
	call(0x1500, 0x81);
	assert_int_equal(regs.d.x, 0xbeef); /* DX is the size */
	bios_answer = (struct int13_regs){.a.e = 0x0000, .d.e = 0xbeef};
	call(0x1500, 0x81);
	assert_int_equal(regs.d.x, 0xbe81);
}

/* More drives than the BIOS has (volumes): the highest is ours, the next is the BIOS's. */
static void test_more_drives_than_disks(void **state)
{
	(void)state;
	st.bios_count = 1;
	st.hide_count = 3;
	assert_int_equal(call(0x1500, 0x82), INT13_DONE);
	assert_int_equal(regs.a.h, 3);
	assert_int_equal(call(0x1500, 0x83), INT13_CHAIN);
}

static void put_packet(const struct int13_dap *dap)
{
	memcpy(&memory[linear(DAP_SEGMENT, DAP_OFFSET)], dap, sizeof(*dap));
}

/* A write that one leg does not take succeeds; one that none takes is a write fault. */
static void test_write_fails(void **state)
{
	static const struct row row = {DAP(2, 0x3000, 0, 5ull)};

	(void)state;
	make_writable();
	put_packet(&row.dap);
	bad_write[0] = 106;
	call(0x4300, 0x80);
	assert_int_equal(regs.a.h, 0);
	assert_int_equal(st.set.leg[0].latched, VDISK_EXPELLED);
	bad_write[1] = 206;
	call(0x4300, 0x80);
	assert_int_equal(regs.a.h, INT13_WRITE_FAULT);
	assert_int_equal(regs.flags & INT13_CARRY, INT13_CARRY);
	assert_int_equal(memory[linear(DAP_SEGMENT, DAP_OFFSET) + 2], 0);
	put_packet(&row.dap);
	call(0x4300, 0x80);
	assert_int_equal(regs.a.h, INT13_WRITE_PROTECTED); /* from now on */
}

/* High memory that can't be reached: an error, not a buffer with what was there before. */
static void test_no_high_memory(void **state)
{
	static const struct row row = {FLAT(2, HIGH, 5ull)};

	(void)state;
	make_writable();
	no_move = true;
	put_packet(&row.dap);
	call(0x4200, 0x80);
	assert_int_equal(regs.a.h, INT13_BOUNDARY);
	put_packet(&row.dap);
	call(0x4300, 0x80);
	assert_int_equal(regs.a.h, INT13_BOUNDARY);
	assert_int_equal(written_count, 0);
}

/* A leg is given up: the record on the other disk says so, in the same call. */
static void test_failover_is_noted(void **state)
{
	struct record r = {.magic = RECORD_MAGIC, .version = {{RECORD_VERSION}}, .sequence = {{7}}};
	uint32_t sum = 0;

	(void)state;
	for (unsigned i = 0; i < 128; i++)
		sum += le32_get(((const le32 *)&r)[i]);
	r.sum = le32_of(0 - sum);
	assert_int_equal(record_check(&r), ST_OK);
	make_writable();
	for (unsigned i = 0; i < 2; i++) { /* on both disks */
		written[i].disk = i;
		written[i].lba = RECORD_LBA;
		memcpy(written[i].bytes, &r, 512);
		st.place[i] = (struct int13_place){.lba = RECORD_LBA, .disk = i};
	}
	written_count = 2;
	st.place_count = 2;
	st.sequence = 7;

	call(0x0201, 0x80);
	assert_int_equal(written_count, 2); /* nothing to note */
	bad_lba[0] = 100;
	call(0x0201, 0x80);
	assert_int_equal(regs.a.h, 0);
	assert_int_equal(written_count, 3); /* the other disk's only */
	assert_int_equal(written[2].disk, 1);
	assert_int_equal(written[2].lba, RECORD_LBA);
	memcpy(&r, written[2].bytes, 512);
	assert_int_equal(record_check(&r), ST_OK);
	assert_int_equal(le32_get(r.failovers), 1);
	assert_int_equal(le32_get(r.failed_disks), 1);
	call(0x0201, 0x80);
	assert_int_equal(written_count, 3); /* once */

	st.sequence = 8; /* another boot's record is left alone */
	st.set.failovers++;
	call(0x0201, 0x80);
	assert_int_equal(written_count, 3);
}

/* A packet at the end of its segment wraps, as every real-mode access does. */
static void test_packet_wraps(void **state)
{
	static const struct row row = {DAP(1, 0x3000, 0, 9ull)};
	const uint8_t *dap = (const uint8_t *)&row.dap;

	(void)state;
	for (unsigned i = 0; i < sizeof(row.dap); i++)
		memory[linear(DAP_SEGMENT, (uint16_t)(0xfff8 + i))] = dap[i];
	regs = (struct int13_regs){.a.e = 0x4200, .d.e = 0x80, .ds = DAP_SEGMENT, .si.e = 0xfff8};
	int13_handle(&st, &regs);
	assert_int_equal(regs.a.h, 0);
	assert_int_equal(memory[BUFFER + 5], content(9, 5));
}

static void test_4k_content(void **state)
{
	static const struct row row = {DAP(40, 0x3000, 0x0200, 77ull)};

	(void)state;
	memcpy(&memory[linear(DAP_SEGMENT, DAP_OFFSET)], &row.dap, sizeof(row.dap));
	call(0x4200, 0x82);
	assert_int_equal(regs.a.h, 0);
	for (unsigned i = 0; i < 40 * 4096; i++)
		assert_int_equal(memory[BUFFER + 0x200 + i], content(77 + i / 4096, i % 4096));
}

#define ROWS (sizeof(rows) / sizeof(rows[0]))

int main(void)
{
	static const struct CMUnitTest others[] = {
		cmocka_unit_test_setup(test_last_error_stays, reset_machine),
		cmocka_unit_test_setup(test_reset_does_not_mend_a_leg, reset_machine),
		cmocka_unit_test_setup(test_retried_once, reset_machine),
		cmocka_unit_test_setup(test_pass_through, reset_machine),
		cmocka_unit_test_setup(test_pass_through_08, reset_machine),
		cmocka_unit_test_setup(test_pass_through_15, reset_machine),
		cmocka_unit_test_setup(test_more_drives_than_disks, reset_machine),
		cmocka_unit_test_setup(test_write_fails, reset_machine),
		cmocka_unit_test_setup(test_no_high_memory, reset_machine),
		cmocka_unit_test_setup(test_failover_is_noted, reset_machine),
		cmocka_unit_test_setup(test_packet_wraps, reset_machine),
		cmocka_unit_test_setup(test_4k_content, reset_machine),
	};
	static struct CMUnitTest contract[ROWS];
	int failed;

	for (size_t i = 0; i < ROWS; i++)
		contract[i] = (struct CMUnitTest){.name = rows[i].name,
						  .test_func = test_row,
						  .setup_func = reset_machine,
						  .initial_state = (void *)&rows[i]};
	failed = cmocka_run_group_tests_name("int13: contract", contract, NULL, NULL);
	return failed + cmocka_run_group_tests_name("int13: sequences", others, NULL, NULL);
}
