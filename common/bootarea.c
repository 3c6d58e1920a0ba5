/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "common/bootarea.h"

#include "common/crc32.h"
#include "common/mem.h"
#include "common/range.h"

enum status bootarea_locate(const uint8_t *lba0, uint64_t disk_sectors, uint64_t *area_lba)
{
	const struct bootarea_patch *p = (const struct bootarea_patch *)(lba0 + BOOTAREA_PATCH_OFF);
	uint64_t stage2_lba;
	uint32_t sectors;

	if (le32_get(p->magic) != BOOTAREA_PATCH_MAGIC &&
	    le32_get(p->magic) != BOOTAREA_PATCH_MAGIC_1)
		return ST_ABSENT;
	stage2_lba = le64_get(p->stage2_lba);
	sectors = le16_get(p->stage2_sectors);
	if (sectors == 0 || sectors > BOOTAREA_STAGE2_MAX || stage2_lba <= BOOTAREA_STAGE2 ||
	    !range_ok(stage2_lba, sectors, disk_sectors))
		return ST_CORRUPT;
	*area_lba = stage2_lba - BOOTAREA_STAGE2;
	return ST_OK;
}

enum status bootarea_check(const struct bootarea_header *h, uint64_t area_lba,
			   uint64_t disk_sectors)
{
	uint32_t stage2 = le32_get(h->stage2_sectors), total = le32_get(h->area_sectors);

	if (memcmp(h->magic, BOOTAREA_MAGIC, sizeof(h->magic)) != 0)
		return ST_ABSENT;
	if (crc32_update(0, h, sizeof(*h) - sizeof(h->header_crc)) != le32_get(h->header_crc))
		return ST_CORRUPT;
	if (le32_get(h->version) != BOOTAREA_VERSION)
		return ST_UNSUPPORTED;
	if (stage2 == 0 || stage2 > BOOTAREA_STAGE2_MAX || total < BOOTAREA_STAGE2 + stage2 ||
	    le64_get(h->area_lba) != area_lba || !range_ok(area_lba, total, disk_sectors))
		return ST_CORRUPT;
	return ST_OK;
}

enum status bootarea_open(const struct disk *d, uint8_t *sector, struct bootarea_header *h,
			  uint64_t *area_lba)
{
	enum status st;

	if (d->sectors == 0 || d->shift != DISK_SHIFT_MIN)
		return ST_ABSENT;
	st = disk_read(d, 0, 1, sector);
	if (st == ST_OK)
		st = bootarea_locate(sector, d->sectors, area_lba);
	if (st == ST_OK)
		st = disk_read(d, *area_lba, 1, h);
	if (st == ST_OK)
		st = bootarea_check(h, *area_lba, d->sectors);
	return st;
}
