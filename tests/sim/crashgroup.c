/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tests/sim/crashgroup.h"
#include "common/range.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *must(void *p)
{
	if (!p)
		abort();
	return p;
}

static enum status group_read(const struct disk *d, uint64_t lba, uint32_t n, void *buf)
{
	const struct crashgroup_disk *c = d->ctx;

	if (!range_ok(lba, n, c->sectors))
		return ST_RANGE;
	memcpy(buf, c->now + lba * CRASHGROUP_SECTOR, (size_t)n * CRASHGROUP_SECTOR);
	return ST_OK;
}

static bool note(struct crashgroup_disk *c, uint64_t lba, uint32_t n, const void *data)
{
	struct crashgroup *g = c->group;

	if (g->writes++ >= g->fail_at)
		return false;
	if (!g->logging)
		return true;
	if (g->op_count == g->op_room) {
		g->op_room = g->op_room ? 2 * g->op_room : 64;
		g->op = must(realloc(g->op, g->op_room * sizeof(*g->op)));
	}
	g->op[g->op_count] = (struct crashgroup_op){.disk = c->number, .lba = lba, .n = n};
	if (n) {
		g->op[g->op_count].data = must(malloc((size_t)n * CRASHGROUP_SECTOR));
		memcpy(g->op[g->op_count].data, data, (size_t)n * CRASHGROUP_SECTOR);
	}
	g->op_count++;
	return true;
}

static enum status group_write(const struct disk *d, uint64_t lba, uint32_t n, const void *buf)
{
	struct crashgroup_disk *c = d->ctx;

	if (!n || !range_ok(lba, n, c->sectors))
		return ST_RANGE;
	if (!note(c, lba, n, buf))
		return ST_IO;
	memcpy(c->now + lba * CRASHGROUP_SECTOR, buf, (size_t)n * CRASHGROUP_SECTOR);
	return ST_OK;
}

static enum status group_flush(const struct disk *d)
{
	return note(d->ctx, 0, 0, NULL) ? ST_OK : ST_IO;
}

void crashgroup_init(struct crashgroup *g)
{
	memset(g, 0, sizeof(*g));
	g->fail_at = UINT32_MAX;
}

static void free_log(struct crashgroup *g)
{
	for (unsigned i = 0; i < g->op_count; i++)
		free(g->op[i].data);
	g->op_count = 0;
}

void crashgroup_free(struct crashgroup *g)
{
	free_log(g);
	free(g->op);
	for (unsigned i = 0; i < g->count; i++) {
		free(g->disk[i].before);
		free(g->disk[i].now);
	}
	memset(g, 0, sizeof(*g));
}

unsigned crashgroup_add(struct crashgroup *g, uint64_t sectors)
{
	struct crashgroup_disk *c = &g->disk[g->count];

	c->group = g;
	c->number = g->count;
	c->sectors = sectors;
	c->before = must(calloc(sectors, CRASHGROUP_SECTOR));
	c->now = must(calloc(sectors, CRASHGROUP_SECTOR));
	return g->count++;
}

unsigned crashgroup_add_copy(struct crashgroup *g, const struct crashgroup_disk *of)
{
	unsigned i = crashgroup_add(g, of->sectors);

	memcpy(g->disk[i].now, of->now, of->sectors * CRASHGROUP_SECTOR);
	return i;
}

struct disk crashgroup_disk(struct crashgroup *g, unsigned number)
{
	return (struct disk){
		.read = group_read,
		.write = group_write,
		.flush = group_flush,
		.ctx = &g->disk[number],
		.sectors = g->disk[number].sectors,
		.shift = 9,
	};
}

void crashgroup_start(struct crashgroup *g)
{
	free_log(g);
	for (unsigned i = 0; i < g->count; i++)
		memcpy(g->disk[i].before, g->disk[i].now, g->disk[i].sectors * CRASHGROUP_SECTOR);
	g->logging = true;
	g->writes = 0;
}

/* ---- what a cut leaves ---- */

struct cuts {
	const struct crashgroup *g;
	crashgroup_check *check;
	void *ctx;
	uint8_t *image[CRASHGROUP_DISKS]; /* shown */
	uint8_t *sure[CRASHGROUP_DISKS];  /* what is flushed at the cut */
	unsigned count, made;             /* sure has the first so many operations */
	uint32_t seed;
};

static void put(uint8_t *const *image, const struct crashgroup_op *op)
{
	if (op->n)
		memcpy(image[op->disk] + op->lba * CRASHGROUP_SECTOR, op->data,
		       (size_t)op->n * CRASHGROUP_SECTOR);
}

static bool is_flushed(const struct crashgroup *g, unsigned i, unsigned cut)
{
	for (unsigned k = i + 1; k < cut; k++)
		if (g->op[k].disk == g->op[i].disk && g->op[k].n == 0)
			return true;
	return false;
}

static void begin(struct cuts *t)
{
	for (unsigned i = 0; i < t->g->count; i++)
		memcpy(t->image[i], t->sure[i], t->g->disk[i].sectors * CRASHGROUP_SECTOR);
}

static void show(struct cuts *t, const char *kind, unsigned cut, unsigned variant)
{
	char what[80];

	snprintf(what, sizeof(what), "cut at operation %u, %s %u", cut, kind, variant);
	t->count++;
	t->check(t->image, what, t->ctx);
}

static uint32_t next_random(struct cuts *t)
{
	t->seed = t->seed * 1664525u + 1013904223u;
	return t->seed >> 8;
}

static void put_some(struct cuts *t, const struct crashgroup_op *op)
{
	for (uint32_t s = 0; s < op->n; s++)
		if (next_random(t) & 1)
			memcpy(t->image[op->disk] + (op->lba + s) * CRASHGROUP_SECTOR,
			       op->data + (size_t)s * CRASHGROUP_SECTOR, CRASHGROUP_SECTOR);
}

static void one_cut(struct cuts *t, unsigned cut, unsigned random)
{
	const struct crashgroup *g = t->g;
	const struct crashgroup_op *loose[64];
	unsigned n = 0;

	for (unsigned i = 0; i < g->count; i++)
		memcpy(t->sure[i], g->disk[i].before, g->disk[i].sectors * CRASHGROUP_SECTOR);
	for (unsigned i = 0; i < cut; i++) {
		if (g->op[i].n == 0)
			continue;
		if (is_flushed(g, i, cut))
			put(t->sure, &g->op[i]);
		else if (n < 64)
			loose[n++] = &g->op[i];
		else
			abort();
	}
	begin(t);
	show(t, "nothing unflushed", cut, 0);
	if (n == 0)
		return;
	for (unsigned i = 0; i < n; i++)
		put(t->image, loose[i]);
	show(t, "all", cut, 0);
	for (unsigned k = 0; n > 1 && k < n; k++) {
		begin(t);
		put(t->image, loose[k]);
		show(t, "alone", cut, k);
		begin(t);
		for (unsigned i = 0; i < n; i++)
			if (i != k)
				put(t->image, loose[i]);
		show(t, "without", cut, k);
	}
	for (unsigned k = 0; k < random; k++) {
		begin(t);
		for (unsigned i = 0; i < n; i++)
			put_some(t, loose[i]);
		show(t, "sectors", cut, k);
	}
}

unsigned crashgroup_each_cut(const struct crashgroup *g, unsigned random, crashgroup_check *check,
			     void *ctx)
{
	struct cuts t = {.g = g, .check = check, .ctx = ctx, .seed = 1};

	for (unsigned i = 0; i < g->count; i++) {
		t.image[i] = must(malloc(g->disk[i].sectors * CRASHGROUP_SECTOR));
		t.sure[i] = must(malloc(g->disk[i].sectors * CRASHGROUP_SECTOR));
	}
	for (unsigned cut = 0; cut <= g->op_count; cut++)
		/* What a flush adds is that nothing is loose: the next cut shows it. */
		if (cut == g->op_count || cut == 0 || g->op[cut - 1].n || g->op[cut].n == 0)
			one_cut(&t, cut, random);
	for (unsigned i = 0; i < g->count; i++) {
		free(t.image[i]);
		free(t.sure[i]);
	}
	return t.count;
}
