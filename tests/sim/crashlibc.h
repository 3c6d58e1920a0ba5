/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * The C library's functions that write, as these programs and their libraries call them: they do
 * what they always do, and somebody is told before.
 */
#ifndef TESTS_SIM_CRASHLIBC_H
#define TESTS_SIM_CRASHLIBC_H

#include <stddef.h>
#include <sys/types.h>

struct crashlibc {
	void (*wrote)(int fd, const void *bytes, size_t n, off_t at);
	void (*synced)(int fd);
	void (*renamed)(const char *from, const char *to);
	void (*unlinked)(const char *path);
};

/* Told from now on; NULL: nobody. */
void crashlibc_tell(const struct crashlibc *who);

#endif
