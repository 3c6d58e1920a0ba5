/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * FAT file systems cloned by common/ alone, for test_fatclone.py to look at.
 *
 * usage: cloner format IMAGE SECTOR_BYTES TYPE CLUSTER_BYTES SERIAL [LABEL]
 *        cloner clone SOURCE SECTOR_BYTES TARGET SECTOR_BYTES [dirty-ok] [keep-extra] [quick]
 * [list] cloner put TARGET SECTOR_BYTES PATH FILE TIME
 *
 * Each image is one file system. Printed: "plan KEY=N ...", "wrote BYTES in N writes, N flushes",
 * or "refused: source|target: TEXT: PATH". Exit status 0, 3 for refused, 4 for failed.
 * Environment: CLONER_LEAVE=PATH is left to itself; CLONER_MEMORY=BYTES of work.
 */
#include "common/fat_format.h"
#include "common/fat_write.h"
#include "common/range.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct image {
	struct disk disk;
	int fd;
};
static uint64_t wrote_bytes, writes, flushes;
static struct fat source, target;
static struct fat_plan plan;

static enum status get(const struct disk *d, uint64_t lba, uint32_t n, void *buf)
{
	size_t bytes = (size_t)n << d->shift;

	if (!range_ok(lba, n, d->sectors))
		return ST_RANGE;
	return pread(((struct image *)d->ctx)->fd, buf, bytes, (off_t)(lba << d->shift)) ==
			       (ssize_t)bytes
		       ? ST_OK
		       : ST_IO;
}

static enum status put(const struct disk *d, uint64_t lba, uint32_t n, const void *buf)
{
	size_t bytes = (size_t)n << d->shift;

	if (!range_ok(lba, n, d->sectors))
		return ST_RANGE;
	writes++;
	wrote_bytes += bytes;
	return pwrite(((struct image *)d->ctx)->fd, buf, bytes, (off_t)(lba << d->shift)) ==
			       (ssize_t)bytes
		       ? ST_OK
		       : ST_IO;
}

static enum status flush(const struct disk *d)
{
	flushes++;
	return ST_OK;
}

static void open_image(struct image *im, const char *path, const char *sector)
{
	struct stat s;

	im->fd = open(path, O_RDWR);
	if (im->fd < 0 || fstat(im->fd, &s) < 0) {
		perror(path);
		exit(2);
	}
	im->disk = (struct disk){.read = get, .write = put, .flush = flush, .ctx = im};
	im->disk.shift = (uint8_t)__builtin_ctz((unsigned)atoi(sector));
	im->disk.sectors = (uint64_t)s.st_size >> im->disk.shift;
}

static int say(enum status st)
{
	if (st == ST_OK) {
		printf("wrote %llu in %llu writes, %llu flushes\n", (unsigned long long)wrote_bytes,
		       (unsigned long long)writes, (unsigned long long)flushes);
		return 0;
	}
	printf("%s: %s: %s: %s (status %d, missing %llu)\n", writes ? "failed" : "refused",
	       plan.why_source ? "source" : "target", fat_why_text(plan.why), plan.path, st,
	       (unsigned long long)plan.missing_bytes);
	return writes ? 4 : 3;
}

static void show(bool list)
{
	static const char *const names[FAT_ACTIONS] = {"keep",  "create", "replace",
						       "touch", "remove", "leave"};
	static struct fat_plan_item item;
	uint32_t at = 0;

	printf("plan");
	for (unsigned i = 0; i < FAT_ACTIONS; i++)
		printf(" %s=%u+%u", names[i], plan.count[i].files, plan.count[i].folders);
	printf(" bytes=%llu tidy=%d empty=%d\n", (unsigned long long)plan.write_bytes, plan.tidy,
	       fat_plan_is_empty(&plan));
	while (list && fat_plan_next(&plan, &at, &item))
		printf("item %s%s %s\n", names[item.action], item.folder ? " folder" : "",
		       item.path);
}

static enum fat_policy policy(void *ctx, const char *path, size_t bytes, bool folder)
{
	const char *leave = getenv("CLONER_LEAVE");

	return leave && !strcmp(path, leave) ? FAT_POLICY_LEAVE : FAT_POLICY_CLONE;
}

static bool has(int argc, char **argv, const char *word)
{
	for (int i = 6; i < argc; i++)
		if (!strcmp(argv[i], word))
			return true;
	return false;
}

static enum status open_fat(struct fat *f, const struct image *im, const char *name)
{
	enum status st = fat_open(f, &im->disk, 0, im->disk.sectors);

	if (st != ST_OK)
		printf("refused: %s: no FAT file system (status %d)\n", name, st);
	return st;
}

static int run_clone(int argc, char **argv, struct image *a, void *work, size_t bytes)
{
	struct fat_plan_options o = {.policy = policy,
				     .keep_extra = has(argc, argv, "keep-extra"),
				     .trust_times = has(argc, argv, "quick"),
				     .target_dirty_ok = has(argc, argv, "dirty-ok")};
	struct image b;
	enum status st;

	open_image(&b, argv[4], argv[5]);
	if (open_fat(&source, a, "source") != ST_OK || open_fat(&target, &b, "target") != ST_OK)
		return 3;
	st = fat_plan_clone(&plan, &source, &target, &o, work, bytes);
	if (st != ST_OK)
		return say(st);
	show(has(argc, argv, "list"));
	return say(fat_write_apply(&plan));
}

static int run_put(char **argv, struct image *a, void *work, size_t bytes)
{
	static uint8_t data[1 << 20];
	int fd = open(argv[5], O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, data, sizeof(data));
	enum status st;

	if (n < 0 || open_fat(&target, a, "target") != ST_OK)
		return 2;
	st = fat_plan_put(&plan, &target, argv[4], data, (uint32_t)n,
			  (uint32_t)strtoul(argv[6], NULL, 16), NULL, work, bytes);
	if (st == ST_OK) {
		show(false);
		st = fat_write_apply(&plan);
	}
	return say(st);
}

int main(int argc, char **argv)
{
	const char *memory = getenv("CLONER_MEMORY");
	size_t bytes = memory ? strtoul(memory, NULL, 0) : 64u << 20;
	static void *work;
	struct image a;

	work = malloc(bytes);

	if (argc < 6 || !work)
		return 2;
	open_image(&a, argv[2], argv[3]);
	if (!strcmp(argv[1], "format") && argc > 6) {
		struct fat_format how = {
			.sectors = a.disk.sectors,
			.type = (uint8_t)atoi(argv[4]),
			.cluster_bytes = (uint32_t)atoi(argv[5]),
			.serial = (uint32_t)strtoul(argv[6], NULL, 16),
			.label = argc > 7 && strlen(argv[7]) == 11 ? (uint8_t *)argv[7] : NULL,
		};

		return say(fat_format(&a.disk, &how, work, 1 << 20));
	}
	if (!strcmp(argv[1], "clone"))
		return run_clone(argc, argv, &a, work, bytes);
	return !strcmp(argv[1], "put") && argc > 6 ? run_put(argv, &a, work, bytes) : 2;
}
