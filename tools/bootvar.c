/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tools/bootvar.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define FOLDER "/sys/firmware/efi/efivars"
#define NAME   "MirrorbootRecord-e0ba060e-72b2-4292-9796-cda85b243c89"

#define ATTRIBUTE_BYTES 4 /* efivarfs puts them before the data */

enum status bootvar_read(struct record *r)
{
	uint8_t bytes[ATTRIBUTE_BYTES + sizeof(*r) +
		      1]; /* one more, so that a longer one is seen */
	const char *folder = getenv("MIRRORBOOT_EFIVARS");
	enum status st;
	ssize_t n;
	char *path;
	int fd;

	if (asprintf(&path, "%s/" NAME, folder ? folder : FOLDER) < 0)
		return ST_IO;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	free(path);
	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? ST_ABSENT : ST_IO;
	n = read(fd, bytes, sizeof(bytes));
	close(fd);
	if (n < 0)
		return ST_IO;
	if (n < ATTRIBUTE_BYTES)
		return ST_CORRUPT;
	st = record_take(r, bytes + ATTRIBUTE_BYTES, (size_t)n - ATTRIBUTE_BYTES);
	return st == ST_ABSENT ? ST_CORRUPT : st;
}
