/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tools/grubcore.h"
#include "common/mbrtab.h"
#include "common/range.h"

#include <string.h>

/*
 * GRUB 2's boot.img has the LBA of core.img's first sector at 5Ch (its
 * GRUB_BOOT_MACHINE_KERNEL_SECTOR). That sector, diskboot.img, ends in a list of
 * the others: entries of 12 bytes from 1F4h downwards, an empty one ends it
 * (struct grub_pc_bios_boot_blocklist).
 */
#define KERNEL_SECTOR_OFF 0x5c
#define BLOCKLIST_OFF     0x1f4
#define BLOCKLIST_LOW     0x80

struct blocklist {
	le64 start_lba;
	le16 sectors;
	le16 segment;
};
_Static_assert(sizeof(struct blocklist) == 12, "GRUB's blocklist entry");

static void add(struct grubcore *core, uint64_t lba, uint64_t sectors)
{
	if (core->count < GRUBCORE_RANGES) {
		core->range[core->count].lba = lba;
		core->range[core->count++].sectors = sectors;
	}
}

/* The ranges that the block list of a core.img's first sector names. */
static void add_listed(const struct disk *d, const uint8_t *sector, struct grubcore *core)
{
	for (unsigned off = BLOCKLIST_OFF; off >= BLOCKLIST_LOW; off -= sizeof(struct blocklist)) {
		const struct blocklist *b = (const void *)(sector + off);

		if (!le16_get(b->sectors))
			break;
		if (range_ok(le64_get(b->start_lba), le16_get(b->sectors), d->sectors))
			add(core, le64_get(b->start_lba), le16_get(b->sectors));
	}
}

bool grubcore_is_boot(const uint8_t *lba0)
{
	return memmem(lba0, MBR_CODE_BYTES, "GRUB ", 5);
}

void grubcore_find(const struct disk *d, const uint8_t *lba0, struct grubcore *core)
{
	uint8_t sector[DISK_SECTOR_BYTES];
	uint64_t first_lba = le64_get(*(const le64 *)(lba0 + KERNEL_SECTOR_OFF));

	core->count = 0;
	if (!grubcore_is_boot(lba0) || !range_ok(first_lba, 1, d->sectors) || !first_lba)
		return;
	add(core, first_lba, 1);
	if (disk_read(d, first_lba, 1, sector) == ST_OK)
		add_listed(d, sector, core);
}

void grubcore_find_at(const struct disk *d, uint64_t first_lba, struct grubcore *core)
{
	uint8_t sector[DISK_SECTOR_BYTES];

	core->count = 0;
	if (!range_ok(first_lba, 1, d->sectors) || disk_read(d, first_lba, 1, sector) != ST_OK ||
	    !memmem(sector, BLOCKLIST_OFF, "loading", 7))
		return;
	add(core, first_lba, 1);
	add_listed(d, sector, core);
}

bool grubcore_has(const struct grubcore *core, uint64_t lba)
{
	for (unsigned i = 0; i < core->count; i++)
		if (lba >= core->range[i].lba && lba - core->range[i].lba < core->range[i].sectors)
			return true;
	return false;
}
