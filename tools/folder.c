/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tools/folder.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool folder_sync(const char *file)
{
	char *folder = strdup(file), *end = folder ? strrchr(folder, '/') : NULL;
	int fd, rc;

	if (!folder)
		abort();
	if (end)
		end[end == folder] = 0;
	fd = open(end ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(folder);
	rc = fd < 0 ? -1 : fsync(fd);
	if (fd >= 0)
		close(fd);
	return rc == 0;
}
