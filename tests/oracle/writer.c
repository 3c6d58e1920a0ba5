/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * usage: writer MEMBER... <COMMANDS
 *
 * Writes to the mirror of these members (image files, which stay as they are) by way
 * of common/, and prints what each member would have got, in order: what Linux makes
 * of it is for test_writes_any.py to find out. Commands, one a line:
 *
 *   write LBA SECTORS SEED   a write to the mirror's volume
 *   fail MEMBER REQUESTS     after so many more, each write to this member fails
 *
 * Printed: "put MEMBER LBA HEX" for each request to a member, "done STATUS" for a command.
 */
#include "common/config.h"
#include "common/survey.h"
#include "common/view.h"
#include "common/writeplan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MEMBERS       4u
#define WRITE_SECTORS 256u

static struct image {
	uint8_t *bytes;
	int left; /* requests until writes fail; -1: never */
} image[MEMBERS];
static struct disk disk[MEMBERS];
static unsigned count;
static struct survey survey;
static struct vdisk_set set;
static struct vdisk_tables tables;
static uint8_t scratch[VDISK_SCRATCH_SECTORS * 512];

static enum status get(const struct disk *d, uint64_t lba, uint32_t n, void *buf)
{
	const struct image *im = d->ctx;

	if (lba > d->sectors || n > d->sectors - lba)
		return ST_RANGE;
	memcpy(buf, im->bytes + lba * 512, (size_t)n * 512);
	return ST_OK;
}

static enum status put(const struct disk *d, uint64_t lba, uint32_t n, const void *buf)
{
	struct image *im = d->ctx;

	if (lba > d->sectors || n > d->sectors - lba)
		return ST_RANGE;
	if (im->left == 0)
		return ST_IO;
	if (im->left > 0)
		im->left--;
	memcpy(im->bytes + lba * 512, buf, (size_t)n * 512);
	printf("put %u %llu ", (unsigned)(im - image), (unsigned long long)lba);
	for (uint32_t i = 0; i < n * 512; i++)
		printf("%02x", ((const uint8_t *)buf)[i]);
	putchar('\n');
	return ST_OK;
}

static void load(const char *path)
{
	FILE *f = fopen(path, "rb");
	struct image *im = &image[count];
	long bytes;

	if (!f || fseek(f, 0, SEEK_END) || (bytes = ftell(f)) <= 0) {
		perror(path);
		exit(2);
	}
	rewind(f);
	im->bytes = malloc((size_t)bytes);
	if (!im->bytes || fread(im->bytes, 1, (size_t)bytes, f) != (size_t)bytes) {
		perror(path);
		exit(2);
	}
	fclose(f);
	disk[count++] = (struct disk){
		.read = get, .write = put, .ctx = im, .sectors = (uint64_t)bytes / 512, .shift = 9};
}

static void start(void)
{
	unsigned v;

	for (unsigned i = 0; i < count; i++)
		image[i].left = -1;
	survey_run(&survey, disk, count);
	view_init(&set, &tables);
	if (survey.mirror_count != 1 || view_add_volume(&set, &survey, 0, &v) != ST_OK) {
		fprintf(stderr, "writer: not one mirror with a volume\n");
		exit(2);
	}
	writeplan_make(&set, &survey, CONFIG_WRITES_AUTO, scratch, 9);
}

static int write_volume(unsigned long long lba, unsigned n, unsigned seed)
{
	static uint8_t buf[WRITE_SECTORS * 512];

	if (n > WRITE_SECTORS)
		return ST_RANGE;
	for (uint32_t i = 0; i < n * 512; i++) {
		seed = seed * 1664525u + 1013904223u;
		buf[i] = (uint8_t)(seed >> 24);
	}
	return vdisk_write(&set, 0, disk, lba, n, buf);
}

int main(int argc, char **argv)
{
	char line[128];

	for (int i = 1; i < argc && count < MEMBERS; i++)
		load(argv[i]);
	start();
	while (fgets(line, sizeof(line), stdin)) {
		unsigned long long lba;
		unsigned a, b;
		int st = ST_OK;

		if (sscanf(line, "write %llu %u %u", &lba, &a, &b) == 3)
			st = write_volume(lba, a, b);
		else if (sscanf(line, "fail %u %u", &a, &b) == 2 && a < count)
			image[a].left = (int)b;
		else
			return 2;
		printf("done %d\n", st);
	}
	return 0;
}
