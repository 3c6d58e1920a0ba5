/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* Where GRUB's core.img is, as its boot.img and diskboot.img say: sectors that we keep clear of. */
#ifndef TOOLS_GRUBCORE_H
#define TOOLS_GRUBCORE_H

#include "common/disk.h"

#define GRUBCORE_RANGES 32

struct grubcore {
	unsigned count;
	struct {
		uint64_t lba, sectors;
	} range[GRUBCORE_RANGES];
};

/* lba0: the boot code to look at. No GRUB there: no ranges. */
void grubcore_find(const struct disk *d, const uint8_t *lba0, struct grubcore *core);

/* GRUB's core.img that begins here, whoever points to it. None: no ranges. */
void grubcore_find_at(const struct disk *d, uint64_t first_lba, struct grubcore *core);

/* Is this LBA 0 GRUB's boot.img? */
bool grubcore_is_boot(const uint8_t *lba0);

bool grubcore_has(const struct grubcore *core, uint64_t lba);

#endif
