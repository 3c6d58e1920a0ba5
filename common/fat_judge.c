/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* FAT: what happens to each file and folder. */
#include "common/fat_judge.h"

#include "common/fat_apply.h"
#include "common/fat_table.h"
#include "common/mem.h"
#include "common/range.h"

static bool ends_with(const char *s, size_t n, const char *end, size_t end_bytes)
{
	return n >= end_bytes && fat_table_same(s + n - end_bytes, end_bytes, end, end_bytes);
}

/* What decides what is booted: it may be new only when what it names is there. */
static bool is_last(const char *path, size_t n)
{
	return (n > 10 && fat_table_same(path, 10, "\\EFI\\BOOT\\", 10)) ||
	       ends_with(path, n, ".cfg", 4) || ends_with(path, n, ".conf", 5);
}

static void ask(struct fat_plan *p, struct fat_tree *t)
{
	for (uint32_t i = 1; i < t->count; i++) {
		struct fat_node *n = &t->node[i];
		enum fat_policy policy = FAT_POLICY_CLONE;
		bool folder = fat_node_is_folder(n);
		size_t bytes;

		n->action = FAT_KEEP;
		if (t->node[n->parent].action == FAT_LEAVE) {
			n->action = FAT_LEAVE;
			continue;
		}
		bytes = fat_plan_path(p, t, i);
		if (p->options.policy)
			policy = p->options.policy(p->options.ctx, p->path, bytes, folder);
		if (policy == FAT_POLICY_LEAVE)
			n->action = FAT_LEAVE;
		else if (!folder && (policy == FAT_POLICY_LAST || is_last(p->path, bytes)))
			n->flags |= FAT_NODE_LAST;
	}
	p->path[0] = '\0';
	/* From below: what is left to itself keeps its folders. */
	for (uint32_t i = t->count; i-- > 1;)
		if (t->node[i].action == FAT_LEAVE || t->node[i].flags & FAT_NODE_LEFT)
			t->node[t->node[i].parent].flags |= FAT_NODE_LEFT;
}

static bool same_times(const struct fat_slot *a, const struct fat_slot *b)
{
	return le16_get(a->write_time) == le16_get(b->write_time) &&
	       le16_get(a->write_date) == le16_get(b->write_date);
}

/* All but where it is, how large, and when it was last read. */
static bool same_slot(const struct fat_node *a, const struct fat_node *b)
{
	const struct fat_slot *x = &a->raw, *y = &b->raw;

	return x->attributes == y->attributes && same_times(x, y) &&
	       x->created_tenths == y->created_tenths &&
	       le16_get(x->created_time) == le16_get(y->created_time) &&
	       le16_get(x->created_date) == le16_get(y->created_date) &&
	       (a->long_slots || b->long_slots || x->lower_case == y->lower_case);
}

static enum status tell(struct fat_plan *p, uint32_t bytes, uint64_t of_bytes)
{
	p->read_back_bytes += bytes;
	if (!p->options.progress ||
	    p->options.progress(p->options.ctx, FAT_COMPARING, p->read_back_bytes, of_bytes))
		return ST_OK;
	p->why = FAT_STOPPED;
	return ST_READONLY;
}

static enum status unreadable(struct fat_plan *p, enum status st, bool source)
{
	p->why = st == ST_IO ? FAT_UNREADABLE : FAT_BAD_CHAIN;
	p->why_source = source;
	return st;
}

/* ST_OK: *same says. */
static enum status compare(struct fat_plan *p, const struct fat_node *n, const struct fat_node *old,
			   uint64_t of_bytes, bool *same)
{
	struct fat_file a = {.bytes = le32_get(n->raw.bytes), .cluster = n->cluster};
	struct fat_file b = {.bytes = a.bytes, .cluster = old->cluster};
	uint8_t *x = p->buf, *y = p->buf + p->half_bytes;

	*same = le32_get(old->raw.bytes) == a.bytes;
	if (p->options.trust_times && same_times(&n->raw, &old->raw))
		return ST_OK;
	while (*same && b.at < b.bytes) {
		uint32_t got;
		enum status st = fat_file_read(p->to.fat, &b, y, p->half_bytes, &got);

		if (st != ST_OK)
			return unreadable(p, st, false);
		if (n->data) {
			*same = !memcmp((const uint8_t *)n->data + b.at - got, y, got);
			continue;
		}
		st = fat_file_read(p->from.fat, &a, x, p->half_bytes, &got);
		if (st != ST_OK)
			return unreadable(p, st, true);
		*same = a.at == b.at && !memcmp(x, y, got);
		st = tell(p, got, of_bytes);
		if (st != ST_OK)
			return st;
	}
	return ST_OK;
}

static enum status judge_pair(struct fat_plan *p, struct fat_node *n, struct fat_node *old,
			      uint64_t of_bytes)
{
	bool folder = fat_node_is_folder(n), same = true;
	enum status st = ST_OK;

	if (folder != fat_node_is_folder(old)) {
		if (old->flags & FAT_NODE_LEFT ||
		    (p->options.keep_extra && fat_node_is_folder(old))) {
			p->why = FAT_KEPT_INSIDE;
			return ST_CORRUPT;
		}
		n->action = FAT_REPLACE;
		return ST_OK;
	}
	if (!folder)
		st = compare(p, n, old, of_bytes, &same);
	if (st != ST_OK)
		return st;
	if (n->long_slots && n->long_slots == old->long_slots && n->name_bytes == old->name_bytes &&
	    memcmp(p->from.names + n->name, p->to.names + old->name, n->name_bytes))
		n->flags |= FAT_NODE_CASE;
	if (!same)
		n->action = FAT_REPLACE;
	else if (folder && !p->from.fat)
		n->action = FAT_KEEP; /* one on the way to what is put there */
	else if (n->flags & FAT_NODE_CASE || !same_slot(n, old))
		n->action = FAT_TOUCH;
	return ST_OK;
}

static enum status judge_node(struct fat_plan *p, uint32_t i, uint64_t of_bytes)
{
	struct fat_node *n = &p->from.node[i], *parent = &p->from.node[n->parent];
	uint32_t t;
	enum status st;

	if (parent->action == FAT_LEAVE)
		n->action = FAT_LEAVE;
	if (n->action == FAT_LEAVE)
		return ST_OK;
	if (fat_node_makes_folder(parent)) {
		n->action = FAT_CREATE; /* its short name is its own there too */
		return ST_OK;
	}
	t = fat_table_find(p, parent->match, p->from.names + n->name, n->name_bytes);
	if (t == FAT_NO_NODE) {
		n->action = FAT_CREATE;
		return fat_table_add(p, i);
	}
	n->match = t;
	p->to.node[t].match = i;
	if (p->to.node[t].action == FAT_LEAVE) {
		n->action = FAT_LEAVE;
		return ST_OK;
	}
	st = judge_pair(p, n, &p->to.node[t], of_bytes);
	p->to.node[t].action = n->action;
	return st;
}

static void judge_extra(struct fat_plan *p, uint32_t i)
{
	struct fat_node *n = &p->to.node[i], *parent = &p->to.node[n->parent];

	if (n->action == FAT_LEAVE || n->match != FAT_NO_NODE)
		return;
	if (parent->action == FAT_REMOVE || parent->action == FAT_REPLACE ||
	    (!p->options.keep_extra && !(n->flags & FAT_NODE_LEFT)))
		n->action = FAT_REMOVE;
}

enum status fat_judge(struct fat_plan *p)
{
	uint64_t of_bytes = 0;
	enum status st;

	ask(p, &p->from);
	ask(p, &p->to);
	p->why_source = true;
	st = fat_table_fill(p, &p->from);
	if (st != ST_OK)
		return st;
	p->why_source = false;
	st = fat_table_fill(p, &p->to);
	if (st != ST_OK)
		return st;
	p->from.node[0].match = p->to.node[0].match = 0;
	for (uint32_t i = 1; i < p->from.count; i++)
		if (p->from.node[i].action != FAT_LEAVE)
			of_bytes += le32_get(p->from.node[i].raw.bytes);
	for (uint32_t i = 1; i < p->from.count; i++) {
		st = judge_node(p, i, of_bytes);
		if (st != ST_OK) {
			fat_plan_path(p, &p->from, i);
			return st;
		}
	}
	for (uint32_t i = 1; i < p->to.count; i++)
		judge_extra(p, i);
	return ST_OK;
}
