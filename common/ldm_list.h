/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * A database as a person sees it: volumes with their layout and health, what each is
 * made of, and how one disk's copy compares with another's. For the tool; what boots
 * takes members (ldm_probe.h) only.
 *
 * One disk: part_read(), ldm_probe(), then p.head and p.db. All volumes are
 * p.db.volume[0] to p.db.volume[p.db.volume_count - 1]; disks, and so on, alike.
 */
#ifndef COMMON_LDM_LIST_H
#define COMMON_LDM_LIST_H

#include "common/ldm_probe.h"

enum ldm_kind {
	LDM_KIND_SIMPLE,
	LDM_KIND_SPANNED,
	LDM_KIND_STRIPED,
	LDM_KIND_MIRROR, /* two components or more, whatever each is made of */
	LDM_KIND_RAID5,
	LDM_KIND_OTHER, /* what its records say does not fit any of these */
	LDM_KIND_COUNT,
};

enum ldm_kind ldm_kind(const struct ldm_db *db, const struct ldm_volume *v);
const char *ldm_kind_name(uint8_t kind); /* "simple", "mirror" */

/*
 * The components of a volume, and the partitions of a component, in the order of their
 * ids, or of columns and offsets. prev: NULL at the start. NULL: there are no more.
 */
const struct ldm_component *ldm_next_component(const struct ldm_db *db, const struct ldm_volume *v,
					       const struct ldm_component *prev);
const struct ldm_partition *ldm_next_partition(const struct ldm_db *db,
					       const struct ldm_component *c,
					       const struct ldm_partition *prev);

/*
 * By this database alone, is the volume healthy? REASON_NONE when all its components are
 * (ldm_why_component() says of one); else the reason of the first that is not, or that
 * there are not as many as it should have. An enum reason_code.
 */
uint8_t ldm_why_volume(const struct ldm_db *db, const struct ldm_volume *v);

/* The copy of one disk beside another's. */
enum ldm_compare {
	LDM_SAME,
	LDM_OLDER, /* a has missed what b knows: what a says is not to be used */
	LDM_NEWER,
	LDM_DIFFERENT, /* of one transaction, and not alike: no telling which is right */
	LDM_OTHER_GROUP,
};

enum ldm_compare ldm_compare(const struct ldm_db *a, const struct ldm_db *b);

#endif
