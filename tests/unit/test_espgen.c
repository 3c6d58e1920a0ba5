/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/espgen.h"

static const struct guid set = {{1}}, other_set = {{2}}, fresh = {{3}};
static struct espgen g;
static unsigned which;

static struct espgen_esp esp(uint64_t generation)
{
	return (struct espgen_esp){.status = ST_OK,
				   .complete = true,
				   .is_current = true,
				   .set = set,
				   .generation = generation};
}

static struct espgen_esp none(void)
{
	return (struct espgen_esp){.status = ST_ABSENT, .differs = true};
}

static enum espgen_result plan(struct espgen_esp from, struct espgen_esp to, bool force)
{
	return espgen_plan(&g, &from, &to, 1, &fresh, force, &which);
}

static void fine(struct espgen_esp from, struct espgen_esp to, uint64_t generation, bool source)
{
	assert_int_equal(plan(from, to, false), ESPGEN_FINE);
	assert_int_equal(g.generation, generation);
	assert_int_equal(g.source, source);
}

static void test_first(void **state)
{
	fine(none(), none(), 1, true);
	assert_true(g.set_is_new && guid_equal(&g.set, &fresh));
	fine(esp(7), none(), 7, false);
	assert_true(!g.set_is_new && guid_equal(&g.set, &set));
	fine(none(), esp(7), 7, true); /* the target's set; its files are the same */
}

static void test_raised(void **state)
{
	struct espgen_esp from = esp(7), to = esp(7);

	fine(from, to, 7, false);
	assert_false(espgen_needed(&g, &to));
	from.updated = true;
	from.is_current = false;
	to.differs = true;
	fine(from, to, 8, true);
	assert_true(espgen_needed(&g, &to));
	/* Two of one number that differ: the source's is as its manifest says, so the target was
	 * cut. */
	fine(esp(7), to, 7, false);
	from = none();
	fine(from, to, 8, true);
	to.generation = from.generation = UINT64_MAX;
	fine(from, to, UINT64_MAX, true); /* and no further */
}

static void test_refused(void **state)
{
	struct espgen_esp from = esp(7), to = esp(9);

	to.differs = true;
	assert_int_equal(plan(from, to, false), ESPGEN_TARGET_NEWER);
	assert_int_equal(which, 0);
	assert_int_equal(plan(from, to, true), ESPGEN_FINE);
	assert_int_equal(g.generation, 10);
	to.complete = false; /* it was cut: nobody misses it */
	assert_int_equal(plan(from, to, false), ESPGEN_FINE);
	assert_int_equal(g.generation, 10);
	to = esp(9);
	assert_int_equal(plan(from, to, false), ESPGEN_FINE); /* the same files */
	assert_int_equal(g.generation, 9);
	to.differs = true;
	to.set = other_set;
	assert_int_equal(plan(from, to, false), ESPGEN_FINE);
	assert_int_equal(g.generation, 7);
	from.complete = false;
	assert_int_equal(plan(from, to, false), ESPGEN_SOURCE_CUT);
	assert_int_equal(plan(from, to, true), ESPGEN_FINE);
	assert_int_equal(g.generation, 8);
}

static void test_needed(void **state)
{
	struct espgen_esp to = esp(7);

	fine(esp(7), to, 7, false);
	to.is_current = false; /* of another partition, or times differ */
	assert_true(espgen_needed(&g, &to));
	to = esp(6);
	assert_true(espgen_needed(&g, &to));
	to = esp(7);
	to.set = other_set;
	assert_true(espgen_needed(&g, &to));
	to = none();
	assert_true(espgen_needed(&g, &to));
}

static void test_newest(void **state)
{
	struct espgen_esp e[3] = {esp(3), esp(5), esp(5)};

	assert_int_equal(espgen_newest(e, 3), 1);
	e[2].updated = true;
	assert_int_equal(espgen_newest(e, 3), 2);
	e[1].generation = 6;
	e[1].complete = false;
	assert_int_equal(espgen_newest(e, 2), 0);
	e[0] = none();
	e[1] = none();
	assert_int_equal(espgen_newest(e, 2), 0);
}

static void test_current(void **state)
{
	struct manifest m = {.state = MANIFEST_COMPLETE, .source = set};

	assert_true(espgen_is_current(ST_OK, &m, true, &set));
	assert_false(espgen_is_current(ST_OK, &m, false, &set));
	assert_false(espgen_is_current(ST_OK, &m, true, &other_set));
	assert_false(espgen_is_current(ST_CORRUPT, &m, true, &set));
	m.state = MANIFEST_UPDATING;
	assert_false(espgen_is_current(ST_OK, &m, true, &set));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first),   cmocka_unit_test(test_raised),
		cmocka_unit_test(test_refused), cmocka_unit_test(test_needed),
		cmocka_unit_test(test_newest),  cmocka_unit_test(test_current),
	};

	return cmocka_run_group_tests_name("espgen", tests, NULL, NULL);
}
