/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tests/sim/crashgroup.h"
#include "common/range.h"

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
	g->op[g->op_count] = (struct crashop){.disk = c->number, .lba = lba, .n = n};
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

unsigned crashgroup_each_cut(const struct crashgroup *g, unsigned random, crashcuts_check *check,
			     void *ctx)
{
	struct crashcuts c = {
		.disks = g->count,
		.op = g->op,
		.op_count = g->op_count,
		.random = random,
		.halves = g->halves,
		.check = check,
		.ctx = ctx,
	};

	for (unsigned i = 0; i < g->count; i++) {
		c.sectors[i] = g->disk[i].sectors;
		c.before[i] = g->disk[i].before;
	}
	return crashcuts_each(&c);
}
