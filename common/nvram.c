/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "common/nvram.h"

#include "common/mem.h"

void nvram_name(unsigned number, char name[NVRAM_NAME_BYTES])
{
	memcpy(name, "Boot0000", NVRAM_NAME_BYTES);
	for (unsigned i = 0; i < 4; i++)
		name[7 - i] = "0123456789ABCDEF"[number >> 4 * i & 15];
}

unsigned nvram_number(const char *name)
{
	unsigned number = 0, i = 0;

	for (; i < 4; i++)
		if (name[i] != "Boot"[i])
			return NVRAM_NONE;
	for (; i < 8; i++) {
		if (name[i] >= '0' && name[i] <= '9')
			number = number << 4 | (unsigned)(name[i] - '0');
		else if (name[i] >= 'A' && name[i] <= 'F')
			number = number << 4 | (unsigned)(name[i] - 'A' + 10);
		else
			return NVRAM_NONE;
	}
	return name[i] ? NVRAM_NONE : number;
}

const struct nventry *nvram_find(const struct nvram *all, unsigned number)
{
	unsigned from = 0, end = all->count;

	while (from < end) {
		unsigned i = from + (end - from) / 2;

		if (all->entry[i].number == number)
			return &all->entry[i];
		if (all->entry[i].number < number)
			from = i + 1;
		else
			end = i;
	}
	return NULL;
}

void nvram_look(struct nventry *e)
{
	e->place = -1;
	e->status = e->error ? ST_IO : bootentry_parse(&e->e, e->data, e->bytes);
}

bool nvram_take_order(struct nvram *all, const void *data, size_t bytes)
{
	const uint8_t *p = data;

	all->has_order = true;
	all->order_count = (unsigned)(bytes / 2);
	for (unsigned i = 0; i < all->order_count; i++)
		all->order[i] = (uint16_t)(p[2 * i] | p[2 * i + 1] << 8);
	return bytes % 2 == 0;
}

void nvram_arrange(struct nvram *all)
{
	/* Shell's sort: there is no other at hand in a firmware. */
	for (unsigned gap = all->count / 2; gap; gap /= 2)
		for (unsigned i = gap; i < all->count; i++) {
			struct nventry e = all->entry[i];
			unsigned k = i;

			for (; k >= gap && all->entry[k - gap].number > e.number; k -= gap)
				all->entry[k] = all->entry[k - gap];
			all->entry[k] = e;
		}
	for (unsigned i = 0; i < all->count; i++) {
		all->entry[i].place = -1;
		for (unsigned k = all->order_count; k--;) /* from the end: the first place counts */
			if (all->order[k] == all->entry[i].number)
				all->entry[i].place = (int)k;
	}
}

static bool same_entry(const struct nventry *x, const struct nventry *y)
{
	return x->number == y->number && x->error == y->error && x->bytes == y->bytes &&
	       x->attributes == y->attributes &&
	       (x->bytes == 0 || !memcmp(x->data, y->data, x->bytes));
}

bool nvram_equal(const struct nvram *a, const struct nvram *b)
{
	if (a->count != b->count || a->order_count != b->order_count ||
	    (a->order_count && memcmp(a->order, b->order, a->order_count * sizeof(*a->order)) != 0))
		return false;
	for (unsigned i = 0; i < a->count; i++)
		if (!same_entry(&a->entry[i], &b->entry[i]))
			return false;
	return true;
}

bool nvram_alike(const struct bootentry *a, const struct bootentry *b)
{
	return a->on_partition && b->on_partition && guid_equal(&a->hd.guid, &b->hd.guid) &&
	       bootentry_same_program(a, b);
}

bool nvram_same_name(const struct bootentry *a, const struct bootentry *b)
{
	return a->name_units == b->name_units && !memcmp(a->name, b->name, a->name_units * 2);
}
