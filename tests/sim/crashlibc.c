/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tests/sim/crashlibc.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

static const struct crashlibc nobody, *told = &nobody;

void crashlibc_tell(const struct crashlibc *who)
{
	told = who ? who : &nobody;
}

ssize_t pwrite64(int fd, const void *buf, size_t n, off64_t at);

ssize_t pwrite64(int fd, const void *buf, size_t n, off64_t at)
{
	if (told->wrote && n)
		told->wrote(fd, buf, n, at);
	return syscall(SYS_pwrite64, fd, buf, n, at);
}

ssize_t write(int fd, const void *buf, size_t n)
{
	if (told->wrote && n)
		told->wrote(fd, buf, n, lseek(fd, 0, SEEK_CUR));
	return syscall(SYS_write, fd, buf, n);
}

/* What these programs write to real files needs no disk's patience. */
int fsync(int fd)
{
	if (told->synced)
		told->synced(fd);
	return 0;
}

/* libfdisk's when it closes a disk: not what a caller can rely on. */
void sync(void)
{
}

int rename(const char *from, const char *to)
{
	if (told->renamed)
		told->renamed(from, to);
	return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

int unlink(const char *path)
{
	if (told->unlinked)
		told->unlinked(path);
	return (int)syscall(SYS_unlink, path);
}
