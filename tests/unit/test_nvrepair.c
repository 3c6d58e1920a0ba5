/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* Boot entries: what is brought back, what is deleted, and what there is afterwards. */
#include "help_nv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define ITEMS 6

static struct help_nv h, record, then;
static struct nvitem item[ITEMS];
static char made[2048];

/* The entries of "record" are the items, in that order. */
static void items(unsigned n)
{
	memset(item, 0xee, sizeof(item));
	for (unsigned i = 0; i < n; i++)
		item[i] = (struct nvitem){.number = record.entry[i].number,
					  .in_order = true,
					  .data = record.entry[i].data,
					  .bytes = record.entry[i].bytes,
					  .e = record.entry[i].e,
					  .now = (const void *)&item[i]};
}

/* "+3a ~1 -2 : 1 3 : gone=1 full": changes with their names, the order, what notes there are. */
static const char *plan(void)
{
	size_t n = 0;

	made[0] = '\0';
	for (unsigned i = 0; i < h.plan.count; i++) {
		const struct nvplan_change *c = &h.plan.change[i];

		n += (size_t)snprintf(made + n, sizeof(made) - n, "%c%X%c ", "+~-"[c->act],
				      c -> number, c -> e.path ? c->e.name[0] : '?');
	}
	n += (size_t)snprintf(made + n, sizeof(made) - n, ": %s", help_nv_planned(&h));
	for (unsigned i = 0; i < h.plan.notes; i++)
		n += (size_t)snprintf(made + n, sizeof(made) - n, " note%d", h.plan.note[i].kind);
	snprintf(made + n, sizeof(made) - n, "%s%s%s", h.plan.order_changes ? " changes" : "",
		 h.plan.incomplete ? " incomplete" : "", h.plan.full ? " full" : "");
	return made;
}

static void repair(unsigned n, const char *want)
{
	help_nv_plan(&h, n, 512, SIZE_MAX);
	assert_true(nvverb_repair(&h.plan, item, n, &h.fail));
	assert_string_equal(plan(), want);
}

/* a to d: recorded on partition 0 (d on 1) with files of their own. */
static void recorded(void)
{
	help_nv_start(&record, 2);
	help_nv_entry(&record, 1, "a", 0, 'p', "");
	help_nv_entry(&record, 2, "b", 0, 'q', "");
	help_nv_entry(&record, 3, "c", 0, 'r', "");
	help_nv_entry(&record, 4, "d", 1, 's', "");
	items(4);
	help_nv_start(&h, 2);
}

static void all_is_there(void **state)
{
	recorded();
	help_nv_entry(&h, 1, "a", 0, 'p', "");
	help_nv_entry(&h, 2, "b", 0, 'q', "");
	help_nv_entry(&h, 3, "c", 0, 'r', "");
	help_nv_entry(&h, 4, "d", 1, 's', "");
	help_nv_order(&h, 1, 2, 3, 4, -1);
	repair(4, ": 1 2 3 4");
	assert_true(nvplan_is_empty(&h.plan));
	for (unsigned i = 0; i < 4; i++) {
		assert_ptr_equal(item[i].now, &h.entry[i]);
		assert_int_equal(item[i].shall, i + 1);
	}
	item[1].in_order = false;
	help_nv_order(&h, 4, 1, -1); /* b was not in the order, c goes behind what was before it */
	repair(4, ": 4 1 3 changes");
	assert_false(nvplan_is_empty(&h.plan));
	help_nv_order(&h, 4, -1);
	item[1].in_order = true;
	repair(4, ": 1 2 3 4 changes");
	help_nv_order(&h, -1);
	repair(4, ": 1 2 3 4 changes");
	help_nv_order(&h, 2, -1);
	repair(4, ": 1 2 3 4 changes");
}

static void brought_back(void **state)
{
	recorded();
	help_nv_entry(&h, 1, "x", -1, 0, ""); /* another has a's number now */
	help_nv_entry(&h, 3, "c", 0, 'r', "");
	help_nv_order(&h, 1, 3, -1);
	repair(4, "+0a +2b +4d : 1 0 2 3 4 changes");
	assert_true(help_nv_is(&h, &h.plan.change[0].e, "a", 0, 'p', ""));
	assert_true(help_nv_is(&h, &h.plan.change[2].e, "d", 1, 's', ""));
	assert_int_equal(h.plan.change[0].from, NVRAM_NONE);
	assert_int_equal(h.plan.pairs, 3);
	assert_true(nvplan_is_paired(&h.plan, 0));
	assert_true(nvplan_is_paired(&h.plan, 4));
	assert_false(nvplan_is_paired(&h.plan, 3));
	h.loader = ST_ABSENT;
	repair(4, "+0a +2b +4d : 1 0 2 3 4 note2 note2 note2 changes");
}

static void not_here(void **state)
{
	recorded();
	help_nv_entry(&h, 3, "c", 0, 'r', "");
	help_nv_order(&h, 3, -1);
	h.part_count = 0;
	repair(4, ": 3 note6 note6 note6 incomplete"); /* c is there: nothing to be said */
	assert_int_equal(item[0].shall, NVRAM_NONE);
	h.part_count = 3;
	h.part[2] = h.part[0];
	repair(4, "+4d : 3 4 note7 note7 changes incomplete");
	h.part_count = 1;
	repair(4, "+1a +2b : 1 2 3 note6 changes incomplete");
}

static void moved(void **state)
{
	recorded();
	help_nv_entry(&h, 1, "a", 0, 'p', "");
	help_nv_order(&h, 1, -1);
	h.part[0].part.start_lba += 5;
	items(1);
	repair(1, "~1a : 1");
	assert_int_equal(h.plan.change[0].e.hd.start_lba, 2053);
	assert_int_equal(h.plan.pairs, 1);
	h.part[1] = h.part[0]; /* which of the two, nobody knows */
	repair(1, ": 1");
}

/* By number and name, then by name, then by what is started; each entry once. */
static void matched(void **state)
{
	help_nv_start(&record, 1);
	help_nv_entry(&record, 1, "a", 0, 'p', "");
	help_nv_entry(&record, 2, "b", 0, 'p', "");
	help_nv_entry(&record, 3, "c", 0, 'p', "");
	help_nv_entry(&record, 4, "d", 0, 'p', "");
	items(4);
	help_nv_start(&h, 1);
	help_nv_entry(&h, 5, "x", 0, 'p', "");
	help_nv_entry(&h, 6, "b", 0, 'p', "");
	help_nv_entry(&h, 7, "c", 0, 'p', "");
	help_nv_entry(&h, 3, "c", 0, 'p', "");
	help_nv_order(&h, -1);
	nvverb_match(item, 4, &h.all);
	assert_int_equal(item[2].now->number, 3);
	assert_int_equal(item[1].now->number, 6);
	assert_int_equal(item[0].now->number, 5);
	assert_int_equal(item[3].now->number, 7);

	help_nv_start(&h, 1);
	help_nv_entry(&h, 5, "d", 0, 'p', "");
	help_nv_entry(&h, 6, "y", 0, 'p', "");
	help_nv_order(&h, -1);
	h.entry[1].status = ST_CORRUPT;
	nvverb_match(item, 4, &h.all);
	assert_int_equal(item[3].now->number, 5);
	for (unsigned i = 0; i < 3; i++)
		assert_null(item[i].now);
	help_nv_start(&h, 1);
	help_nv_entry(&h, 4, "d", 0, 'q', ""); /* the same name and number, another program */
	help_nv_order(&h, -1);
	nvverb_match(item, 4, &h.all);
	assert_null(item[3].now);
}

static void no_number_is_free(void **state)
{
	static struct nventry all[NVRAM_NONE];
	size_t bytes;
	void *memory;

	recorded();
	for (unsigned i = 0; i < NVRAM_NONE; i++)
		all[i] = (struct nventry){.number = i, .status = ST_CORRUPT, .place = -1};
	h.all.entry = all;
	h.all.count = NVRAM_NONE;
	bytes = nvplan_bytes(&h.all, 4, 512);
	memory = malloc(bytes);
	assert_non_null(memory);
	nvplan_start(&h.plan, &h.all, &h.parts, 4, memory, bytes);
	assert_false(nvverb_repair(&h.plan, item, 4, &h.fail));
	assert_int_equal(h.fail.why, NVWHY_NUMBERS);
	assert_int_equal(h.fail.number, 0);
	assert_int_equal(h.plan.count, 0);
	free(memory);
}

/* ---- delete ---- */

static void present(void)
{
	recorded();
	help_nv_entry(&h, 1, "a", 0, 'p', "");
	help_nv_entry(&h, 2, "b", 0, 'q', "");
	help_nv_entry(&h, 4, "d", 1, 's', "");
	help_nv_entry(&h, 5, "x", -1, 0, "");
	help_nv_order(&h, 1, 2, 4, 5, 1, -1);
}

static bool delete (const struct nvwant *w, unsigned n)
{
	help_nv_plan(&h, n, 512, SIZE_MAX);
	nvverb_match(item, n, &h.all);
	h.fail.number = 99;
	return nvverb_delete(&h.plan, w, item, n, &h.fail);
}

static void deleted(void **state)
{
	struct nvwant w = {.on = help_nv_guid(0), .has_on = true};

	present();
	assert_true(delete (&w, 0));
	assert_string_equal(plan(), "-1a -2b : 4 5 changes");
	w.on = help_nv_guid(1);
	h.all.next = 4;
	h.all.current = 4;
	assert_true(delete (&w, 0));
	assert_string_equal(plan(), "-4d : 1 2 5 1 note4 note5 changes");
	h.all.next = h.all.current = 1;
	assert_true(delete (&w, 0));
	assert_string_equal(plan(), "-4d : 1 2 5 1 changes");
	w = (struct nvwant){.id = {5, 2}, .ids = 2};
	assert_true(delete (&w, 0));
	assert_string_equal(plan(), "-2b -5x : 1 4 1 changes");
	help_nv_order(&h, 1, -1); /* not in the order: that stays */
	assert_true(delete (&w, 0));
	assert_string_equal(plan(), "-2b -5x : 1");
	h.entry[1].status = ST_CORRUPT; /* what it was on can't be told, but its number can */
	assert_true(delete (&w, 0));
	assert_string_equal(plan(), "-2? -5x : 1");
	w = (struct nvwant){.on = help_nv_guid(0), .has_on = true, .force = true};
	assert_true(delete (&w, 0));
	assert_string_equal(plan(), "-1a :  note4 note5 changes");
}

static void none_to_delete(void **state)
{
	struct nvwant w = {.on = help_nv_guid(3), .has_on = true};

	present();
	assert_false(delete (&w, 0));
	assert_int_equal(h.fail.why, NVWHY_NONE_ON);
	assert_int_equal(h.fail.number, 0);
	w = (struct nvwant){.on = help_nv_guid(0)}; /* not asked for */
	assert_false(delete (&w, 0));
	assert_int_equal(h.fail.why, NVWHY_NONE_ON);
	w = (struct nvwant){.id = {1, 8}, .ids = 2};
	assert_false(delete (&w, 0));
	assert_int_equal(h.fail.why, NVWHY_NO_ENTRY);
	assert_int_equal(h.fail.number, 8);
}

/* The last that could be started: only when that is said. */
static void nothing_left_to_start(void **state)
{
	struct nvwant w = {.id = {5}, .ids = 1};

	present();
	help_nv_order(&h, 5, 9, 1, -1);
	h.entry[0].e.attributes = 0; /* not active: nobody starts it */
	assert_false(delete (&w, 0));
	assert_int_equal(h.fail.why, NVWHY_EMPTY_ORDER);
	assert_int_equal(h.fail.number, 0);
	h.entry[0].e.attributes = BOOTENTRY_ACTIVE;
	assert_true(delete (&w, 0));
	h.entry[0].status = ST_CORRUPT;
	assert_false(delete (&w, 0));
	h.entry[3].e.attributes = 0; /* there was none before */
	assert_true(delete (&w, 0));
	w.force = true;
	h.entry[3].e.attributes = BOOTENTRY_ACTIVE;
	assert_true(delete (&w, 0));
}

/* What would come back at the next repair shall not. */
static void dropped(void **state)
{
	struct nvwant w = {.id = {3}, .ids = 1};

	present(); /* c, number 3, is gone */
	assert_true(delete (&w, 4));
	assert_string_equal(plan(), ": 1 2 4 5 1");
	assert_true(nvverb_is_dropped(&h.plan, &w, &item[2]));
	assert_false(nvverb_is_dropped(&h.plan, &w, &item[0])); /* here */
	w = (struct nvwant){.id = {1}, .ids = 1};
	assert_true(delete (&w, 4));
	assert_false(nvverb_is_dropped(&h.plan, &w, &item[0]));
	assert_false(nvverb_is_dropped(&h.plan, &w, &item[2]));
	w = (struct nvwant){.on = help_nv_guid(0), .has_on = true};
	assert_true(delete (&w, 4));
	assert_true(nvverb_is_dropped(&h.plan, &w, &item[2]));
	h.entry[0].number = 3; /* its number is another's now: by its partition only */
	nvram_arrange(&h.all);
	w = (struct nvwant){.id = {3}, .ids = 1};
	item[0].now = &h.entry[1];
	item[2].now = NULL;
	help_nv_plan(&h, 4, 512, SIZE_MAX);
	assert_false(nvverb_is_dropped(&h.plan, &w, &item[2]));

	/* One of two that are alike is deleted: the other, gone already, does not come back. */
	help_nv_start(&record, 1);
	help_nv_entry(&record, 1, "a", 0, 'p', "");
	help_nv_entry(&record, 2, "b", 0, 'p', "");
	items(2);
	help_nv_start(&h, 1);
	help_nv_entry(&h, 1, "a", 0, 'p', "");
	help_nv_entry(&h, 7, "x", -1, 0, "");
	help_nv_order(&h, 7, 1, -1);
	w = (struct nvwant){.id = {1}, .ids = 1};
	assert_true(delete (&w, 2));
	assert_true(nvverb_is_dropped(&h.plan, &w, &item[1]));
	w = (struct nvwant){.id = {7}, .ids = 1};
	assert_true(delete (&w, 2));
	assert_false(nvverb_is_dropped(&h.plan, &w, &item[1]));
}

/* ---- what there will be ---- */

static void afterwards(void **state)
{
	struct bootentry_hd hd;

	present();
	help_nv_start(&then, 0);
	then.all.count = 7;
	h.entry[2].error = 3;
	help_nv_plan(&h, 0, 0, SIZE_MAX);
	hd = nvpart_hd(&h.part[1]);
	nvplan_remove(&h.plan, &h.entry[0]);
	nvplan_add(&h.plan, NVPLAN_ADD, 3, 2, &h.entry[1].e, &hd, NULL, NULL);
	nvplan_add(&h.plan, NVPLAN_UPDATE, 4, NVRAM_NONE, &h.entry[2].e, &hd, NULL, NULL);
	nvplan_put(&h.plan, 3, 0);
	nvplan_after(&h.plan, &then.all);
	assert_int_equal(then.all.count, 4);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(then.entry[i].number, i + 2);
	assert_int_equal(then.all.order_count, 4);
	assert_int_equal(then.order[0], 3);
	assert_int_equal(then.order[3], 5);
	assert_int_equal(then.entry[1].place, 0);
	assert_int_equal(then.entry[0].place, 1);
	assert_int_equal(then.entry[1].attributes, NVRAM_PLAIN);
	assert_true(help_nv_is(&h, &then.entry[1].e, "b", 1, 'q', ""));
	assert_true(help_nv_is(&h, &then.entry[2].e, "d", 1, 's', ""));
	assert_ptr_equal(then.entry[2].data, h.plan.change[2].data);
	assert_int_equal(then.entry[2].bytes, h.plan.change[2].bytes);
	assert_int_equal(then.entry[2].error, 0);
	assert_int_equal(then.entry[2].status, ST_OK);
	assert_ptr_equal(then.entry[0].data, h.entry[1].data);
	assert_ptr_equal(then.entry[3].data, h.entry[3].data);

	help_nv_order(&h, -1);
	help_nv_plan(&h, 0, 0, SIZE_MAX);
	assert_true(nvplan_is_empty(&h.plan));
	nvplan_after(&h.plan, &then.all);
	assert_int_equal(then.all.order_count, 0);
	assert_true(nvram_equal(&h.all, &then.all));
}

static void names_and_texts(void **state)
{
	static const uint16_t new_name[] = {'n', 'e', 'w'};
	const struct nvtext text = {new_name, 3};
	struct bootentry_hd hd;

	present();
	help_nv_plan(&h, 0, 0, SIZE_MAX);
	hd = nvpart_hd(&h.part[1]);
	nvplan_add(&h.plan, NVPLAN_ADD, 8, 1, &h.entry[0].e, &hd, NULL, &text);
	assert_true(help_nv_is(&h, &h.plan.change[0].e, "new", 1, 'p', ""));
	nvplan_add(&h.plan, NVPLAN_ADD, 9, 1, &h.entry[0].e, &hd, &text, NULL);
	assert_true(help_nv_is(&h, &h.plan.change[1].e, "a new", 1, 'p', ""));
	assert_false(nvplan_is_free(&h.plan, 8));
	assert_false(nvplan_is_free(&h.plan, 1));
	assert_true(nvplan_is_free(&h.plan, 10));
	assert_false(nvplan_is_free(&h.plan, NVRAM_NONE));
	assert_int_equal(nvplan_free_number(&h.plan), 0);
	help_nv_order(&h, 0, 3, -1);
	h.all.next = 6;
	h.all.current = 7;
	help_nv_plan(&h, 0, 0, SIZE_MAX);
	assert_int_equal(nvplan_free_number(&h.plan), 8);
}

/* The room is what was said: one more of anything, and the plan is of no use. */
static void room_for_so_many(void **state)
{
	for (unsigned what = 0; what < 4; what++) {
		unsigned n = 0;

		present();
		help_nv_plan(&h, 2, 0, SIZE_MAX);
		for (; n < 60 && !h.plan.full; n++)
			switch (what) {
			case 0: nvplan_pair(&h.plan, n, n); break;
			case 1: nvplan_remove(&h.plan, &h.entry[3]); break;
			case 2:
				nvplan_note(&h.plan,
					    (struct nvnote){.kind = NVNOTE_NEXT, .number = n});
				break;
			case 3: nvplan_put(&h.plan, 30 + n, 0); break;
			}
		/* entries, items, and some: and as many again that are in the order */
		assert_int_equal(n, 4 + 2 + 8 + 1);
		assert_int_equal(h.plan.pairs, what == 0 ? n - 1 : 0);
		assert_int_equal(h.plan.notes, what == 2 ? n - 1 : 0);
		assert_int_equal(h.plan.count, what == 1 ? n - 1 : 0);
	}
}

static void the_same_note_once(void **state)
{
	struct nvnote n = {.kind = NVNOTE_NO_LOADER, .number = 1};

	present();
	help_nv_plan(&h, 0, 0, SIZE_MAX);
	n.e = &h.entry[0].e;
	n.part = &h.part[0];
	for (unsigned turn = 0; turn < 2; turn++) {
		nvplan_note(&h.plan, n);
		n.part = &h.part[1];
		nvplan_note(&h.plan, n);
		n.e = &h.entry[1].e; /* another file */
		nvplan_note(&h.plan, n);
		n.number = 2;
		nvplan_note(&h.plan, n);
		n.kind = NVNOTE_LOADER_UNKNOWN;
		nvplan_note(&h.plan, n);
		n = (struct nvnote){.kind = NVNOTE_NO_LOADER,
				    .number = 1,
				    .e = &h.entry[0].e,
				    .part = &h.part[0]};
	}
	assert_int_equal(h.plan.notes, 5);
	/* Of two entries that can't come back each is named. */
	n = (struct nvnote){.kind = NVNOTE_GONE, .e = &h.entry[0].e};
	nvplan_note(&h.plan, n);
	nvplan_note(&h.plan, n);
	assert_int_equal(h.plan.notes, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_is_there),
		cmocka_unit_test(brought_back),
		cmocka_unit_test(not_here),
		cmocka_unit_test(moved),
		cmocka_unit_test(matched),
		cmocka_unit_test(no_number_is_free),
		cmocka_unit_test(deleted),
		cmocka_unit_test(none_to_delete),
		cmocka_unit_test(nothing_left_to_start),
		cmocka_unit_test(dropped),
		cmocka_unit_test(afterwards),
		cmocka_unit_test(names_and_texts),
		cmocka_unit_test(room_for_so_many),
		cmocka_unit_test(the_same_note_once),
	};

	return cmocka_run_group_tests_name("nvrepair", tests, NULL, NULL);
}
