/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "common/mbrtab.h"

#include "common/range.h"

static bool is_extended(uint8_t type)
{
	return type == 0x05 || type == 0x0f || type == 0x85;
}

static bool is_empty(const struct mbr_entry *e)
{
	return e->type == 0 || le32_get(e->sectors) == 0 || le32_get(e->start_lba) == 0;
}

bool mbrtab_plausible(const struct mbr_sector *m)
{
	unsigned used = 0;

	if (le16_get(m->signature) != MBR_SIGNATURE)
		return false;
	for (unsigned i = 0; i < 4; i++) {
		const struct mbr_entry *e = &m->entry[i];

		/* A boot sector of a file system has code or text here. */
		if (e->status != 0 && e->status != 0x80)
			return false;
		used += !is_empty(e);
	}
	/* Several active ones, or one that starts at 0 (isohybrid), Linux takes as well. */
	return used > 0;
}

bool mbrtab_is_protective(const struct mbr_sector *m)
{
	if (le16_get(m->signature) != MBR_SIGNATURE)
		return false;
	for (unsigned i = 0; i < 4; i++)
		if (m->entry[i].type == MBR_PROTECTIVE)
			return true;
	return false;
}

/*
 * Append the partition that entry e describes, counted from base. One that starts
 * behind the disk's end is left out; one that only ends there is cut, so that what
 * it holds can be told to be incomplete.
 */
static void append(const struct disk *d, struct part_list *list, const struct mbr_entry *e,
		   uint64_t base_lba, unsigned number)
{
	uint64_t start = base_lba + le32_get(e->start_lba);
	struct part *p = &list->part[list->count];

	if (start >= d->sectors)
		return;
	if (list->count >= PART_MAX) {
		list->full = true;
		return;
	}
	*p = (struct part){
		.start_lba = start,
		.sectors = min_u64(le32_get(e->sectors), d->sectors - start),
		.number = (uint16_t)number,
		.mbr_type = e->type,
		.active = e->status == 0x80,
		.kind = PART_OTHER,
	};
	if (is_extended(e->type))
		p->kind = PART_EXTENDED;
	else if (e->type == 0xef)
		p->kind = PART_ESP;
	list->count++;
}

/*
 * Logical partitions: each EBR has one partition, counted from the EBR itself, and
 * a link to the next EBR, counted from the start of the extended partition.
 */
static void follow_chain(const struct disk *d, struct part_list *list, uint64_t first_lba,
			 unsigned *number, struct mbr_sector *buf)
{
	uint64_t ebr_lba = first_lba;

	for (unsigned links = 0; links < MBR_CHAIN_LIMIT; links++) {
		const struct mbr_entry *next = &buf->entry[1];

		if (disk_read(d, ebr_lba, 1, buf) != ST_OK ||
		    le16_get(buf->signature) != MBR_SIGNATURE)
			return;
		if (!is_empty(&buf->entry[0]))
			append(d, list, &buf->entry[0], ebr_lba, (*number)++);
		if (is_empty(next) || !is_extended(next->type))
			return;
		ebr_lba = first_lba + le32_get(next->start_lba);
	}
	list->full = true; /* longer than any real one, or a loop */
}

enum status mbrtab_read(const struct disk *d, struct part_list *list, void *buf)
{
	struct mbr_sector *m = buf;
	uint64_t extended_lba[4];
	unsigned extended = 0, number = 5;
	enum status st;

	list->table = PART_TABLE_NONE;
	list->full = false;
	list->count = 0;
	list->first_usable_lba = 1;
	list->end_usable_lba = d->sectors;

	st = disk_read(d, 0, 1, buf);
	if (st != ST_OK)
		return st;
	if (!mbrtab_plausible(m))
		return ST_ABSENT;

	for (unsigned i = 0; i < 4; i++) {
		if (is_empty(&m->entry[i]))
			continue;
		append(d, list, &m->entry[i], 0, i + 1);
		if (is_extended(m->entry[i].type))
			extended_lba[extended++] = le32_get(m->entry[i].start_lba);
	}
	/* Entries of which none lies on the disk: a boot sector that looks like a table. */
	if (list->count == 0)
		return ST_ABSENT;
	for (unsigned i = 0; i < extended; i++)
		follow_chain(d, list, extended_lba[i], &number, m);
	list->table = PART_TABLE_MBR;
	return ST_OK;
}
