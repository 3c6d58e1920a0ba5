/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * What is on an EFI system partition: its manifest, every file with its hash, and what the one
 * says of the other. The memory is the caller's: espfiles_memory() bytes of it.
 */
#ifndef COMMON_ESPFILES_H
#define COMMON_ESPFILES_H

#include "common/fat.h"
#include "common/manifest.h"

struct espfiles_file {
	_Alignas(8) struct manifest_file f; /* a row of these is taken piece by piece */
	uint8_t status;  /* enum status of reading it; a folder that can't be read is here too */
	uint8_t verdict; /* enum manifest_verdict, where there is a manifest that is complete */
	bool left;       /* the caller's: left out of a clone */
};

struct espfiles {
	/* the manifest that is there */
	enum status status; /* OK, ABSENT, CORRUPT, UNSUPPORTED, IO */
	struct manifest old;
	bool is_complete; /* it lists files */
	/* the files, in the order of the folders */
	struct espfiles_file *file;
	struct espfiles_file **sorted; /* by path */
	uint32_t count;
	uint64_t bytes;
	/* by that manifest: */
	uint32_t verdicts[MANIFEST_UNLISTED + 1]; /* files of each */
	uint32_t missing;                         /* listed, and not there */
	bool same;    /* nothing differs, times neither: this manifest needs no other */
	bool updated; /* files that are not ours differ */
};

/* Told how many bytes were read since. False: stop. */
typedef bool espfiles_progress(void *ctx, uint64_t bytes);

/* Walks through the folders once. *read_bytes: that espfiles_look() is going to read. */
uint64_t espfiles_memory(struct fat *f, struct fat_walk *w, uint64_t *read_bytes);

/* ST_FULL: not memory enough. ST_ABSENT: stopped. What can't be read is no failure. */
enum status espfiles_look(struct espfiles *e, struct fat *f, void *work, uint64_t work_bytes,
			  struct fat_walk *w, espfiles_progress *progress, void *ctx);

/* By path; NULL: not there, or not covered. */
const struct espfiles_file *espfiles_find(const struct espfiles *e, const char *path, size_t bytes);

/* Room that a manifest of these files takes. */
uint64_t espfiles_manifest_bytes(const struct espfiles *e);

/* The first file that can't be read, or is damaged by the manifest; NULL: none. */
const struct espfiles_file *espfiles_damaged(const struct espfiles *e);

#endif
