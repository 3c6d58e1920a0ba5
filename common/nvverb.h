/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * What the verbs of "entries" mean, as plans: clone, mirror, delete, repair. The same for the tool
 * on Linux and for mirrorboot.efi in a firmware.
 */
#ifndef COMMON_NVVERB_H
#define COMMON_NVVERB_H

#include "common/nvplan.h"

#define NVVERB_IDS 64

/* What is asked for. */
struct nvwant {
	struct guid from, to, on;
	bool has_from, has_to, has_on;
	struct nvtext append, name; /* of no units: not said */
	bool last;                  /* at the end of the boot order */
	bool force;
	unsigned id[NVVERB_IDS], ids;
};

/* Why there is no plan: common/nvsay.c has the sentences. */
enum nvwhy {
	NVWHY_NO_PARTITION, /* guid */
	NVWHY_TWICE,        /* guid */
	NVWHY_NO_SOURCE,    /* guid: no entry is on it */
	NVWHY_NUMBERS,
	NVWHY_NO_CURRENT,
	NVWHY_SAME,     /* number */
	NVWHY_NO_ENTRY, /* number */
	NVWHY_NONE_ON,
	NVWHY_EMPTY_ORDER,
	NVWHY_FULL,
};

struct nvfail {
	enum nvwhy why;
	unsigned number;
	struct guid guid;
};

/* An entry that there should be, whether it is there or not. */
struct nvitem {
	unsigned number; /* that it had last */
	bool in_order;
	const uint8_t *data;
	size_t bytes;
	struct bootentry e;
	const struct nventry *now; /* by nvverb_match(); NULL: it is gone */
	unsigned shall;            /* the number that it has or shall have */
};

/* Which entry is which item. */
void nvverb_match(struct nvitem *item, unsigned items, const struct nvram *all);

/* False: *f says why not, and the plan is of no use. */
bool nvverb_clone(struct nvplan *p, const struct nvwant *w, struct nvfail *f);
bool nvverb_mirror(struct nvplan *p, const struct nvwant *w, struct nvfail *f);

/* item: what would come back, matched. Those for which nvverb_is_dropped() shall not. */
bool nvverb_delete(struct nvplan *p, const struct nvwant *w, const struct nvitem *item,
		   unsigned items, struct nvfail *f);
bool nvverb_is_dropped(const struct nvplan *p, const struct nvwant *w, const struct nvitem *i);

/* In the order in which they shall be. */
bool nvverb_repair(struct nvplan *p, struct nvitem *item, unsigned items, struct nvfail *f);

#endif
