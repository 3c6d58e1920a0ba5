/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "common/nvwrite.h"

#include "common/mem.h"

#define ORDER "BootOrder"
_Static_assert(sizeof(ORDER) <= 16 && NVRAM_NAME_BYTES <= 16, "both are names of a fault");

static void copy_name(char to[16], const char *name)
{
	size_t n = 0;

	while (name[n])
		n++;
	if (n > 15)
		n = 15;
	memcpy(to, name, n);
	to[n] = 0;
}

static bool set(const struct nvstore *s, const char *name, uint32_t attributes, const void *data,
		size_t bytes, struct nvfault *f)
{
	int error = s->set(s, name, attributes, data, bytes);

	if (!error && s->holds(s, name, data, bytes))
		return true;
	f->error = error;
	copy_name(f->variable, name);
	return false;
}

/* Nothing to write would be an order to delete it: so that is said. */
static bool set_order(const struct nvplan *p, const struct nvstore *s, struct nvfault *f)
{
	uint32_t attributes = p->now->has_order ? p->now->order_attributes : NVRAM_PLAIN;

	if (p->order_count)
		return set(s, ORDER, attributes, p->order, p->order_count * sizeof(*p->order), f);
	f->error = s->remove(s, ORDER);
	copy_name(f->variable, ORDER);
	return f->error == 0 && s->lacks(s, ORDER);
}

static void left(struct nvfault *f, const char *name)
{
	f->restored = false;
	copy_name(f->left, name);
}

/* What the firmware says that it took back is looked at again: it is in trouble. */
static void undo_one(const struct nvplan *p, const struct nvstore *s, const struct nvplan_change *c,
		     struct nvfault *f)
{
	const struct nventry *old = nvram_find(p->now, c->number);
	char name[NVRAM_NAME_BYTES];

	nvram_name(c->number, name);
	if (c->act == NVPLAN_ADD && !s->lacks(s, name)) {
		(void)s->remove(s, name);
		if (!s->lacks(s, name))
			left(f, name);
	}
	if (c->act == NVPLAN_UPDATE && old && !s->holds(s, name, old->data, old->bytes) &&
	    !s->holds(s, name, c->data, c->bytes)) {
		(void)s->set(s, name, old->attributes, old->data, old->bytes);
		if (!s->holds(s, name, old->data, old->bytes))
			left(f, name);
	}
}

/*
 * Changes up to the one at which it failed, that one included, backwards. An entry that was
 * brought up to date is right by itself, and stays so: a firmware in trouble is asked for less.
 */
static void undo(const struct nvplan *p, const struct nvstore *s, unsigned count, struct nvfault *f)
{
	while (count--)
		undo_one(p, s, &p->change[count], f);
}

/*
 * The order could not be written, or says something else now. Only when it is the old one again
 * may the new entries go: it might name them.
 */
static void undo_order(const struct nvplan *p, const struct nvstore *s, struct nvfault *f)
{
	const struct nvram *now = p->now;
	size_t bytes = now->order_count * sizeof(*now->order);

	if (now->has_order && bytes) {
		if (s->holds(s, ORDER, now->order, bytes))
			return;
		(void)s->set(s, ORDER, now->order_attributes, now->order, bytes);
		if (s->holds(s, ORDER, now->order, bytes))
			return;
	} else {
		if (s->lacks(s, ORDER))
			return;
		(void)s->remove(s, ORDER);
		if (s->lacks(s, ORDER))
			return;
	}
	left(f, ORDER);
}

static bool remove_one(const struct nvstore *s, unsigned number, struct nvfault *f)
{
	char name[NVRAM_NAME_BYTES];

	nvram_name(number, name);
	f->error = s->remove(s, name);
	if (!f->error && s->lacks(s, name))
		return true;
	f->removing = true;
	f->restored = false;
	copy_name(f->variable, name);
	return false;
}

bool nvwrite_plan(const struct nvplan *p, const struct nvstore *s, struct nvfault *f)
{
	char name[NVRAM_NAME_BYTES];

	memset(f, 0, sizeof(*f));
	f->restored = true;
	for (unsigned i = 0; i < p->count; i++) {
		const struct nvplan_change *c = &p->change[i];
		const struct nventry *old = nvram_find(p->now, c->number);

		if (c->act == NVPLAN_REMOVE)
			continue;
		nvram_name(c->number, name);
		if (!set(s, name, old ? old->attributes : NVRAM_PLAIN, c->data, c->bytes, f)) {
			undo(p, s, i + 1, f);
			return false;
		}
	}
	if (p->order_changes && !set_order(p, s, f)) {
		undo_order(p, s, f);
		if (f->restored)
			undo(p, s, p->count, f);
		return false;
	}
	for (unsigned i = 0; i < p->count; i++)
		if (p->change[i].act == NVPLAN_REMOVE && !remove_one(s, p->change[i].number, f))
			return false;
	return true;
}
