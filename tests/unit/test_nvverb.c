/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* clone, mirror, delete, repair: as plans. tests/cli/test_entries.py has them from outside. */
#include "help_nv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static struct help_nv h;

/* KB 814070: 1 and 5 have their loader on the source, 2 to 4 are devices. */
static void scene(void)
{
	help_nv_start(&h, 2);
	help_nv_entry(&h, 1, "Windows", 0, 'l', "one");
	help_nv_entry(&h, 5, "secondary plex", 0, 'l', "five");
	help_nv_entry(&h, 2, "cd", -1, 0, "");
	help_nv_entry(&h, 4, "net", -1, 0, "");
	help_nv_entry(&h, 3, "floppy", -1, 0, "");
	help_nv_order(&h, 1, 2, 3, 4, 5, -1);
}

static struct nvwant from_to(void)
{
	return (struct nvwant){.from = help_nv_guid(0), .to = help_nv_guid(1), .last = true};
}

static bool plan(bool (*verb)(struct nvplan *, const struct nvwant *, struct nvfail *),
		 const struct nvwant *w)
{
	help_nv_plan(&h, 0, 0, SIZE_MAX);
	return verb(&h.plan, w, &h.fail);
}

static void cloned(void **state)
{
	struct nvwant w = from_to();
	struct text_buffer b;

	scene();
	assert_true(plan(nvverb_clone, &w));
	assert_int_equal(h.plan.count, 2);
	assert_true(help_nv_is(&h, &h.plan.change[0].e, "Windows (mirror)", 1, 'l', "one"));
	assert_true(help_nv_is(&h, &h.plan.change[1].e, "secondary plex (mirror)", 1, 'l', "five"));
	assert_int_equal(h.plan.change[0].number, 0);
	assert_int_equal(h.plan.change[1].number, 6);
	assert_string_equal(help_nv_planned(&h), "1 2 3 4 5 0 6");
	text_buffer_init(&b, h.text, sizeof(h.text));
	nvsay_done(&h.plan, &b.text);
	assert_string_equal(h.text, "Boot0001 was cloned: Boot0000\nBoot0005 was cloned: "
				    "Boot0006\nThe boot order was written\n");
	w.last = false;
	assert_true(plan(nvverb_clone, &w));
	assert_string_equal(help_nv_planned(&h), "1 0 2 3 4 5 6");
}

/* Numbers that something names, though there is no such entry. */
static void numbers(void **state)
{
	struct nvwant w = from_to();

	scene();
	h.all.next = 0;
	h.all.current = 6;
	help_nv_order(&h, 1, 7, 5, -1);
	assert_true(plan(nvverb_clone, &w));
	assert_int_equal(h.plan.change[0].number, 8);
	assert_int_equal(h.plan.change[1].number, 9);
}

static void no_number_left(void **state)
{
	struct nventry *all = calloc(NVRAM_NONE, sizeof(*all));
	struct nvwant w = from_to();

	assert_non_null(all);
	scene();
	for (unsigned i = 0; i < NVRAM_NONE; i++)
		all[i] = (struct nventry){.number = i, .status = ST_CORRUPT, .place = -1};
	for (unsigned i = 0; i < h.all.count; i++)
		all[h.entry[i].number] = h.entry[i];
	h.all.entry = all;
	h.all.count = NVRAM_NONE;
	for (int left = 1; left >= 0; left--) { /* one number is left, then none */
		size_t bytes = nvplan_bytes(&h.all, 0, 0);
		void *memory = malloc(bytes);

		assert_non_null(memory);
		h.all.count = NVRAM_NONE - (unsigned)left;
		nvplan_start(&h.plan, &h.all, &h.parts, 0, memory, bytes);
		assert_false(nvverb_clone(&h.plan, &w, &h.fail));
		assert_int_equal(h.fail.why, NVWHY_NUMBERS);
		assert_int_equal(h.plan.count, left);
		free(memory);
	}
	free(all);
}

/* Whatever memory there is: a right plan or none, and nothing is written behind it. */
static void little_memory(void **state)
{
	struct nvwant w = from_to();
	unsigned full = 0, fine = 0;
	size_t all;

	scene();
	all = nvplan_bytes(&h.all, 0, 0);
	for (size_t room = 0; room <= all; room += room < 64 ? 1 : 8) {
		memset(h.memory, 0x5a, sizeof(h.memory));
		help_nv_plan(&h, 0, 0, room);
		if (nvverb_clone(&h.plan, &w, &h.fail)) {
			assert_string_equal(help_nv_planned(&h), "1 2 3 4 5 0 6");
			fine++;
		} else {
			assert_int_equal(h.fail.why, NVWHY_FULL);
			full++;
		}
		for (size_t i = room; i < sizeof(h.memory); i++)
			if (h.memory[i] != 0x5a)
				fail_msg("%zu bytes of room, and byte %zu was written", room, i);
	}
	assert_true(full > 0 && fine > 0);
}

static void refusals(void **state)
{
	struct nvwant w = from_to();

	scene();
	w.to = help_nv_guid(3);
	assert_false(plan(nvverb_clone, &w));
	assert_int_equal(h.fail.why, NVWHY_NO_PARTITION);
	assert_true(guid_equal(&h.fail.guid, &w.to));
	w = from_to();
	w.from = help_nv_guid(3);
	assert_false(plan(nvverb_clone, &w));
	assert_int_equal(h.fail.why, NVWHY_NO_SOURCE);
	assert_true(guid_equal(&h.fail.guid, &w.from));
	h.part_count = 3;
	h.part[2] = h.part[1];
	w = from_to();
	assert_false(plan(nvverb_clone, &w));
	assert_int_equal(h.fail.why, NVWHY_TWICE);
	assert_false(plan(nvverb_mirror, &w));
	assert_int_equal(h.fail.why, NVWHY_TWICE);
}

static void mirrored(void **state)
{
	struct nvwant w = from_to();

	scene();
	w.last = false;
	h.all.current = 5;
	assert_true(plan(nvverb_mirror, &w));
	assert_int_equal(h.plan.count, 1);
	assert_true(help_nv_is(&h, &h.plan.change[0].e, "secondary plex (mirror)", 1, 'l', "five"));
	h.all.current = 2; /* a device: the first that is a file is taken */
	assert_true(plan(nvverb_mirror, &w));
	assert_true(help_nv_is(&h, &h.plan.change[0].e, "Windows (mirror)", 1, 'l', "one"));
	w.to = help_nv_guid(0);
	assert_false(plan(nvverb_mirror, &w));
	assert_int_equal(h.fail.why, NVWHY_SAME);
	help_nv_order(&h, 2, 3, -1);
	assert_false(plan(nvverb_mirror, &w));
	assert_int_equal(h.fail.why, NVWHY_NO_CURRENT);
}

/* Three notes of the same loader are one. */
static void notes(void **state)
{
	struct nvwant w = from_to();
	struct text_buffer b;

	scene();
	h.loader = ST_ABSENT;
	h.part[1].part.kind = PART_OTHER;
	assert_true(plan(nvverb_clone, &w));
	text_buffer_init(&b, h.text, sizeof(h.text));
	nvsay_notes(&h.plan, &b.text);
	assert_string_equal(h.text,
			    "note: partition 2 of b is not marked as an EFI system partition\n"
			    "note: \\l is not on partition 2 of b yet: \"mirrorboot esp clone\" "
			    "copies what is on an EFI system partition\n");
	h.loader = ST_IO;
	assert_true(plan(nvverb_clone, &w));
	text_buffer_init(&b, h.text, sizeof(h.text));
	nvsay_notes(&h.plan, &b.text);
	assert_non_null(strstr(h.text, "note: whether \\l is on partition 2 of b can't be told\n"));
}

static void deleted(void **state)
{
	struct nvwant w = {.on = help_nv_guid(0), .has_on = true};

	scene();
	help_nv_plan(&h, 0, 0, SIZE_MAX);
	assert_true(nvverb_delete(&h.plan, &w, NULL, 0, &h.fail)); /* devices are left */
	assert_string_equal(help_nv_planned(&h), "2 3 4");
	help_nv_order(&h, 1, 5, 9, -1);
	help_nv_plan(&h, 0, 0, SIZE_MAX);
	assert_false(nvverb_delete(&h.plan, &w, NULL, 0, &h.fail));
	assert_int_equal(h.fail.why, NVWHY_EMPTY_ORDER);
	w.force = true;
	help_nv_plan(&h, 0, 0, SIZE_MAX);
	assert_true(nvverb_delete(&h.plan, &w, NULL, 0, &h.fail));
	w = (struct nvwant){.id = {9}, .ids = 1};
	help_nv_plan(&h, 0, 0, SIZE_MAX);
	assert_false(nvverb_delete(&h.plan, &w, NULL, 0, &h.fail));
	assert_int_equal(h.fail.why, NVWHY_NO_ENTRY);
	assert_int_equal(h.fail.number, 9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cloned),        cmocka_unit_test(numbers),
		cmocka_unit_test(little_memory), cmocka_unit_test(no_number_left),
		cmocka_unit_test(refusals),      cmocka_unit_test(mirrored),
		cmocka_unit_test(notes),         cmocka_unit_test(deleted),
	};

	return cmocka_run_group_tests_name("nvverb", tests, NULL, NULL);
}
