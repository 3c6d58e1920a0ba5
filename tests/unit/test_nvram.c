/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* Boot entries as they were read: names, order, places, and whether two readings are the same. */
#include "help_nv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static struct help_nv h, g;

static void names(void **state)
{
	for (unsigned n = 0; n < NVRAM_NONE; n++) {
		char name[NVRAM_NAME_BYTES], want[16];

		snprintf(want, sizeof(want), "Boot%04X", n);
		nvram_name(n, name);
		assert_string_equal(name, want);
		assert_int_equal(nvram_number(name), n);
	}
	for (unsigned at = 0; at < 9; at++)
		for (int c = 1; c < 128; c++) {
			char name[10] = "Boot0000";
			bool digit = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F');

			name[at] = (char)c;
			if (at < 4 ? c == "Boot"[at] : at < 8 && digit)
				assert_int_not_equal(nvram_number(name), NVRAM_NONE);
			else
				assert_int_equal(nvram_number(name), NVRAM_NONE);
		}
	assert_int_equal(nvram_number("Boot000"), NVRAM_NONE);
	assert_int_equal(nvram_number("Boo"), NVRAM_NONE);
	assert_int_equal(nvram_number(""), NVRAM_NONE);
	assert_int_equal(nvram_number("BootOrder"), NVRAM_NONE);
}

static void sorted_and_found(void **state)
{
	for (unsigned count = 0; count <= HELP_NV_ENTRIES; count++)
		for (unsigned turn = 0; turn < 8; turn++) {
			help_nv_start(&h, 1);
			for (unsigned i = 0; i < count; i++)
				help_nv_entry(&h, (i * 7 + turn * 3) % 17 * 2 + 1, "x", 0, 'x', "");
			nvram_arrange(&h.all);
			for (unsigned i = 0; i < count; i++) {
				assert_true(i == 0 || h.entry[i - 1].number < h.entry[i].number);
				assert_int_equal(h.entry[i].place, -1);
				assert_ptr_equal(nvram_find(&h.all, h.entry[i].number),
						 &h.entry[i]);
			}
			for (unsigned n = 0; n < 40; n += 2)
				assert_null(nvram_find(&h.all, n));
			if (count < HELP_NV_ENTRIES) { /* one behind the last is none */
				h.entry[count].number = 101;
				assert_null(nvram_find(&h.all, 101));
			}
		}
}

/* A number may be there twice: its first place counts. */
static void places(void **state)
{
	help_nv_start(&h, 1);
	for (unsigned i = 0; i < 4; i++)
		help_nv_entry(&h, i, "x", 0, 'x', "");
	help_nv_order(&h, 3, 9, 1, 3, 1, 0, -1);
	assert_int_equal(h.entry[0].place, 5);
	assert_int_equal(h.entry[1].place, 2);
	assert_int_equal(h.entry[2].place, -1);
	assert_int_equal(h.entry[3].place, 0);
}

static void order_from_bytes(void **state)
{
	static const uint8_t bytes[] = {0x01, 0x00, 0x34, 0x12, 0xff, 0xff, 0x77};

	help_nv_start(&h, 1);
	assert_true(nvram_take_order(&h.all, bytes, 6));
	assert_true(h.all.has_order);
	assert_int_equal(h.all.order_count, 3);
	assert_int_equal(h.order[0], 1);
	assert_int_equal(h.order[1], 0x1234);
	assert_int_equal(h.order[2], 0xffff);
	h.order[3] = 0x5555;
	assert_false(nvram_take_order(&h.all, bytes, 7));
	assert_int_equal(h.all.order_count, 3);
	assert_int_equal(h.order[3], 0x5555);
	assert_true(nvram_take_order(&h.all, bytes, 0));
	assert_int_equal(h.all.order_count, 0);
}

static void looked_at(void **state)
{
	struct nventry e;

	help_nv_start(&h, 1);
	help_nv_entry(&h, 1, "name", 0, 'x', "");
	e = h.entry[0];
	e.place = 5;
	nvram_look(&e);
	assert_int_equal(e.place, -1);
	assert_int_equal(e.status, ST_OK);
	e.error = 5;
	nvram_look(&e);
	assert_int_equal(e.status, ST_IO);
	e.error = 0;
	e.bytes = 9;
	nvram_look(&e);
	assert_int_equal(e.status, ST_CORRUPT);
}

static void make(struct help_nv *to)
{
	help_nv_start(to, 1);
	help_nv_entry(to, 1, "a", 0, 'x', "");
	help_nv_entry(to, 2, "b", 0, 'y', "z");
	help_nv_order(to, 2, 1, -1);
}

static void equal(void **state)
{
	for (unsigned change = 0; change < 12; change++) {
		make(&h);
		make(&g);
		switch (change) {
		case 1: g.all.count--; break;
		case 2: g.all.order_count--; break;
		case 3: g.order[1] = 7; break;
		case 4: g.entry[1].number = 3; break;
		case 5: g.entry[1].error = 3; break;
		case 6: g.entry[1].bytes--; break;
		case 7: g.entry[1].attributes ^= 1; break;
		case 8: g.data[1][g.entry[1].bytes - 1] ^= 1; break;
		case 9: g.data[0][0] ^= 1; break;
		case 10: g.order[0] = 7; break;
		case 11: g.all.order_count = h.all.order_count = 0; break;
		default: break;
		}
		assert_int_equal(nvram_equal(&h.all, &g.all), change == 0 || change == 11);
		assert_int_equal(nvram_equal(&g.all, &h.all), change == 0 || change == 11);
	}
	make(&h);
	make(&g);
	h.entry[0].bytes = g.entry[0].bytes = 0; /* what could not be read has no bytes */
	h.entry[0].data = g.entry[0].data = NULL;
	assert_true(nvram_equal(&h.all, &g.all));
	h.all.count = g.all.count = 0;
	assert_true(nvram_equal(&h.all, &g.all));
}

static void alike(void **state)
{
	help_nv_start(&h, 2);
	help_nv_entry(&h, 0, "a", 0, 'x', "z");
	help_nv_entry(&h, 1, "b", 0, 'x', "z");  /* another name only */
	help_nv_entry(&h, 2, "a", 1, 'x', "z");  /* another partition */
	help_nv_entry(&h, 3, "a", 0, 'y', "z");  /* another file */
	help_nv_entry(&h, 4, "a", 0, 'x', "zz"); /* other data */
	help_nv_entry(&h, 5, "a", -1, 0, "z");   /* a device */
	help_nv_entry(&h, 6, "aa", -1, 0, "z");
	for (unsigned i = 0; i < 7; i++) {
		assert_int_equal(nvram_alike(&h.entry[0].e, &h.entry[i].e), i <= 1);
		assert_int_equal(nvram_alike(&h.entry[i].e, &h.entry[0].e), i <= 1);
		assert_int_equal(nvram_same_name(&h.entry[0].e, &h.entry[i].e), i != 1 && i != 6);
		assert_false(nvram_alike(&h.entry[5].e, &h.entry[i].e));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),     cmocka_unit_test(sorted_and_found),
		cmocka_unit_test(places),    cmocka_unit_test(order_from_bytes),
		cmocka_unit_test(looked_at), cmocka_unit_test(equal),
		cmocka_unit_test(alike),
	};

	return cmocka_run_group_tests_name("nvram", tests, NULL, NULL);
}
