/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "common/gpt.h"

#include "common/crc32.h"
#include "common/mem.h"
#include "common/range.h"

const struct guid gpt_type_esp = {{0x28, 0x73, 0x2a, 0xc1, 0x1f, 0xf8, 0xd2, 0x11, 0xba, 0x4b, 0x00,
				   0xa0, 0xc9, 0x3e, 0xc9, 0x3b}};
const struct guid gpt_type_bios_boot = {{0x48, 0x61, 0x68, 0x21, 0x49, 0x64, 0x6f, 0x6e, 0x74, 0x4e,
					 0x65, 0x65, 0x64, 0x45, 0x46, 0x49}};
const struct guid gpt_type_raid = {{0x0f, 0x88, 0x9d, 0xa1, 0xfc, 0x05, 0x3b, 0x4d, 0xa0, 0x06,
				    0x74, 0x3f, 0x0f, 0x84, 0x91, 0x1e}};

const struct guid gpt_type_ldm_data = {{0xa0, 0x60, 0x9b, 0xaf, 0x31, 0x14, 0x62, 0x4f, 0xbc, 0x68,
					0x33, 0x11, 0x71, 0x4a, 0x69, 0xad}};
const struct guid gpt_type_ldm_metadata = {{0xaa, 0xc8, 0x08, 0x58, 0x8f, 0x7e, 0xe0, 0x42, 0x85,
					    0xd2, 0xe1, 0xe9, 0x04, 0x34, 0xcf, 0xb3}};

/* What is kept of a header whose checksum was right. */
struct header {
	uint64_t entries_lba, alternate_lba;
	uint64_t first_usable_lba, last_usable_lba;
	uint32_t entry_count, entry_bytes, entries_crc;
};

static bool entry_size_ok(uint32_t bytes)
{
	return bytes == sizeof(struct gpt_entry) || bytes == 256 || bytes == 512 ||
	       bytes == GPT_ENTRY_BYTES_MAX;
}

/* Entries times size, both bounded by entry_size_ok() and GPT_ENTRIES_MAX: at most 1 MiB. */
static uint32_t entries_bytes(const struct header *h)
{
	return h->entry_count * h->entry_bytes;
}

static uint64_t entries_sectors(const struct disk *d, const struct header *h)
{
	return (entries_bytes(h) + (1u << d->shift) - 1) >> d->shift;
}

static enum status read_header(const struct disk *d, uint64_t lba, struct header *h, uint8_t *buf)
{
	struct gpt_header *g = (struct gpt_header *)buf;
	uint32_t bytes, crc;
	enum status st = disk_read(d, lba, 1, buf);

	if (st != ST_OK)
		return st == ST_RANGE ? ST_ABSENT : st;
	if (memcmp(g->signature, "EFI PART", 8) != 0)
		return ST_ABSENT;

	bytes = le32_get(g->header_bytes);
	if (bytes < sizeof(*g) || bytes > 1u << d->shift)
		return ST_CORRUPT;
	crc = le32_get(g->header_crc);
	g->header_crc = le32_of(0);
	if (crc32_update(0, buf, bytes) != crc || le64_get(g->my_lba) != lba)
		return ST_CORRUPT;

	*h = (struct header){
		.entries_lba = le64_get(g->entries_lba),
		.alternate_lba = le64_get(g->alternate_lba),
		.first_usable_lba = le64_get(g->first_usable_lba),
		.last_usable_lba = le64_get(g->last_usable_lba),
		.entry_count = le32_get(g->entry_count),
		.entry_bytes = le32_get(g->entry_bytes),
		.entries_crc = le32_get(g->entries_crc),
	};
	if (!entry_size_ok(h->entry_bytes) || h->entry_count > GPT_ENTRIES_MAX ||
	    h->first_usable_lba > h->last_usable_lba || h->last_usable_lba == UINT64_MAX ||
	    !range_ok(h->entries_lba, entries_sectors(d, h), d->sectors))
		return ST_CORRUPT;
	return ST_OK;
}

/* One that starts behind the disk's end is left out; one that only ends there is cut. */
static void append(const struct disk *d, struct part_list *list, const struct gpt_entry *e,
		   unsigned number)
{
	uint64_t first = le64_get(e->first_lba), last = le64_get(e->last_lba);
	struct part *p = &list->part[list->count];

	if (guid_is_zero(&e->type) || first > last || first >= d->sectors)
		return;
	if (list->count >= PART_MAX) {
		list->full = true;
		return;
	}
	*p = (struct part){
		.start_lba = first,
		.sectors = min_u64(last - first, d->sectors - first - 1) + 1,
		.number = (uint16_t)number,
		.kind = PART_OTHER,
		.type = e->type,
		.uuid = e->uuid,
	};
	if (guid_equal(&e->type, &gpt_type_esp))
		p->kind = PART_ESP;
	else if (guid_equal(&e->type, &gpt_type_bios_boot))
		p->kind = PART_BIOS_BOOT;
	list->count++;
}

/*
 * The entries, 4 KiB at a time: a power of two, so no entry lies across two of them.
 * The list is filled on the way and means nothing until the checksum is right.
 */
static enum status read_entries(const struct disk *d, const struct header *h,
				struct part_list *list, uint8_t *buf)
{
	uint32_t left = entries_bytes(h), crc = 0, number = 1;
	uint64_t lba = h->entries_lba;

	while (left > 0) {
		uint32_t n = (uint32_t)min_u64(left, DISK_SECTOR_BYTES);
		uint32_t sectors = (n + (1u << d->shift) - 1) >> d->shift;
		enum status st = disk_read(d, lba, sectors, buf);

		if (st != ST_OK)
			return st;
		crc = crc32_update(crc, buf, n);
		for (uint32_t off = 0; off < n; off += h->entry_bytes)
			append(d, list, (const struct gpt_entry *)(buf + off), number++);
		lba += sectors;
		left -= n;
	}
	return crc == h->entries_crc ? ST_OK : ST_CORRUPT;
}

/* One header with its entries, whole or not at all. */
static enum status read_table(const struct disk *d, uint64_t lba, struct header *h,
			      struct part_list *list, void *buf)
{
	enum status st;

	list->count = 0;
	list->full = false;
	st = read_header(d, lba, h, buf);
	if (st != ST_OK)
		return st;
	st = read_entries(d, h, list, buf);
	if (st != ST_OK)
		return st;
	list->first_usable_lba = h->first_usable_lba;
	list->end_usable_lba = min_u64(h->last_usable_lba + 1, d->sectors);
	return ST_OK;
}

/* Of two answers that are not OK, the one that says more. */
static enum status worse(enum status a, enum status b)
{
	if (a == ST_CORRUPT || b == ST_CORRUPT)
		return ST_CORRUPT;
	if (b == ST_IO)
		return ST_IO;
	return a;
}

enum status gpt_read(const struct disk *d, struct part_list *list, void *buf)
{
	struct header h = {0};
	enum status primary, backup = ST_ABSENT;

	list->table = PART_TABLE_NONE;
	primary = read_table(d, 1, &h, list, buf);
	if (primary == ST_OK) {
		list->table = PART_TABLE_GPT;
		return ST_OK;
	}

	/* A good header whose entries are bad still says where the backup is. */
	uint64_t alternate_lba = h.alternate_lba;

	if (d->sectors > 2)
		backup = read_table(d, d->sectors - 1, &h, list, buf);
	if (backup != ST_OK && alternate_lba > 1 && alternate_lba != d->sectors - 1)
		backup = read_table(d, alternate_lba, &h, list, buf);
	if (backup == ST_OK) {
		list->table = PART_TABLE_GPT_BACKUP;
		return ST_OK;
	}
	list->count = 0;
	return worse(primary, backup);
}
