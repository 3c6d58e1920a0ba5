/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* probe: the members of dynamic disks, each by its own copy of the database. */
#include "common/survey.h"

#include "common/mem.h"
#include "common/range.h"

/* Members on a disk, by the database in s->ldm.db; its own, unless it is not to be trusted. */
static void add_dynamic(struct survey *s, unsigned disk, const struct ldm_head *own)
{
	struct survey_disk *found = &s->found[disk];
	struct member m;
	unsigned at = 0;

	while (ldm_members(&s->ldm.db, &own->disk, &s->disk[disk], own, &at, &m)) {
		if (found->dynamic == SURVEY_DYNAMIC_BROKEN) {
			m.status = ST_CORRUPT;
			m.why = (struct reason){REASON_DATABASE, 0, 0};
		}
		survey_add_member(s, &m, disk, 0, m.start_lba, m.sectors_lba);
	}
	found->other_parts = (uint8_t)min_u64(ldm_others(&s->ldm.db, &own->disk), UINT8_MAX);
}

/* A dynamic disk's members are in its database. What else it holds is probed as on any disk. */
static void probe_dynamic(struct survey *s, unsigned disk, const struct disk *d)
{
	struct survey_disk *found = &s->found[disk];
	enum status st = ldm_probe(&s->ldm, d, &s->parts, s->buf);

	if (st == ST_ABSENT)
		return;
	if (st != ST_OK) {
		found->dynamic = SURVEY_DYNAMIC_BROKEN;
		found->other_parts = 1; /* what it holds is not known */
		return;
	}
	found->dynamic = SURVEY_DYNAMIC;
	s->full |= s->ldm.db.full;
	/* What a disk says of the others counts when it is trusted. */
	if (!trust_names_disk(s, disk, &s->ldm.head.disk)) {
		add_dynamic(s, disk, &s->ldm.head);
		return;
	}
	found->group = s->ldm.db.group;
	found->committed = s->ldm.db.committed;
	found->prepared = s->ldm.db.prepared;
	found->committing = s->ldm.db.status == LDM_DB_COMMIT;
	add_dynamic(s, disk, &s->ldm.head);
}

/*
 * What lies on a disk whose own database is of no use is known from another of its
 * group, the newest: its legs are not read, but a person is told which they are.
 */
static void probe_broken(struct survey *s, unsigned disk)
{
	unsigned best = NO_DISK;
	struct ldm_head own;

	if (part_read(&s->disk[disk], &s->parts, s->buf) != ST_OK ||
	    ldm_head_read(&s->disk[disk], &s->parts, &own, s->buf) != ST_OK)
		return;
	for (unsigned i = 0; i < s->disk_count; i++)
		if (s->found[i].dynamic == SURVEY_DYNAMIC &&
		    guid_equal(&s->found[i].group, &own.group) &&
		    (best == NO_DISK || s->found[i].committed > s->found[best].committed))
			best = i;
	if (best != NO_DISK && part_read(&s->disk[best], &s->parts, s->buf) == ST_OK &&
	    ldm_probe(&s->ldm, &s->disk[best], &s->parts, s->buf) == ST_OK)
		add_dynamic(s, disk, &own);
}

const struct format_dynamic ldm_dynamic = {probe_dynamic, probe_broken, ldm_owns, ldm_judge};
