/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * bench_probe IMAGE...: survey the images as one set of disks, and print a line
 * for each: how many reads, and how many sectors, probing asked it for.
 */
#include "common/range.h"
#include "common/survey.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <fcntl.h>

struct counted {
	int fd;
	unsigned requests;
	unsigned long sectors;
};

static enum status counted_read(const struct disk *d, uint64_t lba, uint32_t n, void *buf)
{
	struct counted *c = d->ctx;

	if (!range_ok(lba, n, d->sectors))
		return ST_RANGE;
	c->requests++;
	c->sectors += n;
	if (pread(c->fd, buf, (size_t)n * 512, (off_t)(lba * 512)) != (ssize_t)n * 512)
		return ST_IO;
	return ST_OK;
}

int main(int argc, char **argv)
{
	static struct survey s;
	static struct disk disk[SURVEY_DISKS];
	static struct counted counted[SURVEY_DISKS];
	int n = argc - 1;

	if (n < 1 || n > SURVEY_DISKS)
		return 2;
	for (int i = 0; i < n; i++) {
		struct stat st;

		counted[i].fd = open(argv[i + 1], O_RDONLY);
		if (counted[i].fd < 0 || fstat(counted[i].fd, &st) != 0) {
			perror(argv[i + 1]);
			return 3;
		}
		disk[i] = (struct disk){.read = counted_read,
					.ctx = &counted[i],
					.sectors = (uint64_t)st.st_size / 512,
					.shift = 9};
	}
	survey_run(&s, disk, (unsigned)n);
	for (int i = 0; i < n; i++)
		printf("%u %lu\n", counted[i].requests, counted[i].sectors);
	return 0;
}
