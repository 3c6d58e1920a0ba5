/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tests/sim/crashcmd.h"
#include "tests/sim/crashlibc.h"

#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORDS 24

/* What stands behind a disk, while a command runs. */
static struct {
	struct crashgroup *group;
	int fd[CRASHGROUP_DISKS];
	ino_t ino[CRASHGROUP_DISKS];
	dev_t dev;
	int log; /* what the command does, in its order */
	unsigned operations;
} run;

/* In the log; the bytes of a write follow. */
struct entry {
	uint32_t disk, n;
	uint64_t lba;
};

/* The disk that is open there; negative: none of ours. */
static int disk_of(int fd)
{
	struct stat st;

	if (fstat(fd, &st))
		return -1;
	for (unsigned i = 0; i < run.group->count; i++)
		if (st.st_dev == run.dev && st.st_ino == run.ino[i])
			return (int)i;
	return -1;
}

static void put_log(const void *bytes, size_t n)
{
	if (syscall(SYS_write, run.log, bytes, n) != (long)n)
		abort();
}

static void note(int disk, const void *bytes, size_t n, off_t at)
{
	const struct entry e = {.disk = (uint32_t)disk,
				.n = (uint32_t)(n / CRASHGROUP_SECTOR),
				.lba = (uint64_t)at / CRASHGROUP_SECTOR};

	if (n % CRASHGROUP_SECTOR || at % CRASHGROUP_SECTOR)
		abort();
	put_log(&e, sizeof(e));
	if (n)
		put_log(bytes, n);
}

/* What is in the log has happened to the group's disks. */
static void take_log(struct crashgroup *g)
{
	off_t at = 0;
	struct entry e;

	for (; pread(run.log, &e, sizeof(e), at) == (ssize_t)sizeof(e); run.operations++) {
		struct disk d = crashgroup_disk(g, e.disk);
		size_t n = (size_t)e.n * CRASHGROUP_SECTOR;
		uint8_t *bytes = malloc(n + 1);

		at += (off_t)sizeof(e);
		if (!bytes || pread(run.log, bytes, n, at) != (ssize_t)n ||
		    (n ? d.write(&d, e.lba, e.n, bytes) : d.flush(&d)) != ST_OK)
			abort();
		at += (off_t)n;
		free(bytes);
	}
}

static void wrote(int fd, const void *bytes, size_t n, off_t at)
{
	int disk = disk_of(fd);

	if (disk >= 0)
		note(disk, bytes, n, at);
}

static void synced(int fd)
{
	int disk = disk_of(fd);

	if (disk >= 0)
		note(disk, NULL, 0, 0);
}

static const struct crashlibc listener = {.wrote = wrote, .synced = synced};

/* ---- */

static void open_disks(struct crashgroup *g)
{
	run.log = memfd_create("log", MFD_CLOEXEC);
	if (run.log < 0)
		abort();
	for (unsigned i = 0; i < g->count; i++) {
		size_t bytes = (size_t)g->disk[i].sectors * CRASHGROUP_SECTOR;
		struct stat st;

		run.fd[i] = memfd_create("disk", MFD_CLOEXEC);
		if (run.fd[i] < 0 || fstat(run.fd[i], &st) ||
		    syscall(SYS_pwrite64, run.fd[i], g->disk[i].now, bytes, 0) != (long)bytes)
			abort();
		run.ino[i] = st.st_ino;
		run.dev = st.st_dev;
	}
	run.group = g;
	run.operations = 0;
}

static void close_disks(void)
{
	for (unsigned i = 0; i < run.group->count; i++)
		close(run.fd[i]);
	close(run.log);
	run.group = NULL;
}

static int quiet(const struct command *c, int argc, char **argv)
{
	int out = dup(1), err = dup(2), null = open("/dev/null", O_WRONLY), rc;

	fflush(stdout);
	if (!getenv("SIM_TALK")) {
		dup2(null, 1);
		dup2(null, 2);
	}
	optind = 0;
	rc = command_run(c, argc, argv);
	fflush(stdout);
	dup2(out, 1);
	dup2(err, 2);
	close(out);
	close(err);
	close(null);
	return rc;
}

/* A process of its own, as a command has in life: none finds what another has left in variables. */
static int in_child(const struct command *c, int argc, char **argv)
{
	pid_t child;
	int status;

	fflush(stdout);
	fflush(stderr);
	child = fork();
	if (!child) {
		crashlibc_tell(&listener);
		_exit(quiet(c, argc, argv));
	}
	if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status))
		abort();
	return WEXITSTATUS(status);
}

int crashcmd_run(struct crashgroup *g, const struct command *c, const char *const *words)
{
	char path[CRASHGROUP_DISKS][32];
	char *argv[WORDS + CRASHGROUP_DISKS + 2] = {"mirrorboot"};
	int argc = 1, rc;

	for (; *words; words++) {
		if (argc == WORDS)
			abort();
		argv[argc++] = strdup(*words);
	}
	open_disks(g);
	for (unsigned i = 0; i < g->count; i++) {
		snprintf(path[i], sizeof(path[i]), "/proc/self/fd/%d", run.fd[i]);
		argv[argc++] = path[i];
	}
	rc = in_child(c, argc, argv);
	take_log(g);
	for (int i = 1; i < argc - (int)g->count; i++)
		free(argv[i]);
	close_disks();
	return rc;
}

unsigned crashcmd_operations(void)
{
	return run.operations;
}
