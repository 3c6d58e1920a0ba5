/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* Running another program, without a shell. */
#ifndef TOOLS_RUN_H
#define TOOLS_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct run_output {
	uint8_t *out; /* what it wrote to stdout, NUL-terminated; free() it */
	size_t out_bytes;
	char err[512]; /* the last of its stderr */
	int exit_code; /* 127: it could not be started; 128 + n: killed by signal n */
};

/*
 * Run argv (found by PATH) and wait. keep_fd: descriptors that it inherits under
 * their number, -1 ends the list; all others of ours are closed. False when it could
 * not be run or did not exit with 0.
 */
bool run_command(char *const *argv, const int *keep_fd, struct run_output *r);

/* A file in memory that a child can open as run_fd_path(): -1 on failure. */
int run_memory_file(const void *data, size_t n_bytes);

/* "/proc/self/fd/N" */
void run_fd_path(int fd, char path[32]);

/* Is this program in PATH? */
bool run_exists(const char *program);

#endif
