/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* FAT: a plan to put one file there, whose content is in memory, or one folder. */
#include "common/fat_plan.h"

#include "common/fat_apply.h"
#include "common/fat_judge.h"
#include "common/mem.h"

/* What short names may have beside letters and digits (spec 6.1). */
static bool fits_short(char c)
{
	static const char others[] = "$%'-_@~`!(){}^#&";

	for (unsigned i = 0; others[i]; i++)
		if (c == others[i])
			return true;
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool fits_long(char c)
{
	static const char no[] = "\"*/:<>?\\|";

	for (unsigned i = 0; no[i]; i++)
		if (c == no[i])
			return false;
	return c >= ' ' && c < 0x7f;
}

/* One part of a short name. False: it needs a long one. */
static bool put_part(uint8_t *to, size_t room, const char *name, size_t bytes, uint8_t lower,
		     uint8_t *lower_case)
{
	bool has_lower = false, has_upper = false, fits = bytes <= room;

	for (size_t i = 0, n = 0; i < bytes && n < room; i++) {
		char c = name[i];

		if (!fits_short(c)) {
			fits = false;
			if (c == ' ' || c == '.')
				continue;
			c = '_';
		}
		has_upper = has_upper || (c >= 'A' && c <= 'Z');
		has_lower = has_lower || (c >= 'a' && c <= 'z');
		to[n++] = (uint8_t)(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
	}
	if (has_lower)
		*lower_case |= lower;
	return fits && !(has_lower && has_upper);
}

static bool make_name(struct fat_node *n, const char *name, size_t bytes)
{
	size_t dot = bytes;
	bool fits;

	for (size_t i = 0; i < bytes; i++) {
		if (!fits_long(name[i]))
			return false;
		if (name[i] == '.' && i)
			dot = i;
	}
	if (!bytes || bytes > FAT_NAME_UNITS || name[bytes - 1] == '.' || name[bytes - 1] == ' ')
		return false;
	memset(n->raw.name, ' ', sizeof(n->raw.name));
	fits = put_part(n->raw.name, 8, name, dot, FAT_LOWER_NAME, &n->raw.lower_case);
	if (dot < bytes)
		fits &= put_part(n->raw.name + 8, 3, name + dot + 1, bytes - dot - 1, FAT_LOWER_EXT,
				 &n->raw.lower_case);
	if (n->raw.name[0] == ' ')
		n->raw.name[0] = '_';
	if (fits)
		return true;
	n->raw.lower_case = 0;
	while (n->long_slots * FAT_LONG_UNITS < bytes)
		n->long_slots++;
	/* A tail, as others give it; fat_table_add() counts on where it is another's. */
	for (unsigned i = 0; i <= 6; i++) {
		if (i < 6 && n->raw.name[i] != ' ')
			continue;
		n->raw.name[i] = '~';
		n->raw.name[i + 1] = '1';
		if (i < 6)
			n->raw.name[7] = ' ';
		break;
	}
	return true;
}

static struct fat_node *add(struct fat_plan *p, const char *name, size_t bytes, uint32_t fat_time)
{
	struct fat_node *n = fat_arena_take(&p->arena, sizeof(*n));
	struct fat_arena *a = &p->arena;

	if (!n || bytes > a->high - a->low || a->high > UINT32_MAX) {
		p->why = FAT_NO_MEMORY;
		return NULL;
	}
	memset(n, 0, sizeof(*n));
	n->match = FAT_NO_NODE;
	n->raw.attributes = FAT_FOLDER;
	n->raw.write_date = n->raw.created_date = n->raw.read_date =
		le16_of((uint16_t)(fat_time >> 16));
	n->raw.write_time = n->raw.created_time = le16_of((uint16_t)fat_time);
	if (!p->from.count)
		p->from.node = n;
	n->parent = p->from.count ? p->from.count - 1 : 0;
	p->from.count++;
	a->high -= bytes;
	if (bytes)
		memcpy(a->base + a->high, name, bytes);
	n->name = (uint32_t)a->high;
	n->name_bytes = (uint16_t)bytes;
	return n;
}

enum status fat_put_path(struct fat_plan *p, const char *path, size_t bytes, uint32_t fat_time,
			 struct fat_node **last)
{
	size_t at = 0;

	p->from.names = (const char *)p->arena.base;
	*last = add(p, "", 0, fat_time);
	while (*last && at < bytes) {
		size_t from = ++at;

		if (path[from - 1] != '\\' || from >= FAT_PATH_BYTES)
			return ST_RANGE;
		while (at < bytes && path[at] != '\\')
			at++;
		if (at >= FAT_PATH_BYTES || p->from.count > FAT_DEPTH)
			return ST_RANGE;
		*last = add(p, path + from, at - from, fat_time);
		if (*last && !make_name(*last, path + from, at - from))
			return ST_RANGE;
	}
	if (!*last)
		return ST_FULL;
	for (uint32_t i = 0; i < p->from.count; i++)
		p->from.node[i].end = p->from.count;
	return ST_OK;
}

static size_t length(const char *text)
{
	size_t n = 0;

	while (text[n])
		n++;
	return n;
}

static enum status put(struct fat_plan *p, struct fat *target, const char *path, uint32_t fat_time,
		       const struct fat_plan_options *o, void *work, size_t work_bytes,
		       struct fat_node **last)
{
	enum status st = fat_plan_begin(p, o, work, work_bytes);

	if (st != ST_OK)
		return st;
	p->options.policy = NULL;
	p->options.keep_extra = true;
	p->options.trust_times = false;
	st = fat_put_path(p, path, length(path), fat_time, last);
	if (st == ST_OK && p->from.count < 2)
		st = ST_RANGE;
	return st == ST_OK ? fat_plan_check(p, &p->to, target, false) : st;
}

enum status fat_plan_put(struct fat_plan *p, struct fat *target, const char *path, const void *data,
			 uint32_t bytes, uint32_t fat_time, const struct fat_plan_options *o,
			 void *work, size_t work_bytes)
{
	struct fat_node *last;
	enum status st = put(p, target, path, fat_time, o, work, work_bytes, &last);

	if (st != ST_OK)
		return st;
	last->raw.attributes = FAT_ARCHIVE;
	last->raw.bytes = le32_of(bytes);
	last->data = data;
	return fat_plan_end(p);
}

enum status fat_plan_folder(struct fat_plan *p, struct fat *target, const char *path,
			    uint32_t fat_time, const struct fat_plan_options *o, void *work,
			    size_t work_bytes)
{
	struct fat_node *last;
	enum status st = put(p, target, path, fat_time, o, work, work_bytes, &last);

	return st == ST_OK ? fat_plan_end(p) : st;
}
