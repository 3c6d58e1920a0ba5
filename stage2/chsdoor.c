/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "stage2/chsdoor.h"

#include "common/mem.h"
#include "stage2/bios.h"

#define DOOR_KIB     1u
#define DOOR_OLD     19 /* in the image: the vector before us */
#define DOOR_TABLE   27 /* and the table of drives, two bytes each */
#define LOWEST_KIB   (0x90000u >> 10)
#define VECTOR_INT13 (0x13u * 4)

extern const uint8_t chsdoor_image[], chsdoor_image_end[];

static bool any_needs_it(const struct biosdisks *disks)
{
	for (unsigned i = 0; i < disks->count; i++)
		if (disks->way[i].chs)
			return true;
	return false;
}

enum status chsdoor_install(const struct biosdisks *disks)
{
	uint32_t kib = bda16(BDA_BASE_KIB) - DOOR_KIB;
	uint8_t *door = (uint8_t *)low_memory(kib << 10);
	volatile uint32_t *vector = low_memory(VECTOR_INT13);

	if (!any_needs_it(disks))
		return ST_OK;
	if (kib < LOWEST_KIB)
		return ST_FULL;
	memcpy(door, chsdoor_image, (uint32_t)chsdoor_image_end - (uint32_t)chsdoor_image);
	for (unsigned i = 0; i < disks->count; i++) {
		const struct biosdisk_chs *g = &disks->chs[i];

		if (!disks->way[i].chs)
			continue;
		door[DOOR_TABLE + 2 * i] = g->track_sectors;
		door[DOOR_TABLE + 2 * i + 1] = (uint8_t)(g->heads - 1u);
	}
	memcpy(door + DOOR_OLD, (const void *)vector, sizeof(*vector));
	*vector = (uint32_t)bios_segment(kib << 10) << 16;
	*(volatile uint16_t *)low_memory(BDA_BASE_KIB) = (uint16_t)kib;
	return ST_OK;
}
