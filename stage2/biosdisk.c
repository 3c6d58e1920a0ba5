/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * BIOSes are not to be believed: counts disagree, AH=41h is answered and AH=42h does
 * not work, AH=08h loses ES, AH=48h writes more than it was asked for or says that a
 * disk has no sectors, and a failed read says nothing useful about how much arrived.
 */
#include "stage2/biosdisk.h"

#include "common/mbrtab.h"
#include "common/mem.h"
#include "common/range.h"
#include "common/wire.h"
#include "stage2/bios.h"

#define BIOS_COUNT_MAX   127 /* sectors that every EDD BIOS reads at once; most of them do */
#define UNSURE_COUNT_MAX (BOUNCE_BYTES / DISK_SECTOR_BYTES) /* fits whatever a sector is */
#define CHS_CYLINDERS    1024u
#define TRIES            2
#define SLOW_TICKS       91 /* 5 s of 40:6C */

#define ERROR_REFUSED    0x01
#define ERROR_BOUNDARY   0x09
#define ERROR_CORRECTED  0x11 /* ECC put it right: the data are good */
#define ERROR_CONTROLLER 0x20
#define ERROR_NO_MEDIUM  0x31
#define ERROR_TIMEOUT    0x80
#define ERROR_UNNAMED    0xff

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

static struct biosdisks *all;

static uint8_t error_of(const struct regs *r)
{
	uint8_t code = (uint8_t)(r->eax >> 8);

	if (!(r->flags & FLAG_CARRY) || code == ERROR_CORRECTED)
		return 0;
	return code ? code : ERROR_UNNAMED;
}

/* ---- one request, through the bounce buffer ------------------------------------------------ */

/*
 * AH=42h reads, 43h writes (AL=0: no verify). In: DL drive, DS:SI packet (it is on our
 * stack, in segment 0). Out: CF, AH.
 */
static void ask_edd(struct regs *r, bool write, uint8_t drive, uint64_t lba, uint32_t n)
{
	struct dap dap = {
		.size_bytes = sizeof(dap),
		.count = le16_of((uint16_t)n),
		.segment = le16_of(bios_segment(BOUNCE_ADDR)),
		.lba = le64_of(lba),
	};

	*r = (struct regs){
		.eax = write ? 0x4300 : 0x4200, .edx = drive, .esi = (uint32_t)(uintptr_t)&dap};
	bios_int(0x13, r);
}

/*
 * AH=02h reads, 03h writes. In: AL count, CH CL DH place, DL drive, ES:BX. Out: CF, AH.
 * The request stays on one track.
 */
static void ask_chs(struct regs *r, bool write, uint8_t drive, uint32_t lba, uint32_t n)
{
	const struct biosdisk_chs *g = &all->chs[drive - BIOSDISK_FIRST];
	uint32_t track = lba / g->track_sectors, sector = lba % g->track_sectors + 1;
	uint32_t cylinder = track / g->heads, head = track % g->heads;

	*r = (struct regs){.eax = (write ? 0x0300 : 0x0200) | n,
			   .ecx = (cylinder & 0xff) << 8 | (cylinder >> 2 & 0xc0) | sector,
			   .edx = head << 8 | drive,
			   .es = bios_segment(BOUNCE_ADDR)};
	bios_int(0x13, r);
}

/*
 * With the retry that a failed request gets. None after errors that another try does
 * not mend (controller, no medium, no answer in time) and none after a long wait: what
 * has cost half a minute once would cost it again.
 */
static uint8_t ask(bool write, uint8_t drive, uint64_t lba, uint32_t n)
{
	struct biosdisk_way *way = &all->way[drive - BIOSDISK_FIRST];
	uint8_t code = ERROR_UNNAMED;

	for (unsigned i = 0; i < TRIES; i++) {
		uint32_t since = bda32(BDA_TICKS);
		struct regs r;
		bool slow;

		if (way->chs)
			ask_chs(&r, write, drive, (uint32_t)lba, n);
		else
			ask_edd(&r, write, drive, lba, n);
		code = error_of(&r);
		if (code == 0) {
			way->strikes = 0;
			return 0;
		}
		slow = bda32(BDA_TICKS) - since > SLOW_TICKS;
		if (slow || code == ERROR_TIMEOUT)
			way->strikes++;
		if (slow || code == ERROR_TIMEOUT || code == ERROR_CONTROLLER ||
		    code == ERROR_NO_MEDIUM || code == ERROR_REFUSED || code == ERROR_BOUNDARY)
			break;
	}
	return code;
}

/* ---- struct disk --------------------------------------------------------------------------- */

/* Sectors of a disk that CHS reaches; 0: no geometry. */
static uint32_t chs_reach(const struct biosdisk_chs *g)
{
	return CHS_CYLINDERS * g->heads * g->track_sectors;
}

/* How many sectors from lba on, at most n, go into one request. 0: CHS does not reach them. */
static uint32_t request_count(const struct disk *d, unsigned i, uint64_t lba, uint32_t n)
{
	const struct biosdisk_chs *g = &all->chs[i];
	uint32_t max = min_u64(all->way[i].count_max, BOUNCE_BYTES >> d->shift);

	if (all->way[i].chs) {
		uint32_t reach = chs_reach(g);

		if (lba >= reach)
			return 0;
		max = min_u64(max, g->track_sectors - (uint32_t)lba % g->track_sectors);
	}
	return min_u64(n, max);
}

/*
 * A BIOS that refuses a request may refuse its size, or EDD altogether: is there another
 * way to ask for the same? What has worked before can't be the reason.
 */
static bool another_way(const struct disk *d, unsigned i, uint8_t code, uint32_t n)
{
	struct biosdisk_way *way = &all->way[i];

	if (way->chs || (code != ERROR_REFUSED && code != ERROR_BOUNDARY) || n <= way->works)
		return false;
	if (n > 1)
		way->count_max = (uint8_t)(n / 2 > way->works ? n / 2 : way->works);
	else if (chs_reach(&all->chs[i]) > 0 && d->shift == DISK_SHIFT_MIN)
		*way = (struct biosdisk_way){.chs = true, .count_max = BIOS_COUNT_MAX};
	else
		return false;
	return true;
}

/* n sectors, through the bounce buffer. to, from: one of them is NULL. */
static enum status move(const struct disk *d, uint64_t lba, uint32_t n, uint8_t *to,
			const uint8_t *from)
{
	void *bounce = (void *)low_memory(BOUNCE_ADDR);
	uint8_t drive = (uint8_t)(uintptr_t)d->ctx;
	unsigned i = drive - BIOSDISK_FIRST;
	struct biosdisk_way *way = &all->way[i];

	if (!range_ok(lba, n, d->sectors))
		return ST_RANGE;
	while (n > 0) {
		uint32_t part = request_count(d, i, lba, n), bytes = part << d->shift;
		uint8_t code;

		if (part == 0)
			return ST_RANGE;
		if (way->strikes >= BIOSDISK_LOST)
			return ST_IO;
		if (from)
			memcpy(bounce, from, bytes);
		code = ask(from != NULL, drive, lba, part);
		/* Writes go the way that reads have found, or not at all. */
		if (code != 0 && (from || !another_way(d, i, code, part)))
			return ST_IO;
		if (code != 0)
			continue;
		if (!way->chs && part > way->works)
			way->works = (uint8_t)part;
		if (from) {
			from += bytes;
		} else {
			memcpy(to, bounce, bytes);
			to += bytes;
		}
		lba += part;
		n -= part;
	}
	return ST_OK;
}

static enum status biosdisk_read(const struct disk *d, uint64_t lba, uint32_t n, void *buf)
{
	return move(d, lba, n, buf, NULL);
}

static enum status biosdisk_write(const struct disk *d, uint64_t lba, uint32_t n, const void *buf)
{
	return move(d, lba, n, NULL, buf);
}

/* ---- finding them -------------------------------------------------------------------------- */

/*
 * AH=08h: DL drive, ES:DI 0 (some BIOSes want it). Out: CX, DH geometry, DL count. ES:DI and
 * BX are lost.
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

/* AH=48h: DL drive, DS:SI buffer. Out: CF, the buffer. False: it says nothing of use. */
static bool edd_size(uint8_t drive, struct disk *d)
{
	struct edd_params p;
	struct regs r = {.eax = 0x4800, .edx = drive, .esi = (uint32_t)(uintptr_t)&p};

	memset(&p, 0, sizeof(p));
	p.size_bytes = le16_of(offsetof(struct edd_params, beyond));
	bios_int(0x13, &r);
	if (error_of(&r) != 0)
		return false;
	d->sectors = le64_get(p.sectors);
	if (d->sectors == 0) /* seen in the wild: only the geometry is filled in */
		d->sectors = (uint64_t)le32_get(p.cylinders) * le32_get(p.heads) *
			     le32_get(p.track_sectors);
	if (d->sectors == 0)
		return false;
	d->shift = shift_of(le16_get(p.sector_bytes) ? le16_get(p.sector_bytes) : 512);
	if (d->shift == 0)
		d->sectors = 0; /* known, and of no use */
	return true;
}

/*
 * The size of a disk whose BIOS does not tell: what the geometry gives, which is a cylinder
 * less than the truth on some and 8 GB on all that are larger, or what the partition
 * table needs. Beyond the real end reads fail.
 */
static void guess_size(struct disk *d, const struct biosdisk_chs *g)
{
	static struct mbr_sector lba0;

	d->sectors = (uint32_t)g->cylinders * g->heads * g->track_sectors;
	if (d->sectors == 0)
		d->sectors = 1;
	if (disk_read(d, 0, 1, &lba0) != ST_OK || !mbrtab_plausible(&lba0))
		return;
	for (unsigned i = 0; i < 4; i++) {
		const struct mbr_entry *e = &lba0.entry[i];
		uint64_t end = (uint64_t)le32_get(e->start_lba) + le32_get(e->sectors);

		if (e->type != 0 && end > d->sectors)
			d->sectors = end;
	}
}

static void open_drive(unsigned i)
{
	uint8_t drive = (uint8_t)(BIOSDISK_FIRST + i);
	struct biosdisk_chs *g = &all->chs[i];
	struct biosdisk_way *way = &all->way[i];
	struct disk *d = &all->disk[i];
	struct regs r;

	*d = (struct disk){.read = biosdisk_read,
			   .write = biosdisk_write,
			   .ctx = (void *)(uintptr_t)drive,
			   .shift = DISK_SHIFT_MIN};
	*g = (struct biosdisk_chs){0};
	*way = (struct biosdisk_way){.count_max = BIOS_COUNT_MAX};
	if (drive_parameters(drive, &r)) {
		g->heads = (uint16_t)((r.edx >> 8 & 0xff) + 1);
		g->track_sectors = (uint8_t)(r.ecx & 0x3f);
		g->cylinders = (uint16_t)((r.ecx >> 8 & 0xff) + (r.ecx << 2 & 0x300) + 1);
	}
	if (!has_edd(drive)) {
		if (chs_reach(g) == 0)
			return;
		way->chs = true;
	} else if (edd_size(drive, d)) {
		return;
	} else {
		/* The sector's size is not known either. */
		way->count_max = UNSURE_COUNT_MAX;
	}
	guess_size(d, g);
}

/*
 * 40:75 and AH=08h should agree, and where they do not, either may be wrong. A disk too
 * few may be the only good one, so the larger is taken as far as the drives answer.
 */
static unsigned count_drives(uint8_t boot_drive)
{
	unsigned count = bda8(BDA_DRIVES), least = boot_drive - BIOSDISK_FIRST + 1u, more = count;
	struct regs r;

	if (drive_parameters(BIOSDISK_FIRST, &r))
		more = r.edx & 0xff;
	if (more < count) {
		unsigned less = more;

		more = count;
		count = less;
	}
	if (count < least)
		count = least;
	while (count < more && count < SURVEY_DISKS &&
	       drive_parameters((uint8_t)(BIOSDISK_FIRST + count), &r))
		count++;
	return count;
}

void biosdisk_find(struct biosdisks *disks, uint8_t boot_drive)
{
	all = disks;
	disks->count = (unsigned)min_u64(count_drives(boot_drive), SURVEY_DISKS);
	for (unsigned i = 0; i < disks->count; i++)
		open_drive(i);
}

void biosdisk_name(const struct report_names *n, unsigned disk, struct text *out)
{
	(void)n;
	text_hex(out, BIOSDISK_FIRST + disk, 2);
	text_char(out, 'h');
}
