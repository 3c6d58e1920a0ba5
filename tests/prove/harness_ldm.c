/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* Members from a database of which only the counts are known to fit the tables. */
#include "common/ldm_probe.h"

#include "common/ldm_list.h"

#include "tests/prove/prove.h"

static void any_db(struct ldm_db *db)
{
	ANY_BYTES(*db);
	db->volume_count = (uint16_t)any_below(LDM_VOLUMES + 1);
	db->component_count = (uint16_t)any_below(LDM_COMPONENTS + 1);
	db->partition_count = (uint16_t)any_below(LDM_PARTITIONS + 1);
	db->disk_count = (uint16_t)any_below(LDM_DISKS + 1);
}

static void list_volumes(const struct ldm_db *db)
{
	for (unsigned i = 0; i < db->volume_count; i++) {
		const struct ldm_volume *v = &db->volume[i];
		const struct ldm_component *c = ldm_next_component(db, v, NULL);

		ldm_kind_name((uint8_t)ldm_kind(db, v));
		ldm_why_volume(db, v);
		while (c) {
			const struct ldm_partition *p = ldm_next_partition(db, c, NULL);

			while (p)
				p = ldm_next_partition(db, c, p);
			c = ldm_next_component(db, v, c);
		}
	}
}

void prove_main(void)
{
	struct disk d = prove_disk(any_bool() ? DISK_SHIFT_MIN : DISK_SHIFT_MAX);
	struct ldm_db db, other;
	struct part_list list;
	struct ldm_head head;
	struct guid guid;
	struct member m;
	unsigned at = 0;

	any_db(&db);
	any_db(&other);
	ANY_BYTES(head);
	ANY_BYTES(guid);
	ANY_BYTES(list);
	while (ldm_members(&db, &guid, &d, &head, &at, &m))
		;
	ldm_others(&db, &guid);
	ldm_owns(&list, &list.part[any_below(PART_MAX)]);
	list_volumes(&db);
	ldm_compare(&db, &other);
}
