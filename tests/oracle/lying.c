/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * Preloaded: a disk that lies. The program's write number LIE_AT to the file LIE_TO is answered as
 * done; it has a wrong bit then, or, with LIE_HOW=nothing, was not done. LIE_COUNT: the file
 * that the number of writes to it, and of bytes, is left in.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef ssize_t put(int, const void *, size_t, off_t);

static unsigned writes;
static unsigned long long bytes;

static int is_target(int fd)
{
	const char *to = getenv("LIE_TO");
	struct stat a, b;

	return to && !fstat(fd, &a) && !stat(to, &b) && a.st_dev == b.st_dev &&
	       a.st_ino == b.st_ino;
}

static ssize_t lie(put *real, int fd, const void *buf, size_t n, off_t at)
{
	const char *when = getenv("LIE_AT"), *how = getenv("LIE_HOW"), *count = getenv("LIE_COUNT");
	FILE *f = count ? fopen(count, "w") : NULL;
	unsigned char *wrong;
	ssize_t done;

	writes++;
	bytes += n;
	if (f) {
		fprintf(f, "%u %llu\n", writes, bytes);
		fclose(f);
	}
	if (!when || strtoul(when, NULL, 10) != writes)
		return real(fd, buf, n, at);
	if (how && !strcmp(how, "nothing"))
		return (ssize_t)n;
	wrong = aligned_alloc(4096, (n + 4095) & ~(size_t)4095);
	if (!wrong)
		abort();
	memcpy(wrong, buf, n);
	wrong[n / 2] ^= 0x10;
	done = real(fd, wrong, n, at);
	free(wrong);
	return done;
}

ssize_t pwrite(int fd, const void *buf, size_t n, off_t at)
{
	put *real = dlsym(RTLD_NEXT, "pwrite");

	return is_target(fd) ? lie(real, fd, buf, n, at) : real(fd, buf, n, at);
}

ssize_t pwrite64(int fd, const void *buf, size_t n, off64_t at)
{
	put *real = dlsym(RTLD_NEXT, "pwrite64");

	return is_target(fd) ? lie(real, fd, buf, n, at) : real(fd, buf, n, at);
}
