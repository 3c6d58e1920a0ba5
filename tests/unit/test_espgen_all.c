/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* Generations: every state that a source and two targets can have, against the rules said plainly.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/espgen.h"

static const struct guid sets[2] = {{{1}}, {{2}}}, fresh = {{3}};

/* By number: status, complete, updated, current, differs, set, and generation 0 to 2. */
#define STATES (64 * 3)

static struct espgen_esp state_of(unsigned n)
{
	return (struct espgen_esp){
		.status = n & 1 ? ST_OK : ST_CORRUPT,
		.complete = n & 2,
		.updated = n & 4,
		.is_current = n & 8,
		.differs = n & 16,
		.set = sets[n >> 5 & 1],
		.generation = n / 64,
	};
}

struct answer {
	enum espgen_result result;
	unsigned which;
	struct espgen g;
};

static bool belongs(const struct espgen_esp *e, const struct guid *set)
{
	return e->status == ST_OK && !memcmp(&e->set, set, sizeof(*set));
}

static struct answer wanted(const struct espgen_esp *from, const struct espgen_esp to[2],
			    bool force)
{
	struct answer a = {.which = 2};
	const struct espgen_esp *best = NULL;
	uint64_t highest = 0;
	bool by_source, raise = false;

	if (from->status == ST_OK && !from->complete && !force)
		return (struct answer){.result = ESPGEN_SOURCE_CUT};
	/* The set: the source's, or the newest target's, or a new one. */
	for (int i = 1; i >= 0; i--)
		if (to[i].status == ST_OK && (!best || to[i].generation >= best->generation))
			best = &to[i];
	if (from->status == ST_OK)
		best = from;
	a.g.set = best ? best->set : fresh;
	a.g.set_is_new = !best;
	/* A finished target of a later generation whose files would be lost. */
	for (unsigned i = 2; i-- > 0 && !force;)
		if (belongs(from, &a.g.set) && from->generation > 0 && belongs(&to[i], &a.g.set) &&
		    to[i].differs && to[i].complete && to[i].generation > from->generation) {
			a.result = ESPGEN_TARGET_NEWER;
			a.which = i;
		}
	if (a.result != ESPGEN_FINE)
		return a;
	if (force)
		a.which = 0;
	for (unsigned i = 0; i < 2; i++)
		if (belongs(&to[i], &a.g.set) && to[i].generation > highest)
			highest = to[i].generation;
	by_source = belongs(from, &a.g.set) && from->generation >= highest;
	if (by_source) {
		highest = from->generation;
		raise = from->updated || !from->complete;
	}
	for (unsigned i = 0; i < 2 && !by_source; i++)
		if (belongs(&to[i], &a.g.set) && to[i].generation == highest &&
		    (to[i].differs || to[i].updated || !to[i].complete))
			raise = true;
	a.g.generation = highest == 0 ? 1 : raise ? highest + 1 : highest;
	a.g.source = !(from->is_current && belongs(from, &a.g.set) &&
		       from->generation == a.g.generation);
	return a;
}

static void try(const struct espgen_esp *from, const struct espgen_esp to[2], bool force)
{
	struct answer a = wanted(from, to, force);
	struct espgen g;
	unsigned which = 99;

	memset(&g, 0xee, sizeof(g));
	assert_int_equal(espgen_plan(&g, from, to, 2, &fresh, force, &which), a.result);
	if (a.result == ESPGEN_TARGET_NEWER)
		assert_int_equal(which, a.which);
	if (a.result != ESPGEN_FINE)
		return;
	assert_memory_equal(&g.set, &a.g.set, sizeof(g.set));
	assert_int_equal(g.set_is_new, a.g.set_is_new);
	assert_int_equal(g.generation, a.g.generation);
	assert_int_equal(g.source, a.g.source);
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(espgen_needed(&g, &to[i]),
				 !belongs(&to[i], &g.set) || to[i].differs || !to[i].is_current ||
					 to[i].generation != g.generation);
}

static void plans(void **state)
{
	for (unsigned f = 0; f < STATES; f++)
		for (unsigned t = 0; t < STATES; t++) {
			struct espgen_esp from = state_of(f);
			struct espgen_esp to[2] = {state_of(t), state_of((t * 7 + f * 5) % STATES)};

			try(&from, to, false);
			try(&from, to, true);
		}
}

/* A target after the last one is not looked at. */
static void only_those_that_are_there(void **state)
{
	struct espgen_esp from = state_of(1 + 2 + 8 + 64);
	struct espgen_esp to[2] = {from, state_of(1 + 2 + 16 + 128)};
	struct espgen g;
	unsigned which;

	assert_int_equal(espgen_plan(&g, &from, to, 1, &fresh, false, &which), ESPGEN_FINE);
	assert_int_equal(g.generation, 1);
	from.status = ST_ABSENT;
	to[0].status = ST_ABSENT;
	assert_int_equal(espgen_plan(&g, &from, to, 1, &fresh, false, &which), ESPGEN_FINE);
	assert_true(g.set_is_new);
	to[0].updated = to[1].updated = true;
	to[0].status = ST_OK;
	to[0].updated = false;
	to[0].differs = false;
	to[1] = to[0];
	to[1].differs = true;
	assert_int_equal(espgen_plan(&g, &from, to, 1, &fresh, false, &which), ESPGEN_FINE);
	assert_int_equal(g.generation, 1);
}

static unsigned rank(const struct espgen_esp *e)
{
	return e->status == ST_OK && e->complete ? 1 + 2 * (unsigned)e->generation + e->updated : 0;
}

static void newest(void **state)
{
	for (unsigned n = 0; n < STATES * STATES; n++) {
		struct espgen_esp e[3] = {state_of(n % STATES), state_of(n / STATES),
					  state_of((n * 11 + n / STATES) % STATES)};
		unsigned best = 0;

		for (unsigned i = 1; i < 3; i++)
			if (rank(&e[i]) > rank(&e[best]))
				best = i;
		assert_int_equal(espgen_newest(e, 3), best);
	}
}

static void time_of_the_newest(void **state)
{
	struct manifest_file f = {.fat_time = 5};

	assert_int_equal(espgen_time(4, &f), 5);
	assert_int_equal(espgen_time(6, &f), 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plans),
		cmocka_unit_test(only_those_that_are_there),
		cmocka_unit_test(newest),
		cmocka_unit_test(time_of_the_newest),
	};

	return cmocka_run_group_tests_name("espgen: all", tests, NULL, NULL);
}
