/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * Partition tables, and our boot area. The input is one byte of flags, then the disk: it ends where
 * the input does, so the backup GPT is the input's last sector.
 */
#include "common/bootarea.h"
#include "common/crc32.h"
#include "common/gpt.h"
#include "common/mbrtab.h"
#include "tests/fuzz/one_disk.h"

#define READS_MAX 1000 /* 3 tables of at most 1 MiB, in pieces of 4 KiB, and a chain */

enum flag { FIX_GPT = 1, SECTORS_4K = 2, FAIL_READS = 4, FIX_AREA = 8 };

/* Make both checksums right: a fuzzer can't guess them, an attacker can. */
static void fix_gpt(const struct disk *d, uint64_t lba)
{
	size_t sector = (size_t)1 << d->shift, size = (size_t)d->sectors << d->shift;
	uint8_t *at = content + (lba << d->shift);
	struct gpt_header *h = (struct gpt_header *)at;
	uint64_t off, bytes = (uint64_t)le32_get(h->entry_count) * le32_get(h->entry_bytes);
	uint32_t header = le32_get(h->header_bytes);

	if (memcmp(h->signature, "EFI PART", 8) != 0)
		return;
	if (le64_get(h->entries_lba) < d->sectors) {
		off = le64_get(h->entries_lba) << d->shift;
		if (range_ok(off, bytes, size))
			h->entries_crc = le32_of(crc32_update(0, content + off, (size_t)bytes));
	}
	h->header_crc = le32_of(0);
	if (header <= sector)
		h->header_crc = le32_of(crc32_update(0, at, header));
}

static void check_list(const struct disk *d, const struct part_list *list, enum status st)
{
	unsigned last_logical = 4;

	check(list->count <= PART_MAX);
	if (st != ST_OK || list->table == PART_TABLE_NONE)
		check(list->count == 0 && list->table == PART_TABLE_NONE);
	check(list->end_usable_lba <= d->sectors);
	for (unsigned i = 0; i < list->count; i++) {
		const struct part *p = &list->part[i];

		check(p->sectors > 0 && range_ok(p->start_lba, p->sectors, d->sectors));
		check(p->number > 0 && p->number <= GPT_ENTRIES_MAX);
		if (list->table == PART_TABLE_MBR) {
			check(p->start_lba > 0 || p->number > 4);
			if (p->number > 4) { /* numbered in the order of the chain */
				check(p->number > last_logical);
				last_logical = p->number;
			}
		}
	}
}

/* Our own area on it: its place and all that it says of its size lie on the disk. */
static void check_area(const struct disk *d, uint8_t *buf)
{
	struct bootarea_header h;
	uint64_t lba;
	enum status st;

	if (d->shift != 9)
		return;
	st = bootarea_open(d, buf, &h, &lba);
	say_status("area", (int)st);
	check(st == ST_OK || st == ST_ABSENT || st == ST_CORRUPT);
	if (st != ST_OK)
		return;
	check(range_ok(lba, le32_get(h.area_sectors), d->sectors) && le64_get(h.area_lba) == lba);
	check(le32_get(h.stage2_sectors) <= BOOTAREA_STAGE2_MAX);
	check(le32_get(h.stage2_sectors) + BOOTAREA_STAGE2 <= le32_get(h.area_sectors));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct part_list list;
	static uint8_t buf[DISK_SECTOR_BYTES];
	struct disk d = {.read = fuzz_read};
	enum status st;
	unsigned flags;

	if (n < 1)
		return 0;
	flags = *data++;
	n--;
	if (n > DISK_BYTES)
		n = DISK_BYTES;
	memset(content, 0, sizeof(content));
	memcpy(content, data, n);
	d.shift = flags & SECTORS_4K ? 12 : 9;
	d.sectors = (n + ((size_t)1 << d.shift) - 1) >> d.shift;
	if (flags & FIX_AREA)
		for (uint64_t lba = 1; lba < d.sectors; lba++) {
			struct bootarea_header *h = (void *)(content + lba * 512);

			if (memcmp(h->magic, BOOTAREA_MAGIC, 8) == 0)
				h->header_crc = le32_of(crc32_update(0, h, sizeof(*h) - 4));
		}
	if (flags & FIX_GPT)
		for (uint64_t lba = 1; lba < d.sectors; lba++)
			fix_gpt(&d, lba);

	reads = 0;
	fail_every = flags & FAIL_READS ? 3 : 0;
	memset(&list, 0xa5, sizeof(list));
	st = part_read(&d, &list, buf);
	check(reads < READS_MAX);
	check_list(&d, &list, st);
	say_status("table", (int)st);
	say(list.table == PART_TABLE_GPT ? "gpt" : list.table == PART_TABLE_MBR ? "mbr" : "none");
	say_number("partitions", list.count);
	if (list.full)
		say("full");
	fail_every = 0;
	check_area(&d, buf);
	return 0;
}
