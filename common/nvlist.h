/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* entries list: each boot entry, what is wrong with it, and the partitions it can be on. */
#ifndef COMMON_NVLIST_H
#define COMMON_NVLIST_H

#include "common/nvsay.h"

enum nvlist_fault {
	NVLIST_FINE,
	NVLIST_UNREADABLE,
	NVLIST_DAMAGED,
	NVLIST_PARTITION_MISSING,
	NVLIST_PARTITION_TWICE,
	NVLIST_PARTITION_MOVED,
	NVLIST_FILE_MISSING,
};

/* What is known of one entry. */
struct nvlist {
	const struct nventry *e;
	const struct nvpart *part; /* where it leads to; NULL: not here */
	enum nvlist_fault fault;
	bool recorded; /* the caller's to say */
};

void nvlist_look(const struct nventry *e, const struct nvparts *parts, struct nvlist *l);

/* Does its fault matter? What firmware never tries by itself is nobody's concern. */
bool nvlist_matters(const struct nvlist *l);

void nvlist_order(const struct nvram *all, struct text *out);
void nvlist_entry(const struct nvram *all, const struct nvlist *l, const struct nvparts *parts,
		  const struct nvstore *s, struct text *out);
void nvlist_part(const struct nvpart *p, struct text *out);

#endif
