/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tools/fatfs.h"
#include "tools/run.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/*
 * Run one of the mtools on this file system: "PROGRAM [OPTION] -i IMAGE@@OFFSET ARGS".
 * The image is named by our own descriptor, so that it is the file that was
 * opened and locked, whatever its path holds.
 */
static bool mtool(struct fatfs *f, const char *program, const char *option, const char *a,
		  const char *b, int data_fd, struct run_output *r)
{
	char image[64], fd_path[32];
	const int keep[] = {f->host->fd, data_fd, -1};
	char *argv[10];
	unsigned n = 0;
	bool ok;

	run_fd_path(f->host->fd, fd_path);
	snprintf(image, sizeof(image), "%s@@%llu", fd_path, (unsigned long long)f->offset_bytes);
	argv[n++] = (char *)program;
	if (option)
		argv[n++] = (char *)option;
	argv[n++] = (char *)"-i";
	argv[n++] = image;
	if (a)
		argv[n++] = (char *)a;
	if (b)
		argv[n++] = (char *)b;
	argv[n] = NULL;
	ok = run_command(argv, keep, r);
	if (r->exit_code == 127)
		snprintf(f->error, sizeof(f->error), "%s could not be run: install mtools",
			 program);
	else if (!ok)
		snprintf(f->error, sizeof(f->error), "%s", r->err[0] ? r->err : "mtools failed");
	return ok;
}

static void mtools_path(char out[FATFS_PATH_BYTES + 8], const char *path)
{
	snprintf(out, FATFS_PATH_BYTES + 8, "::/%s", path);
}

static enum status call(struct fatfs *f, const char *program, const char *option, const char *path,
			const char *to)
{
	char a[FATFS_PATH_BYTES + 8], b[FATFS_PATH_BYTES + 8];
	struct run_output r;
	bool ok;

	mtools_path(a, path);
	if (to)
		mtools_path(b, to);
	ok = mtool(f, program, option, a, to ? b : NULL, -1, &r);
	free(r.out);
	return ok && !fsync(f->host->fd) ? ST_OK : ST_IO;
}

enum status fatfs_open(struct fatfs *f, const struct hostdisk *host, uint64_t offset_bytes)
{
	struct run_output r;
	bool ok;

	memset(f, 0, sizeof(*f));
	f->host = host;
	f->offset_bytes = offset_bytes;
	setenv("MTOOLS_SKIP_CHECK", "1", 1);
	setenv("MTOOLSRC", "/dev/null", 1);
	ok = mtool(f, "mdir", "-ab", "::/", NULL, -1, &r);
	/* A file system without any file: mdir calls that a failure, too. */
	if (!ok && r.exit_code == 1 && strstr(r.err, "not found"))
		ok = true;
	free(r.out);
	if (ok)
		return ST_OK;
	return r.exit_code == 127 ? ST_UNSUPPORTED : ST_ABSENT;
}

/* The listing of a directory, one entry a line as "::/DIR/NAME", directories with "/" at the end.
 */
static enum status list(struct fatfs *f, const char *dir, struct run_output *r)
{
	char a[FATFS_PATH_BYTES + 8];

	mtools_path(a, dir);
	if (mtool(f, "mdir", "-ab", a, NULL, -1, r))
		return ST_OK;
	if (r->exit_code == 1 && strstr(r->err, "not found"))
		return ST_ABSENT;
	return ST_IO;
}

static void split(const char *path, char dir[FATFS_PATH_BYTES], const char **last)
{
	const char *slash = strrchr(path, '/');

	*last = slash ? slash + 1 : path;
	snprintf(dir, FATFS_PATH_BYTES, "%.*s", slash ? (int)(slash - path) : 0, path);
}

enum status fatfs_lookup(struct fatfs *f, const char *path, enum fatfs_kind *kind,
			 char name[FATFS_PATH_BYTES])
{
	char dir[FATFS_PATH_BYTES], *line, *save = NULL;
	const char *last;
	struct run_output r;
	enum status st;

	*kind = FATFS_NONE;
	split(path, dir, &last);
	if (*dir) {
		enum fatfs_kind up;

		/* mdir lists a file as well, so each step is asked of the one above. */
		st = fatfs_lookup(f, dir, &up, NULL);
		if (st != ST_OK || up != FATFS_DIR)
			return st;
	}
	st = list(f, dir, &r);
	for (line = r.out ? strtok_r((char *)r.out, "\n", &save) : NULL; line && st == ST_OK;
	     line = strtok_r(NULL, "\n", &save)) {
		size_t n = strlen(line);
		bool is_dir = n && line[n - 1] == '/';
		const char *slash;

		if (is_dir)
			line[n - 1] = 0;
		slash = strrchr(line, '/');
		if (!slash || strcasecmp(slash + 1, last))
			continue;
		*kind = is_dir ? FATFS_DIR : FATFS_FILE;
		if (name)
			snprintf(name, FATFS_PATH_BYTES, "%s", slash + 1);
	}
	free(r.out);
	return st == ST_ABSENT ? ST_OK : st;
}

enum status fatfs_is_empty(struct fatfs *f, const char *path, bool *empty)
{
	struct run_output r;
	enum status st = list(f, path, &r);

	*empty = st == ST_ABSENT || (st == ST_OK && !r.out_bytes);
	free(r.out);
	return st == ST_ABSENT ? ST_OK : st;
}

enum status fatfs_read(struct fatfs *f, const char *path, uint8_t **data, size_t *n_bytes)
{
	char a[FATFS_PATH_BYTES + 8];
	struct run_output r;
	enum fatfs_kind kind;
	enum status st = fatfs_lookup(f, path, &kind, NULL);

	*data = NULL;
	*n_bytes = 0;
	if (st != ST_OK || kind != FATFS_FILE)
		return st == ST_OK ? ST_ABSENT : st;
	mtools_path(a, path);
	if (!mtool(f, "mcopy", NULL, a, "-", -1, &r)) {
		free(r.out);
		return ST_IO;
	}
	*data = r.out;
	*n_bytes = r.out_bytes;
	return ST_OK;
}

enum status fatfs_write(struct fatfs *f, const char *path, const void *data, size_t n_bytes)
{
	int fd = run_memory_file(data, n_bytes);
	char from[32], to[FATFS_PATH_BYTES + 8];
	struct run_output r;
	uint8_t *back;
	size_t back_bytes;
	enum status st;
	bool ok;

	if (fd < 0) {
		snprintf(f->error, sizeof(f->error), "out of memory");
		return ST_IO;
	}
	run_fd_path(fd, from);
	mtools_path(to, path);
	ok = mtool(f, "mcopy", "-o", from, to, fd, &r) && !fsync(f->host->fd);
	free(r.out);
	close(fd);
	if (!ok)
		return ST_IO;
	st = fatfs_read(f, path, &back, &back_bytes);
	if (st == ST_OK && (back_bytes != n_bytes || memcmp(back, data, n_bytes))) {
		snprintf(f->error, sizeof(f->error),
			 "what was read back differs from what was written");
		st = ST_CORRUPT;
	}
	free(back);
	return st;
}

enum status fatfs_mkdir(struct fatfs *f, const char *path)
{
	return call(f, "mmd", NULL, path, NULL);
}

enum status fatfs_rmdir(struct fatfs *f, const char *path)
{
	return call(f, "mrd", NULL, path, NULL);
}

enum status fatfs_delete(struct fatfs *f, const char *path)
{
	return call(f, "mdel", NULL, path, NULL);
}

enum status fatfs_rename(struct fatfs *f, const char *path, const char *to)
{
	return call(f, "mren", NULL, path, to);
}

/* The last line of mdir: "41 280 000 bytes free". */
enum status fatfs_free_bytes(struct fatfs *f, uint64_t *free_bytes)
{
	struct run_output r;
	const char *end, *p;
	bool listed = mtool(f, "mdir", NULL, "::/", NULL, -1, &r);

	*free_bytes = 0;
	end = r.out ? strstr((char *)r.out, " bytes free") : NULL;
	for (p = end; p && p > (char *)r.out && (isdigit((unsigned char)p[-1]) || p[-1] == ' ');)
		p--;
	for (; p && p < end; p++)
		if (isdigit((unsigned char)*p))
			*free_bytes = *free_bytes * 10 + (uint64_t)(*p - '0');
	free(r.out);
	if (end)
		return ST_OK;
	if (listed)
		snprintf(f->error, sizeof(f->error), "mdir did not say how much room is free");
	return ST_IO;
}
