/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "common/espgen.h"

#include "common/mem.h"

bool espgen_is_current(enum status status, const struct manifest *m, bool same,
		       const struct guid *partition)
{
	return status == ST_OK && m->state == MANIFEST_COMPLETE && same &&
	       guid_equal(&m->source, partition);
}

/* The source's, else that of the newest target, else a new one. */
static void choose_set(struct espgen *g, const struct espgen_esp *from, const struct espgen_esp *to,
		       unsigned count, const struct guid *fresh)
{
	const struct espgen_esp *best = from->status == ST_OK ? from : NULL;

	for (unsigned i = 0; i < count && from->status != ST_OK; i++)
		if (to[i].status == ST_OK && (!best || to[i].generation > best->generation))
			best = &to[i];
	g->set_is_new = !best;
	g->set = best ? best->set : *fresh;
}

static bool in_set(const struct espgen *g, const struct espgen_esp *e)
{
	return e->status == ST_OK && guid_equal(&e->set, &g->set);
}

/* Its files are not those of this generation, although its manifest has its number. */
static bool has_changed(const struct espgen_esp *e)
{
	return !e->complete || e->updated;
}

static bool is_newer(const struct espgen *g, const struct espgen_esp *from,
		     const struct espgen_esp *to)
{
	return in_set(g, from) && from->generation && to->differs && in_set(g, to) &&
	       to->generation > from->generation && to->complete;
}

enum espgen_result espgen_plan(struct espgen *g, const struct espgen_esp *from,
			       const struct espgen_esp *to, unsigned count,
			       const struct guid *fresh, bool force, unsigned *which)
{
	bool raise = false, mine; /* has the source the highest generation? */
	uint64_t highest = 0;

	memset(g, 0, sizeof(*g));
	if (from->status == ST_OK && !from->complete && !force)
		return ESPGEN_SOURCE_CUT;
	choose_set(g, from, to, count, fresh);
	for (*which = 0; *which < count && !force; ++*which)
		if (is_newer(g, from, &to[*which]))
			return ESPGEN_TARGET_NEWER;
	mine = in_set(g, from);
	if (mine)
		highest = from->generation;
	for (unsigned i = 0; i < count; i++)
		if (in_set(g, &to[i]) && to[i].generation > highest) {
			highest = to[i].generation;
			mine = false;
		}
	/* What the highest generation is has to be what the source holds, or it gets a new one. */
	if (mine)
		raise = has_changed(from);
	for (unsigned i = 0; i < count && !mine; i++)
		if (in_set(g, &to[i]) && to[i].generation == highest &&
		    (to[i].differs || has_changed(&to[i])))
			raise = true;
	g->generation = highest ? highest + (raise && highest < UINT64_MAX) : 1;
	g->source = !from->is_current || !in_set(g, from) || from->generation != g->generation;
	return ESPGEN_FINE;
}

bool espgen_needed(const struct espgen *g, const struct espgen_esp *to)
{
	return to->differs || !to->is_current || !in_set(g, to) || to->generation != g->generation;
}

unsigned espgen_newest(const struct espgen_esp *e, unsigned count)
{
	unsigned best = 0;

	for (unsigned i = 1; i < count; i++) {
		const struct espgen_esp *a = &e[i], *b = &e[best];
		bool a_ok = a->status == ST_OK && a->complete;
		bool b_ok = b->status == ST_OK && b->complete;

		if (a_ok != b_ok ? a_ok
				 : a_ok && (a->generation != b->generation
						    ? a->generation > b->generation
						    : a->updated && !b->updated))
			best = i;
	}
	return best;
}
