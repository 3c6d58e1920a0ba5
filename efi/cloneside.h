/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* One EFI system partition of a clone: its file system, its files, its manifest. */
#ifndef EFI_CLONESIDE_H
#define EFI_CLONESIDE_H

#include "common/espfiles.h"
#include "common/espgen.h"
#include "common/fat_plan.h"
#include "efi/bar.h"
#include "efi/esplist.h"

struct cloneside {
	const struct esplist *list;
	struct esplist_esp *esp;
	struct bar *bar;
	enum status fat_status; /* of opening it */
	struct fat fat;
	struct espfiles files;
	/* of a file system that can't be used, or could not be written */
	enum fat_why why;
	char why_path[FAT_PATH_BYTES];
	struct fat_walk walk; /* scratch */
	void *work;           /* what files is in */
	uint64_t work_bytes;
};

/* Open the file system and read everything, anew each time. False: said. */
bool cloneside_look(struct cloneside *s);
void cloneside_forget(struct cloneside *s);

/* Follow every chain. False: s->why, s->why_path. */
bool cloneside_check(struct cloneside *s);

/* What the rule of generations asks. */
struct espgen_esp cloneside_facts(const struct cloneside *s, bool differs);

/* Write a manifest over what is there: of files that were just looked at. False: said. */
bool cloneside_put_manifest(struct cloneside *s, const struct espgen *g, uint32_t fat_time,
			    enum manifest_state state);

/* "ESP 2: " and the sentence. */
void cloneside_say(const struct cloneside *s, const char *sentence);
void cloneside_say_begin(const struct cloneside *s); /* "ESP 2: " */
void cloneside_say_why(const struct cloneside *s, const char *before);

/* Why reading a file failed: "could not be read". */
const char *cloneside_fault(enum status st);

/* Pages, as many as asked for; NULL: there are none. */
void *cloneside_memory(uint64_t bytes);

#define CLONESIDE_TRIES 8 /* of a plan, each with twice the memory */

#endif
