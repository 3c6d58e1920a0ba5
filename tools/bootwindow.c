/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tools/bootwindow.h"
#include "common/gpt.h"
#include "common/ldm.h"
#include "common/range.h"

#include <stdlib.h>

/* Gaps are as long as people make them; so much at their end is looked at. */
#define WINDOW_SECTORS_MAX 32768u

/*
 * Dynamic disks with an MBR: the database names volumes that the table does not have, from
 * here on where it can't be read; and before that it has a sector of its own.
 */
#define LDM_TRACK    63
#define LDM_HEAD_LBA 6

static void add_window(struct windows *ws, uint64_t start_lba, uint64_t end_lba, uint8_t place,
		       uint16_t part)
{
	if (start_lba >= end_lba || ws->count == BOOTWINDOW_MAX)
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

enum bootplan_fault bootwindow_find(const struct disk *d, const uint8_t *lba0, struct windows *ws)
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

bool bootwindow_load(const struct disk *d, struct window *w)
{
	w->data = malloc((size_t)w->sectors * SECTOR);
	w->mark = calloc(w->sectors, 1);
	return w->data && w->mark && disk_read(d, w->start_lba, w->sectors, w->data) == ST_OK;
}

void bootwindow_free(struct windows *ws)
{
	for (unsigned i = 0; i < ws->count; i++) {
		free(ws->w[i].data);
		free(ws->w[i].mark);
	}
}

static bool inside(uint64_t lba, uint64_t start_lba, uint64_t sectors)
{
	return lba >= start_lba && lba - start_lba < sectors;
}

bool bootwindow_is_taken(const struct windows *ws, const struct window *w, uint64_t lba)
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
