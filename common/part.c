/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "common/part.h"

#include "common/gpt.h"
#include "common/mbrtab.h"

enum status part_read(const struct disk *d, struct part_list *list, void *buf)
{
	enum status gpt, mbr;

	list->table = PART_TABLE_NONE;
	list->full = false;
	list->count = 0;
	list->first_usable_lba = 1;
	list->end_usable_lba = d->sectors;

	/*
	 * GPT first: its header has a checksum, and a protective MBR may have been
	 * overwritten. But an MBR that is no protective one rules: a stale GPT behind
	 * it is what a disk that was partitioned anew leaves.
	 */
	mbr = disk_read(d, 0, 1, buf);
	bool protective = mbr == ST_OK && mbrtab_is_protective(buf);

	if (mbr == ST_OK && !protective && mbrtab_plausible(buf)) {
		mbr = mbrtab_read(d, list, buf);
		if (mbr != ST_ABSENT)
			return mbr;
		mbr = ST_OK; /* LBA 0 was read, and is no table */
	}

	gpt = gpt_read(d, list, buf);
	if (gpt == ST_OK)
		return ST_OK;
	list->table = PART_TABLE_NONE;
	list->count = 0;
	if (mbr != ST_OK)
		return mbr;
	if (gpt == ST_IO || gpt == ST_CORRUPT)
		return gpt;
	return protective ? ST_CORRUPT : ST_OK;
}
