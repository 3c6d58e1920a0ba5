/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tools/esp_busy.h"
#include "tools/run.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <libgen.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* "/dev/sda1"; false: the kernel has no such partition. */
static bool device_of(const struct hostdisk *h, uint64_t start_bytes, char *path, size_t size)
{
	char pattern[96];
	glob_t g;
	bool found = false;

	snprintf(pattern, sizeof(pattern), "/sys/dev/block/%u:%u/*/start", major(h->rdev),
		 minor(h->rdev));
	if (!h->block || glob(pattern, 0, NULL, &g))
		return false;
	for (size_t i = 0; i < g.gl_pathc && !found; i++) {
		FILE *f = fopen(g.gl_pathv[i], "re");
		unsigned long long s512;

		if (!f)
			continue;
		if (fscanf(f, "%llu", &s512) == 1 && s512 << 9 == start_bytes) {
			snprintf(path, size, "/dev/%s", basename(dirname(g.gl_pathv[i])));
			found = true;
		}
		fclose(f);
	}
	globfree(&g);
	return found;
}

bool esp_busy(const struct hostdisk *h, uint64_t start_bytes)
{
	char path[300];
	int fd;

	if (!h->block)
		return false;
	if (!start_bytes)
		run_fd_path(h->fd, path);
	else if (!device_of(h, start_bytes, path, sizeof(path)))
		return false;
	fd = open(path, O_RDONLY | O_EXCL | O_CLOEXEC);
	if (fd >= 0)
		close(fd);
	return fd < 0 && errno == EBUSY;
}

void esp_busy_forget(const struct hostdisk *h, uint64_t start_bytes)
{
	char path[300];
	int fd;

	if (!device_of(h, start_bytes, path, sizeof(path)))
		return;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	ioctl(fd, BLKFLSBUF, 0);
	close(fd);
}
