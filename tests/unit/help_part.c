/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tests/unit/help_part.h"

#include <string.h>
#include <zlib.h>

uint8_t *memdisk_at(struct memdisk *m, uint64_t lba)
{
	assert_true(lba < m->disk.sectors);
	return m->bytes + (lba << m->disk.shift);
}

void put_ebr(struct memdisk *m, uint64_t ebr_lba, unsigned entry, uint8_t type, uint32_t start,
	     uint32_t sectors)
{
	uint8_t *e = memdisk_at(m, ebr_lba) + 446 + 16 * entry;

	e[4] = type;
	put32(e + 8, start);
	put32(e + 12, sectors);
	put16(memdisk_at(m, ebr_lba) + 510, 0xaa55);
}

struct gpt_spec gpt_spec(const struct memdisk *m, bool backup)
{
	uint64_t last = m->disk.sectors - 1, table = (uint64_t)128 * 128 >> m->disk.shift;

	return (struct gpt_spec){
		.my = backup ? last : 1,
		.alternate = backup ? 1 : last,
		.entries = backup ? last - table : 2,
		.first_usable = 2 + table,
		.last_usable = last - table - 1,
		.count = 128,
		.bytes = 128,
	};
}

void put_gpt_entry(struct memdisk *m, const struct gpt_spec *s, unsigned i, const struct guid *type,
		   uint64_t first, uint64_t last)
{
	uint8_t *e = memdisk_at(m, s->entries) + (size_t)i * s->bytes;

	memcpy(e, type, 16);
	memset(e + 16, 0x40 + (int)i, 16);
	put64(e + 32, first);
	put64(e + 40, last);
}

void gpt_resum(struct memdisk *m, uint64_t lba)
{
	uint8_t *h = memdisk_at(m, lba);

	put32(h + 16, 0);
	put32(h + 16, (uint32_t)crc32(0, h, get32(h + 12)));
}

void put_gpt_header(struct memdisk *m, const struct gpt_spec *s)
{
	uint8_t *h = memdisk_at(m, s->my);
	uint64_t bytes = (uint64_t)s->count * s->bytes, disk = m->disk.sectors << m->disk.shift;

	memset(h, 0, 92);
	memcpy(h, "EFI PART", 8);
	put32(h + 8, 0x10000);
	put32(h + 12, 92);
	put64(h + 24, s->my);
	put64(h + 32, s->alternate);
	put64(h + 40, s->first_usable);
	put64(h + 48, s->last_usable);
	put64(h + 72, s->entries);
	put32(h + 80, s->count);
	put32(h + 84, s->bytes);
	/* A table that claims to lie elsewhere has no checksum to be right about. */
	if (s->entries < m->disk.sectors && bytes <= disk - (s->entries << m->disk.shift))
		put32(h + 88, (uint32_t)crc32(0, memdisk_at(m, s->entries), (uInt)bytes));
	gpt_resum(m, s->my);
}

void put_gpt(struct memdisk *m)
{
	memdisk_mbr(m, 1, MBR_PROTECTIVE, 1, (uint32_t)m->disk.sectors - 1);
	for (unsigned i = 0; i < 2; i++) {
		struct gpt_spec s = gpt_spec(m, i == 1);

		put_gpt_entry(m, &s, 0, &gpt_type_esp, 2048, 4095);
		put_gpt_entry(m, &s, 2, &gpt_type_raid, 4096, 14335);
		put_gpt_entry(m, &s, 127, &gpt_type_bios_boot, 34, 100);
		put_gpt_header(m, &s);
	}
}

void check_put_gpt(const struct memdisk *m, const struct part_list *list, enum part_table table)
{
	struct gpt_spec s = gpt_spec(m, false);

	assert_int_equal(list->table, table);
	assert_int_equal(list->count, 3);
	assert_false(list->full);
	assert_int_equal(list->part[0].kind, PART_ESP);
	assert_int_equal(list->part[0].number, 1);
	assert_int_equal(list->part[0].uuid.b[0], 0x40);
	assert_int_equal(list->part[1].kind, PART_OTHER);
	assert_int_equal(list->part[1].number, 3);
	assert_int_equal(list->part[1].start_lba, 4096);
	assert_int_equal(list->part[1].sectors, 10240);
	assert_int_equal(list->part[2].number, 128);
	assert_int_equal(list->part[2].kind, PART_BIOS_BOOT);
	assert_int_equal(list->first_usable_lba, s.first_usable);
	assert_int_equal(list->end_usable_lba, s.last_usable + 1);
}
