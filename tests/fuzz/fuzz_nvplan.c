/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * Plans for boot entries: the input says which entries there are (three bytes each), in which
 * order, and what is asked for. Whatever there is, the plan uses no number twice, drops nothing
 * from the order that it was not asked to, and when it was carried out there is nothing left to do.
 */
#include "common/nvtwin.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define PARTS   3
#define ENTRIES 12
#define ITEMS   (ENTRIES * PARTS + 1)

static void check(int ok)
{
	if (!ok)
		abort();
}

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

static enum status loader(const struct nvparts *p, const struct nvpart *part,
			  const struct bootentry *e)
{
	return ST_ABSENT;
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

/* ---- what must be so of each plan ---- */

static unsigned times(const uint16_t *order, unsigned count, unsigned number)
{
	unsigned n = 0;

	for (unsigned i = 0; i < count; i++)
		n += order[i] == number;
	return n;
}

static void check_plan(const struct nvplan *p, bool deletes, bool repairs)
{
	const struct nvram *now = p->now;

	check(!p->full);
	for (unsigned i = 0; i < p->count; i++) {
		const struct nvplan_change *c = &p->change[i];

		for (unsigned k = 0; k < i; k++)
			check(p->change[k].number != c->number);
		check((c->act == NVPLAN_REMOVE) == deletes);
		check((c->act == NVPLAN_ADD) == (nvram_find(now, c->number) == NULL));
		if (c->act == NVPLAN_ADD && !repairs)
			check(c->number != now->next && c->number != now->current &&
			      !times(now->order, now->order_count, c->number));
	}
	for (unsigned i = 0; i < now->order_count && !deletes; i++)
		check(times(p->order, p->order_count, now->order[i]) ==
		      times(now->order, now->order_count, now->order[i]));
	for (unsigned i = 0; i < p->order_count; i++)
		if (!times(now->order, now->order_count, p->order[i]))
			check(!deletes && times(p->order, p->order_count, p->order[i]) == 1);
}

/* Carried out: *after takes what there is then. memory is the plan's, and stays. */
static void carry_out(const struct nvplan *p, const struct world *w, struct world *after)
{
	*after = *w;
	after->all.entry = after->entry;
	after->all.order = after->order;
	check(w->all.count + p->count <= ENTRIES * 4 && p->order_count <= ENTRIES * 4);
	nvplan_after(p, &after->all);
}

static struct world one, two;
static _Alignas(8) uint8_t memory[2][1 << 19];

static void plan(struct nvplan *p, struct world *w, unsigned which, unsigned items, size_t bytes)
{
	size_t need = nvplan_bytes(&w->all, items, bytes);

	check(need <= sizeof(memory[0]));
	nvplan_start(p, &w->all, &w->parts, items, memory[which], need);
}

static void cloning(const struct nvwant *want,
		    bool (*verb)(struct nvplan *, const struct nvwant *, struct nvfail *))
{
	struct nvplan p, again;
	struct nvfail f;

	plan(&p, &one, 0, 0, 0);
	if (!verb(&p, want, &f))
		return;
	check_plan(&p, false, false);
	carry_out(&p, &one, &two);
	plan(&again, &two, 1, 0, 0);
	check(verb(&again, want, &f) && nvplan_is_empty(&again));
}

static void deleting(const struct nvwant *want)
{
	struct nvplan p;
	struct nvfail f;

	plan(&p, &one, 0, 0, 0);
	if (nvverb_delete(&p, want, NULL, 0, &f))
		check_plan(&p, true, false);
}

static struct nvitem item[2][ITEMS * 2];
static uint8_t pool[2][1 << 17];

static void repair_plan(struct nvplan *p, struct world *w, unsigned which,
			const struct nvtwin_esp *esp)
{
	struct nvtwin t = {.all = &w->all,
			   .esp = esp,
			   .esps = PARTS,
			   .item = item[which],
			   .room = ITEMS * 2,
			   .pool = pool[which],
			   .pool_bytes = sizeof(pool[0])};
	struct nvfail f;

	check(nvtwin_items(&t) == ST_OK);
	plan(p, w, which, t.items, t.pool_used);
	check(nvverb_repair(p, t.item, t.items, &f) && !p->incomplete);
	check_plan(p, false, true);
}

static void repairing(uint8_t sets)
{
	struct nvtwin_esp esp[PARTS];
	struct nvplan p, again;

	for (unsigned i = 0; i < PARTS; i++)
		esp[i] = (struct nvtwin_esp){&one.part[i], {{sets >> i & 1}}};
	repair_plan(&p, &one, 0, esp);
	carry_out(&p, &one, &two);
	repair_plan(&again, &two, 1, esp);
	check(nvplan_is_empty(&again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct nvwant want = {.has_on = true};

	make(&one, data, n);
	want.from = want.on = one.part[n % PARTS].part.uuid;
	want.to = one.part[(n + 1) % PARTS].part.uuid;
	want.last = n > 0 && data[0] & 32;
	want.force = n > 0 && data[0] & 64;
	cloning(&want, nvverb_clone);
	cloning(&want, nvverb_mirror);
	deleting(&want);
	repairing(n > 1 ? data[1] >> 5 : 0);
	return 0;
}
