/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tests/unit/help_md.h"

#include "common/espchoice.h"

#include <string.h>

#define MAX 6

static const struct guid set_x = {{1}}, set_y = {{2}};

static struct espchoice esp(uint8_t state, const struct guid *set, uint64_t generation)
{
	return (struct espchoice){.state = state, .set = *set, .generation = generation};
}

static struct espchoice unknown(void)
{
	return (struct espchoice){.state = ESPCHOICE_UNKNOWN};
}

/* The order as text: "102". */
static const char *order_of(const struct espchoice *e, unsigned count)
{
	static char text[MAX + 1];
	unsigned order[MAX];

	espchoice_order(e, count, order);
	for (unsigned i = 0; i < count; i++)
		text[i] = (char)('0' + order[i]);
	text[count] = '\0';
	return text;
}

/*
 * The first is our own, then every other one in its place: the same is chosen first (by its
 * generation, unique in the lists that are given here).
 */
static void check_any_start(const struct espchoice *e, unsigned count, uint64_t first)
{
	for (unsigned own = 0; own < count; own++) {
		struct espchoice moved[MAX];
		unsigned order[MAX], n = 0;

		moved[n] = e[own];
		moved[n++].own = true;
		for (unsigned i = 0; i < count; i++)
			if (i != own)
				moved[n++] = e[i];
		espchoice_order(moved, count, order);
		assert_int_equal(moved[order[0]].generation, first);
	}
}

static void nobody_says(void **state)
{
	struct espchoice e[] = {unknown(), unknown(), unknown()};

	assert_string_equal(order_of(e, 0), "");
	assert_string_equal(order_of(e, 1), "0");
	assert_string_equal(order_of(e, 3), "012");
	e[2].own = true;
	assert_string_equal(order_of(e, 3), "201");
}

static void higher_generation_first(void **state)
{
	struct espchoice e[] = {esp(ESPCHOICE_COMPLETE, &set_x, 7),
				esp(ESPCHOICE_COMPLETE, &set_x, UINT64_MAX),
				esp(ESPCHOICE_COMPLETE, &set_x, 8)};

	e[0].own = true;
	assert_string_equal(order_of(e, 3), "120");
	e[0].own = false;
	check_any_start(e, 3, UINT64_MAX);
}

static void whole_before_newer(void **state)
{
	struct espchoice e[] = {esp(ESPCHOICE_UPDATING, &set_x, 9),
				esp(ESPCHOICE_COMPLETE, &set_x, 1), unknown(),
				esp(ESPCHOICE_UPDATING, &set_x, 10)};

	assert_string_equal(order_of(e, 4), "1302");
	check_any_start(e, 2, 1);
	e[2].own = true; /* ours has none: the others' are the better knowledge */
	assert_string_equal(order_of(e, 4), "1302");
}

static void a_loader_written_since(void **state)
{
	struct espchoice e[] = {esp(ESPCHOICE_COMPLETE, &set_x, 3),
				esp(ESPCHOICE_COMPLETE, &set_x, 3),
				esp(ESPCHOICE_COMPLETE, &set_x, 3)};

	e[0].own = true;
	assert_string_equal(order_of(e, 3), "012");
	e[2].changed_time = 5;
	assert_string_equal(order_of(e, 3), "201");
	e[1].changed_time = 6;
	assert_string_equal(order_of(e, 3), "120");
	e[0].generation = 4; /* a generation is more than a time */
	assert_string_equal(order_of(e, 3), "012");
	e[0].changed_time = e[1].changed_time = e[2].changed_time = 6;
	e[0].generation = 3;
	assert_string_equal(order_of(e, 3), "012");
}

static void own_first_of_equals(void **state)
{
	struct espchoice e[] = {esp(ESPCHOICE_COMPLETE, &set_x, 3),
				esp(ESPCHOICE_COMPLETE, &set_x, 3),
				esp(ESPCHOICE_COMPLETE, &set_x, 3)};

	e[1].own = true;
	assert_string_equal(order_of(e, 3), "102");
}

static void other_sets_come_last(void **state)
{
	struct espchoice e[] = {esp(ESPCHOICE_COMPLETE, &set_y, 100),
				esp(ESPCHOICE_UPDATING, &set_x, 1),
				esp(ESPCHOICE_COMPLETE, &set_x, 2), unknown()};

	e[1].own = true;
	assert_string_equal(order_of(e, 4), "2130");
	e[1].own = false;
	e[0].own = true;
	assert_string_equal(order_of(e, 4), "0321");
}

static void without_our_own_the_first_whole_one_names_the_set(void **state)
{
	struct espchoice e[] = {unknown(), esp(ESPCHOICE_UPDATING, &set_y, 100),
				esp(ESPCHOICE_COMPLETE, &set_x, 2),
				esp(ESPCHOICE_COMPLETE, &set_y, 3)};

	e[0].own = true;
	assert_string_equal(order_of(e, 4), "2031");
}

static void volumes_before_all(void **state)
{
	struct espchoice e[] = {esp(ESPCHOICE_COMPLETE, &set_x, 7), unknown(), unknown()};

	e[0].own = true;
	e[2].first = true;
	assert_string_equal(order_of(e, 3), "201");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody_says),
		cmocka_unit_test(higher_generation_first),
		cmocka_unit_test(whole_before_newer),
		cmocka_unit_test(a_loader_written_since),
		cmocka_unit_test(own_first_of_equals),
		cmocka_unit_test(other_sets_come_last),
		cmocka_unit_test(without_our_own_the_first_whole_one_names_the_set),
		cmocka_unit_test(volumes_before_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
