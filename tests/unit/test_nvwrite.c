/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * Plans carried out on a firmware that fails, and then lies while it is asked to take back what
 * was written. tests/sim/sim_entries.c has all other faults, at each call.
 */
#include "help_nv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#define VARIABLES 16

static struct help_nv h;
static struct {
	char name[16];
	uint8_t data[256];
	size_t bytes;
} v[VARIABLES];
static unsigned sets, fail_at, removes;
static bool loses, lies; /* a set that fails; a remove, or a set after it */

static unsigned find(const char *name)
{
	unsigned i = 0;

	while (i < VARIABLES && strcmp(v[i].name, name) != 0)
		i++;
	return i;
}

static int set(const struct nvstore *s, const char *name, uint32_t attributes, const void *data,
	       size_t bytes)
{
	unsigned i = find(name);

	assert_true(bytes > 0 && bytes <= sizeof(v[0].data));
	sets++;
	if (sets == fail_at) {
		if (loses && i < VARIABLES)
			v[i].name[0] = 0;
		return 9;
	}
	if (fail_at && sets > fail_at && lies)
		return 0;
	if (i == VARIABLES)
		i = find("");
	assert_true(i < VARIABLES);
	strcpy(v[i].name, name);
	memcpy(v[i].data, data, bytes);
	v[i].bytes = bytes;
	return 0;
}

static int take_away(const struct nvstore *s, const char *name)
{
	unsigned i = find(name);

	removes++;
	if (lies)
		return 0;
	if (i == VARIABLES)
		return 14;
	v[i].name[0] = 0;
	return 0;
}

static bool holds(const struct nvstore *s, const char *name, const void *data, size_t bytes)
{
	unsigned i = find(name);

	return i < VARIABLES && v[i].bytes == bytes && !memcmp(v[i].data, data, bytes);
}

static bool lacks(const struct nvstore *s, const char *name)
{
	return find(name) == VARIABLES;
}

static const char *why(const struct nvstore *s, int error)
{
	return error == 9 ? "it is full" : "?";
}

static const struct nvstore store = {set, take_away, holds, lacks, why};

/* Two entries to be cloned, and one on the target that is brought up to date. */
static void scene(unsigned at, bool loses_it, bool lies_then)
{
	struct nvwant w = {.from = help_nv_guid(0), .to = help_nv_guid(1)};

	help_nv_start(&h, 2);
	help_nv_entry(&h, 0, "one", 0, 'a', "");
	help_nv_entry(&h, 1, "two", 0, 'b', "");
	help_nv_entry(&h, 2, "three", 0, 'c', "");
	help_nv_entry(&h, 3, "two here", 1, 'b', "");
	help_nv_order(&h, 0, 1, 2, -1);
	memset(v, 0, sizeof(v));
	fail_at = 0;
	for (unsigned i = 0; i < h.all.count; i++) {
		char name[NVRAM_NAME_BYTES];

		nvram_name(h.entry[i].number, name);
		set(&store, name, 7, h.entry[i].data, h.entry[i].bytes);
	}
	set(&store, "BootOrder", 7, h.order, 3 * sizeof(h.order[0]));
	h.part[1].part.start_lba = 34;
	help_nv_plan(&h, 0, 0, SIZE_MAX);
	assert_true(nvverb_clone(&h.plan, &w, &h.fail));
	assert_int_equal(h.plan.count, 3);
	sets = removes = 0;
	fail_at = at;
	loses = loses_it;
	lies = lies_then;
}

static const char *said(const struct nvfault *f)
{
	struct text_buffer b;

	text_buffer_init(&b, h.text, sizeof(h.text));
	nvsay_fault(f, &store, &b.text);
	return h.text;
}

static void all_goes_well(void **state)
{
	struct nvfault f;

	scene(0, false, false);
	assert_true(nvwrite_plan(&h.plan, &store, &f));
	assert_int_equal(sets, 4);
	assert_int_equal(v[find("BootOrder")].bytes, 12);
}

static void taken_back(void **state)
{
	struct nvfault f;

	scene(4, false, false);
	assert_false(nvwrite_plan(&h.plan, &store, &f));
	assert_true(f.restored);
	assert_true(lacks(&store, "Boot0004") && lacks(&store, "Boot0005"));
	assert_int_equal(removes, 2);
	assert_non_null(strstr(said(&f), "BootOrder could not be written: it is full\n"));
	assert_non_null(strstr(h.text, "are as they were"));

	scene(1, false, false); /* nothing is there yet: nothing is asked for */
	assert_false(nvwrite_plan(&h.plan, &store, &f));
	assert_true(f.restored);
	assert_int_equal(removes, 0);
}

/* "Removed", and it is still there. */
static void not_taken_back(void **state)
{
	struct nvfault f;

	scene(3, false, true);
	assert_false(nvwrite_plan(&h.plan, &store, &f));
	assert_false(lacks(&store, "Boot0004"));
	assert_false(f.restored);
	assert_string_equal(f.left, "Boot0004");
	assert_non_null(strstr(said(&f), "taking back what had been written failed at Boot0004"));
}

/* An entry that was to be brought up to date is lost, and putting it back is a lie. */
static void lost_for_good(void **state)
{
	struct nvfault f;

	scene(2, true, true);
	assert_false(nvwrite_plan(&h.plan, &store, &f));
	assert_true(lacks(&store, "Boot0003"));
	assert_false(f.restored);
	scene(2, true, false);
	assert_false(nvwrite_plan(&h.plan, &store, &f));
	assert_true(holds(&store, "Boot0003", h.entry[3].data, h.entry[3].bytes));
	assert_true(f.restored);
}

/* The order is lost: what it might name stays. */
static void order_lost(void **state)
{
	struct nvfault f;

	scene(4, true, true);
	assert_false(nvwrite_plan(&h.plan, &store, &f));
	assert_true(lacks(&store, "BootOrder"));
	assert_false(lacks(&store, "Boot0004"));
	assert_string_equal(f.left, "BootOrder");
	scene(4, true, false);
	assert_false(nvwrite_plan(&h.plan, &store, &f));
	assert_true(f.restored && holds(&store, "BootOrder", h.order, 6));
	assert_true(lacks(&store, "Boot0004"));
}

static void not_removed(void **state)
{
	struct nvwant w = {.id = {1}, .ids = 1};
	struct nvfault f;

	scene(0, false, true);
	help_nv_plan(&h, 0, 0, SIZE_MAX);
	assert_true(nvverb_delete(&h.plan, &w, NULL, 0, &h.fail));
	assert_false(nvwrite_plan(&h.plan, &store, &f));
	assert_true(f.removing);
	assert_int_equal(v[find("BootOrder")].bytes, 4);
	assert_non_null(strstr(said(&f), "Boot0001 could not be removed: it is still there"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_goes_well),  cmocka_unit_test(taken_back),
		cmocka_unit_test(not_taken_back), cmocka_unit_test(lost_for_good),
		cmocka_unit_test(order_lost),     cmocka_unit_test(not_removed),
	};

	return cmocka_run_group_tests_name("nvwrite", tests, NULL, NULL);
}
