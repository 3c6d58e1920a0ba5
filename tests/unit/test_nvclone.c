/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* Clones of boot entries: those that are there already, which entry gets which, and the order. */
#include "help_nv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

/* What edk2 puts behind entries that it makes by itself. */
#define BY_FIRMWARE "\x4e\xac\x08\x81\x11\x9f\x59\x4d\x85\x0e\xe2\x1a\x52\x2c\x59\xb2"

static struct help_nv h;
static char made[1024];
static struct nvwant w;

/* Clones from partition 0 to 1, at the end of the order. */
static void start(void)
{
	help_nv_start(&h, 2);
	w = (struct nvwant){.from = help_nv_guid(0), .to = help_nv_guid(1), .last = true};
}

static const char *plan(void)
{
	size_t n = 0;

	made[0] = '\0';
	for (unsigned i = 0; i < h.plan.count; i++) {
		const struct nvplan_change *c = &h.plan.change[i];

		n += (size_t)snprintf(made + n, sizeof(made) - n, "%c%X", "+~-"[c->act],
				      c -> number);
		if (c->from != NVRAM_NONE)
			n += (size_t)snprintf(made + n, sizeof(made) - n, "of%X", c->from);
		n += (size_t)snprintf(made + n, sizeof(made) - n, " ");
	}
	n += (size_t)snprintf(made + n, sizeof(made) - n, ": %s", help_nv_planned(&h));
	for (unsigned i = 0; i < h.plan.notes; i++)
		n += (size_t)snprintf(made + n, sizeof(made) - n, " note%d of %X",
				      h.plan.note[i].kind, h.plan.note[i].number);
	return made;
}

static void run(bool (*verb)(struct nvplan *, const struct nvwant *, struct nvfail *),
		const char *want)
{
	help_nv_plan(&h, 0, 0, SIZE_MAX);
	memset(&h.fail, 0xee, sizeof(h.fail));
	assert_true(verb(&h.plan, &w, &h.fail));
	assert_string_equal(plan(), want);
}

static void refused(bool (*verb)(struct nvplan *, const struct nvwant *, struct nvfail *),
		    enum nvwhy why, unsigned number)
{
	help_nv_plan(&h, 0, 0, SIZE_MAX);
	memset(&h.fail, 0xee, sizeof(h.fail));
	assert_false(verb(&h.plan, &w, &h.fail));
	assert_int_equal(h.fail.why, why);
	assert_int_equal(h.fail.number, number);
}

static void a_second_time(void **state)
{
	start();
	help_nv_entry(&h, 1, "deb", 0, 'p', "x");
	help_nv_entry(&h, 7, "deb (mirror)", 1, 'p', "x");
	help_nv_order(&h, 1, 7, -1);
	run(nvverb_clone, ": 1 7");
	assert_int_equal(h.plan.pairs, 1);
	assert_int_equal(h.plan.pair[0].from, 1);
	assert_int_equal(h.plan.pair[0].to, 7);
	help_nv_order(&h, 7, 1, -1); /* wherever it is: it stays there */
	run(nvverb_clone, ": 7 1");
	help_nv_order(&h, 1, -1); /* taken out of the order: it comes in again */
	run(nvverb_clone, ": 1 7");
	help_nv_order(&h, 7, -1); /* what firmware does not try, its clone isn't to be put there */
	run(nvverb_clone, ": 7");
	help_nv_order(&h, -1);
	run(nvverb_clone, ": ");
	h.part[1].part.sectors++;
	run(nvverb_clone, "~7 : ");
	h.entry[1].status = ST_CORRUPT;
	run(nvverb_clone, "+0of1 : ");
}

/* What is another program, or elsewhere, is no clone, whatever its name is. */
static void no_clones(void **state)
{
	start();
	help_nv_entry(&h, 1, "deb", 0, 'p', "x");
	help_nv_entry(&h, 2, "deb (mirror)", 1, 'q', "x");
	help_nv_entry(&h, 3, "deb (mirror)", 1, 'p', "y");
	help_nv_entry(&h, 4, "deb (mirror)", -1, 0, "x");
	help_nv_order(&h, 1, -1);
	run(nvverb_clone, "+0of1 : 1 0");
}

/* Any name will do, when there is none of the right one. */
static void a_clone_with_another_name(void **state)
{
	static const char *const names[] = {"deb",           "other",        "deb (mirro)",
					    "deb (mirrors)", "dab (mirror)", "deb_(mirror)",
					    "deb (mirroR)"};

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		start();
		help_nv_entry(&h, 1, "deb", 0, 'p', "x");
		help_nv_entry(&h, 2, names[i], 1, 'p', "x");
		help_nv_order(&h, 1, 2, -1);
		run(nvverb_clone, ": 1 2");
		help_nv_entry(&h, 3, "deb (mirror)", 1, 'p', "x");
		help_nv_order(&h, 1, 2, 3, -1);
		run(nvverb_clone, ": 1 2 3");
		assert_int_equal(h.plan.pair[0].to, 3);
	}
}

static void a_letter_beyond_latin(void **state)
{
	uint8_t *name;

	start();
	help_nv_entry(&h, 1, "deb", 0, 'p', "x");
	help_nv_entry(&h, 2, "deb (mirror)", 1, 'p', "x");
	help_nv_entry(&h, 3, "deb (mirror)", 1, 'p', "x");
	help_nv_order(&h, 1, -1);
	for (unsigned at = 6; at < 24; at += 2) { /* of the blank and of all behind it */
		name = (uint8_t *)(uintptr_t)h.entry[1].e.name;
		name[at + 1] = 1;
		run(nvverb_clone, ": 1 3");
		assert_int_equal(h.plan.pair[0].to, 3);
		name[at + 1] = 0;
	}
	run(nvverb_clone, ": 1 2");
}

/* Two that are alike have one each: those that are in the order go with those that are. */
static void two_alike(void **state)
{
	start();
	help_nv_entry(&h, 1, "deb", 0, 'p', "x");
	help_nv_entry(&h, 2, "deb", 0, 'p', "x");
	help_nv_entry(&h, 3, "deb (mirror)", 1, 'p', "x");
	help_nv_entry(&h, 4, "deb (mirror)", 1, 'p', "x");
	help_nv_order(&h, 1, 4, -1);
	run(nvverb_clone, ": 1 4");
	assert_int_equal(h.plan.pair[0].from, 1);
	assert_int_equal(h.plan.pair[0].to, 4);
	assert_int_equal(h.plan.pair[1].from, 2);
	assert_int_equal(h.plan.pair[1].to, 3);
	help_nv_order(&h, 4, 1, -1);
	run(nvverb_clone, ": 4 1");
	assert_int_equal(h.plan.pair[0].to, 4);
	help_nv_order(&h, 2, 3, 4, -1); /* both are in the order, one original is */
	run(nvverb_clone, ": 2 3 4");
	assert_int_equal(h.plan.pair[0].from, 2);
	assert_int_equal(h.plan.pair[0].to, 3);
	assert_int_equal(h.plan.pair[1].to, 4);
	/* Names first: 3 is out of the order as 2 is, but 4 has the name. */
	start();
	help_nv_entry(&h, 1, "deb", 0, 'p', "x");
	help_nv_entry(&h, 3, "other", 1, 'p', "x");
	help_nv_entry(&h, 4, "deb (mirror)", 1, 'p', "x");
	help_nv_order(&h, 1, 3, -1);
	run(nvverb_clone, ": 1 3 4");
	assert_int_equal(h.plan.pair[0].to, 4);
	/* Of two without it, the one whose place is as its original's. */
	start();
	help_nv_entry(&h, 1, "deb", 0, 'p', "x");
	help_nv_entry(&h, 3, "other", 1, 'p', "x");
	help_nv_entry(&h, 4, "another", 1, 'p', "x");
	help_nv_order(&h, 1, 4, -1);
	run(nvverb_clone, ": 1 4");
	assert_int_equal(h.plan.pair[0].to, 4);
	help_nv_order(&h, 4, -1);
	run(nvverb_clone, ": 4");
	assert_int_equal(h.plan.pair[0].to, 3);
}

static void text_behind_the_name(void **state)
{
	static const uint16_t more[] = {'c', 'o', 'p', 'y'};

	start();
	help_nv_entry(&h, 1, "deb", 0, 'p', "x");
	help_nv_entry(&h, 3, "deb (mirror)", 1, 'p', "x");
	help_nv_entry(&h, 4, "deb copy", 1, 'p', "x");
	help_nv_order(&h, 1, -1);
	w.append = (struct nvtext){more, 4};
	run(nvverb_clone, ": 1 4");
	h.entry[2].status = ST_CORRUPT;
	h.entry[1].status = ST_CORRUPT;
	run(nvverb_clone, "+0of1 : 1 0");
	assert_true(help_nv_is(&h, &h.plan.change[0].e, "deb copy", 1, 'p', "x"));
}

static void behind_each_original(void **state)
{
	start();
	w.last = false;
	help_nv_entry(&h, 1, "a", 0, 'p', "");
	help_nv_entry(&h, 2, "b", 0, 'q', "");
	help_nv_entry(&h, 3, "c", 0, 'r', "");
	help_nv_entry(&h, 4, "dev", -1, 0, "");
	help_nv_order(&h, 4, 2, 1, 2, -1);
	run(nvverb_clone, "+0of2 +5of1 +6of3 : 4 2 0 1 5 2");
}

static void made_by_the_firmware(void **state)
{
	start();
	help_nv_entry(&h, 1, "a", 0, 'p', "");
	help_nv_entry(&h, 2, "b", 0, 'q', BY_FIRMWARE);
	help_nv_order(&h, 1, 2, -1);
	run(nvverb_clone, "+0of1 : 1 2 0 note0 of 2");
	h.all.current = 2;
	run(nvverb_mirror, "+0of1 : 1 2 0 note0 of 2");
	help_nv_order(&h, 2, 1, -1);
	h.all.current = NVRAM_NONE;
	run(nvverb_mirror, "+0of1 : 2 1 0");
	h.entry[0].status = ST_CORRUPT;
	refused(nvverb_mirror, NVWHY_NO_CURRENT, 0);
	run(nvverb_clone, ": 2 1 note0 of 2"); /* it is on it, and it is left out */
}

static void which_is_in_use(void **state)
{
	static const uint16_t own[] = {'o', 'w', 'n'};

	start();
	help_nv_entry(&h, 1, "a", 0, 'p', "");
	help_nv_entry(&h, 2, "b", 0, 'q', "");
	help_nv_order(&h, 9, 1, 2, -1);
	run(nvverb_mirror, "+0of1 : 9 1 2 0");
	assert_true(help_nv_is(&h, &h.plan.change[0].e, "a (mirror)", 1, 'p', ""));
	h.entry[0].e.attributes = 0; /* not active: not tried */
	run(nvverb_mirror, "+0of2 : 9 1 2 0");
	h.all.current = 1; /* but started by hand */
	run(nvverb_mirror, "+0of1 : 9 1 2 0");
	h.entry[0].status = ST_CORRUPT;
	run(nvverb_mirror, "+0of2 : 9 1 2 0");
	h.all.current = 77; /* an entry that is gone since */
	run(nvverb_mirror, "+0of2 : 9 1 2 0");
	w.name = (struct nvtext){own, 3};
	run(nvverb_mirror, "+0of2 : 9 1 2 0");
	assert_true(help_nv_is(&h, &h.plan.change[0].e, "own", 1, 'q', ""));
	help_nv_entry(&h, 5, "owner", 1, 'q', "");
	help_nv_entry(&h, 6, "own", 1, 'q', "");
	help_nv_entry(&h, 7, "owl", 1, 'q', "");
	help_nv_order(&h, 2, 5, 6, 7, -1);
	run(nvverb_mirror, ": 2 5 6 7");
	assert_int_equal(h.plan.pair[0].to, 6);
	h.entry[3].status = ST_CORRUPT; /* then one that is called something else */
	run(nvverb_mirror, ": 2 5 6 7");
	assert_int_equal(h.plan.pair[0].to, 5);
	w.to = help_nv_guid(0);
	refused(nvverb_mirror, NVWHY_SAME, 2);
}

static void refusals_have_no_number(void **state)
{
	start();
	help_nv_entry(&h, 1, "a", 0, 'p', "");
	help_nv_order(&h, 1, -1);
	w.to = help_nv_guid(3);
	refused(nvverb_clone, NVWHY_NO_PARTITION, 0);
	w.to = help_nv_guid(1);
	w.from = help_nv_guid(1);
	refused(nvverb_clone, NVWHY_NO_SOURCE, 0);
	h.part_count = 3;
	h.part[2] = h.part[1];
	refused(nvverb_clone, NVWHY_TWICE, 0);
	h.part_count = 2;
	w.from = help_nv_guid(0);
	for (size_t room = 0; room < 600; room += 8) {
		help_nv_plan(&h, 0, 0, room);
		h.fail.number = 99;
		assert_false(nvverb_clone(&h.plan, &w, &h.fail));
		assert_int_equal(h.fail.why, NVWHY_FULL);
		assert_int_equal(h.fail.number, 0);
		assert_true(h.plan.full);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_second_time),
		cmocka_unit_test(no_clones),
		cmocka_unit_test(a_clone_with_another_name),
		cmocka_unit_test(a_letter_beyond_latin),
		cmocka_unit_test(two_alike),
		cmocka_unit_test(text_behind_the_name),
		cmocka_unit_test(behind_each_original),
		cmocka_unit_test(made_by_the_firmware),
		cmocka_unit_test(which_is_in_use),
		cmocka_unit_test(refusals_have_no_number),
	};

	return cmocka_run_group_tests_name("nvverb: clones", tests, NULL, NULL);
}
