/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * Preloaded: something happens right before the program's write number ON_WRITE to a disk:
 * "cut" ends it there, "tear" too, with the first half of that write done if it is longer than a
 * sector, a number sends that signal to its process group, anything else is a
 * command for the shell. ON_WRITE_COUNT is the file that the number of writes is left in.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

static unsigned writes;

static void shell(const char *command)
{
	pid_t child = fork();
	int status;

	if (!child) {
		unsetenv("LD_PRELOAD");
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	if (child < 0 || waitpid(child, &status, 0) != child || status)
		_exit(99);
}

#define SECTOR 512

static void before_write(ssize_t (*real)(int, const void *, size_t, off_t), int fd, const void *buf,
			 size_t n, off_t at)
{
	const char *when = getenv("ON_WRITE"), *what = getenv("ON_WRITE_DO");
	const char *count = getenv("ON_WRITE_COUNT");
	FILE *f;

	writes++;
	f = count ? fopen(count, "w") : NULL;
	if (f) {
		fprintf(f, "%u\n", writes);
		fclose(f);
	}
	if (!when || !what || strtoul(when, NULL, 10) != writes)
		return;
	if (!strcmp(what, "tear"))
		real(fd, buf, n / SECTOR / 2 * SECTOR, at);
	if (!strcmp(what, "cut") || !strcmp(what, "tear"))
		_exit(1);
	if (strspn(what, "0123456789") == strlen(what))
		kill(0, atoi(what));
	else
		shell(what);
}

ssize_t pwrite(int fd, const void *buf, size_t n, off_t at)
{
	ssize_t (*real)(int, const void *, size_t, off_t) = dlsym(RTLD_NEXT, "pwrite");

	before_write(real, fd, buf, n, at);
	return real(fd, buf, n, at);
}

ssize_t pwrite64(int fd, const void *buf, size_t n, off64_t at)
{
	ssize_t (*real)(int, const void *, size_t, off64_t) = dlsym(RTLD_NEXT, "pwrite64");

	before_write(real, fd, buf, n, at);
	return real(fd, buf, n, at);
}
