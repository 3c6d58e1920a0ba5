/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tools/shellword.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *shellword_path(const char *path)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789/._-+:,@%=";
	char *text = malloc(4 * strlen(path) + 3), *at = text;

	if (!text)
		abort();
	if (*path && *path != '-' && !path[strspn(path, plain)])
		return strcpy(text, path);
	/* Nor is it an option. */
	if (*path == '-')
		at = stpcpy(at, "./");
	*at++ = '\'';
	for (; *path; path++)
		if (*path == '\'')
			at = stpcpy(at, "'\\''");
		else
			*at++ = *path;
	strcpy(at, "'");
	return text;
}

char *shellword_disks(const struct hostset *set, uint32_t disks)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		abort();
	for (unsigned i = 0; i < set->count; i++) {
		char *path;

		if (!(disks & (uint32_t)1 << i))
			continue;
		path = shellword_path(set->host[i].path);
		fprintf(f, " %s", path);
		free(path);
	}
	if (fclose(f))
		abort();
	return text;
}
