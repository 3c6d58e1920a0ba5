/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "common/espchoice.h"

/* The set that is ours; NULL: nobody says. */
static const struct guid *our_set(const struct espchoice *e, unsigned count)
{
	const struct espchoice *best = NULL;

	for (unsigned i = 0; i < count; i++) {
		if (e[i].state == ESPCHOICE_UNKNOWN)
			continue;
		if (e[i].own)
			return &e[i].set;
		if (best == NULL || e[i].state < best->state)
			best = &e[i];
	}
	return best ? &best->set : NULL;
}

enum group { GROUP_FIRST, GROUP_OURS, GROUP_UNKNOWN, GROUP_OTHERS };

static enum group group(const struct espchoice *e, const struct guid *ours)
{
	if (e->first)
		return GROUP_FIRST;
	if (e->state == ESPCHOICE_UNKNOWN)
		return GROUP_UNKNOWN;
	return ours && guid_equal(&e->set, ours) ? GROUP_OURS : GROUP_OTHERS;
}

/* Is a to be used before b, which was found earlier? */
static bool better(const struct espchoice *a, const struct espchoice *b, const struct guid *ours)
{
	enum group group_a = group(a, ours), group_b = group(b, ours);

	if (group_a != group_b)
		return group_a < group_b;
	if (a->state != b->state)
		return a->state < b->state;
	/* Generations of two other sets say nothing of each other: the order is the same, at least.
	 */
	if (a->state != ESPCHOICE_UNKNOWN && a->generation != b->generation)
		return a->generation > b->generation;
	if (a->state != ESPCHOICE_UNKNOWN && a->changed_time != b->changed_time)
		return a->changed_time > b->changed_time;
	return a->own;
}

void espchoice_order(const struct espchoice *e, unsigned count, unsigned *order)
{
	const struct guid *ours = our_set(e, count);

	for (unsigned i = 0; i < count; i++) {
		unsigned k = i;

		for (; k > 0 && better(&e[i], &e[order[k - 1]], ours); k--)
			order[k] = order[k - 1];
		order[k] = i;
	}
}
