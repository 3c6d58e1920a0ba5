/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tools/bootwrite.h"

#include <string.h>

static const uint8_t zero[BOOTPLAN_AREA_MAX * SECTOR];

static enum status fail(struct bootwrite_error *err, const char *doing, uint64_t lba)
{
	err->doing = doing;
	err->lba = lba;
	return ST_IO;
}

static enum status put(const struct disk *d, uint64_t lba, uint32_t n, const uint8_t *data,
		       const char *doing, struct bootwrite_error *err)
{
	if (d->write(d, lba, n, data) != ST_OK || d->flush(d) != ST_OK)
		return fail(err, doing, lba);
	return ST_OK;
}

/* Read back what was written: a disk that drops writes is found before LBA 0 depends on it. */
static enum status compare(const struct disk *d, uint64_t lba, uint32_t n, const uint8_t *data,
			   struct bootwrite_error *err)
{
	uint8_t sector[SECTOR];

	for (uint32_t i = 0; i < n; i++) {
		if (disk_read(d, lba + i, 1, sector) != ST_OK)
			return fail(err, "reading back", lba + i);
		if (memcmp(sector, data + (size_t)i * SECTOR, SECTOR)) {
			err->mismatch = true;
			return fail(err, "reading back", lba + i);
		}
	}
	return ST_OK;
}

/*
 * A header that says only "this place is ours, and not finished": version 0, no
 * CRC. All of it in the first bytes, so that half a sector of it is still that.
 */
static enum status put_unfinished(const struct disk *d, uint64_t lba, uint32_t sectors,
				  struct bootwrite_error *err)
{
	struct bootarea_header h;

	memset(&h, 0, sizeof(h));
	memcpy(h.magic, BOOTAREA_MAGIC, sizeof(h.magic));
	h.area_sectors = le32_of(sectors);
	h.area_lba = le64_of(lba);
	return put(d, lba, 1, (const uint8_t *)&h, "marking the boot area", err);
}

static enum status clear_area(const struct disk *d, uint64_t lba, uint32_t sectors,
			      struct bootwrite_error *err)
{
	enum status st = put_unfinished(d, lba, sectors, err);

	if (st == ST_OK)
		st = put(d, lba + 1, sectors - 1, zero, "clearing the boot area", err);
	if (st == ST_OK)
		st = put(d, lba, 1, zero, "clearing the boot area", err);
	return st == ST_OK ? compare(d, lba, sectors, zero, err) : st;
}

static enum status clear_leftovers(const struct disk *d, const struct bootplan *p,
				   struct bootwrite_error *err)
{
	enum status st = ST_OK;

	for (unsigned i = 0; i < p->left_count && st == ST_OK; i++)
		st = clear_area(d, p->left[i].lba, p->left[i].sectors, err);
	return st;
}

/* The table is not ours: somebody may have changed it since LBA 0 was read. */
static enum status put_lba0(const struct disk *d, const uint8_t *lba0, struct bootwrite_error *err)
{
	uint8_t now[SECTOR];
	enum status st;

	if (disk_read(d, 0, 1, now) != ST_OK)
		return fail(err, "reading LBA 0", 0);
	if (memcmp(now + MBR_CODE_BYTES, lba0 + MBR_CODE_BYTES, SECTOR - MBR_CODE_BYTES))
		return fail(err, "keeping a partition table that has just changed", 0);
	st = put(d, 0, 1, lba0, "writing LBA 0", err);
	err->lba0_old = false;
	return st == ST_OK ? compare(d, 0, 1, lba0, err) : st;
}

static enum status put_area(const struct disk *d, const struct bootplan *p,
			    struct bootwrite_error *err)
{
	enum status st = put_unfinished(d, p->area_lba, p->area_sectors, err);

	if (st == ST_OK)
		st = put(d, p->area_lba + 1, p->area_sectors - 1, p->area + SECTOR,
			 "writing the boot area", err);
	if (st == ST_OK)
		st = put(d, p->area_lba, 1, p->area, "writing the boot area's header", err);
	return st == ST_OK ? compare(d, p->area_lba, p->area_sectors, p->area, err) : st;
}

/* LBA 0 as it was before us: the saved code under the table that is there now. */
static enum status put_back_lba0(const struct disk *d, const struct bootplan *p,
				 struct bootwrite_error *err)
{
	uint8_t lba0[SECTOR];

	memcpy(lba0, p->old.lba0, SECTOR);
	memcpy(lba0, p->area + BOOTAREA_SAVED * SECTOR, MBR_CODE_BYTES);
	return put_lba0(d, lba0, err);
}

static enum status clear_old(const struct disk *d, const struct bootplan *p,
			     struct bootwrite_error *err)
{
	if (!p->current.sectors)
		return ST_OK;
	return clear_area(d, p->current.lba, p->current.sectors, err);
}

enum status bootwrite_install(const struct disk *d, const struct bootplan *p,
			      struct bootwrite_error *err)
{
	enum status st = ST_OK;

	memset(err, 0, sizeof(*err));
	err->lba0_old = true;
	if (p->unchanged)
		return ST_OK;
	if (p->in_place)
		st = put_back_lba0(d, p, err);
	if (st == ST_OK && p->in_place)
		st = clear_old(d, p, err);
	if (st == ST_OK)
		st = clear_leftovers(d, p, err);
	if (st == ST_OK)
		st = put_area(d, p, err);
	if (st == ST_OK)
		st = put_lba0(d, p->lba0, err);
	if (st == ST_OK && !p->in_place)
		st = clear_old(d, p, err);
	return st;
}

enum status bootwrite_remove(const struct disk *d, const struct bootplan *p,
			     struct bootwrite_error *err)
{
	enum status st = ST_OK;

	memset(err, 0, sizeof(*err));
	err->lba0_old = true;
	if (p->old.ours)
		st = put_lba0(d, p->lba0, err);
	if (st == ST_OK)
		st = clear_old(d, p, err);
	return st == ST_OK ? clear_leftovers(d, p, err) : st;
}
