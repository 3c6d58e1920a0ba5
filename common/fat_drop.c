/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* FAT: a plan to remove one file or folder: all else is left, or lies on the way to it. */
#include "common/fat_plan.h"

#include "common/fat_apply.h"
#include "common/fat_judge.h"
#include "common/fat_table.h"

struct drop {
	const char *path;
	size_t bytes;
};

/* Is the first the second, or a folder that it lies in? */
static bool is_above(const char *a, size_t a_bytes, const char *b, size_t b_bytes)
{
	return a_bytes <= b_bytes && (a_bytes == b_bytes || b[a_bytes] == '\\') &&
	       fat_table_same(a, a_bytes, b, a_bytes);
}

static enum fat_policy policy(void *ctx, const char *path, size_t bytes, bool folder)
{
	const struct drop *d = ctx;

	if (is_above(d->path, d->bytes, path, bytes) ||
	    (folder && is_above(path, bytes, d->path, d->bytes)))
		return FAT_POLICY_CLONE;
	return FAT_POLICY_LEAVE;
}

enum status fat_plan_drop(struct fat_plan *p, struct fat *target, const char *path,
			  const struct fat_plan_options *o, void *work, size_t work_bytes)
{
	enum status st = fat_plan_begin(p, o, work, work_bytes);
	struct drop d = {.path = path};
	struct fat_node *last;
	size_t parent = 0;

	if (st != ST_OK)
		return st;
	while (path[d.bytes]) {
		if (path[d.bytes] == '\\')
			parent = d.bytes;
		d.bytes++;
	}
	if (d.bytes < 2)
		return ST_RANGE; /* the root is not to be removed */
	st = fat_find(target, path, d.bytes, &p->walk.entry);
	if (st != ST_OK)
		return st;
	p->options.policy = policy;
	p->options.progress = NULL;
	p->options.ctx = &d;
	p->options.keep_extra = false;
	/* The folders that it lies in are the source: they stay. */
	st = fat_put_path(p, path, parent, 0, &last);
	if (st == ST_OK)
		st = fat_plan_check(p, &p->to, target, false);
	if (st == ST_OK)
		st = fat_plan_end(p);
	p->options.policy = NULL;
	p->options.ctx = NULL;
	/* Found by its short name only: the policy has left it. */
	if (st == ST_OK && !p->count[FAT_REMOVE].files && !p->count[FAT_REMOVE].folders)
		return ST_ABSENT;
	return st;
}
