/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* What a firmware brings back without a record: by what the other clones of an ESP have. */
#include "help_nv.h"
#include "common/nvtwin.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static struct help_nv h;
static struct nvitem item[32];
static uint8_t pool[4096];
static struct nvtwin_esp esp[3];
static struct nvtwin t;

static const struct guid one = {{1}}, other = {{2}};

static void start(unsigned esps)
{
	help_nv_start(&h, esps);
	for (unsigned i = 0; i < esps; i++)
		esp[i] = (struct nvtwin_esp){&h.part[i], one};
	t = (struct nvtwin){.all = &h.all,
			    .esp = esp,
			    .esps = esps,
			    .item = item,
			    .room = 32,
			    .pool = pool,
			    .pool_bytes = sizeof(pool)};
}

static void repair(void)
{
	assert_int_equal(nvtwin_items(&t), ST_OK);
	help_nv_plan(&h, t.items, t.pool_used, SIZE_MAX);
	assert_true(nvverb_repair(&h.plan, item, t.items, &h.fail));
}

static void nothing_is_missing(void **state)
{
	start(2);
	help_nv_entry(&h, 0, "debian", 0, 'd', "x");
	help_nv_entry(&h, 1, "anything", 1, 'd', "x");
	help_nv_entry(&h, 2, "device", -1, 0, "");
	help_nv_order(&h, 1, 2, 0, -1); /* somebody's own order stays */
	repair();
	assert_true(nvplan_is_empty(&h.plan));
}

static void the_copy_is_gone(void **state)
{
	start(2);
	help_nv_entry(&h, 0, "debian", 0, 'd', "x");
	help_nv_entry(&h, 1, "device", -1, 0, "");
	help_nv_entry(&h, 2, "asleep", 0, 's', "");
	help_nv_order(&h, 1, 0, -1);
	repair();
	assert_int_equal(h.plan.count, 2);
	assert_true(help_nv_is(&h, &h.plan.change[0].e, "debian (mirror)", 1, 'd', "x"));
	assert_true(help_nv_is(&h, &h.plan.change[1].e, "asleep (mirror)", 1, 's', ""));
	assert_int_equal(h.plan.change[0].number, 3);
	assert_string_equal(help_nv_planned(&h), "1 0 3");
}

static void the_original_is_gone(void **state)
{
	start(2);
	help_nv_entry(&h, 4, "debian (mirror)", 1, 'd', "x");
	help_nv_entry(&h, 1, "device", -1, 0, "");
	help_nv_order(&h, 1, 4, -1);
	repair();
	assert_int_equal(h.plan.count, 1);
	assert_true(help_nv_is(&h, &h.plan.change[0].e, "debian", 0, 'd', "x"));
	assert_string_equal(help_nv_planned(&h), "1 0 4");
}

static void only_the_order_lost_it(void **state)
{
	start(2);
	help_nv_entry(&h, 0, "debian", 0, 'd', "");
	help_nv_entry(&h, 1, "device", -1, 0, "");
	help_nv_entry(&h, 3, "debian (mirror)", 1, 'd', "");
	help_nv_order(&h, 0, 1, -1);
	repair();
	assert_int_equal(h.plan.count, 0);
	assert_string_equal(help_nv_planned(&h), "0 3 1");
}

static void the_partition_moved(void **state)
{
	start(2);
	help_nv_entry(&h, 0, "debian", 0, 'd', "");
	help_nv_entry(&h, 1, "debian (mirror)", 1, 'd', "");
	help_nv_order(&h, 0, 1, -1);
	h.part[1].part.start_lba = 34;
	repair();
	assert_int_equal(h.plan.count, 1);
	assert_int_equal(h.plan.change[0].act, NVPLAN_UPDATE);
	assert_true(help_nv_is(&h, &h.plan.change[0].e, "debian (mirror)", 1, 'd', ""));
}

static void three(void **state)
{
	start(3);
	help_nv_entry(&h, 0, "debian", 0, 'd', "");
	help_nv_entry(&h, 1, "debian (mirror)", 1, 'd', "");
	help_nv_order(&h, 0, 1, -1);
	repair();
	assert_int_equal(h.plan.count, 1);
	assert_true(help_nv_is(&h, &h.plan.change[0].e, "debian (mirror)", 2, 'd', ""));
	assert_string_equal(help_nv_planned(&h), "0 2 1");
}

/* ESPs of another set, entries of the firmware's own, of no ESP, damaged ones. */
static void nobodys_business(void **state)
{
	static const char automatic[] = {'\0', '\0', 'B', 'O'};
	struct nventry *e;

	start(3);
	esp[1].set = esp[2].set = other;
	h.part_count = 2;
	t.esps = 2;
	help_nv_entry(&h, 0, "debian", 0, 'd', "");
	help_nv_order(&h, 0, -1);
	repair();
	assert_true(nvplan_is_empty(&h.plan));
	assert_int_equal(t.items, 1);

	start(2);
	help_nv_entry(&h, 0, "UEFI OS", 0, 'd', "1234");
	help_nv_entry(&h, 1, "broken", 0, 'd', "");
	help_nv_order(&h, 0, 1, -1);
	e = &h.entry[0];
	memcpy(h.data[0] + e->bytes - 4, automatic, 4);
	nvram_look(e);
	e = &h.entry[1];
	e->bytes = 9;
	nvram_look(e);
	help_nv_order(&h, 0, 1, -1);
	repair();
	assert_int_equal(t.items, 0);
}

static void no_room(void **state)
{
	start(2);
	help_nv_entry(&h, 0, "debian", 0, 'd', "x");
	help_nv_order(&h, 0, -1);
	for (t.room = 0; t.room < 2; t.room++)
		assert_int_equal(nvtwin_items(&t), ST_FULL);
	for (t.pool_bytes = 0; nvtwin_items(&t) == ST_FULL; t.pool_bytes++)
		;
	assert_int_equal(t.pool_bytes, item[1].bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_missing),   cmocka_unit_test(the_copy_is_gone),
		cmocka_unit_test(the_original_is_gone), cmocka_unit_test(only_the_order_lost_it),
		cmocka_unit_test(the_partition_moved),  cmocka_unit_test(three),
		cmocka_unit_test(nobodys_business),     cmocka_unit_test(no_room),
	};

	return cmocka_run_group_tests_name("nvtwin", tests, NULL, NULL);
}
