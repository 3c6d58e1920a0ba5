/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "stage2/chain.h"

#include "common/crc32.h"
#include "common/mem.h"
#include "stage2/bios.h"

static uint8_t sector_buf[DISK_SECTOR_BYTES];
static char config_text[CONFIG_TEXT_BYTES];

_Static_assert(BOOTAREA_CONFIG_COUNT * 512 == CONFIG_TEXT_BYTES, "the config fills its sectors");

enum status chain_open_area(const struct disk *d, struct bootarea_header *h, uint64_t *area_lba)
{
	return bootarea_open(d, sector_buf, h, area_lba);
}

bool chain_read_boot_sector(const struct disk *d, struct mbr_sector *sector)
{
	if (d->sectors == 0 || disk_read(d, 0, 1, sector_buf) != ST_OK)
		return false;
	memcpy(sector, sector_buf, sizeof(*sector));
	return le16_get(sector->signature) == MBR_SIGNATURE &&
	       !mem_is_zero(sector->code, sizeof(sector->code));
}

void chain_find(const struct disk *d, struct chain_code *c)
{
	struct bootarea_header h;
	uint64_t area_lba;

	c->found = c->is_volume = false;
	if (!chain_read_boot_sector(d, &c->sector))
		return;
	if (bootarea_locate(sector_buf, d->sectors, &area_lba) == ST_ABSENT) {
		c->found = true;
		return;
	}
	c->found = chain_open_area(d, &h, &area_lba) == ST_OK &&
		   disk_read(d, area_lba + BOOTAREA_SAVED, 1, &c->sector) == ST_OK &&
		   crc32_update(0, &c->sector, sizeof(c->sector)) == le32_get(h.saved_crc) &&
		   !mem_is_zero(c->sector.code, sizeof(c->sector.code));
}

enum status chain_read_config(const struct disk *d, struct config *c, struct config_error *err)
{
	struct bootarea_header h;
	uint64_t area_lba;
	enum status st;

	config_default(c);
	st = chain_open_area(d, &h, &area_lba);
	if (st == ST_OK)
		st = disk_read(d, area_lba + BOOTAREA_CONFIG, BOOTAREA_CONFIG_COUNT, config_text);
	if (st != ST_OK)
		return st == ST_CORRUPT ? ST_IO : st; /* CORRUPT is for the text */
	if (crc32_update(0, config_text, sizeof(config_text)) != le32_get(h.config_crc))
		return ST_IO;
	return config_parse(c, config_text, sizeof(config_text), err);
}

void chain_start(const struct chain_code *code, const struct mbr_sector *lba0, uint8_t drive)
{
	struct mbr_sector *to = (struct mbr_sector *)low_memory(BOOT_ADDR), *mbr = to;
	uint32_t active = 0;

	if (code->is_volume)
		mbr = (struct mbr_sector *)low_memory(MOVED_ADDR);
	memmove(mbr, lba0, sizeof(*mbr));
	if (code->is_volume)
		*to = code->sector;
	else
		memmove(to->code, code->sector.code, sizeof(to->code));
	to->signature = le16_of(MBR_SIGNATURE);
	for (unsigned i = 0; i < 4 && active == 0; i++)
		if (mbr->entry[i].status == 0x80)
			active = (uint32_t)&mbr->entry[i];
	bios_start(drive, active);
}
