/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* What there is to say of dynamic disks beside their mirrors. */
#include "tools/status_ldm.h"
#include "tools/say.h"
#include "common/ldm_list.h"
#include "common/range.h"

#include <stdlib.h>

/* A disk's own copy of the database, to be freed. NULL: basic, or it is of no use. */
static struct ldm_probe *open_database(const struct hostset *set, unsigned disk)
{
	struct part_list *parts;
	struct ldm_probe *p;
	uint8_t buf[DISK_SECTOR_BYTES];
	bool ok = false;

	if (set->survey.found[disk].dynamic != SURVEY_DYNAMIC)
		return NULL;
	parts = malloc(sizeof(*parts));
	p = malloc(sizeof(*p));
	if (parts && p)
		ok = part_read(&set->disk[disk], parts, buf) == ST_OK &&
		     ldm_probe(p, &set->disk[disk], parts, buf) == ST_OK;
	free(parts);
	if (ok)
		return p;
	free(p);
	return NULL;
}

/* Does a partition of this volume lie on the disk? */
static bool lies_on(const struct ldm_db *db, const struct ldm_volume *v, const struct guid *disk)
{
	for (unsigned i = 0; i < db->partition_count; i++) {
		const struct ldm_partition *p = &db->partition[i];
		const struct ldm_component *c = ldm_db_component(db, p->component);
		const struct ldm_disk *on = ldm_db_disk(db, p->disk);

		if (c && c->volume == v->id && on && guid_equal(&on->guid, disk))
			return true;
	}
	return false;
}

/* "Volume1 (simple), Raid1 (RAID-5)". False: there are none. */
static bool list_others(const struct ldm_probe *p, struct text *out)
{
	bool any = false;

	for (unsigned i = 0; i < p->db.volume_count; i++) {
		const struct ldm_volume *v = &p->db.volume[i];
		enum ldm_kind kind = ldm_kind(&p->db, v);

		if (kind == LDM_KIND_MIRROR || !lies_on(&p->db, v, &p->head.disk))
			continue;
		if (any)
			text_str(out, ", ");
		text_str(out, v->name);
		text_str(out, " (");
		text_str(out, ldm_kind_name((uint8_t)kind));
		text_char(out, ')');
		any = true;
	}
	return any;
}

char *status_ldm_sentence(const struct hostset *set, unsigned disk)
{
	struct say_text t, others;
	struct ldm_probe *p;

	if (set->survey.found[disk].dynamic == SURVEY_BASIC)
		return NULL;
	say_text_init(&t);
	text_str(&t.text, "is a dynamic disk");
	p = open_database(set, disk);
	if (!p) {
		text_str(&t.text, " whose database can't be read or trusted");
		return t.buf;
	}
	say_text_init(&others);
	if (list_others(p, &others.text)) {
		text_str(&t.text, " with volumes that are not mirrors: ");
		text_str(&t.text, others.buf);
	} else {
		text_str(&t.text, " without volumes");
	}
	free(others.buf);
	free(p);
	return t.buf;
}

uint64_t status_ldm_free_s512(const struct hostset *set, unsigned disk)
{
	struct ldm_probe *p = open_database(set, disk);
	uint64_t free_s512;

	if (!p)
		return 0;
	free_s512 = disk_s512(&set->disk[disk], p->head.public_sectors);
	for (unsigned i = 0; i < p->db.partition_count; i++) {
		const struct ldm_disk *on = ldm_db_disk(&p->db, p->db.partition[i].disk);

		if (on && guid_equal(&on->guid, &p->head.disk))
			free_s512 -= min_u64(free_s512, p->db.partition[i].size_s512);
	}
	free(p);
	return free_s512;
}
