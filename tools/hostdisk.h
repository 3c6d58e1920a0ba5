/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * Block devices and image files as struct disk. Block devices are read past the
 * page cache (O_DIRECT): md writes its superblocks past it too, so that what the
 * cache has may be old.
 */
#ifndef TOOLS_HOSTDISK_H
#define TOOLS_HOSTDISK_H

#include "common/survey.h"
#include "tools/command.h"

#include <sys/types.h>

#define HOSTDISK_MIN_BYTES 65536 /* the smallest md member with data; below: no mirror */

struct hostdisk {
	const char *path; /* as given */
	int fd;
	bool block;
	dev_t rdev; /* block device */
	dev_t dev;  /* image: the file system it is on, and its inode there */
	ino_t ino;
	uint64_t bytes;
	uint8_t shift;
	void *bounce; /* O_DIRECT: aligned room; NULL: not needed */
};

/* All disks of a command line, and the survey of them. */
struct hostset {
	unsigned count;
	bool writable;
	struct hostdisk host[SURVEY_DISKS];
	struct disk disk[SURVEY_DISKS]; /* disk[i].ctx is &host[i] */
	struct trust trust;             /* what the next survey goes by; zeros: all are trusted */
	struct survey survey;
};

/*
 * Open every disk, and with write also lock each as a whole. Says what is wrong
 * with each (one line a disk). NULL then, and *exit_status is set; nothing was
 * written. Free with hostset_close().
 */
struct hostset *hostset_open(char **path, int count, unsigned sector_size, bool write,
			     int *exit_status);
void hostset_close(struct hostset *set);

/*
 * Survey the disks. EXIT_DONE when there is at least one mirror; else says for
 * each disk what it has instead, and gives EXIT_FAILED.
 */
int hostset_survey(struct hostset *set);

/* Is this path one of the disks, or a partition of one? Its index, or -1. */
int hostset_find(const struct hostset *set, const char *path);

#endif
