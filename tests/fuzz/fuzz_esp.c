/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * Which EFI system partition is used, and which generation a clone gets: from what hostile
 * manifests say, 6 bytes each. In any order of partitions the same one is first, and after a
 * clone there is nothing left to clone.
 */
#include "common/espchoice.h"
#include "common/espgen.h"
#include "tests/fuzz/fuzz.h"

#define ESPS 6

static uint64_t generation(uint8_t b)
{
	static const uint64_t edge[] = {0, UINT64_MAX, UINT64_MAX - 1, 1ull << 63};

	return b < 4 ? edge[b] : b;
}

/* ---- which is first
 * ------------------------------------------------------------------------------ */

static void check_choice(struct input in, unsigned count)
{
	struct espchoice e[ESPS], turned[ESPS];
	unsigned order[ESPS], other[ESPS], seen = 0, own = take8(&in) % count;

	for (unsigned i = 0; i < count; i++) {
		uint8_t how = take8(&in);

		e[i] = (struct espchoice){.state = how % 3,
					  .own = i == own,
					  .first = (how & 0xc0) == 0xc0,
					  .generation = generation(take8(&in)),
					  .changed_time = take8(&in)};
		memset(e[i].set.b, how >> 2 & 1, sizeof(e[i].set.b));
	}
	espchoice_order(e, count, order);
	for (unsigned i = 0; i < count; i++)
		seen |= 1u << order[i];
	check(seen == (1u << count) - 1); /* each once */
	for (unsigned i = 0; i + 1 < count; i++) {
		const struct espchoice *a = &e[order[i]], *b = &e[order[i + 1]];

		check(a->first || !b->first);
		/* Of one set, and alike whole: the newer one comes first. */
		if (a->first == b->first && a->state == ESPCHOICE_COMPLETE &&
		    b->state == ESPCHOICE_COMPLETE && guid_equal(&a->set, &b->set))
			check(a->generation >= b->generation);
	}
	/* Found in another order. */
	for (unsigned i = 0; i < count; i++)
		turned[i] = e[count - 1 - i];
	espchoice_order(turned, count, other);
	const struct espchoice *a = &e[order[0]], *b = &turned[other[0]];

	if (e[own].state != ESPCHOICE_UNKNOWN)
		check(a->state == b->state && a->first == b->first &&
		      (a->state == ESPCHOICE_UNKNOWN || a->generation == b->generation));
}

/* ---- which generation
 * ---------------------------------------------------------------------------- */

static void take_esp(struct input *in, struct espgen_esp *e)
{
	static const uint8_t status[] = {ST_OK,      ST_OK, ST_OK,          ST_ABSENT,
					 ST_CORRUPT, ST_IO, ST_UNSUPPORTED, ST_OK};
	uint8_t how = take8(in);

	*e = (struct espgen_esp){.status = status[how & 7],
				 .complete = how & 8,
				 .updated = how & 16,
				 .is_current = how & 32,
				 .differs = how & 64,
				 .generation = generation(take8(in))};
	memset(e->set.b, 1 + (how >> 7), sizeof(e->set.b));
}

static void check_generation(struct input in, unsigned count)
{
	static const struct guid fresh = {{7}};
	struct espgen_esp from, to[ESPS];
	unsigned which = ESPS, newest;
	enum espgen_result result;
	bool force = take8(&in) & 1;
	struct espgen g, again;

	take_esp(&in, &from);
	for (unsigned i = 0; i < count; i++)
		take_esp(&in, &to[i]);
	newest = espgen_newest(to, count);
	check(newest < count);
	result = espgen_plan(&g, &from, to, count, &fresh, force, &which);
	check(!force || result == ESPGEN_FINE);
	if (result == ESPGEN_TARGET_NEWER)
		check(which < count);
	if (result != ESPGEN_FINE)
		return;
	if (g.set_is_new)
		check(guid_equal(&g.set, &fresh));
	/* Carried out: all say the same, and a second run has nothing to do. */
	if (g.generation == UINT64_MAX)
		return; /* nothing can be newer */
	if (g.source)
		from = (struct espgen_esp){.complete = true,
					   .is_current = true,
					   .set = g.set,
					   .generation = g.generation};
	check(from.status == ST_OK && from.generation == g.generation);
	for (unsigned i = 0; i < count; i++)
		if (espgen_needed(&g, &to[i]) || to[i].differs)
			to[i] = (struct espgen_esp){.complete = true,
						    .is_current = true,
						    .set = g.set,
						    .generation = g.generation};
	check(espgen_plan(&again, &from, to, count, &fresh, false, &which) == ESPGEN_FINE);
	check(again.generation == g.generation && !again.source);
	for (unsigned i = 0; i < count; i++)
		check(!espgen_needed(&again, &to[i]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct input in = {data, n};
	unsigned count = 1 + take8(&in) % ESPS;

	check_choice(in, count);
	check_generation(in, count);
	return 0;
}
