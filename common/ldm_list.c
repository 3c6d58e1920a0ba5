/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "common/ldm_list.h"

const char *ldm_kind_name(uint8_t kind)
{
	static const char *const names[LDM_KIND_COUNT] = {
		[LDM_KIND_SIMPLE] = "simple",   [LDM_KIND_SPANNED] = "spanned",
		[LDM_KIND_STRIPED] = "striped", [LDM_KIND_MIRROR] = "mirror",
		[LDM_KIND_RAID5] = "raid5",     [LDM_KIND_OTHER] = "other",
	};

	return kind < LDM_KIND_COUNT ? names[kind] : "?";
}

const struct ldm_component *ldm_next_component(const struct ldm_db *db, const struct ldm_volume *v,
					       const struct ldm_component *prev)
{
	const struct ldm_component *best = NULL;

	for (unsigned i = 0; i < db->component_count; i++) {
		const struct ldm_component *c = &db->component[i];

		if (c->volume == v->id && (!prev || c->id > prev->id) &&
		    (!best || c->id < best->id))
			best = c;
	}
	return best;
}

/* By column, then by place, then by id: a total order, whatever the records say. */
static bool before(const struct ldm_partition *a, const struct ldm_partition *b)
{
	if (a->column != b->column)
		return a->column < b->column;
	if (a->offset_s512 != b->offset_s512)
		return a->offset_s512 < b->offset_s512;
	return a->id < b->id;
}

const struct ldm_partition *ldm_next_partition(const struct ldm_db *db,
					       const struct ldm_component *c,
					       const struct ldm_partition *prev)
{
	const struct ldm_partition *best = NULL;

	for (unsigned i = 0; i < db->partition_count; i++) {
		const struct ldm_partition *p = &db->partition[i];

		if (p->component == c->id && (!prev || before(prev, p)) &&
		    (!best || before(p, best)))
			best = p;
	}
	return best;
}

enum ldm_kind ldm_kind(const struct ldm_db *db, const struct ldm_volume *v)
{
	const struct ldm_component *c = ldm_next_component(db, v, NULL);

	if (!c || ldm_is_raid5(v) != (c->layout == LDM_RAID5))
		return LDM_KIND_OTHER;
	if (ldm_is_mirror(v))
		return LDM_KIND_MIRROR;
	if (ldm_is_raid5(v))
		return LDM_KIND_RAID5;
	if (v->components != 1)
		return LDM_KIND_OTHER;
	switch (c->layout) {
	case LDM_STRIPED: return LDM_KIND_STRIPED;
	case LDM_CONCATENATED: return c->partitions > 1 ? LDM_KIND_SPANNED : LDM_KIND_SIMPLE;
	default: return LDM_KIND_OTHER;
	}
}

uint8_t ldm_why_volume(const struct ldm_db *db, const struct ldm_volume *v)
{
	const struct ldm_component *c = NULL;
	uint8_t why = REASON_RECORDS; /* without any component */

	while ((c = ldm_next_component(db, v, c)) != NULL) {
		why = ldm_why_component(db, v, c);
		if (why)
			break;
	}
	return why;
}

enum ldm_compare ldm_compare(const struct ldm_db *a, const struct ldm_db *b)
{
	if (!guid_equal(&a->group, &b->group))
		return LDM_OTHER_GROUP;
	if (a->committed != b->committed)
		return a->committed < b->committed ? LDM_OLDER : LDM_NEWER;
	if (a->check != b->check || (a->raw && b->raw && a->raw != b->raw))
		return LDM_DIFFERENT;
	return LDM_SAME;
}
