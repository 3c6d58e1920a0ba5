/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tests/sim/crashdisk.h"
#include "common/range.h"

#include <stdlib.h>
#include <string.h>

#define RANDOM_SUBSETS 48 /* at each cut */

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
	c->op[c->op_count++] = (struct crashop){
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

/* ---- what a cut leaves ---- */

struct caller {
	crashdisk_check *check;
	crashdisk_is_wrong *is_wrong;
	void *ctx;
};

static void check_one(uint8_t *const *image, const char *what, void *ctx)
{
	const struct caller *to = ctx;

	to->check(image[0], what, to->ctx);
}

static bool is_one_wrong(uint8_t *const *image, const char *what, void *ctx)
{
	const struct caller *to = ctx;

	return to->is_wrong(image[0], what, to->ctx);
}

static struct crashcuts cuts_of(const struct crashdisk *c, struct caller *to)
{
	return (struct crashcuts){
		.disks = 1,
		.sectors = {c->sectors},
		.before = {c->before},
		.op = c->op,
		.op_count = c->op_count,
		.random = RANDOM_SUBSETS,
		.halves = true,
		.check = check_one,
		.ctx = to,
	};
}

unsigned crashdisk_each_cut(const struct crashdisk *c, crashdisk_check *check, void *ctx)
{
	struct caller to = {.check = check, .ctx = ctx};
	const struct crashcuts cuts = cuts_of(c, &to);

	return crashcuts_each(&cuts);
}

bool crashdisk_without_flush(const struct crashdisk *c, unsigned at, crashdisk_is_wrong *is_wrong,
			     void *ctx)
{
	struct caller to = {.is_wrong = is_wrong, .ctx = ctx};
	const struct crashcuts cuts = cuts_of(c, &to);

	return crashcuts_without_flush(&cuts, at, is_one_wrong);
}
