/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * Plans for boot entries: the input says which entries there are (three bytes each), in which
 * order, and what is asked for. Whatever there is, the plan uses no number twice, drops nothing
 * from the order that it was not asked to, and when it was carried out there is nothing left to do.
 */
#include "common/nvsay.h"
#include "tests/fuzz/nv_world.h"

/* ---- what must be so of each plan ---- */

static unsigned times(const uint16_t *order, unsigned count, unsigned number)
{
	unsigned n = 0;

	for (unsigned i = 0; i < count; i++)
		n += order[i] == number;
	return n;
}

static void drop(struct text *t, char c)
{
	check(((uint8_t)c >= ' ' && c != 0x7f) || c == '\n');
}

static void say_plan(const struct nvplan *p)
{
	struct text out = {.put = drop};

	nvsay_plan(p, &out);
	nvsay_notes(p, &out);
	nvsay_done(p, &out);
}

static void check_plan(const struct nvplan *p, bool deletes, bool repairs)
{
	const struct nvram *now = p->now;

	check(!p->full);
	say_plan(p);
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
	struct text out = {.put = drop};

	if (!verb(&p, want, &f)) {
		nvsay_fail(&p, &f, &out);
		return;
	}
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
