/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* Boot entries made of three bytes of the input each, and the partitions that they can be on. */
#ifndef TESTS_FUZZ_NV_WORLD_H
#define TESTS_FUZZ_NV_WORLD_H

#include "common/nvtwin.h"
#include "tests/fuzz/fuzz.h"

#define PARTS   3
#define ENTRIES 12
#define ITEMS   (ENTRIES * PARTS + 1)

struct world {
	struct nvparts parts;
	struct nvpart part[PARTS];
	struct nvram all;
	struct nventry entry[ENTRIES * 4];
	uint16_t order[ENTRIES * 4];
	uint8_t data[ENTRIES][160];
};

static const struct nvpart *find(const struct nvparts *p, const struct guid *guid, bool *twice)
{
	const struct world *w = (const void *)p;

	*twice = false;
	for (unsigned i = 0; i < PARTS; i++)
		if (guid_equal(&w->part[i].part.uuid, guid))
			return &w->part[i];
	return NULL;
}

/* There, not there yet, and not to be told: a partition each. */
static enum status loader(const struct nvparts *p, const struct nvpart *part,
			  const struct bootentry *e)
{
	static const uint8_t status[] = {ST_ABSENT, ST_IO, ST_OK};

	return (enum status)status[part->part.number % 3];
}

/* what: bits 0-1 name, 2-3 partition (3: a device), 4 file, 5 data, 6 moved, 7 not whole. */
static void add(struct world *w, unsigned number, uint8_t what, uint8_t more)
{
	static const char *const names[] = {"a", "a (mirror)", "b", " (mirror)"};
	static const uint8_t automatic[] = {0, 0, 'B', 'O'};
	struct nventry *e = &w->entry[w->all.count];
	uint8_t *from = w->data[w->all.count], *p = from, *path;
	unsigned part = what >> 2 & 3;
	const char *name = names[what & 3];

	memset(from, 0, sizeof(w->data[0]));
	*p = more & 1;
	for (p += 6; *name; p += 2)
		*p = (uint8_t)*name++;
	path = p += 2;
	if (more & 2) { /* a node before HD(), as full paths have them */
		memcpy(p, "\1\1\6\0\2\0", 6);
		p += 6;
	}
	if (part < PARTS) {
		memcpy(p, "\4\1\x2a\0", 4);
		p[4] = (uint8_t)(w->part[part].part.number + (what >> 6 & 1));
		p[8] = (uint8_t)w->part[part].part.start_lba;
		p[16] = (uint8_t)w->part[part].part.sectors;
		memcpy(p + 24, w->part[part].part.uuid.b, 16);
		p[40] = p[41] = 2;
		p += 42;
	}
	memcpy(p, "\4\4\x8\0x\0\0\0\x7f\xff\4\0", 12);
	p[4] = what & 16 ? 'x' : 'y';
	p += 12;
	from[4] = (uint8_t)(p - path);
	if (more & 4) {
		memcpy(p, automatic, sizeof(automatic));
		p += sizeof(automatic);
	} else if (what & 32) {
		*p++ = 'd';
	}
	*e = (struct nventry){.number = number, .attributes = NVRAM_PLAIN, .data = from};
	e->bytes = (size_t)(p - from) - (what & 128 && more & 8 ? 12 : 0);
	nvram_look(e);
	w->all.count++;
}

static void make(struct world *w, const uint8_t *data, size_t n)
{
	memset(w, 0, sizeof(*w));
	w->parts = (struct nvparts){find, loader, true};
	for (unsigned i = 0; i < PARTS; i++)
		w->part[i] = (struct nvpart){"disk",
					     NULL,
					     {.number = (uint16_t)(i + 1),
					      .start_lba = 34 + i,
					      .sectors = 100 + i,
					      .kind = PART_ESP,
					      .uuid = {{(uint8_t)(i + 1)}}}};
	w->all.entry = w->entry;
	w->all.order = w->order;
	w->all.has_order = true;
	w->all.next = n ? data[0] & 31 : NVRAM_NONE;
	w->all.current = n > 1 ? data[1] & 31 : NVRAM_NONE;
	for (size_t at = 2; at + 3 <= n && w->all.count < ENTRIES; at += 3) {
		unsigned number = data[at] & 31;
		bool there = false;

		for (unsigned i = 0; i < w->all.count; i++)
			there = there || w->entry[i].number == number;
		if (data[at] & 32 && w->all.order_count < ENTRIES)
			w->order[w->all.order_count++] = (uint16_t)number;
		if (!there && !(data[at] & 64))
			add(w, number, data[at + 1], data[at + 2]);
	}
	nvram_arrange(&w->all);
}

#endif
