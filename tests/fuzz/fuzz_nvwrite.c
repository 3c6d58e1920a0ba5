/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * Boot entries as a firmware in trouble has them: what Boot#### and BootOrder hold is the input's,
 * as is the write that fails and how. All that is listed and said can be shown on a terminal; a
 * plan that fails leaves what was there; and while it is carried out, no entry is in the order that
 * is not there.
 *
 * The input: four bytes of what is asked and what fails, then the world (nv_world.h); or, with RAW,
 * variables: a length, then the bytes.
 */
#include "common/nvlist.h"
#include "tests/fuzz/nv_world.h"

enum flag { RAW = 1, LIES = 2, LOSES = 4, STAYS = 8 };

static struct world one, two;
static _Alignas(8) uint8_t memory[1 << 19];

/* ---- a firmware
 * ------------------------------------------------------------------------------------ */

#define VARIABLES 80

static struct {
	struct {
		char name[16];
		uint8_t data[256];
		size_t bytes;
		bool there;
	} v[VARIABLES];
	unsigned count, calls, fails_at, flags;
} firmware;

static unsigned find_variable(const char *name)
{
	unsigned i = 0;

	while (i < firmware.count && strcmp(firmware.v[i].name, name) != 0)
		i++;
	if (i == firmware.count) {
		check(++firmware.count <= VARIABLES && strlen(name) < 16);
		memset(&firmware.v[i], 0, sizeof(firmware.v[i]));
		strcpy(firmware.v[i].name, name);
	}
	return i;
}

static void put_variable(const char *name, const void *data, size_t bytes)
{
	unsigned i = find_variable(name);

	check(bytes <= sizeof(firmware.v[i].data));
	firmware.v[i].there = true;
	firmware.v[i].bytes = bytes;
	if (bytes)
		memcpy(firmware.v[i].data, data, bytes);
}

static bool is_there(unsigned number)
{
	char name[NVRAM_NAME_BYTES];

	nvram_name(number, name);
	check(nvram_number(name) == number);
	return firmware.v[find_variable(name)].there;
}

static bool was_named(unsigned number)
{
	for (unsigned i = 0; i < one.all.order_count; i++)
		if (one.order[i] == number)
			return true;
	return false;
}

/* At each moment: what the order names is there, unless it was missing to begin with. */
static void check_moment(void)
{
	unsigned i = find_variable("BootOrder");

	if (!firmware.v[i].there || firmware.flags & LOSES)
		return; /* what the firmware loses by itself is its own fault */
	for (size_t k = 0; k + 1 < firmware.v[i].bytes; k += 2) {
		unsigned number = firmware.v[i].data[k] | (unsigned)firmware.v[i].data[k + 1] << 8;

		if (is_there(number))
			continue;
		check(nvram_find(&one.all, number) == NULL); /* it never was there, and was named */
		check(was_named(number));
	}
}

static bool trouble(void)
{
	unsigned call = ++firmware.calls;

	return firmware.fails_at &&
	       (firmware.flags & STAYS ? call >= firmware.fails_at : call == firmware.fails_at);
}

static int store_set(const struct nvstore *s, const char *name, uint32_t attributes,
		     const void *data, size_t bytes)
{
	check(bytes > 0); /* that would be an order to delete it */
	if (trouble()) {
		if (firmware.flags & LOSES)
			firmware.v[find_variable(name)].there = false;
		return firmware.flags & LIES ? 0 : 5;
	}
	put_variable(name, data, bytes);
	check_moment();
	return 0;
}

static int store_remove(const struct nvstore *s, const char *name)
{
	if (trouble())
		return firmware.flags & LIES ? 0 : 5;
	firmware.v[find_variable(name)].there = false;
	check_moment();
	return 0;
}

static bool store_holds(const struct nvstore *s, const char *name, const void *data, size_t bytes)
{
	unsigned i = find_variable(name);

	return firmware.v[i].there && firmware.v[i].bytes == bytes &&
	       memcmp(firmware.v[i].data, data, bytes) == 0;
}

static bool store_lacks(const struct nvstore *s, const char *name)
{
	return !firmware.v[find_variable(name)].there;
}

static const char *store_why(const struct nvstore *s, int error)
{
	return "the firmware said no";
}

static const struct nvstore store = {store_set, store_remove, store_holds, store_lacks, store_why};

/* Are entries and order as all says? with: or as this plan has brought them up to date. */
static void check_firmware(const struct nvram *all, const struct nvplan *with)
{
	unsigned there = 0, i;
	char name[NVRAM_NAME_BYTES];

	for (i = 0; i < firmware.count; i++)
		there += firmware.v[i].there && strcmp(firmware.v[i].name, "BootOrder") != 0;
	check(there == all->count);
	for (i = 0; i < all->count; i++) {
		const struct nventry *e = &all->entry[i];
		bool holds;

		nvram_name(e->number, name);
		holds = store_holds(&store, name, e->data, e->bytes);
		for (unsigned k = 0; with && k < with->count; k++)
			holds |= with->change[k].number == e->number &&
				 store_holds(&store, name, with->change[k].data,
					     with->change[k].bytes);
		check(holds);
	}
	if (all->order_count)
		check(store_holds(&store, "BootOrder", all->order, all->order_count * 2u));
}

/* ---- what is said
 * ----------------------------------------------------------------------------------- */

static void drop(struct text *t, char c)
{
	check((uint8_t)c >= ' ' || c == '\n');
	check(c != 0x7f);
}

static void say_all(void)
{
	struct text out = {.put = drop};
	struct nvlist l;

	nvlist_order(&one.all, &out);
	for (unsigned i = 0; i < one.all.count; i++) {
		const struct nventry *e = &one.all.entry[i];

		nvlist_look(e, &one.parts, &l);
		nvlist_entry(&one.all, &l, &one.parts, &store, &out);
		check(!nvlist_matters(&l) || l.fault != NVLIST_FINE);
		say_status("entry", (int)e->status);
		say_number("fault", l.fault);
	}
	for (unsigned i = 0; i < PARTS; i++) {
		static struct disk disk = {.shift = 9};
		struct nvpart p = one.part[i];

		p.disk = &disk;
		if (i == 1)
			p.part.kind = PART_OTHER;
		nvlist_part(&p, &out);
		nvsay_title("Clone", &p, &out);
	}
}

/* ---- plans that fail
 * ---------------------------------------------------------------------------------- */

static bool make_plan(struct nvplan *p, uint8_t what, struct nvfail *f)
{
	static const uint16_t text[] = {' ', 'x', 0x202e, 0xd800};
	struct nvwant want = {.has_on = true};
	size_t need = nvplan_bytes(&one.all, 0, 0);

	check(need <= sizeof(memory));
	nvplan_start(p, &one.all, &one.parts, 0, memory, need);
	want.from = one.part[what & 1].part.uuid;
	want.has_from = what & 2;
	want.to = one.part[what >> 2 & 1].part.uuid;
	want.has_to = what & 8;
	want.on = one.part[what >> 4 & 1].part.uuid;
	if (what & 32) {
		want.has_on = false;
		want.id[want.ids++] = what & 31;
		want.id[want.ids++] = (what & 31) + 1u;
	}
	want.last = what & 1;
	want.force = what & 64;
	if (what & 4)
		want.append = (struct nvtext){text, 4};
	else if (what & 16)
		want.name = (struct nvtext){text + 1, 1};
	switch (what % 3) {
	case 0: return nvverb_clone(p, &want, f);
	case 1: return nvverb_mirror(p, &want, f);
	default: return nvverb_delete(p, &want, NULL, 0, f);
	}
}

static void carry_out(uint8_t what)
{
	struct text out = {.put = drop};
	struct nvfault fault;
	struct nvfail fail;
	struct nvplan p;
	char name[NVRAM_NAME_BYTES];

	if (!make_plan(&p, what, &fail)) {
		say_number("why", fail.why);
		nvsay_fail(&p, &fail, &out);
		return;
	}
	nvsay_plan(&p, &out);
	nvsay_notes(&p, &out);
	for (unsigned i = 0; i < one.all.count; i++) {
		nvram_name(one.all.entry[i].number, name);
		put_variable(name, one.all.entry[i].data, one.all.entry[i].bytes);
	}
	if (one.all.order_count)
		put_variable("BootOrder", one.order, one.all.order_count * 2u);
	if (nvwrite_plan(&p, &store, &fault)) {
		say("written");
		nvsay_done(&p, &out);
		two = one;
		two.all.entry = two.entry;
		two.all.order = two.order;
		nvplan_after(&p, &two.all);
		check_firmware(&two.all, NULL);
		return;
	}
	say(fault.restored ? "restored" : fault.removing ? "not-removed" : "not-restored");
	nvsay_fault(&fault, &store, &out);
	check(firmware.fails_at && firmware.calls >= firmware.fails_at);
	if (fault.restored)
		check_firmware(&one.all, &p);
	else if (!fault.removing)
		check(fault.left[0] != '\0');
}

/* ---- variables as they come
 * ----------------------------------------------------------------------------- */

static void take_raw(struct input *in)
{
	static uint8_t order[ENTRIES * 4];
	size_t bytes = take8(in) % sizeof(order);

	make(&one, NULL, 0);
	for (size_t i = 0; i < bytes; i++)
		order[i] = take8(in) & (i & 1 ? 1 : 31);
	check(nvram_take_order(&one.all, order, bytes) == (bytes % 2 == 0));
	while (in->left > 0 && one.all.count < ENTRIES) {
		struct nventry *e = &one.entry[one.all.count];
		uint8_t *data = one.data[one.all.count];
		size_t n = take8(in) % sizeof(one.data[0]);

		for (size_t i = 0; i < n; i++)
			data[i] = take8(in);
		*e = (struct nventry){
			.number = one.all.count * 3u, .attributes = 7, .data = data, .bytes = n};
		if (n == 0) {
			e->data = NULL;
			e->error = 5;
		}
		nvram_look(e);
		one.all.count++;
	}
	nvram_arrange(&one.all);
	check(nvram_equal(&one.all, &one.all));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct input in = {data, n};
	uint8_t what;

	memset(&firmware, 0, sizeof(firmware));
	firmware.flags = take8(&in);
	firmware.fails_at = take8(&in) & 31;
	what = take8(&in);
	if (firmware.flags & RAW)
		take_raw(&in);
	else
		make(&one, in.at, in.left);
	one.all.timeout = what & 128 ? what : -1;
	one.parts.given = what & 32;
	say_all();
	for (unsigned i = 0; i < one.all.count; i++)
		if (one.entry[i].error)
			return 0; /* the callers make no plan where one could not be read */
	carry_out(what);
	return 0;
}
