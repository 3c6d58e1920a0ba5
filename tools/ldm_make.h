/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * Records of an LDM database: made anew as Windows Server 2008 R2 makes them, or copied
 * with some fields changed and all others as they were, byte by byte.
 */
#ifndef TOOLS_LDM_MAKE_H
#define TOOLS_LDM_MAKE_H

#include "tools/ldm_image.h"

/* A record being made. full: it did not fit; bytes then has no meaning. */
struct ldm_out {
	uint8_t data[LDM_RAW_BYTES];
	uint32_t bytes;
	bool full;
};

struct ldm_new_volume {
	uint32_t id;
	const char *name;
	const char *hint; /* drive letter, "" for none */
	uint8_t number;
	uint8_t part_type; /* as in an MBR: 07 */
	unsigned components;
	uint64_t tid, size_s512;
	struct guid guid;
};

void ldm_make_group(struct ldm_out *o, uint32_t id, const char *name, const char *guid_text);
void ldm_make_disk(struct ldm_out *o, uint32_t id, const char *name, const char *guid_text,
		   uint64_t tid);
void ldm_make_volume(struct ldm_out *o, const struct ldm_new_volume *v);
void ldm_make_component(struct ldm_out *o, uint32_t id, const char *name, uint32_t volume,
			unsigned partitions, uint64_t tid);
/* later: with the field that Windows has from Vista on. */
void ldm_make_partition(struct ldm_out *o, const char *name, const struct ldm_partition *p,
			uint64_t tid, bool later);

/* Copies. False: the record is not what it should be. */
bool ldm_copy_volume(struct ldm_out *o, const struct ldm_raw *r, unsigned components, uint64_t tid);
/* As a volume of its own: new identity, name and number, no drive letter, one component. */
bool ldm_copy_volume_anew(struct ldm_out *o, const struct ldm_raw *r, uint32_t id, const char *name,
			  uint8_t number, const struct guid *guid, uint64_t tid);
/* name NULL: as it was. It becomes ACTIVE, its flags go. */
bool ldm_copy_component(struct ldm_out *o, const struct ldm_raw *r, const char *name,
			uint32_t volume, uint64_t tid);
bool ldm_copy_partition(struct ldm_out *o, const struct ldm_raw *r, uint32_t flags, uint64_t tid);
bool ldm_copy_disk(struct ldm_out *o, const struct ldm_raw *r, uint32_t flags, uint64_t tid);

/* A volume's number, which Windows never gives twice. */
uint64_t ldm_volume_number(const struct ldm_raw *r);
/* How a partition was recorded: see ldm_make_partition(). */
bool ldm_partition_is_later(const struct ldm_raw *r);

#endif
