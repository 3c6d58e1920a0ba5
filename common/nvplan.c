/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "common/nvplan.h"

#include "common/mem.h"
#include "common/range.h"

/* What retargeting adds to an entry: HD(), a blank, the NUL; and the text. */
#define GROWS_BYTES (64 + 2 * NVPLAN_NAME_UNITS)

static size_t up_to_8(size_t bytes)
{
	return (bytes + 7) & ~(size_t)7;
}

static unsigned room_for(const struct nvram *now, unsigned items)
{
	return now->count + items + 8;
}

/* Each entry is cloned once, and is updated or brought back once. */
size_t nvplan_bytes(const struct nvram *now, unsigned items, size_t item_bytes)
{
	size_t room = room_for(now, items), data = item_bytes;

	for (unsigned i = 0; i < now->count; i++)
		data += now->entry[i].bytes;
	return up_to_8(room * sizeof(struct nvplan_change)) +
	       up_to_8(room * sizeof(struct nvnote)) + up_to_8(room * sizeof(struct nvpair)) +
	       up_to_8((room + now->order_count) * sizeof(uint16_t)) + 2 * data +
	       room * GROWS_BYTES;
}

static void *carve(struct nvplan *p, size_t bytes)
{
	void *at = p->pool + p->pool_used;

	if (!range_ok(p->pool_used, up_to_8(bytes), p->pool_bytes)) {
		p->full = true;
		return NULL;
	}
	p->pool_used += up_to_8(bytes);
	return at;
}

void nvplan_start(struct nvplan *p, const struct nvram *now, const struct nvparts *parts,
		  unsigned items, void *memory, size_t bytes)
{
	unsigned room = room_for(now, items);

	memset(p, 0, sizeof(*p));
	p->now = now;
	p->parts = parts;
	p->pool = memory;
	p->pool_bytes = bytes;
	p->change = carve(p, room * sizeof(*p->change));
	p->note = carve(p, room * sizeof(*p->note));
	p->pair = carve(p, room * sizeof(*p->pair));
	p->order = carve(p, (room + now->order_count) * sizeof(*p->order));
	if (p->full)
		return;
	p->room = room;
	p->order_room = room + now->order_count;
	p->order_count = now->order_count;
	if (now->order_count)
		memcpy(p->order, now->order, now->order_count * sizeof(*p->order));
}

bool nvplan_is_free(const struct nvplan *p, unsigned number)
{
	if (number >= NVRAM_NONE || nvram_find(p->now, number))
		return false;
	for (unsigned i = 0; i < p->count; i++)
		if (p->change[i].number == number)
			return false;
	return true;
}

unsigned nvplan_free_number(const struct nvplan *p)
{
	unsigned number = 0;

	/* One that is named somewhere and not there would come to life where nobody put it. */
	while (number < NVRAM_NONE && (!nvplan_is_free(p, number) || nvplan_place(p, number) >= 0 ||
				       number == p->now->next || number == p->now->current))
		number++;
	return number;
}

static struct nvplan_change *change(struct nvplan *p)
{
	if (p->count == p->room) {
		p->full = true;
		return NULL;
	}
	return &p->change[p->count++];
}

void nvplan_add(struct nvplan *p, enum nvplan_act act, unsigned number, unsigned from,
		const struct bootentry *e, const struct bootentry_hd *hd, const struct nvtext *more,
		const struct nvtext *name)
{
	struct nvplan_change *c = change(p);
	uint8_t *data = p->pool + p->pool_used;
	struct bootentry named = *e;
	size_t bytes;

	if (name) {
		named.name = (const uint8_t *)name->unit;
		named.name_units = name->units;
	}
	if (!c || bootentry_retarget(&named, hd, more ? more->unit : NULL, more ? more->units : 0,
				     data, p->pool_bytes - p->pool_used, &bytes) != ST_OK) {
		p->full = true;
		return;
	}
	*c = (struct nvplan_change){act, number, from, data, bytes, {0}};
	if (bootentry_parse(&c->e, data, bytes) != ST_OK || !carve(p, bytes))
		p->full = true;
}

void nvplan_remove(struct nvplan *p, const struct nventry *e)
{
	struct nvplan_change *c = change(p);
	unsigned kept = 0;

	if (!c)
		return;
	*c = (struct nvplan_change){NVPLAN_REMOVE, e->number, NVRAM_NONE, NULL, 0, {0}};
	if (e->status == ST_OK)
		c->e = e->e;
	for (unsigned i = 0; i < p->order_count; i++)
		if (p->order[i] != e->number)
			p->order[kept++] = p->order[i];
	p->order_changes = p->order_changes || kept != p->order_count;
	p->order_count = kept;
}

/* ---- notes and pairs ---- */

static bool same_note(const struct nvnote *a, const struct nvnote *b)
{
	return a->kind == b->kind && a->number == b->number && a->part == b->part &&
	       (!a->e || (a->part && bootentry_same_file(a->e, b->e)));
}

void nvplan_note(struct nvplan *p, struct nvnote note)
{
	for (unsigned i = 0; i < p->notes; i++)
		if (same_note(&p->note[i], &note))
			return;
	if (p->notes < p->room)
		p->note[p->notes++] = note;
	else
		p->full = true;
}

void nvplan_note_loader(struct nvplan *p, const struct nvpart *part, const struct bootentry *e)
{
	enum status st = p->parts->loader(p->parts, part, e);

	if (st != ST_OK)
		nvplan_note(p, (struct nvnote){.kind = st == ST_ABSENT ? NVNOTE_NO_LOADER
								       : NVNOTE_LOADER_UNKNOWN,
					       .e = e,
					       .part = part});
}

void nvplan_pair(struct nvplan *p, unsigned from, unsigned to)
{
	if (p->pairs < p->room)
		p->pair[p->pairs++] = (struct nvpair){from, to};
	else
		p->full = true;
}

bool nvplan_is_paired(const struct nvplan *p, unsigned number)
{
	for (unsigned i = 0; i < p->pairs; i++)
		if (p->pair[i].from == number || p->pair[i].to == number)
			return true;
	return false;
}

/* ---- the boot order ---- */

int nvplan_place(const struct nvplan *p, unsigned number)
{
	for (unsigned i = 0; i < p->order_count; i++)
		if (p->order[i] == number)
			return (int)i;
	return -1;
}

void nvplan_put(struct nvplan *p, unsigned number, unsigned place)
{
	if (p->order_count == p->order_room) {
		p->full = true;
		return;
	}
	memmove(p->order + place + 1, p->order + place,
		(p->order_count - place) * sizeof(*p->order));
	p->order[place] = (uint16_t)number;
	p->order_count++;
	p->order_changes = true;
}

/* ---- what there will be ---- */

static const struct nvplan_change *change_of(const struct nvplan *p, unsigned number)
{
	for (unsigned i = 0; i < p->count; i++)
		if (p->change[i].number == number)
			return &p->change[i];
	return NULL;
}

static void take(struct nvram *after, const struct nventry *from, const struct nvplan_change *c)
{
	struct nventry *e = &after->entry[after->count++];

	*e = *from;
	if (c) {
		e->data = c->data;
		e->bytes = c->bytes;
		e->error = 0;
		nvram_look(e);
	}
}

void nvplan_after(const struct nvplan *p, struct nvram *after)
{
	const struct nvram *now = p->now;
	const struct nventry fresh = {.attributes = NVRAM_PLAIN};

	after->count = 0;
	for (unsigned i = 0; i < now->count; i++) {
		const struct nvplan_change *c = change_of(p, now->entry[i].number);

		if (!c || c->act == NVPLAN_UPDATE)
			take(after, &now->entry[i], c);
	}
	for (unsigned i = 0; i < p->count; i++)
		if (p->change[i].act == NVPLAN_ADD) {
			take(after, &fresh, &p->change[i]);
			after->entry[after->count - 1].number = p->change[i].number;
		}
	after->order_count = p->order_count;
	if (p->order_count)
		memcpy(after->order, p->order, p->order_count * sizeof(*p->order));
	nvram_arrange(after);
}
