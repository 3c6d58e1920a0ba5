/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tools/installed.h"
#include "tools/blobs.h"
#include "common/crc32.h"

#include <string.h>

bool installed_has_code(const uint8_t *lba0)
{
	for (unsigned i = 0; i < MBR_CODE_BYTES; i++)
		if (lba0[i])
			return true;
	return false;
}

static void read_saved(const struct disk *d, struct installed *i)
{
	if (disk_read(d, i->area_lba + BOOTAREA_SAVED, 1, i->saved) == ST_OK)
		i->saved_good = crc32_update(0, i->saved, SECTOR) == le32_get(i->header.saved_crc);
}

static void read_config(const struct disk *d, struct installed *i)
{
	_Static_assert(BOOTAREA_CONFIG_COUNT * SECTOR == CONFIG_TEXT_BYTES, "config sectors");

	if (disk_read(d, i->area_lba + BOOTAREA_CONFIG, BOOTAREA_CONFIG_COUNT, i->config) == ST_OK)
		i->config_good = crc32_update(0, i->config, CONFIG_TEXT_BYTES) ==
				 le32_get(i->header.config_crc);
	if (!i->config_good)
		memset(i->config, 0, sizeof(i->config));
	i->config[CONFIG_TEXT_BYTES] = 0;
}

static void read_record(const struct disk *d, struct installed *i)
{
	i->record_status = disk_read(d, i->area_lba + BOOTAREA_RECORD, 1, &i->record);
	if (i->record_status == ST_OK)
		i->record_status = record_check(&i->record);
}

static void read_stage2(const struct disk *d, struct installed *i)
{
	static uint8_t buf[BOOTAREA_STAGE2_MAX * SECTOR];
	const struct bootarea_patch *p = (const void *)(i->lba0 + BOOTAREA_PATCH_OFF);
	uint32_t n = le32_get(i->header.stage2_sectors);

	if (n > BOOTAREA_STAGE2_MAX || disk_read(d, i->area_lba + BOOTAREA_STAGE2, n, buf) != ST_OK)
		return;
	i->stage2_crc = crc32_update(0, buf, n * SECTOR);
	i->stage2_good = i->stage2_crc == le32_get(i->header.stage2_crc) &&
			 i->stage2_crc == le32_get(p->stage2_crc) &&
			 n == le16_get(p->stage2_sectors);
}

enum status installed_read(const struct disk *d, struct installed *i)
{
	enum status st;

	memset(i, 0, sizeof(*i));
	i->area = i->record_status = ST_ABSENT;
	if (disk_read(d, 0, 1, i->lba0) != ST_OK)
		return ST_IO;
	st = bootarea_locate(i->lba0, d->sectors, &i->area_lba);
	i->ours = st != ST_ABSENT;
	i->area = st;
	if (st != ST_OK)
		return ST_OK;
	i->area = disk_read(d, i->area_lba, 1, &i->header);
	if (i->area == ST_OK)
		i->area = bootarea_check(&i->header, i->area_lba, d->sectors);
	if (i->area != ST_OK)
		return ST_OK;
	i->area_sectors = le32_get(i->header.area_sectors);
	read_saved(d, i);
	read_config(d, i);
	read_record(d, i);
	read_stage2(d, i);
	return ST_OK;
}

uint32_t installed_area_sectors(const struct variant *v)
{
	return BOOTAREA_STAGE2 + variant_sectors(v);
}

void installed_build(uint8_t *area, uint64_t area_lba, const struct variant *v,
		     const uint8_t *saved, const char *config, const struct record *record)
{
	struct bootarea_header *h = (void *)area;
	uint8_t *text = area + BOOTAREA_CONFIG * SECTOR;
	uint8_t *stage2 = area + BOOTAREA_STAGE2 * SECTOR;

	memset(area, 0, (size_t)installed_area_sectors(v) * SECTOR);
	memcpy(area + BOOTAREA_SAVED * SECTOR, saved, SECTOR);
	memcpy(text, config, strnlen(config, CONFIG_TEXT_BYTES));
	memcpy(stage2, v->data, v->n_bytes);
	if (record)
		memcpy(area + BOOTAREA_RECORD * SECTOR, record, SECTOR);
	memcpy(h->magic, BOOTAREA_MAGIC, sizeof(h->magic));
	h->version = le32_of(BOOTAREA_VERSION);
	h->area_sectors = le32_of(installed_area_sectors(v));
	h->stage2_sectors = le32_of(variant_sectors(v));
	h->stage2_crc = le32_of(variant_crc(v));
	h->config_crc = le32_of(crc32_update(0, text, CONFIG_TEXT_BYTES));
	h->saved_crc = le32_of(crc32_update(0, saved, SECTOR));
	h->area_lba = le64_of(area_lba);
	h->header_crc = le32_of(crc32_update(0, h, SECTOR - 4));
}

void installed_build_lba0(uint8_t *out, const uint8_t *lba0, uint64_t area_lba,
			  const struct variant *v)
{
	struct bootarea_patch *p = (void *)(out + BOOTAREA_PATCH_OFF);

	memcpy(out, lba0, SECTOR);
	memcpy(out, blob_mbr, BOOTAREA_PATCH_OFF);
	p->magic = le32_of(BOOTAREA_PATCH_MAGIC);
	p->stage2_lba = le64_of(area_lba + BOOTAREA_STAGE2);
	p->stage2_sectors = le16_of((uint16_t)variant_sectors(v));
	p->reserved = le16_of(0);
	p->stage2_crc = le32_of(variant_crc(v));
}

bool installed_code_is_current(const uint8_t *lba0)
{
	const struct bootarea_patch *p = (const void *)(lba0 + BOOTAREA_PATCH_OFF);

	return !memcmp(lba0, blob_mbr, BOOTAREA_PATCH_OFF) &&
	       le32_get(p->magic) == BOOTAREA_PATCH_MAGIC;
}
