/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* The places of a disk that a boot area may be in, and whose their sectors are. */
#ifndef TOOLS_BOOTWINDOW_H
#define TOOLS_BOOTWINDOW_H

#include "tools/bootplan.h"
#include "tools/grubcore.h"

#define BOOTWINDOW_MAX 8

struct window {
	uint64_t start_lba;
	uint32_t sectors;
	uint8_t place;
	uint16_t part;
	uint8_t *data;
	uint8_t *mark; /* enum mark of bootplan.c, one a sector */
};

struct windows {
	unsigned count;
	struct window w[BOOTWINDOW_MAX];
	struct part_list parts;
	uint64_t table_end_lba; /* LBA 0 and the table lie below */
	bool is_dynamic;        /* by LDM, on an MBR disk */
	const uint8_t *lba0;
	struct grubcore core;
};

/* Look for them: their places, without what is in them. */
enum bootplan_fault bootwindow_find(const struct disk *d, const uint8_t *lba0, struct windows *ws);

/* False: it could not be read. */
bool bootwindow_load(const struct disk *d, struct window *w);
void bootwindow_free(struct windows *ws);

/*
 * Is this sector of a window somebody's all the same: GRUB's, the table's, another partition's?
 * lba0 and core of ws are set.
 */
bool bootwindow_is_taken(const struct windows *ws, const struct window *w, uint64_t lba);

#endif
