/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * The boot entries of a firmware: Boot####, BootOrder and what belongs to them, as they were read
 * all at once. Who reads them gives the memory: Linux' efivarfs (tools/entries.c) or the
 * firmware itself (efi/nvstore.c).
 */
#ifndef COMMON_NVRAM_H
#define COMMON_NVRAM_H

#include "common/bootentry.h"

#define NVRAM_NONE       0x10000u /* no entry's number */
#define NVRAM_PLAIN      7u       /* attributes: kept, for boot services, for a running system */
#define NVRAM_NAME_BYTES 9        /* "Boot0001" */

struct nventry {
	unsigned number;
	uint32_t attributes; /* of the variable */
	const uint8_t *data; /* NULL: it could not be read */
	size_t bytes;
	int error;          /* it could not be read: the store's number of why; 0: it could */
	enum status status; /* ST_IO then; ST_CORRUPT: what was read is no boot entry */
	struct bootentry e; /* with ST_OK only; points into data */
	int place;          /* in the boot order, from 0; -1: not there */
};

struct nvram {
	unsigned count;
	struct nventry *entry; /* by number */
	unsigned order_count;
	uint16_t *order; /* may name entries that are not there */
	bool has_order;
	uint32_t order_attributes;
	unsigned current, next; /* NVRAM_NONE: not said */
	int timeout;            /* seconds; -1: not said */
};

void nvram_name(unsigned number, char name[NVRAM_NAME_BYTES]);

/* "Boot" and four digits, upper case as the specification has them; NVRAM_NONE: another name. */
unsigned nvram_number(const char *name);

/* NULL: there is none. */
const struct nventry *nvram_find(const struct nvram *all, unsigned number);

/* The next entry is what was read, in data: see what it is. */
void nvram_look(struct nventry *e);

/* BootOrder's bytes into order[], which has room. False: an odd number of them. */
bool nvram_take_order(struct nvram *all, const void *data, size_t bytes);

/* Sort the entries by number, and say of each where it is in the order. */
void nvram_arrange(struct nvram *all);

/* Do both have the same entries, byte for byte, in the same order? */
bool nvram_equal(const struct nvram *a, const struct nvram *b);

/* Both on the same partition, and the same program with the same data? */
bool nvram_alike(const struct bootentry *a, const struct bootentry *b);
bool nvram_same_name(const struct bootentry *a, const struct bootentry *b);

#endif
