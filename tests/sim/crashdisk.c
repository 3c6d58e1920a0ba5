/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tests/sim/crashdisk.h"
#include "common/range.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RANDOM_SUBSETS 48

static uint8_t *copy_of(const void *data, size_t n)
{
	uint8_t *p = malloc(n);

	if (!p)
		abort();
	return memcpy(p, data, n);
}

static enum status crash_read(const struct disk *d, uint64_t lba, uint32_t n, void *buf)
{
	struct crashdisk *c = d->ctx;

	if (!range_ok(lba, n, c->sectors))
		return ST_RANGE;
	memcpy(buf, c->now + lba * CRASHDISK_SECTOR, (size_t)n * CRASHDISK_SECTOR);
	return ST_OK;
}

static bool log_op(struct crashdisk *c, uint64_t lba, uint32_t n, const void *data)
{
	if (c->op_count == c->fail_at)
		return false;
	if (c->op_count == CRASHDISK_OPS)
		abort();
	c->op[c->op_count++] = (struct crashdisk_op){
		.lba = lba,
		.n = n,
		.data = n ? copy_of(data, (size_t)n * CRASHDISK_SECTOR) : NULL,
	};
	return true;
}

static enum status crash_write(const struct disk *d, uint64_t lba, uint32_t n, const void *buf)
{
	struct crashdisk *c = d->ctx;
	bool lie = c->op_count == c->lie_at;

	if (!n || !range_ok(lba, n, c->sectors))
		return ST_RANGE;
	if (!log_op(c, lba, n, buf))
		return ST_IO;
	if (!c->drop_writes && !(lie && c->lie_by_nothing))
		memcpy(c->now + lba * CRASHDISK_SECTOR, buf, (size_t)n * CRASHDISK_SECTOR);
	if (lie && !c->lie_by_nothing)
		c->now[lba * CRASHDISK_SECTOR] ^= 4;
	return ST_OK;
}

static enum status crash_flush(const struct disk *d)
{
	return log_op(d->ctx, 0, 0, NULL) ? ST_OK : ST_IO;
}

void crashdisk_init(struct crashdisk *c, const uint8_t *image, uint64_t sectors)
{
	memset(c, 0, sizeof(*c));
	c->sectors = sectors;
	c->before = copy_of(image, sectors * CRASHDISK_SECTOR);
	c->now = copy_of(image, sectors * CRASHDISK_SECTOR);
	c->fail_at = c->lie_at = UINT32_MAX;
}

static void free_log(struct crashdisk *c)
{
	for (unsigned i = 0; i < c->op_count; i++)
		free(c->op[i].data);
	c->op_count = 0;
}

void crashdisk_free(struct crashdisk *c)
{
	free_log(c);
	free(c->before);
	free(c->now);
}

void crashdisk_restart(struct crashdisk *c)
{
	free_log(c);
	memcpy(c->before, c->now, c->sectors * CRASHDISK_SECTOR);
}

struct disk crashdisk_disk(struct crashdisk *c)
{
	return (struct disk){
		.read = crash_read,
		.write = crash_write,
		.flush = crash_flush,
		.ctx = c,
		.sectors = c->sectors,
		.shift = 9,
	};
}

/* ---- the images that a cut leaves ---- */

struct cuts {
	const struct crashdisk *c;
	crashdisk_check *check;
	void *ctx;
	uint8_t *image;
	unsigned count;
	uint32_t seed;
};

static void put_bytes(struct cuts *t, const struct crashdisk_op *op, size_t from, size_t to)
{
	memcpy(t->image + op->lba * CRASHDISK_SECTOR + from, op->data + from, to - from);
}

static void put_op(struct cuts *t, const struct crashdisk_op *op)
{
	if (op->n)
		put_bytes(t, op, 0, (size_t)op->n * CRASHDISK_SECTOR);
}

/* The disk after the first n operations. */
static void replay(struct cuts *t, unsigned n)
{
	memcpy(t->image, t->c->before, t->c->sectors * CRASHDISK_SECTOR);
	for (unsigned i = 0; i < n; i++)
		put_op(t, &t->c->op[i]);
}

static void show(struct cuts *t, const char *kind, unsigned op, unsigned detail)
{
	char what[80];

	snprintf(what, sizeof(what), "%s cut at operation %u, variant %u", kind, op, detail);
	t->count++;
	t->check(t->image, what, t->ctx);
}

static void torn(struct cuts *t, unsigned i)
{
	const struct crashdisk_op *op = &t->c->op[i];
	size_t all = (size_t)op->n * CRASHDISK_SECTOR;

	for (uint32_t k = 0; k < op->n; k++) {
		size_t at = (size_t)k * CRASHDISK_SECTOR, half = at + CRASHDISK_SECTOR / 2;

		if (op->lba + k == 0)
			continue;
		replay(t, i);
		put_bytes(t, op, 0, at);
		show(t, "torn (first sectors)", i, k);
		put_bytes(t, op, at, half);
		show(t, "torn (half a sector)", i, k);
		replay(t, i);
		put_bytes(t, op, half, all);
		show(t, "torn (last sectors)", i, k);
	}
}

static uint32_t next_random(struct cuts *t)
{
	t->seed = t->seed * 1664525u + 1013904223u;
	return t->seed >> 8;
}

/* Operations first..last are in the cache, no flush among them. */
static void subsets(struct cuts *t, unsigned first, unsigned last)
{
	unsigned n = last - first;

	for (uint32_t mask = 0; n <= 8 && mask < 1u << n; mask++) {
		replay(t, first);
		for (unsigned i = 0; i < n; i++)
			if (mask & 1u << i)
				put_op(t, &t->c->op[first + i]);
		show(t, "subset (writes)", last, mask);
	}
	for (unsigned k = 0; k < RANDOM_SUBSETS; k++) {
		replay(t, first);
		for (unsigned i = first; i < last; i++)
			for (uint32_t s = 0; s < t->c->op[i].n; s++)
				if (next_random(t) & 1)
					put_bytes(t, &t->c->op[i], (size_t)s * CRASHDISK_SECTOR,
						  (size_t)(s + 1) * CRASHDISK_SECTOR);
		show(t, "subset (sectors)", last, k);
	}
}

unsigned crashdisk_each_cut(const struct crashdisk *c, crashdisk_check *check, void *ctx)
{
	struct cuts t = {.c = c, .check = check, .ctx = ctx, .seed = 1};
	unsigned epoch = 0;

	t.image = copy_of(c->before, c->sectors * CRASHDISK_SECTOR);
	for (unsigned i = 0; i <= c->op_count; i++) {
		replay(&t, i);
		show(&t, "clean", i, 0);
		if (i > epoch)
			subsets(&t, epoch, i);
		if (i < c->op_count && !c->op[i].n)
			epoch = i + 1;
		else if (i < c->op_count)
			torn(&t, i);
	}
	free(t.image);
	return t.count;
}

/* ---- a flush that is left out ---- */

struct without {
	struct cuts t;
	crashdisk_is_wrong *is_wrong;
	unsigned first, at; /* the writes that the flush was for, the flush */
};

/* Of the writes before the flush, those that pick[] says; behind it, all up to end. */
static bool look_without(struct without *w, const bool *pick, unsigned end)
{
	char what[80];

	replay(&w->t, w->first);
	for (unsigned i = w->first; i < w->at; i++)
		if (pick[i - w->first])
			put_op(&w->t, &w->t.c->op[i]);
	for (unsigned i = w->at + 1; i < end; i++)
		put_op(&w->t, &w->t.c->op[i]);
	snprintf(what, sizeof(what), "without flush %u, cut at operation %u", w->at, end);
	return w->is_wrong(w->t.image, what, w->t.ctx);
}

static bool look_at_each(struct without *w, bool *pick, unsigned end)
{
	unsigned n = w->at - w->first;

	memset(pick, 0, n);
	if (look_without(w, pick, end))
		return true;
	memset(pick, 1, n);
	for (unsigned i = 0; i < n; i++) {
		pick[i] = false;
		if (look_without(w, pick, end))
			return true;
		pick[i] = true;
	}
	for (unsigned k = 0; k < 8 && n > 2; k++) {
		for (unsigned i = 0; i < n; i++)
			pick[i] = next_random(&w->t) & 1;
		if (look_without(w, pick, end))
			return true;
	}
	return false;
}

bool crashdisk_without_flush(const struct crashdisk *c, unsigned at, crashdisk_is_wrong *is_wrong,
			     void *ctx)
{
	struct without w = {.t = {.c = c, .ctx = ctx, .seed = 1}, .is_wrong = is_wrong, .at = at};
	unsigned end = at + 1;
	bool found = false, *pick;

	w.t.image = copy_of(c->before, c->sectors * CRASHDISK_SECTOR);
	for (w.first = at; w.first && c->op[w.first - 1].n;)
		w.first--;
	pick = calloc(at - w.first + 1, sizeof(*pick));
	if (!pick)
		abort();
	while (end < c->op_count && c->op[end].n)
		end++;
	/* From all that follows on: it is what most often shows. */
	for (unsigned e = end; e > at && !found; e--)
		found = (e > at + 1 || at + 1 == c->op_count) && look_at_each(&w, pick, e);
	free(pick);
	free(w.t.image);
	return found;
}
