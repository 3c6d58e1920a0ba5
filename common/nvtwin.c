/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "common/nvtwin.h"

#include "common/mem.h"

static const uint16_t mark[] = {' ', '(', 'm', 'i', 'r', 'r', 'o', 'r', ')'};
#define MARK_UNITS (sizeof(mark) / sizeof(mark[0]))

/* "debian (mirror)": it is the copy, and what is gone is the original. */
static bool is_copy(const struct bootentry *e)
{
	const uint8_t *end;

	if (e->name_units <= MARK_UNITS)
		return false;
	end = e->name + 2 * (e->name_units - MARK_UNITS);
	for (unsigned i = 0; i < MARK_UNITS; i++)
		if ((end[2 * i] | end[2 * i + 1] << 8) != mark[i])
			return false;
	return true;
}

static const struct nvtwin_esp *esp_of(const struct nvtwin *t, const struct bootentry *e)
{
	for (unsigned i = 0; i < t->esps; i++)
		if (e->on_partition && guid_equal(&t->esp[i].part->part.uuid, &e->hd.guid))
			return &t->esp[i];
	return NULL;
}

static bool counts(const struct nventry *e)
{
	return e->status == ST_OK && e->e.on_partition && !bootentry_is_automatic(&e->e);
}

static bool is_same_on(const struct bootentry *a, const struct bootentry *b,
		       const struct nvtwin_esp *esp)
{
	return guid_equal(&a->hd.guid, &esp->part->part.uuid) && bootentry_same_program(a, b);
}

/* Of several one that is in the boot order. */
static const struct nventry *twin_on(const struct nvtwin *t, const struct nventry *e,
				     const struct nvtwin_esp *esp)
{
	const struct nventry *found = NULL;

	for (unsigned i = 0; i < t->all->count; i++) {
		const struct nventry *other = &t->all->entry[i];

		if (counts(other) && is_same_on(&other->e, &e->e, esp) &&
		    (!found || (found->place < 0 && other->place >= 0)))
			found = other;
	}
	return found;
}

static bool has_item(const struct nvtwin *t, const struct nventry *e, const struct nvtwin_esp *esp)
{
	for (unsigned i = 0; i < t->items; i++)
		if (is_same_on(&t->item[i].e, &e->e, esp))
			return true;
	return false;
}

static struct nvitem *next_item(struct nvtwin *t)
{
	if (t->items == t->room)
		return NULL;
	memset(&t->item[t->items], 0, sizeof(t->item[0]));
	return &t->item[t->items++];
}

static enum status add(struct nvtwin *t, const struct nventry *e, bool in_order)
{
	struct nvitem *i = next_item(t);

	if (!i)
		return ST_FULL;
	i->number = e->number;
	i->in_order = in_order;
	i->data = e->data;
	i->bytes = e->bytes;
	i->e = e->e;
	return ST_OK;
}

/* Made anew from its twin: "(mirror)" behind the name, or taken off it. */
static enum status add_missing(struct nvtwin *t, const struct nventry *twin,
			       const struct nvtwin_esp *esp)
{
	const struct bootentry_hd hd = nvpart_hd(esp->part);
	bool copy = is_copy(&twin->e);
	struct bootentry e = twin->e;
	struct nvitem *i = next_item(t);
	uint8_t *data = t->pool + t->pool_used;
	size_t bytes;

	if (copy)
		e.name_units -= MARK_UNITS;
	if (!i || bootentry_retarget(&e, &hd, mark + 1, copy ? 0 : MARK_UNITS - 1, data,
				     t->pool_bytes - t->pool_used, &bytes) != ST_OK)
		return ST_FULL;
	t->pool_used += bytes;
	i->number = NVRAM_NONE;
	i->in_order = twin->place >= 0;
	i->data = data;
	i->bytes = bytes;
	return bootentry_parse(&i->e, data, bytes);
}

/* What an entry's twins on the other ESPs of its set want; those of the order come by themselves.
 */
static enum status add_twins(struct nvtwin *t, const struct nventry *e,
			     const struct nvtwin_esp *own)
{
	enum status st = ST_OK;

	for (unsigned i = 0; i < t->esps && st == ST_OK; i++) {
		const struct nvtwin_esp *esp = &t->esp[i];
		const struct nventry *twin;

		if (esp == own || !guid_equal(&esp->set, &own->set) || has_item(t, e, esp))
			continue;
		twin = twin_on(t, e, esp);
		if (!twin)
			st = add_missing(t, e, esp);
		else if (twin->place < 0)
			st = add(t, twin, e->place >= 0);
	}
	return st;
}

static enum status add_with_twins(struct nvtwin *t, const struct nventry *e)
{
	const struct nvtwin_esp *own = esp_of(t, &e->e);
	enum status st;

	if (!counts(e) || !own)
		return ST_OK;
	for (unsigned i = 0; i < t->items; i++)
		if (t->item[i].data == e->data)
			return ST_OK;
	/* The original goes before its copy. */
	if (is_copy(&e->e)) {
		st = add_twins(t, e, own);
		return st == ST_OK ? add(t, e, e->place >= 0) : st;
	}
	st = add(t, e, e->place >= 0);
	return st == ST_OK ? add_twins(t, e, own) : st;
}

enum status nvtwin_items(struct nvtwin *t)
{
	const struct nvram *all = t->all;
	enum status st = ST_OK;

	t->items = 0;
	t->pool_used = 0;
	for (unsigned i = 0; i < all->order_count && st == ST_OK; i++) {
		const struct nventry *e = nvram_find(all, all->order[i]);

		if (e && e->place == (int)i)
			st = add_with_twins(t, e);
	}
	for (unsigned i = 0; i < all->count && st == ST_OK; i++)
		if (all->entry[i].place < 0)
			st = add_with_twins(t, &all->entry[i]);
	return st;
}
