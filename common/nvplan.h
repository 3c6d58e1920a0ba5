/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * A change of boot entries as a plan: what is written, updated and removed, and the boot order
 * that shall be. nvverb.c makes it, nvsay.c shows it, nvwrite.c carries it out.
 */
#ifndef COMMON_NVPLAN_H
#define COMMON_NVPLAN_H

#include "common/nvpart.h"
#include "common/nvram.h"

enum nvplan_act { NVPLAN_ADD, NVPLAN_UPDATE, NVPLAN_REMOVE };

struct nvplan_change {
	enum nvplan_act act;
	unsigned number, from; /* from: the entry that it is a copy of; NVRAM_NONE: no other's */
	const uint8_t *data;   /* what is to be written */
	size_t bytes;
	struct bootentry e; /* points into data; of a removed one: into what is there */
};

/* What a person should know of the plan: common/nvsay.c has the sentences. */
enum nvnote_kind {
	NVNOTE_AUTOMATIC,      /* number: made by the firmware */
	NVNOTE_NOT_ESP,        /* part */
	NVNOTE_NO_LOADER,      /* e, part: not there yet */
	NVNOTE_LOADER_UNKNOWN, /* e, part: can't be told */
	NVNOTE_NEXT,           /* number: BootNext names it */
	NVNOTE_CURRENT,        /* number: BootCurrent does */
	NVNOTE_GONE,           /* e: its partition is not here */
	NVNOTE_TWICE,          /* e: it is there twice */
};

struct nvnote {
	enum nvnote_kind kind;
	unsigned number;
	const struct bootentry *e;
	const struct nvpart *part;
};

/* An entry and what was, or is to be, made of it. */
struct nvpair {
	unsigned from, to;
};

struct nvplan {
	const struct nvram *now;
	const struct nvparts *parts;
	unsigned count, notes, pairs;
	unsigned room; /* of each of these three */
	struct nvplan_change *change;
	struct nvnote *note;
	struct nvpair *pair;
	unsigned order_count, order_room; /* the boot order as it shall be */
	uint16_t *order;
	bool order_changes;
	bool incomplete; /* not all that should be done can be done now */
	bool full;       /* the room was not enough: the plan is of no use */
	uint8_t *pool;   /* for the data of changes */
	size_t pool_bytes, pool_used;
};

#define NVPLAN_NAME_UNITS 512 /* of a text that is put behind a name, or in its place */

/*
 * The memory that a plan needs, at most: for these entries, and a record of so many items that
 * have so many bytes of data.
 */
size_t nvplan_bytes(const struct nvram *now, unsigned items, size_t item_bytes);

/* memory: so many bytes, at a multiple of 8. */
void nvplan_start(struct nvplan *p, const struct nvram *now, const struct nvparts *parts,
		  unsigned items, void *memory, size_t bytes);

/* Is this number free? */
bool nvplan_is_free(const struct nvplan *p, unsigned number);
/*
 * The lowest number that neither an entry nor the plan has, nor the boot order or BootNext names;
 * NVRAM_NONE: all are taken.
 */
unsigned nvplan_free_number(const struct nvplan *p);

/* What is written: e for another partition. more: behind its name; name: in its place; or NULL. */
struct nvtext {
	const uint16_t *unit;
	size_t units;
};
void nvplan_add(struct nvplan *p, enum nvplan_act act, unsigned number, unsigned from,
		const struct bootentry *e, const struct bootentry_hd *hd, const struct nvtext *more,
		const struct nvtext *name);
void nvplan_remove(struct nvplan *p, const struct nventry *e);

void nvplan_note(struct nvplan *p, struct nvnote note);
void nvplan_note_loader(struct nvplan *p, const struct nvpart *part, const struct bootentry *e);
void nvplan_pair(struct nvplan *p, unsigned from, unsigned to);
bool nvplan_is_paired(const struct nvplan *p, unsigned number); /* on either side */

/* Where it is in the order as it shall be; -1: not there. */
int nvplan_place(const struct nvplan *p, unsigned number);
/* Put it there; what is at this place and behind it moves. */
void nvplan_put(struct nvplan *p, unsigned number, unsigned place);

static inline bool nvplan_is_empty(const struct nvplan *p)
{
	return p->count == 0 && !p->order_changes;
}

/* What there will be when all is written: entry[] and order[] have room for both together. */
void nvplan_after(const struct nvplan *p, struct nvram *after);

#endif
