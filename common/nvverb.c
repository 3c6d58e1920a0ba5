/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* clone, mirror: entries of one partition, for another one. */
#include "common/nvverb.h"

#include "common/mem.h"

static const uint16_t mirror_word[] = {'(', 'm', 'i', 'r', 'r', 'o', 'r', ')'};
static const struct nvtext mirror_text = {mirror_word,
					  sizeof(mirror_word) / sizeof(mirror_word[0])};

struct clone {
	struct nvplan *p;
	const struct nvwant *w;
	struct nvfail *f;
	const struct nvtext *name; /* of the copy; NULL: its original's, and more */
	const struct nvpart *to;
	struct bootentry_hd hd;
};

static bool fail(struct nvfail *f, enum nvwhy why, unsigned number)
{
	f->why = why;
	f->number = number;
	return false;
}

static bool is_taken(const struct nvplan *p, unsigned number)
{
	for (unsigned i = 0; i < p->pairs; i++)
		if (p->pair[i].to == number)
			return true;
	return false;
}

/* ---- the clone that an entry has ---- */

static const struct nvtext *appended(const struct nvwant *w)
{
	return w->append.units ? &w->append : &mirror_text;
}

static bool are_units(const uint8_t *at, const struct nvtext *text)
{
	for (size_t i = 0; i < text->units; i++)
		if ((at[2 * i] | at[2 * i + 1] << 8) != text->unit[i])
			return false;
	return true;
}

/* Is it the name that a copy of source would be given? */
static bool is_named(const struct clone *c, const struct bootentry *e,
		     const struct bootentry *source)
{
	const struct nvtext *more = appended(c->w);
	size_t units = source->name_units;

	if (c->name)
		return e->name_units == c->name->units && are_units(e->name, c->name);
	return e->name_units == units + 1 + more->units &&
	       !memcmp(e->name, source->name, 2 * units) && e->name[2 * units] == ' ' &&
	       e->name[2 * units + 1] == 0 && are_units(e->name + 2 * (units + 1), more);
}

/*
 * The same program on the target. Two entries that are alike (Windows' were, but for what they
 * had as data) have one each: those of the right name first, and of these what is in the
 * boot order as its original is, so that the next time finds the same.
 */
static const struct nventry *existing(const struct clone *c, const struct nventry *source,
				      int round)
{
	const struct nvram *all = c->p->now;

	for (unsigned i = 0; i < all->count; i++) {
		const struct nventry *e = &all->entry[i];

		if (e->status == ST_OK && e->e.on_partition &&
		    guid_equal(&e->e.hd.guid, &c->w->to) &&
		    bootentry_same_program(&e->e, &source->e) && !is_taken(c->p, e->number) &&
		    (round > 1 || is_named(c, &e->e, &source->e)) &&
		    (round % 2 || (e->place < 0) == (source->place < 0)))
			return e;
	}
	return NULL;
}

static void match(struct clone *c)
{
	struct nvplan *p = c->p;

	for (int round = 0; round < 4; round++)
		for (unsigned i = 0; i < p->pairs; i++) {
			const struct nventry *e;

			if (p->pair[i].to != NVRAM_NONE)
				continue;
			e = existing(c, nvram_find(p->now, p->pair[i].from), round);
			if (e)
				p->pair[i].to = e->number;
		}
}

/* ---- the plan for one entry ---- */

static void place(struct clone *c, unsigned source, unsigned number)
{
	int at = nvplan_place(c->p, source);

	/* What firmware is not to try by itself, its clone isn't either. */
	if (at < 0 || nvplan_place(c->p, number) >= 0)
		return;
	nvplan_put(c->p, number, c->w->last ? c->p->order_count : (unsigned)at + 1);
}

static bool clone_one(struct clone *c, struct nvpair *pair)
{
	const struct nventry *source = nvram_find(c->p->now, pair->from);
	const struct nventry *old = nvram_find(c->p->now, pair->to);

	if (!old) {
		pair->to = nvplan_free_number(c->p);
		if (pair->to == NVRAM_NONE)
			return fail(c->f, NVWHY_NUMBERS, 0);
		nvplan_add(c->p, NVPLAN_ADD, pair->to, source->number, &source->e, &c->hd,
			   c->name ? NULL : appended(c->w), c->name);
	} else if (nvpart_moved(c->to, &old->e)) {
		nvplan_add(c->p, NVPLAN_UPDATE, pair->to, NVRAM_NONE, &old->e, &c->hd, NULL, NULL);
	}
	place(c, source->number, pair->to);
	nvplan_note_loader(c->p, c->to, &source->e);
	return true;
}

static bool clone_all(struct clone *c)
{
	match(c);
	for (unsigned i = 0; i < c->p->pairs; i++)
		if (!clone_one(c, &c->p->pair[i]))
			return false;
	return !c->p->full || fail(c->f, NVWHY_FULL, 0);
}

static bool open_clone(struct clone *c, struct nvplan *p, const struct nvwant *w, struct nvfail *f)
{
	bool twice = false;

	*c = (struct clone){.p = p, .w = w, .f = f};
	f->guid = w->to;
	c->to = p->parts->find(p->parts, &w->to, &twice);
	if (!c->to)
		return fail(f, NVWHY_NO_PARTITION, 0);
	if (twice)
		return fail(f, NVWHY_TWICE, 0);
	c->hd = nvpart_hd(c->to);
	if (c->to->part.kind != PART_ESP)
		nvplan_note(p, (struct nvnote){.kind = NVNOTE_NOT_ESP, .part = c->to});
	return true;
}

/* ---- clone ---- */

/* Is it one to be cloned? Counts, and says of those that aren't. */
static void take_source(struct clone *c, const struct nventry *e, unsigned *found)
{
	if (e->status != ST_OK || !e->e.on_partition || !guid_equal(&e->e.hd.guid, &c->w->from))
		return;
	(*found)++;
	if (bootentry_is_automatic(&e->e))
		nvplan_note(c->p, (struct nvnote){.kind = NVNOTE_AUTOMATIC, .number = e->number});
	else
		nvplan_pair(c->p, e->number, NVRAM_NONE);
}

/* In the boot order, then the others: so are the numbers that the clones get. */
bool nvverb_clone(struct nvplan *p, const struct nvwant *w, struct nvfail *f)
{
	const struct nvram *all = p->now;
	unsigned found = 0;
	struct clone c;

	if (!open_clone(&c, p, w, f))
		return false;
	for (unsigned i = 0; i < all->order_count; i++) {
		const struct nventry *e = nvram_find(all, all->order[i]);

		if (e && e->place == (int)i)
			take_source(&c, e, &found);
	}
	for (unsigned i = 0; i < all->count; i++)
		if (all->entry[i].place < 0)
			take_source(&c, &all->entry[i], &found);
	f->guid = w->from;
	return found ? clone_all(&c) : fail(f, NVWHY_NO_SOURCE, 0);
}

/* ---- mirror ---- */

/* The entry that this system was started by, else the first that would be tried. */
static const struct nventry *in_use(struct nvplan *p)
{
	const struct nvram *all = p->now;
	const struct nventry *e = nvram_find(all, all->current);

	if (e && e->status == ST_OK && e->e.on_partition) {
		if (!bootentry_is_automatic(&e->e))
			return e;
		nvplan_note(p, (struct nvnote){.kind = NVNOTE_AUTOMATIC, .number = e->number});
	}
	for (unsigned i = 0; i < all->order_count; i++) {
		e = nvram_find(all, all->order[i]);
		if (e && e->status == ST_OK && e->e.on_partition &&
		    e->e.attributes & BOOTENTRY_ACTIVE && !bootentry_is_automatic(&e->e))
			return e;
	}
	return NULL;
}

bool nvverb_mirror(struct nvplan *p, const struct nvwant *w, struct nvfail *f)
{
	const struct nventry *e;
	struct clone c;

	if (!open_clone(&c, p, w, f))
		return false;
	e = in_use(p);
	if (!e)
		return fail(f, NVWHY_NO_CURRENT, 0);
	if (guid_equal(&e->e.hd.guid, &w->to))
		return fail(f, NVWHY_SAME, e->number);
	c.name = w->name.units ? &w->name : NULL;
	nvplan_pair(p, e->number, NVRAM_NONE);
	return clone_all(&c);
}
