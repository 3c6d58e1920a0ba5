/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "stage2/tabledoor.h"

#include "common/mem.h"
#include "stage2/bios.h"

#define DOOR_KIB     1u
#define DOOR_OLD     19  /* in the image: the vector before us */
#define DOOR_SECTOR  512 /* and the sector */
#define LOWEST_KIB   (0x90000u >> 10)
#define VECTOR_INT13 (0x13u * 4)

extern const uint8_t tabledoor_image[], tabledoor_image_end[];

/* What the disk is read by here; the resident part asks the door. There is one table a boot. */
static const struct mbr_sector *sector;

static enum status table_read(const struct disk *d, uint64_t lba, uint32_t n, void *buf)
{
	memset(buf, 0, n * sizeof(*sector));
	if (lba == 0 && n > 0)
		memcpy(buf, sector, sizeof(*sector));
	return ST_OK;
}

struct disk tabledoor_disk(const struct mbr_sector *table, uint64_t sectors)
{
	sector = table;
	return (struct disk){.read = table_read,
			     .ctx = (void *)TABLEDOOR_DRIVE,
			     .sectors = sectors,
			     .shift = DISK_SHIFT_MIN};
}

enum status tabledoor_install(const struct mbr_sector *table)
{
	uint32_t kib = bda16(BDA_BASE_KIB) - DOOR_KIB;
	uint8_t *door = (uint8_t *)low_memory(kib << 10);
	volatile uint32_t *vector = low_memory(VECTOR_INT13);

	if (kib < LOWEST_KIB)
		return ST_FULL;
	memcpy(door, tabledoor_image, (uint32_t)tabledoor_image_end - (uint32_t)tabledoor_image);
	memcpy(door + DOOR_SECTOR, table, sizeof(*table));
	memcpy(door + DOOR_OLD, (const void *)vector, sizeof(*vector));
	*vector = (uint32_t)bios_segment(kib << 10) << 16;
	*(volatile uint16_t *)low_memory(BDA_BASE_KIB) = (uint16_t)kib;
	return ST_OK;
}
