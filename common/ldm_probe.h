/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* From the databases of dynamic disks to members of mirrors. */
#ifndef COMMON_LDM_PROBE_H
#define COMMON_LDM_PROBE_H

#include "common/formats.h"
#include "common/ldm_db.h"
#include "common/member.h"

struct ldm_probe {
	struct ldm_head head;
	struct ldm_db db;
	struct ldm_scratch scratch;
};

/* Head and database of a disk. Status as of ldm_head_read(), then of ldm_db_read(). */
#define LDM_READS_MAX (LDM_HEAD_READS_MAX + LDM_DB_READS_MAX) /* whatever the disk says */
enum status ldm_probe(struct ldm_probe *p, const struct disk *d, const struct part_list *list,
		      uint8_t *buf);

/* The row of LDM in the table of formats (common/ldm_survey.c). */
extern const struct format_dynamic ldm_dynamic;

/* Pieces of legs that are not all here; databases of disks that have no leg. */
void ldm_judge(const struct survey *s, struct mirror *m, const struct member *newest);

/* Is this partition LDM's own: a place where its volumes or its database lie? */
bool ldm_owns(const struct part_list *list, const struct part *part);

/*
 * One by one, those partitions on the disk of this name that belong to mirrors, as the
 * database has them: *at is 0 at the start. h says where on disk d. False: no more.
 */
bool ldm_members(const struct ldm_db *db, const struct guid *disk_guid, const struct disk *d,
		 const struct ldm_head *h, unsigned *at, struct member *m);

/*
 * Why a component is not healthy, by its own and its volume's, partitions' and disks'
 * states and flags. An enum reason_code; REASON_NONE: it is.
 */
uint8_t ldm_why_component(const struct ldm_db *db, const struct ldm_volume *v,
			  const struct ldm_component *c);

bool ldm_is_raid5(const struct ldm_volume *v);
bool ldm_is_mirror(const struct ldm_volume *v); /* two components or more, and no RAID 5 */

/* Partitions on that disk that belong to volumes that are no mirrors. */
unsigned ldm_others(const struct ldm_db *db, const struct guid *disk_guid);

#endif
