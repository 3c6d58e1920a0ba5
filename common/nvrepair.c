/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* repair, delete: what should be there and is not; what is there and shall go. */
#include "common/mem.h"
#include "common/nvverb.h"

static bool fail(struct nvfail *f, enum nvwhy why, unsigned number)
{
	f->why = why;
	f->number = number;
	return false;
}

/* ---- match ---- */

static bool is_taken(const struct nvitem *item, unsigned items, const struct nventry *e)
{
	for (unsigned i = 0; i < items; i++)
		if (item[i].now == e)
			return true;
	return false;
}

/* The same name and number in the first round, the same name in the second, any in the third. */
static const struct nventry *fitting(const struct nvitem *item, unsigned items,
				     const struct nvitem *i, const struct nvram *all, int round)
{
	for (unsigned k = 0; k < all->count; k++) {
		const struct nventry *e = &all->entry[k];

		if (e->status == ST_OK && nvram_alike(&e->e, &i->e) &&
		    (round > 0 || e->number == i->number) &&
		    (round > 1 || nvram_same_name(&e->e, &i->e)) && !is_taken(item, items, e))
			return e;
	}
	return NULL;
}

void nvverb_match(struct nvitem *item, unsigned items, const struct nvram *all)
{
	for (unsigned i = 0; i < items; i++)
		item[i].now = NULL;
	for (int round = 0; round < 3; round++)
		for (unsigned i = 0; i < items; i++)
			if (!item[i].now)
				item[i].now = fitting(item, items, &item[i], all, round);
}

/* ---- repair ---- */

/* Behind what stood before it, else in front of what stood behind it. */
static unsigned place_of(const struct nvplan *p, const struct nvitem *item, unsigned items,
			 unsigned at)
{
	int place;

	for (unsigned i = at; i--;)
		if ((place = nvplan_place(p, item[i].shall)) >= 0)
			return (unsigned)place + 1;
	for (unsigned i = at + 1; i < items; i++)
		if ((place = nvplan_place(p, item[i].shall)) >= 0)
			return (unsigned)place;
	return p->order_count;
}

/* Its partition as it is now. False: not here, which is noted. */
static bool find_part(struct nvplan *p, const struct nvitem *i, const struct nvpart **part)
{
	bool twice = false;

	*part = p->parts->find(p->parts, &i->e.hd.guid, &twice);
	if (*part && !twice)
		return true;
	if (!i->now) {
		p->incomplete = true;
		nvplan_note(
			p, (struct nvnote){.kind = twice ? NVNOTE_TWICE : NVNOTE_GONE, .e = &i->e});
	}
	return false;
}

static bool repair_one(struct nvplan *p, struct nvitem *i, struct nvfail *f)
{
	const struct bootentry *e = i->now ? &i->now->e : &i->e;
	const struct nvpart *part;
	struct bootentry_hd hd;

	if (!find_part(p, i, &part))
		return true;
	hd = nvpart_hd(part);
	if (!i->now) {
		i->shall = nvplan_is_free(p, i->number) ? i->number : nvplan_free_number(p);
		if (i->shall == NVRAM_NONE)
			return fail(f, NVWHY_NUMBERS, 0);
		nvplan_note_loader(p, part, e);
	}
	if (!i->now || nvpart_moved(part, e)) {
		nvplan_add(p, i->now ? NVPLAN_UPDATE : NVPLAN_ADD, i->shall, NVRAM_NONE, e, &hd,
			   NULL, NULL);
		nvplan_pair(p, NVRAM_NONE, i->shall);
	}
	return true;
}

bool nvverb_repair(struct nvplan *p, struct nvitem *item, unsigned items, struct nvfail *f)
{
	nvverb_match(item, items, p->now);
	for (unsigned i = 0; i < items; i++)
		item[i].shall = item[i].now ? item[i].now->number : NVRAM_NONE;
	for (unsigned i = 0; i < items; i++)
		if (!repair_one(p, &item[i], f))
			return false;
	for (unsigned i = 0; i < items; i++)
		if (item[i].in_order && item[i].shall != NVRAM_NONE &&
		    nvplan_place(p, item[i].shall) < 0)
			nvplan_put(p, item[i].shall, place_of(p, item, items, i));
	return !p->full || fail(f, NVWHY_FULL, 0);
}

/* ---- delete ---- */

static bool is_named(const struct nvwant *w, unsigned number, const struct bootentry *e)
{
	for (unsigned i = 0; i < w->ids; i++)
		if (w->id[i] == number)
			return true;
	return w->has_on && e && e->on_partition && guid_equal(&e->hd.guid, &w->on);
}

/* An item that is gone goes by its number and its partition, one that is here by its entry. */
bool nvverb_is_dropped(const struct nvplan *p, const struct nvwant *w, const struct nvitem *i)
{
	if (i->now)
		return false;
	for (unsigned k = 0; k < p->count; k++) {
		const struct nvplan_change *c = &p->change[k];

		if (c->act == NVPLAN_REMOVE && c->e.path && nvram_alike(&c->e, &i->e))
			return true;
	}
	return is_named(w, nvram_find(p->now, i->number) ? NVRAM_NONE : i->number, &i->e);
}

/* Could the firmware start any of these? */
static bool starts(const struct nvram *all, const uint16_t *order, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		const struct nventry *e = nvram_find(all, order[i]);

		if (e && e->status == ST_OK && e->e.attributes & BOOTENTRY_ACTIVE)
			return true;
	}
	return false;
}

/* Is each number one of an entry, or of one that would come back? */
static bool are_known(const struct nvplan *p, const struct nvwant *w, const struct nvitem *item,
		      unsigned items, struct nvfail *f)
{
	for (unsigned i = 0; i < w->ids; i++) {
		bool known = nvram_find(p->now, w->id[i]) != NULL;

		for (unsigned k = 0; k < items && !known; k++)
			known = !item[k].now && item[k].number == w->id[i];
		if (!known)
			return fail(f, NVWHY_NO_ENTRY, w->id[i]);
	}
	return true;
}

bool nvverb_delete(struct nvplan *p, const struct nvwant *w, const struct nvitem *item,
		   unsigned items, struct nvfail *f)
{
	const struct nvram *all = p->now;
	unsigned gone = 0;

	for (unsigned i = 0; i < all->count; i++) {
		const struct nventry *e = &all->entry[i];

		if (!is_named(w, e->number, e->status == ST_OK ? &e->e : NULL))
			continue;
		nvplan_remove(p, e);
		if (e->number == all->next)
			nvplan_note(p, (struct nvnote){.kind = NVNOTE_NEXT, .number = e->number});
		if (e->number == all->current)
			nvplan_note(p,
				    (struct nvnote){.kind = NVNOTE_CURRENT, .number = e->number});
	}
	for (unsigned i = 0; i < items; i++)
		gone += nvverb_is_dropped(p, w, &item[i]);
	if (!are_known(p, w, item, items, f))
		return false;
	if (!p->count && !gone)
		return fail(f, NVWHY_NONE_ON, 0);
	if (!w->force && starts(all, all->order, all->order_count) &&
	    !starts(all, p->order, p->order_count))
		return fail(f, NVWHY_EMPTY_ORDER, 0);
	return !p->full || fail(f, NVWHY_FULL, 0);
}
