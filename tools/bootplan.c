/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tools/bootplan.h"
#include "tools/grubcore.h"
#include "common/crc32.h"
#include "common/gpt.h"
#include "common/ldm.h"
#include "common/range.h"

#include <stdlib.h>
#include <string.h>

/* Gaps are as long as people make them; so much at their end is looked at. */
#define WINDOW_SECTORS_MAX 32768u
#define WINDOWS_MAX        8

/*
 * Dynamic disks with an MBR: the database names volumes that the table does not have, from
 * here on where it can't be read; and before that it has a sector of its own.
 */
#define LDM_TRACK    63
#define LDM_HEAD_LBA 6

enum mark { BUSY, FREE, LEFT, CURRENT };

struct window {
	uint64_t start_lba;
	uint32_t sectors;
	uint8_t place;
	uint16_t part;
	uint8_t *data;
	uint8_t *mark; /* enum mark, one a sector */
};

struct windows {
	unsigned count;
	struct window w[WINDOWS_MAX];
	struct part_list parts;
	uint64_t table_end_lba; /* LBA 0 and the table lie below */
	bool is_dynamic;        /* by LDM, on an MBR disk */
	const uint8_t *lba0;
	struct grubcore core;
};

static void add_window(struct windows *ws, uint64_t start_lba, uint64_t end_lba, uint8_t place,
		       uint16_t part)
{
	if (start_lba >= end_lba || ws->count == WINDOWS_MAX)
		return;
	if (end_lba - start_lba > WINDOW_SECTORS_MAX)
		start_lba = end_lba - WINDOW_SECTORS_MAX;
	ws->w[ws->count++] = (struct window){
		.start_lba = start_lba,
		.sectors = (uint32_t)(end_lba - start_lba),
		.place = place,
		.part = part,
	};
}

/* Entries that the list leaves out, because they leave the disk, count here all the same. */
static uint64_t first_in_mbr(const uint8_t *lba0, uint64_t first_lba)
{
	const struct mbr_sector *m = (const void *)lba0;

	for (unsigned i = 0; i < 4; i++) {
		const struct mbr_entry *e = &m->entry[i];

		if (e->type && e->type != MBR_PROTECTIVE && le32_get(e->start_lba))
			first_lba = min_u64(first_lba, le32_get(e->start_lba));
	}
	return first_lba;
}

/* The first LBA that neither the GPT's header nor its entries take. */
static uint64_t gpt_end(const struct disk *d, const struct part_list *list)
{
	uint8_t buf[DISK_SECTOR_BYTES] = {0};
	const struct gpt_header *h = (const void *)buf;
	uint64_t bytes, end;

	if (disk_read(d, 1, 1, buf) != ST_OK)
		return d->sectors;
	bytes = (uint64_t)le32_get(h->entry_count) * le32_get(h->entry_bytes);
	end = le64_get(h->entries_lba);
	if (!range_ok(end, (bytes + SECTOR - 1) / SECTOR, d->sectors))
		return d->sectors;
	end += (bytes + SECTOR - 1) / SECTOR;
	return end > list->first_usable_lba ? end : list->first_usable_lba;
}

static enum bootplan_fault find_windows(const struct disk *d, const uint8_t *lba0,
					struct windows *ws)
{
	struct part_list *list = &ws->parts;
	uint8_t buf[DISK_SECTOR_BYTES];
	enum status st = part_read(d, list, buf);
	uint64_t first_lba = d->sectors;
	struct ldm_head head;

	if (st != ST_OK)
		return st == ST_IO ? BOOTPLAN_IO : BOOTPLAN_TABLE_DAMAGED;
	if (list->table == PART_TABLE_GPT_BACKUP)
		return BOOTPLAN_TABLE_DAMAGED;
	if (list->table == PART_TABLE_NONE || !list->count)
		return BOOTPLAN_NO_TABLE;
	for (unsigned i = 0; i < list->count; i++)
		first_lba = min_u64(first_lba, list->part[i].start_lba);
	first_lba = first_in_mbr(lba0, first_lba);
	st = ldm_head_read(d, list, &head, buf);
	if (st != ST_ABSENT && list->table == PART_TABLE_MBR) {
		ws->is_dynamic = true;
		first_lba = min_u64(first_lba, st == ST_OK ? head.public_lba : LDM_TRACK);
	}
	ws->table_end_lba = 1;
	if (list->table == PART_TABLE_MBR) {
		/* Those that did not fit are logical ones: inside an extended one, which counts. */
		add_window(ws, 1, first_lba, BOOTPLAN_GAP, 0);
		return BOOTPLAN_FINE;
	}
	if (list->full)
		return BOOTPLAN_TOO_MANY;
	ws->table_end_lba = gpt_end(d, list);
	for (unsigned i = 0; i < list->count; i++)
		if (list->part[i].kind == PART_BIOS_BOOT)
			add_window(ws, list->part[i].start_lba,
				   list->part[i].start_lba + list->part[i].sectors,
				   BOOTPLAN_BIOS_BOOT, list->part[i].number);
	add_window(ws, ws->table_end_lba, first_lba, BOOTPLAN_GAP, 0);
	return BOOTPLAN_FINE;
}

static bool load_window(const struct disk *d, struct window *w)
{
	w->data = malloc((size_t)w->sectors * SECTOR);
	w->mark = calloc(w->sectors, 1);
	return w->data && w->mark && disk_read(d, w->start_lba, w->sectors, w->data) == ST_OK;
}

static void free_windows(struct windows *ws)
{
	for (unsigned i = 0; i < ws->count; i++) {
		free(ws->w[i].data);
		free(ws->w[i].mark);
	}
}

static bool is_zero(const uint8_t *sector)
{
	for (unsigned i = 0; i < SECTOR; i++)
		if (sector[i])
			return false;
	return true;
}

static bool inside(uint64_t lba, uint64_t start_lba, uint64_t sectors)
{
	return lba >= start_lba && lba - start_lba < sectors;
}

/* Sectors of a window that are somebody's all the same: GRUB's, the table's, another partition's.
 */
static bool is_taken(const struct windows *ws, const struct window *w, uint64_t lba)
{
	const struct mbr_sector *m = (const void *)ws->lba0;
	uint64_t own_lba = 0, own_sectors = 0;

	if (grubcore_has(&ws->core, lba) || lba < ws->table_end_lba ||
	    lba >= ws->parts.end_usable_lba || (ws->is_dynamic && lba == LDM_HEAD_LBA))
		return true;
	for (unsigned i = 0; i < ws->parts.count; i++) {
		const struct part *p = &ws->parts.part[i];

		if (w->place == BOOTPLAN_BIOS_BOOT && p->number == w->part) {
			own_lba = p->start_lba;
			own_sectors = p->sectors;
		} else if (inside(lba, p->start_lba, p->sectors)) {
			return true;
		}
	}
	/* A hybrid MBR may have partitions that the GPT has not. */
	for (unsigned i = 0; i < 4; i++) {
		const struct mbr_entry *e = &m->entry[i];
		uint64_t start_lba = le32_get(e->start_lba), sectors = le32_get(e->sectors);

		if (e->type && e->type != MBR_PROTECTIVE &&
		    (start_lba != own_lba || sectors != own_sectors) &&
		    inside(lba, start_lba, sectors))
			return true;
	}
	return false;
}

/*
 * An area, finished or not, says in its header where it is. The CRC is not asked:
 * an unfinished area has none, and a copy elsewhere names another place.
 */
static uint32_t area_at(const struct windows *ws, const struct window *w, uint32_t at)
{
	const struct bootarea_header *h = (const void *)(w->data + (size_t)at * SECTOR);
	uint32_t n = le32_get(h->area_sectors);

	if (memcmp(h->magic, BOOTAREA_MAGIC, sizeof(h->magic)) ||
	    le64_get(h->area_lba) != w->start_lba + at || n <= BOOTAREA_STAGE2 ||
	    n > BOOTPLAN_AREA_MAX || n > w->sectors - at)
		return 0;
	for (uint32_t i = 0; i < n; i++)
		if (is_taken(ws, w, w->start_lba + at + i))
			return 0;
	return n;
}

static void mark_window(const struct windows *ws, struct window *w, struct bootplan *p)
{
	for (uint32_t i = 0; i < w->sectors; i++)
		if (is_zero(w->data + (size_t)i * SECTOR) && !is_taken(ws, w, w->start_lba + i))
			w->mark[i] = FREE;
	for (uint32_t i = 0; i < w->sectors; i++) {
		uint32_t n = area_at(ws, w, i);
		bool current = p->old.area != ST_ABSENT && w->start_lba + i == p->old.area_lba;

		if (!n)
			continue;
		if (!current && p->left_count == BOOTPLAN_LEFT_MAX)
			continue;
		memset(w->mark + i, current ? CURRENT : LEFT, n);
		*(current ? &p->current : &p->left[p->left_count++]) =
			(struct bootplan_area){.lba = w->start_lba + i, .sectors = n};
		i += n - 1;
	}
}

/* The highest run of so many usable sectors; remembers the longest run seen. */
static bool find_run(const struct window *w, uint32_t need, bool in_place, struct bootplan *p)
{
	uint32_t run = 0;

	for (uint32_t i = w->sectors; i-- > 0;) {
		bool usable = w->mark[i] == FREE || w->mark[i] == LEFT ||
			      (in_place && w->mark[i] == CURRENT);

		run = usable ? run + 1 : 0;
		if (run > p->longest_sectors)
			p->longest_sectors = run;
		if (run == need) {
			p->area_lba = w->start_lba + i;
			p->place = w->place;
			p->part = w->part;
			return true;
		}
	}
	return false;
}

static bool choose(const struct windows *ws, struct bootplan *p)
{
	for (int in_place = 0; in_place < 2; in_place++)
		for (unsigned i = 0; i < ws->count; i++)
			if (find_run(&ws->w[i], p->area_sectors, in_place, p)) {
				p->in_place = in_place;
				return true;
			}
	return false;
}

/*
 * LBA 0 leads to no good area: it came from a backup, say. An area that is whole
 * has what was replaced.
 */
static bool find_saved_in(const struct disk *d, const struct window *w, uint8_t *saved)
{
	for (uint32_t i = 0; w->data && i + BOOTAREA_SAVED < w->sectors; i++) {
		const uint8_t *sector = w->data + (size_t)i * SECTOR;
		const struct bootarea_header *h = (const void *)sector;
		uint64_t area_lba;

		if (bootarea_check(h, w->start_lba + i, d->sectors) != ST_OK)
			continue;
		sector += BOOTAREA_SAVED * SECTOR;
		if (crc32_update(0, sector, SECTOR) != le32_get(h->saved_crc) ||
		    bootarea_locate(sector, d->sectors, &area_lba) != ST_ABSENT)
			continue;
		memcpy(saved, sector, SECTOR);
		return true;
	}
	return false;
}

/*
 * The LBA 0 that we replace, or replaced. A damaged header has no CRC for it; then
 * it must have the table of the LBA 0 that is there, and not be ours.
 */
static void find_saved(const struct disk *d, const struct windows *ws, struct bootplan *p,
		       uint8_t *saved)
{
	uint64_t area_lba;

	memcpy(saved, p->old.lba0, SECTOR);
	if (!p->old.ours)
		return;
	if (p->old.saved_good) {
		memcpy(saved, p->old.saved, SECTOR);
		return;
	}
	if (p->old.area == ST_CORRUPT && p->old.area_lba &&
	    disk_read(d, p->old.area_lba + BOOTAREA_SAVED, 1, saved) == ST_OK &&
	    bootarea_locate(saved, d->sectors, &area_lba) == ST_ABSENT &&
	    !memcmp(saved + MBR_CODE_BYTES, p->old.lba0 + MBR_CODE_BYTES, SECTOR - MBR_CODE_BYTES))
		return;
	for (unsigned i = 0; i < ws->count; i++)
		if (find_saved_in(d, &ws->w[i], saved)) {
			p->saved_left = true;
			return;
		}
	p->saved_lost = true;
	memcpy(saved, p->old.lba0, SECTOR);
	memset(saved, 0, MBR_CODE_BYTES);
}

static enum bootplan_fault look(const struct disk *d, struct bootplan *p, struct windows *ws,
				uint8_t *saved)
{
	enum bootplan_fault fault;
	bool loaded = true;

	memset(p, 0, sizeof(*p));
	if (d->shift != 9)
		return BOOTPLAN_SECTOR_SIZE;
	if (installed_read(d, &p->old) != ST_OK)
		return BOOTPLAN_IO;
	if (p->old.area == ST_UNSUPPORTED)
		return BOOTPLAN_NEWER;
	fault = find_windows(d, p->old.lba0, ws);
	for (unsigned i = 0; i < ws->count && !fault; i++)
		loaded = loaded && load_window(d, &ws->w[i]);
	if (!fault && !loaded)
		return BOOTPLAN_IO;
	find_saved(d, ws, p, saved);
	if (fault)
		return fault;
	ws->lba0 = p->old.lba0;
	grubcore_find(d, saved, &ws->core);
	for (unsigned i = 0; i < ws->count; i++)
		mark_window(ws, &ws->w[i], p);
	return BOOTPLAN_FINE;
}

/* The boot record is the boot's own: what it knows of the mirrors outlives an upgrade. */
static const struct record *kept_record(const struct bootplan *p)
{
	return p->old.record_status == ST_OK ? &p->old.record : NULL;
}

/* Is what we would write at the old place what is there, whatever the last boot wrote? */
static bool is_unchanged(const struct disk *d, struct bootplan *p, const uint8_t *saved,
			 const char *config)
{
	static uint8_t there[sizeof(p->area)];

	if (p->old.area != ST_OK || !p->old.saved_good || p->left_count ||
	    p->current.sectors != p->area_sectors)
		return false;
	installed_build(p->area, p->old.area_lba, p->variant, saved, config, NULL);
	installed_build_lba0(p->lba0, p->old.lba0, p->old.area_lba, p->variant);
	if (disk_read(d, p->old.area_lba, p->area_sectors, there) != ST_OK)
		return false;
	memset(there + BOOTAREA_RECORD * SECTOR, 0, SECTOR);
	return !memcmp(there, p->area, (size_t)p->area_sectors * SECTOR) &&
	       !memcmp(p->lba0, p->old.lba0, SECTOR);
}

/* A place for this stage2; false: there is none. */
static bool place_variant(const struct disk *d, const struct windows *ws, struct bootplan *p,
			  const uint8_t *saved, const char *config)
{
	p->area_sectors = installed_area_sectors(p->variant);
	if (is_unchanged(d, p, saved, config)) {
		p->unchanged = true;
		p->area_lba = p->old.area_lba;
		return true;
	}
	if (!choose(ws, p))
		return false;
	p->in_place |= p->saved_left;
	installed_build(p->area, p->area_lba, p->variant, saved, config, kept_record(p));
	installed_build_lba0(p->lba0, p->old.lba0, p->area_lba, p->variant);
	return true;
}

enum bootplan_fault bootplan_make(const struct disk *d, const char *config, unsigned families,
				  struct bootplan *p)
{
	struct windows ws = {0};
	uint8_t saved[SECTOR] = {0};
	enum bootplan_fault fault = look(d, p, &ws, saved);
	bool placed = false;

	p->families = families;
	p->variant = variant_get(0);
	if (!fault && installed_area_sectors(p->variant) > BOOTPLAN_AREA_MAX)
		fault = BOOTPLAN_BUILD;
	if (!config)
		config = p->old.config_good ? p->old.config : "";
	for (unsigned i = 0; !fault && !placed && (p->variant = variant_get(i)); i++)
		placed = (p->variant->families & families) == families &&
			 place_variant(d, &ws, p, saved, config);
	if (!fault && !placed) {
		p->variant = variant_smallest(families);
		p->area_sectors = installed_area_sectors(p->variant);
		fault = BOOTPLAN_NO_ROOM;
	}
	free_windows(&ws);
	return fault;
}

enum bootplan_fault bootplan_look(const struct disk *d, struct bootplan *p)
{
	struct windows ws = {0};
	uint8_t saved[SECTOR] = {0};
	enum bootplan_fault fault = look(d, p, &ws, saved);

	memcpy(p->lba0, p->old.lba0, SECTOR);
	memcpy(p->lba0, saved, MBR_CODE_BYTES);
	free_windows(&ws);
	return fault;
}

bool bootplan_only_leftovers(const struct disk *d, const struct bootplan *p)
{
	uint8_t sector[SECTOR];

	for (unsigned i = 0; i < p->left_count; i++) {
		const struct bootarea_header *h = (const void *)sector;

		if (disk_read(d, p->left[i].lba, 1, sector) != ST_OK)
			return false;
		if (bootarea_check(h, p->left[i].lba, d->sectors) != ST_OK)
			continue;
		if (disk_read(d, p->left[i].lba + BOOTAREA_SAVED, 1, sector) != ST_OK ||
		    memcmp(sector, p->old.lba0, MBR_CODE_BYTES))
			return false;
	}
	return p->left_count && !p->old.ours;
}
