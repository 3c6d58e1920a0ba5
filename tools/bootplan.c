/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tools/bootplan.h"
#include "tools/bootwindow.h"
#include "common/crc32.h"

#include <string.h>

enum mark { BUSY, FREE, LEFT, CURRENT };

static bool is_zero(const uint8_t *sector)
{
	for (unsigned i = 0; i < SECTOR; i++)
		if (sector[i])
			return false;
	return true;
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
		if (bootwindow_is_taken(ws, w, w->start_lba + at + i))
			return 0;
	return n;
}

static void mark_window(const struct windows *ws, struct window *w, struct bootplan *p)
{
	for (uint32_t i = 0; i < w->sectors; i++)
		if (is_zero(w->data + (size_t)i * SECTOR) &&
		    !bootwindow_is_taken(ws, w, w->start_lba + i))
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

/* From any area that is whole. code: only what has boot code is wanted. */
static bool find_saved_left(const struct disk *d, const struct windows *ws, bool code,
			    struct bootplan *p, uint8_t *saved)
{
	uint8_t found[SECTOR];

	for (unsigned i = 0; i < ws->count && !p->saved_left; i++)
		p->saved_left =
			find_saved_in(d, &ws->w[i], found) && (!code || installed_has_code(found));
	if (p->saved_left)
		memcpy(saved, found, SECTOR);
	return p->saved_left;
}

/*
 * The LBA 0 that we replace, or replaced. One that was wiped since has no boot code to
 * keep: then what we had replaced is still what is wanted. A damaged header has no CRC
 * for it; then it must have the table of the LBA 0 that is there, and not be ours.
 */
static void find_saved(const struct disk *d, const struct windows *ws, struct bootplan *p,
		       uint8_t *saved)
{
	uint64_t area_lba;

	memcpy(saved, p->old.lba0, SECTOR);
	if (!p->old.ours) {
		if (!installed_has_code(p->old.lba0))
			find_saved_left(d, ws, true, p, saved);
		return;
	}
	if (p->old.saved_good) {
		memcpy(saved, p->old.saved, SECTOR);
		return;
	}
	if (p->old.area == ST_CORRUPT && p->old.area_lba &&
	    disk_read(d, p->old.area_lba + BOOTAREA_SAVED, 1, saved) == ST_OK &&
	    bootarea_locate(saved, d->sectors, &area_lba) == ST_ABSENT &&
	    !memcmp(saved + MBR_CODE_BYTES, p->old.lba0 + MBR_CODE_BYTES, SECTOR - MBR_CODE_BYTES))
		return;
	if (find_saved_left(d, ws, false, p, saved))
		return;
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
	fault = bootwindow_find(d, p->old.lba0, ws);
	for (unsigned i = 0; i < ws->count && !fault; i++)
		loaded = loaded && bootwindow_load(d, &ws->w[i]);
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

/* Which place the area in use is in. */
static void name_place(const struct windows *ws, struct bootplan *p)
{
	for (unsigned i = 0; i < ws->count; i++) {
		const struct window *w = &ws->w[i];

		if (p->area_lba < w->start_lba || p->area_lba - w->start_lba >= w->sectors)
			continue;
		p->place = w->place;
		p->part = w->part;
	}
}

/* A place for this stage2; false: there is none. */
static bool place_variant(const struct disk *d, const struct windows *ws, struct bootplan *p,
			  const uint8_t *saved, const char *config)
{
	p->area_sectors = installed_area_sectors(p->variant);
	if (is_unchanged(d, p, saved, config)) {
		p->unchanged = true;
		p->area_lba = p->old.area_lba;
		name_place(ws, p);
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
	bootwindow_free(&ws);
	return fault;
}

enum bootplan_fault bootplan_look(const struct disk *d, struct bootplan *p)
{
	struct windows ws = {0};
	uint8_t saved[SECTOR] = {0};
	enum bootplan_fault fault = look(d, p, &ws, saved);

	memcpy(p->lba0, p->old.lba0, SECTOR);
	memcpy(p->lba0, saved, MBR_CODE_BYTES);
	bootwindow_free(&ws);
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
