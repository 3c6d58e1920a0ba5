/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tools/entries_vars.h"

#include "tools/say.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define GLOBAL          "-8be4df61-93ca-11d2-aa0d-00e098032b8c"
#define ATTRIBUTE_BYTES 4
#define NEW             ".new"

#ifndef EFIVARFS_MAGIC
#define EFIVARFS_MAGIC 0xde5e81e4
#endif

static char *path_of(const struct entries_vars *v, const char *name, const char *more)
{
	char *path;

	if (asprintf(&path, "%s/%s" GLOBAL "%s", v->where, name, more) < 0)
		abort();
	return path;
}

static int folder_each(const struct entries_vars *v, void (*take)(void *arg, const char *name),
		       void *arg)
{
	DIR *dir = opendir(v->where);
	struct dirent *d;
	int rc;

	if (!dir)
		return errno;
	while (errno = 0, (d = readdir(dir))) {
		size_t n = strlen(d->d_name), end = strlen(GLOBAL);

		if (n <= end || strcasecmp(d->d_name + n - end, GLOBAL) != 0)
			continue;
		d->d_name[n - end] = 0;
		take(arg, d->d_name);
	}
	rc = errno;
	closedir(dir);
	return rc;
}

static int folder_get(const struct entries_vars *v, const char *name, struct entries_var *var)
{
	char *path = path_of(v, name, "");
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), rc = 0;
	size_t room = ATTRIBUTE_BYTES + ENTRIES_VAR_BYTES_MAX + 1, used = 0;
	uint8_t *buf;
	struct stat st;
	ssize_t n;

	free(path);
	if (fd < 0)
		return errno;
	buf = malloc(room);
	if (!buf)
		abort();
	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		rc = EINVAL;
	while (!rc && used < room && (n = read(fd, buf + used, room - used)) != 0) {
		if (n > 0)
			used += (size_t)n;
		else if (errno != EINTR)
			rc = errno;
	}
	close(fd);
	if (!rc && used == room)
		rc = EFBIG;
	if (!rc && used < ATTRIBUTE_BYTES)
		rc = EINVAL;
	if (rc) {
		free(buf);
		return rc;
	}
	memcpy(&var->attributes, buf, ATTRIBUTE_BYTES);
	var->bytes = used - ATTRIBUTE_BYTES;
	memmove(buf, buf + ATTRIBUTE_BYTES, var->bytes);
	var->data = buf;
	return 0;
}

/*
 * Linux makes variables that it does not know immutable, so that an rm -rf hurts less. The flag
 * that was there is given back; -1: there was none.
 */
static long make_mutable(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	long old = -1;
	int flags;

	if (fd < 0)
		return -1;
	if (!ioctl(fd, FS_IOC_GETFLAGS, &flags) && (flags & FS_IMMUTABLE_FL)) {
		old = flags;
		flags &= ~FS_IMMUTABLE_FL;
		if (ioctl(fd, FS_IOC_SETFLAGS, &flags))
			old = -1;
	}
	close(fd);
	return old;
}

static void make_immutable(const char *path, long old)
{
	int fd = old < 0 ? -1 : open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int flags = (int)old;

	if (fd < 0)
		return;
	/* Without it the variable is as good; only less well guarded. */
	(void)ioctl(fd, FS_IOC_SETFLAGS, &flags);
	close(fd);
}

/* All in one write(): for efivarfs that is one call of SetVariable(). */
static int write_file(const char *path, int flags, const void *bytes, size_t n, bool sync)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0644), rc = 0;
	ssize_t put;

	if (fd < 0)
		return errno;
	do
		put = write(fd, bytes, n);
	while (put < 0 && errno == EINTR);
	if (put < 0)
		rc = errno;
	else if ((size_t)put != n)
		rc = ENOSPC;
	else if (sync && fsync(fd))
		rc = errno;
	if (close(fd) && !rc)
		rc = errno;
	return rc;
}

static void sync_folder(const struct entries_vars *v)
{
	int fd = open(v->where, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return;
	fsync(fd);
	close(fd);
}

/* A file of a folder is replaced as a whole; a variable of a firmware can only be so. */
static int folder_set(const struct entries_vars *v, const char *name, uint32_t attributes,
		      const void *data, size_t bytes)
{
	char *path = path_of(v, name, ""), *other = path_of(v, name, NEW);
	uint8_t *all = malloc(ATTRIBUTE_BYTES + bytes);
	bool there = !access(path, F_OK);
	long flags = there ? make_mutable(path) : -1;
	int rc;

	if (!all)
		abort();
	memcpy(all, &attributes, ATTRIBUTE_BYTES);
	memcpy(all + ATTRIBUTE_BYTES, data, bytes);
	if (v->firmware) {
		rc = write_file(path, there ? 0 : O_EXCL, all, ATTRIBUTE_BYTES + bytes, false);
		/* What could not be written is an empty file, which nothing else removes. */
		if (rc && rc != EEXIST && !there)
			unlink(path);
	} else {
		rc = write_file(other, O_TRUNC, all, ATTRIBUTE_BYTES + bytes, true);
		if (!rc && rename(other, path))
			rc = errno;
		if (rc)
			unlink(other);
		else
			sync_folder(v);
	}
	make_immutable(path, flags);
	free(all);
	free(other);
	free(path);
	return rc;
}

static int folder_remove(const struct entries_vars *v, const char *name)
{
	char *path = path_of(v, name, "");
	long flags = make_mutable(path);
	int rc = unlink(path) ? errno : 0;

	if (rc)
		make_immutable(path, flags);
	else if (!v->firmware)
		sync_folder(v);
	free(path);
	return rc;
}

bool entries_vars_open(struct entries_vars *v, const char *folder)
{
	const char *env = getenv("MIRRORBOOT_EFIVARS");
	bool given = folder || env;
	struct statfs fs;
	struct stat st;

	*v = (struct entries_vars){
		.each = folder_each,
		.get = folder_get,
		.set = folder_set,
		.remove = folder_remove,
		.where = folder ? folder
			 : env  ? env
				: ENTRIES_VARS_FOLDER,
	};
	if (stat(v->where, &st) || statfs(v->where, &fs)) {
		int why = errno;

		if (why == ENOENT && !given)
			say_note("this machine was not started by UEFI, or %s is not mounted: "
				 "there are no boot entries to be seen",
				 ENTRIES_VARS_FOLDER);
		else
			say_about(v->where, "%s", strerror(why));
		return false;
	}
	if (!S_ISDIR(st.st_mode)) {
		say_about(v->where, "is no folder of variables");
		return false;
	}
	v->firmware = (unsigned long)fs.f_type == EFIVARFS_MAGIC;
	if (!given && !v->firmware) {
		say_about(v->where, "the firmware's variables are not mounted there: mount -t "
				    "efivarfs efivarfs " ENTRIES_VARS_FOLDER);
		return false;
	}
	return true;
}

const char *entries_vars_why(const struct entries_vars *v, int error)
{
	if (error == ENOSPC && v->firmware)
		return "the firmware's memory for variables is full (Linux keeps 5 KiB of it "
		       "free). "
		       "Often it is old crash reports that fill it: see /sys/fs/pstore, and delete "
		       "what is there; the firmware reclaims the room at the next start";
	if (error == EROFS && v->firmware)
		return "the firmware refuses to write it, or its variables are mounted read-only";
	if (error == EINVAL && v->firmware)
		return "the firmware refuses it (invalid parameter)";
	if (error == EACCES || error == EPERM)
		return "not allowed: run it as root";
	return strerror(error);
}
