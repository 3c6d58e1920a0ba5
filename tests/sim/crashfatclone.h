/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * A clone of one FAT file system to another, both in memory: what is there before and after, the
 * clone as the tool does it, and what may be seen of it at any moment. Beyond that: it fails.
 */
#ifndef TESTS_SIM_CRASHFATCLONE_H
#define TESTS_SIM_CRASHFATCLONE_H

#include "tests/sim/crashwrong.h"
#include "common/fat_plan.h"

#include <setjmp.h>

#define CRASHFATCLONE_TEXT 8192u

enum { NONE = -1 }; /* bytes of what is not there */

/* What is there before and after: bytes, and a seed that the content is made from. */
struct item {
	const char *path;
	int old_bytes, old_seed, new_bytes, new_seed;
	bool last; /* decides what is booted */
};

enum text { TEXT_OLD, TEXT_UPDATING, TEXT_NEW, TEXTS };

struct scene {
	const char *name;
	const struct item *item;
	unsigned items;
	unsigned type; /* of the target */
	uint32_t cluster_bytes;
	uint32_t sectors, source_sectors;
	bool manifests; /* it is cloned as the tool does it */
	unsigned spare; /* flushes that nothing needs in this scene */
	struct disk source;
	uint8_t *source_image, *copy;
	char text[TEXTS][CRASHFATCLONE_TEXT];
	size_t text_bytes[TEXTS];
	unsigned states, old, new, fscks;
	bool ended;   /* what is looked at is what a run that has returned left */
	bool looking; /* for something wrong: it is no failure */
	jmp_buf found;
};

/* The last target that was looked at. */
extern struct fat crashfatclone_target;

/* The source, and what is on the target before, whose disk is a crashfat_disk(). */
void crashfatclone_make(struct scene *s, struct disk *target);

/* crashfatclone_target: each file is old or new, and all that may not be before something else. */
void crashfatclone_judge(struct scene *s, const char *what);

/* Is anything of it as only the new one is? */
bool crashfatclone_is_begun(const struct scene *s);
/* NULL, or a path at which it is not as the new one is. */
const char *crashfatclone_old(const struct scene *s);

/* As the tool does it. Was there anything to write? */
bool crashfatclone_run(struct scene *s, const struct disk *d, bool dirty_ok, const char *what);

/* The same; what goes wrong is told: FAT_FINE, or why. */
enum fat_why crashfatclone_try(struct scene *s, const struct disk *d);

#endif
