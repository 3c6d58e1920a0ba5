/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* Boot entries and partitions to plan with. */
#ifndef TESTS_HELP_NV_H
#define TESTS_HELP_NV_H

#include "common/nvsay.h"

#define HELP_NV_ENTRIES 16
#define HELP_NV_PARTS   4

struct help_nv {
	struct nvram all;
	struct nventry entry[HELP_NV_ENTRIES];
	uint16_t order[HELP_NV_ENTRIES];
	uint8_t data[HELP_NV_ENTRIES][256];
	struct nvparts parts; /* the callbacks want the whole: container of this */
	struct nvpart part[HELP_NV_PARTS];
	unsigned part_count;
	enum status loader; /* what loader() says */
	struct nvplan plan;
	struct nvfail fail;
	_Alignas(8) uint8_t memory[65536];
	char text[8192];
};

/* Partitions 0.. are ESPs, each with a place of its own. */
void help_nv_start(struct help_nv *h, unsigned parts);
struct guid help_nv_guid(unsigned part);

/* \X on a partition, X the file's one letter; data: of the entry. part -1: a device. */
void help_nv_entry(struct help_nv *h, unsigned number, const char *name, int part, char file,
		   const char *data);
/* The boot order, up to -1; and all is arranged. */
void help_nv_order(struct help_nv *h, ...);

/* A plan for it, in so much memory. */
void help_nv_plan(struct help_nv *h, unsigned items, size_t item_bytes, size_t room);

/* Has it this name, on this partition as it is, this file, these data? */
bool help_nv_is(const struct help_nv *h, const struct bootentry *e, const char *name, unsigned part,
		char file, const char *data);
/* "0 3 1": the order as it shall be. */
const char *help_nv_planned(struct help_nv *h);

#endif
