/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * What is to be written to make one FAT file system hold the tree of another. Source and target
 * are checked (fat_check.h), compared name by name and byte by byte, and the writes are rehearsed:
 * a plan that was made fits on the target.
 *
 * The two may differ in type, sector size, cluster size and size. Serial number, volume label and
 * boot sector of the target stay.
 */
#ifndef COMMON_FAT_PLAN_H
#define COMMON_FAT_PLAN_H

#include "common/fat_check.h"

/* What happens to one file or folder. Of the target: kept, changed, ...; of the source: created. */
enum fat_action {
	FAT_KEEP,    /* as it should be */
	FAT_CREATE,  /* is not there */
	FAT_REPLACE, /* other content, or a folder where a file should be, or so */
	FAT_TOUCH,   /* only times, attributes, or upper and lower case of its name differ */
	FAT_REMOVE,  /* the source has it not */
	FAT_LEAVE,   /* left out by the caller */
	FAT_ACTIONS,
};

/* What the caller decides of a path, for source and target alike. */
enum fat_policy {
	FAT_POLICY_CLONE,
	FAT_POLICY_LEAVE, /* neither cloned, nor removed from the target; nor what it holds */
	FAT_POLICY_LAST,  /* switched after all others, as \EFI\BOOT and *.cfg, *.conf always are */
};

enum fat_phase { FAT_COMPARING, FAT_WRITING, FAT_READING_BACK };

struct fat_plan_options {
	/* NULL: all are cloned. path as fat_walk() has it. */
	enum fat_policy (*policy)(void *ctx, const char *path, size_t bytes, bool folder);
	/* NULL: nobody is told. False: stop; what was done is safe, and a rerun finishes it. */
	bool (*progress)(void *ctx, enum fat_phase phase, uint64_t done_bytes, uint64_t of_bytes);
	void *ctx;
	bool keep_extra;      /* remove nothing from the target */
	bool trust_times;     /* same size and time: the content is not compared */
	bool target_dirty_ok; /* the target was left by a run that was cut: go on */
	bool source_dirty_ok; /* it is mounted, and was synced */
};

struct fat_plan {
	/* to be shown */
	struct {
		uint32_t files, folders;
		uint64_t bytes; /* of files */
	} count[FAT_ACTIONS];
	uint64_t write_bytes; /* of content */
	bool tidy; /* lost clusters, copies of the FAT, counts, the dirty mark: put right as well */
	enum fat_why why;
	bool why_source;           /* it is the source's fault, not the target's */
	char path[FAT_PATH_BYTES]; /* where; "" where in no file or folder */
	uint64_t missing_bytes;    /* FAT_NO_ROOM: so much more would do, about */
	/* how it is done */
	struct fat_tree from, to;
	struct fat_plan_options options;
	struct fat_arena arena;
	uint8_t *buf; /* two halves of half_bytes */
	uint32_t half_bytes;
	uint64_t written_bytes, read_back_bytes;
	struct fat_walk walk;
	struct fat_out *out;
	const struct fat_tree *tabled;
	uint32_t *table; /* of names */
	uint32_t table_mask;
};

/*
 * Work memory for trees of so many files and folders together: a guess, long names may need more
 * (FAT_NO_MEMORY).
 */
uint64_t fat_plan_memory(const struct fat *source, const struct fat *target, uint32_t entries);

/*
 * The whole tree. Other than ST_OK: p->why and p->path say why there is no plan. Nothing is
 * written. source, target and work must stay until the plan is no more needed.
 */
enum status fat_plan_clone(struct fat_plan *p, struct fat *source, struct fat *target,
			   const struct fat_plan_options *o, void *work, size_t work_bytes);

/* One file, whose content is in memory; folders on its way are made. Nothing is removed. */
enum status fat_plan_put(struct fat_plan *p, struct fat *target, const char *path, const void *data,
			 uint32_t bytes, uint32_t fat_time, const struct fat_plan_options *o,
			 void *work, size_t work_bytes);

/* One folder, and those on its way. Nothing is removed. */
enum status fat_plan_folder(struct fat_plan *p, struct fat *target, const char *path,
			    uint32_t fat_time, const struct fat_plan_options *o, void *work,
			    size_t work_bytes);

/*
 * One file is removed, or a folder with all that it holds. path: with long names. ST_ABSENT: it is
 * not there. Of the options policy, progress and keep_extra don't count.
 */
enum status fat_plan_drop(struct fat_plan *p, struct fat *target, const char *path,
			  const struct fat_plan_options *o, void *work, size_t work_bytes);

/* No write is needed. */
bool fat_plan_is_empty(const struct fat_plan *p);

struct fat_plan_item {
	enum fat_action action;
	bool folder;
	uint32_t bytes;    /* new size; of what is removed or left, the size it has */
	uint32_t fat_time; /* fat_entry's write_time */
	char path[FAT_PATH_BYTES];
	size_t path_bytes;
};

/* The items one by one; *at is 0 at the start. False: no more. A removed folder is one item. */
bool fat_plan_next(const struct fat_plan *p, uint32_t *at, struct fat_plan_item *item);

#endif
