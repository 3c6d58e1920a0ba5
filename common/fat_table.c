/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* FAT: names by folder; short names that are nobody else's. */
#include "common/fat_table.h"

#include "common/fat_apply.h"
#include "common/mem.h"

/* An entry: a node's number and 1; 0 is none. */
#define IS_SHORT  0x80000000u /* it is for the short name */
#define IS_SOURCE 0x40000000u /* the node is one of the source's that will be created */
#define NUMBER    0x3fffffffu

#define TAIL_MAX 99999u /* "A~99999.TXT" */

struct name {
	const char *text;
	size_t bytes;
	char space[37];
};

static uint8_t fold(char c)
{
	return (uint8_t)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

bool fat_table_same(const char *a, size_t a_bytes, const char *b, size_t b_bytes)
{
	if (a_bytes != b_bytes)
		return false;
	while (a_bytes--)
		if (fold(*a++) != fold(*b++))
			return false;
	return true;
}

static uint32_t hash(uint32_t folder, const char *name, size_t bytes)
{
	uint32_t h = (folder + 1) * 0x9e3779b1u;

	while (bytes--)
		h = (h ^ fold(*name++)) * 16777619u;
	return h ^ h >> 15;
}

static void short_name(const struct fat_slot *s, struct name *name)
{
	if (!fat_short_name(s, name->space, &name->bytes))
		name->bytes = 0; /* can't be: it was read as one */
	name->text = name->space;
}

static const struct fat_node *node_of(const struct fat_plan *p, uint32_t e)
{
	return e & IS_SOURCE ? &p->from.node[(e & NUMBER) - 1] : &p->tabled->node[(e & NUMBER) - 1];
}

static void name_of(const struct fat_plan *p, uint32_t e, struct name *name)
{
	const struct fat_node *n = node_of(p, e);

	if (e & IS_SHORT) {
		short_name(&n->raw, name);
		return;
	}
	name->text = (e & IS_SOURCE ? p->from.names : p->tabled->names) + n->name;
	name->bytes = n->name_bytes;
}

static uint32_t folder_of(const struct fat_plan *p, uint32_t e)
{
	uint32_t parent = node_of(p, e)->parent;

	return e & IS_SOURCE ? p->from.node[parent].match : parent;
}

/* Where it is, or where it would be. The table is never full. */
static uint32_t *find(const struct fat_plan *p, uint32_t folder, const char *name, size_t bytes)
{
	uint32_t at = hash(folder, name, bytes) & p->table_mask;

	for (; p->table[at]; at = (at + 1) & p->table_mask) {
		struct name other;

		if (folder_of(p, p->table[at]) != folder)
			continue;
		name_of(p, p->table[at], &other);
		if (fat_table_same(name, bytes, other.text, other.bytes))
			break;
	}
	return &p->table[at];
}

/* Another's: false. Its own, by its other name: fine. */
static bool add(struct fat_plan *p, uint32_t folder, uint32_t e)
{
	struct name name;
	uint32_t *at;

	name_of(p, e, &name);
	at = find(p, folder, name.text, name.bytes);
	if (!*at)
		*at = e;
	return ((*at ^ e) & ~IS_SHORT) == 0;
}

enum status fat_table_fill(struct fat_plan *p, const struct fat_tree *t)
{
	uint32_t room = 16;

	while (room / 4 < p->from.count + p->to.count && room < 1u << 30)
		room *= 2;
	if (!p->table || p->table_mask != room - 1)
		p->table = fat_arena_take(&p->arena, (size_t)room * sizeof(*p->table));
	if (!p->table) {
		p->why = FAT_NO_MEMORY;
		return ST_FULL;
	}
	memset(p->table, 0, (size_t)room * sizeof(*p->table));
	p->table_mask = room - 1;
	p->tabled = t;
	for (uint32_t i = 1; i < t->count; i++) {
		if (add(p, t->node[i].parent, i + 1) &&
		    add(p, t->node[i].parent, (i + 1) | IS_SHORT))
			continue;
		p->why = FAT_SAME_NAME;
		fat_plan_path(p, t, i);
		return ST_CORRUPT;
	}
	return ST_OK;
}

uint32_t fat_table_find(const struct fat_plan *p, uint32_t folder, const char *name, size_t bytes)
{
	uint32_t e = *find(p, folder, name, bytes);

	/* By its short name it is not the same file, but one that is in the way. */
	return e && !(e & (IS_SHORT | IS_SOURCE)) ? e - 1 : FAT_NO_NODE;
}

/* "NAME~1" in the place of "NAME", for as many digits as that takes. */
static void put_tail(uint8_t name[11], unsigned keep, uint32_t number)
{
	uint8_t digits[8];
	unsigned n = 0, at = keep;

	for (; number; number /= 10)
		digits[n++] = (uint8_t)('0' + number % 10);
	if (at > 8 - 1 - n)
		at = 8 - 1 - n;
	memset(name + at, ' ', 8 - at);
	name[at++] = '~';
	while (n)
		name[at++] = digits[--n];
}

/* Its first letters, up to what a tail would be put over. */
static unsigned base_of(const uint8_t name[11])
{
	unsigned n = 0;

	while (n < 6 && name[n] != ' ' && name[n] != '~')
		n++;
	return n;
}

/* "NAME~number": does nobody have it? */
static bool tail_is_free(struct fat_plan *p, struct fat_node *n, uint32_t folder, unsigned keep,
			 uint32_t number)
{
	struct name name;

	put_tail(n->raw.name, keep ? keep : 1, number);
	if (n->raw.name[0] == '~')
		n->raw.name[0] = '_';
	short_name(&n->raw, &name);
	return name.bytes && !*find(p, folder, name.text, name.bytes);
}

/*
 * Numbers are given one after the other, so the ones taken are mostly the first: twice the
 * number until one is free, then between that and the last that was not. 0: none.
 */
static uint32_t free_tail(struct fat_plan *p, struct fat_node *n, uint32_t folder, unsigned keep)
{
	uint32_t taken = 0, is_free = 1;

	while (is_free <= TAIL_MAX && !tail_is_free(p, n, folder, keep, is_free)) {
		taken = is_free;
		is_free *= 2;
	}
	if (is_free > TAIL_MAX) {
		while (taken && !tail_is_free(p, n, folder, keep, taken))
			taken--;
		return taken;
	}
	while (is_free - taken > 1) {
		uint32_t middle = taken + (is_free - taken) / 2;

		if (tail_is_free(p, n, folder, keep, middle))
			is_free = middle;
		else
			taken = middle;
	}
	return is_free;
}

enum status fat_table_add(struct fat_plan *p, uint32_t node)
{
	struct fat_node *n = &p->from.node[node];
	uint32_t folder = p->from.node[n->parent].match, e = (node + 1) | IS_SOURCE, tail;

	if (add(p, folder, e)) {
		unsigned keep = base_of(n->raw.name);

		if (add(p, folder, e | IS_SHORT))
			return ST_OK;
		tail = n->long_slots ? free_tail(p, n, folder, keep) : 0;
		if (tail && tail_is_free(p, n, folder, keep, tail) && add(p, folder, e | IS_SHORT))
			return ST_OK;
	}
	p->why = FAT_NAME_TAKEN;
	return ST_CORRUPT;
}
