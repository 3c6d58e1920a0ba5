/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * probe: from a disk's database to members. A mirror is a volume of two components or
 * more; each is a leg. A disk is asked for those of its own partitions that belong to
 * one, by its own copy of the database, so that copies that differ are judged against
 * each other, as members of every format are.
 */
#include "common/ldm_probe.h"

#include "common/gpt.h"
#include "common/mem.h"
#include "common/range.h"

static uint8_t why_volume(const struct ldm_db *db, const struct ldm_volume *v)
{
	const uint32_t bad = LDM_VOLUME_CRASHED | LDM_VOLUME_KDETACH | LDM_VOLUME_PENDING;
	uint32_t n = 0;

	for (unsigned i = 0; i < db->component_count; i++)
		n += db->component[i].volume == v->id;
	if (v->odd || n != v->components)
		return REASON_RECORDS;
	return !ldm_is_active(v->state) || (v->flags & bad) ? REASON_VOLUME_STATE : REASON_NONE;
}

static uint8_t why_partition(const struct ldm_db *db, const struct ldm_partition *p)
{
	const uint32_t bad_disk = LDM_DISK_FAILING | LDM_DISK_REMOVED | LDM_DISK_DETACHED;
	const struct ldm_disk *d = ldm_db_disk(db, p->disk);

	if (!d || d->odd || p->odd)
		return REASON_RECORDS;
	if (p->flags & (LDM_PARTITION_RECOVER | LDM_PARTITION_KDETACH))
		return REASON_PARTITION_STATE;
	return d->flags & bad_disk ? REASON_DISK_STATE : REASON_NONE;
}

/* The partition of a component that holds its data from offset on. */
static const struct ldm_partition *piece_at(const struct ldm_db *db, uint32_t component,
					    uint64_t offset_s512)
{
	for (unsigned i = 0; i < db->partition_count; i++)
		if (db->partition[i].component == component &&
		    db->partition[i].offset_s512 == offset_s512 && db->partition[i].size_s512 > 0)
			return &db->partition[i];
	return NULL;
}

/* Its pieces, one after the other, are as large as the volume, and there are no others. */
static bool pieces_fit(const struct ldm_db *db, const struct ldm_volume *v,
		       const struct ldm_component *c)
{
	uint64_t at_s512 = 0;
	uint32_t n = 0;

	for (unsigned i = 0; i < db->partition_count; i++)
		n += db->partition[i].component == c->id;
	if (n != c->partitions)
		return false;
	for (; n > 0; n--) {
		const struct ldm_partition *p = piece_at(db, c->id, at_s512);

		if (!p || p->size_s512 > UINT64_MAX - at_s512)
			return false;
		at_s512 += p->size_s512;
	}
	return at_s512 >= v->size_s512;
}

uint8_t ldm_why_component(const struct ldm_db *db, const struct ldm_volume *v,
			  const struct ldm_component *c)
{
	const uint32_t bad = LDM_COMPONENT_RECOVER | LDM_COMPONENT_IOFAIL | LDM_COMPONENT_PENDING;
	uint8_t why = why_volume(db, v);

	if (why)
		return why;
	if (c->odd)
		return REASON_RECORDS;
	if (!ldm_is_active(c->state) || (c->flags & bad))
		return REASON_COMPONENT_STATE;
	for (unsigned i = 0; i < db->partition_count && !why; i++)
		if (db->partition[i].component == c->id)
			why = why_partition(db, &db->partition[i]);
	return why;
}

/* As of any component; and one that we can read as a leg. */
static uint8_t why_leg(const struct ldm_db *db, const struct ldm_volume *v,
		       const struct ldm_component *c)
{
	uint8_t why = ldm_why_component(db, v, c);

	if (why)
		return why;
	if (c->layout != LDM_CONCATENATED || c->columns > 1)
		return REASON_STRIPED;
	return pieces_fit(db, v, c) ? REASON_NONE : REASON_RECORDS;
}

static unsigned number_of(const struct ldm_db *db, const struct ldm_component *c)
{
	unsigned n = 0;

	for (unsigned i = 0; i < db->component_count; i++)
		n += db->component[i].volume == c->volume && db->component[i].id < c->id;
	return n;
}

_Static_assert(LDM_COMPONENTS <= MEMBER_ROLES, "each has its place in the map");

/* The map of all legs, and among them the member's own. */
static void make_roles(const struct ldm_db *db, const struct ldm_volume *v,
		       const struct ldm_component *own, struct member *m)
{
	for (unsigned i = 0; i < db->component_count; i++) {
		const struct ldm_component *c = &db->component[i];
		unsigned n = number_of(db, c);
		uint8_t why;

		if (c->volume != v->id)
			continue;
		why = why_leg(db, v, c);
		m->roles[n] = why ? ROLE_FAULTY : (uint16_t)n;
		m->role_count++;
		if (c != own)
			continue;
		m->dev_number = n;
		m->role = m->roles[n];
		m->why.code = why;
	}
}

static void add_hole(struct member *m, uint64_t start_s512, uint64_t len_s512)
{
	if (len_s512)
		m->hole[m->hole_count++] = (struct hole){start_s512, len_s512};
}

/* A piece of a leg that lies on this disk. */
static void make_member(const struct ldm_db *db, const struct ldm_volume *v,
			const struct ldm_component *c, const struct ldm_partition *p,
			struct member *m)
{
	uint64_t end_s512 = p->offset_s512 + min_u64(p->size_s512, v->size_s512 - p->offset_s512);

	memset(m, 0, sizeof(*m));
	m->format = FORMAT_LDM;
	m->set_uuid = v->guid;
	m->level = 1;
	m->events = db->committed;
	m->check = db->check;
	m->raw_check = db->raw;
	memcpy(m->name, v->name, sizeof(m->name));
	make_roles(db, v, c, m);
	m->raid_disks = m->role_count;
	if (db->log)
		m->flags |= MEMBER_DIRTY;
	if (db->log & LDM_LOG_DETACH)
		m->flags |= MEMBER_SURVIVOR;
	m->data_s512 = v->size_s512;
	/* Where the leg would begin, were it all here: modulo 2^64. */
	m->data_start_s512 = -p->offset_s512;
	add_hole(m, 0, p->offset_s512);
	add_hole(m, end_s512, v->size_s512 - end_s512);
	if (m->hole_count)
		m->flags |= MEMBER_PIECE;
	if (m->why.code == REASON_STRIPED || m->why.code == REASON_RECORDS)
		m->status = ST_UNSUPPORTED;
}

bool ldm_is_raid5(const struct ldm_volume *v)
{
	return memcmp(v->type, "raid5", 6) == 0;
}

bool ldm_is_mirror(const struct ldm_volume *v)
{
	return v->components >= 2 && memcmp(v->type, "gen", 4) == 0;
}

static bool is_on(const struct ldm_db *db, const struct ldm_partition *p,
		  const struct guid *disk_guid)
{
	const struct ldm_disk *on = ldm_db_disk(db, p->disk);

	return on && guid_equal(&on->guid, disk_guid);
}

/* The mirror to which a partition belongs, with its component in *c; NULL: to none. */
static const struct ldm_volume *mirror_of(const struct ldm_db *db, const struct ldm_partition *p,
					  const struct ldm_component **c)
{
	const struct ldm_volume *v;

	*c = ldm_db_component(db, p->component);
	v = *c ? ldm_db_volume(db, (*c)->volume) : NULL;
	return v && ldm_is_mirror(v) && p->offset_s512 < v->size_s512 ? v : NULL;
}

/* Where a piece is, and whether this disk has room for it. */
static void place(struct member *m, const struct ldm_partition *p, const struct disk *d,
		  const struct ldm_head *h)
{
	unsigned shift = d->shift - 9u;

	m->sectors_lba = p->size_s512 >> shift;
	m->start_lba = h->public_lba + (p->start_s512 >> shift);
	if (!range_ok(p->start_s512 >> shift, m->sectors_lba, h->public_sectors) ||
	    !range_ok(h->public_lba, h->public_sectors, d->sectors)) {
		m->status = ST_CORRUPT;
		m->why = (struct reason){REASON_TRUNCATED, disk_s512(d, d->sectors),
					 disk_s512(d, m->start_lba) + p->size_s512};
		m->start_lba = m->sectors_lba = 0;
	} else if (!disk_s512_aligned(d, p->start_s512 | p->offset_s512 | p->size_s512)) {
		m->status = ST_UNSUPPORTED;
		m->why = (struct reason){REASON_MISALIGNED, p->start_s512, 0};
	}
}

bool ldm_members(const struct ldm_db *db, const struct guid *disk_guid, const struct disk *d,
		 const struct ldm_head *h, unsigned *at, struct member *m)
{
	while (*at < db->partition_count) {
		const struct ldm_partition *p = &db->partition[(*at)++];
		const struct ldm_component *c;
		const struct ldm_volume *v = mirror_of(db, p, &c);

		if (!v || !is_on(db, p, disk_guid))
			continue;
		make_member(db, v, c, p, m);
		m->device_uuid = *disk_guid;
		place(m, p, d, h);
		return true;
	}
	return false;
}

unsigned ldm_others(const struct ldm_db *db, const struct guid *disk_guid)
{
	const struct ldm_component *c;
	unsigned n = 0;

	for (unsigned i = 0; i < db->partition_count; i++)
		n += is_on(db, &db->partition[i], disk_guid) &&
		     !mirror_of(db, &db->partition[i], &c);
	return n;
}

bool ldm_owns(const struct part_list *list, const struct part *part)
{
	return list->table == PART_TABLE_MBR
		       ? part->mbr_type == LDM_MBR_TYPE
		       : guid_equal(&part->type, &gpt_type_ldm_data) ||
				 guid_equal(&part->type, &gpt_type_ldm_metadata);
}

enum status ldm_probe(struct ldm_probe *p, const struct disk *d, const struct part_list *list,
		      uint8_t *buf)
{
	enum status st = ldm_head_read(d, list, &p->head, buf);

	return st == ST_OK ? ldm_db_read(d, &p->head, &p->db, &p->scratch) : st;
}
