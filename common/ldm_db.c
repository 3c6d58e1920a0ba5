/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "common/ldm_db.h"

#include "common/crc32.h"
#include "common/ldm_wire.h"
#include "common/mem.h"
#include "common/range.h"

#define VBLK_BYTES   128 /* the only size that was ever seen */
#define VBLK_HEAD    16
#define HEAD_BYTES   512 /* of VMDB */
#define PAYLOAD      (VBLK_BYTES - VBLK_HEAD)
#define FIRST_NUMBER (HEAD_BYTES / VBLK_BYTES) /* VMDB takes the numbers before */
#define PIECES_MAX   (LDM_RECORD_BYTES / PAYLOAD)

/*
 * Tables are in the order of enum ldm_type, as are the counts of records that a database
 * states of itself.
 */
#define TABLE(member, max)                                                                         \
	{                                                                                          \
		offsetof(struct ldm_db, member), sizeof(((struct ldm_db *)0)->member[0]), max      \
	}
static const struct table {
	uint16_t at, row_bytes, max;
} tables[LDM_TABLES] = {
	TABLE(volume, LDM_VOLUMES),
	TABLE(component, LDM_COMPONENTS),
	TABLE(partition, LDM_PARTITIONS),
	TABLE(disk, LDM_DISKS),
};
_Static_assert(sizeof(struct ldm_db) < 65536, "places in it are 16 bits");
_Static_assert(LDM_DISK == LDM_TABLES, "disks are in the last table");

struct vmdb {
	uint8_t magic[4]; /* "VMDB" */
	be32 slots;       /* with those that this header takes */
	be32 slot_bytes;
	be32 head_bytes;
	be16 status;
	be16 major, minor;
	char group_name[31];
	char group[64];
	be64 committed, pending;
	be32 committed_count[LDM_TABLES], committed_access;
	be32 unknown[2];
	be32 pending_count[LDM_TABLES], pending_access;
};
_Static_assert(offsetof(struct vmdb, committed) == 0x75, "VMDB as seen");
_Static_assert(offsetof(struct vmdb, pending_count) == 0xa1, "VMDB as seen");

struct vblk {
	uint8_t magic[4]; /* "VBLK" */
	be32 number;
	be32 group; /* of pieces; 0: the slot is free */
	be16 piece, pieces;
	uint8_t payload[PAYLOAD];
};
_Static_assert(sizeof(struct vblk) == VBLK_BYTES, "VBLK is 128 bytes");

/* A record's status; 0: active. */
#define PENDING_DELETE 1
#define PENDING_ACTIVE 2

struct reader {
	const struct disk *disk;
	struct ldm_db *db;
	struct ldm_scratch *scratch;
	uint32_t counts[LDM_TABLES]; /* still to come */
	uint32_t slots;
	uint8_t also; /* the record status that counts beside "active" */
	bool cut;     /* an update was on its way */
};

static enum status open_db(struct reader *r, const struct ldm_head *h, uint32_t sectors)
{
	const struct vmdb *v = (const void *)r->scratch->chunk;
	struct ldm_db *db = r->db;
	bool commit;

	if (memcmp(v->magic, "VMDB", 4) != 0 || ldm_get(v->slot_bytes) != VBLK_BYTES ||
	    ldm_get(v->head_bytes) != HEAD_BYTES ||
	    !guid_from_text(&db->group, v->group, sizeof(v->group)) ||
	    !guid_equal(&db->group, &h->group))
		return ST_CORRUPT;
	r->slots = (uint32_t)ldm_get(v->slots);
	if (r->slots > sectors << (r->disk->shift - 7)) /* of 128 bytes */
		return ST_CORRUPT;
	ldm_text(db->group_name, sizeof(db->group_name), v->group_name, sizeof(v->group_name));
	db->status = (uint8_t)min_u64(ldm_get(v->status), UINT8_MAX);
	if (db->status < LDM_DB_CLEAN || db->status > LDM_DB_COMMIT)
		return ST_UNSUPPORTED;
	r->cut = db->status != LDM_DB_CLEAN;
	commit = db->status == LDM_DB_COMMIT;
	r->also = commit ? PENDING_ACTIVE : PENDING_DELETE;
	db->committed = ldm_get(commit ? v->pending : v->committed);
	if (db->status == LDM_DB_CHANGE)
		db->prepared = ldm_get(v->pending);
	if (!r->cut && ldm_get(v->pending) != db->committed)
		return ST_CORRUPT;
	for (unsigned i = 0; i < LDM_TABLES; i++)
		r->counts[i] =
			(uint32_t)ldm_get(commit ? v->pending_count[i] : v->committed_count[i]);
	return ST_OK;
}

static const struct ldm_object *find(const struct ldm_db *db, enum ldm_type type, uint32_t id)
{
	const struct table *t = &tables[type - 1];

	for (unsigned i = 0; i < db->count[type - 1] && i < t->max; i++) {
		const struct ldm_object *o =
			(const void *)((const uint8_t *)db + t->at + t->row_bytes * i);

		if (o->id == id)
			return o;
	}
	return NULL;
}

static enum status take_record(struct reader *r, const uint8_t *data, uint32_t bytes)
{
	struct ldm_db *db = r->db;
	const struct table *t;
	struct ldm_record rec;
	unsigned type;

	switch (ldm_record_parse(&rec, data, bytes)) {
	case ST_OK: break;
	case ST_ABSENT: return ST_OK;
	default: return ST_CORRUPT;
	}
	/* New records are written before the header says so: a cut there leaves it clean. */
	r->cut |= rec.status != 0;
	if (rec.status != 0 && rec.status != r->also)
		return ST_OK;
	/* A sum: the same records in other slots are the same view. Without the status. */
	db->check += crc32_update(0, data + 2, rec.bytes - 2);
	type = rec.type - 1u;
	if (type >= LDM_TABLES) /* the group: is not counted */
		return ST_OK;
	if (r->counts[type]-- == 0 || find(db, rec.type, rec.object.id))
		return ST_CORRUPT;
	t = &tables[type];
	if (db->count[type] >= t->max)
		db->full = true;
	else
		memcpy((uint8_t *)db + t->at + t->row_bytes * db->count[type]++, &rec.object,
		       t->row_bytes);
	return ST_OK;
}

/* A piece of a record: they may lie apart, and in any order. */
static enum status take_piece(struct reader *r, const struct vblk *b)
{
	uint32_t group = (uint32_t)ldm_get(b->group);
	unsigned piece = (unsigned)ldm_get(b->piece), pieces = (unsigned)ldm_get(b->pieces);
	struct ldm_pieces *p = NULL, *free = NULL;

	if (pieces > PIECES_MAX || piece >= pieces)
		return ST_CORRUPT;
	for (unsigned i = 0; i < LDM_PIECES; i++) {
		struct ldm_pieces *q = &r->scratch->pieces[i];

		if (q->count && q->group == group)
			p = q;
		else if (!q->count)
			free = q;
	}
	if (!p) {
		p = free;
		if (!p) {
			r->db->full = true;
			return ST_OK;
		}
		p->group = group;
		p->count = (uint16_t)pieces;
		p->seen = 0;
	}
	if (p->count != pieces || (p->seen >> piece & 1))
		return ST_CORRUPT;
	p->seen |= (uint16_t)(1u << piece);
	memcpy(p->data + piece * PAYLOAD, b->payload, PAYLOAD);
	if (p->seen != (1u << pieces) - 1)
		return ST_OK;
	p->count = 0;
	return take_record(r, p->data, pieces * PAYLOAD);
}

static enum status take_slot(struct reader *r, const struct vblk *b, uint32_t number)
{
	if (memcmp(b->magic, "VBLK", 4) != 0 || ldm_get(b->number) != number)
		return ST_CORRUPT;
	switch (ldm_get(b->pieces)) {
	case 0: return ST_OK;
	case 1: return ldm_get(b->piece) ? ST_CORRUPT : take_record(r, b->payload, PAYLOAD);
	default: return take_piece(r, b);
	}
}

static bool complete(const struct reader *r)
{
	for (unsigned i = 0; i < LDM_TABLES; i++)
		if (r->counts[i])
			return false;
	return true;
}

/*
 * Records lie close to the start of a region that is mostly free: reading ends when all
 * that the header counts have been seen.
 */
static enum status read_records(struct reader *r, const struct ldm_head *h)
{
	uint32_t per_chunk = LDM_CHUNK_BYTES >> r->disk->shift, slot = FIRST_NUMBER;
	uint32_t sectors = (uint32_t)min_u64(h->config_sectors, (LDM_DB_READS_MAX - 1) * per_chunk);
	enum status st;

	for (uint32_t at = 0; at < sectors; at += per_chunk) {
		uint32_t n = (uint32_t)min_u64(sectors - at, per_chunk);
		uint32_t bytes = n << r->disk->shift, off = at ? 0 : HEAD_BYTES;

		st = disk_read(r->disk, h->config_lba + at, n, r->scratch->chunk);
		if (st == ST_OK && at == 0)
			st = open_db(r, h, sectors);
		if (st != ST_OK)
			return st;
		r->db->raw = crc32_update(r->db->raw, r->scratch->chunk, bytes);
		for (; off < bytes && slot < r->slots; off += VBLK_BYTES, slot++) {
			st = take_slot(r, (const void *)(r->scratch->chunk + off), slot);
			if (st != ST_OK)
				return st;
		}
		if (complete(r))
			return ST_OK;
	}
	return r->db->full ? ST_OK : ST_CORRUPT;
}

#define KLOG_ENTRIES 20

struct klog {
	uint8_t magic[4]; /* "KLOG" */
	be64 transaction;
	be32 sequence;
	be32 pages, page;
	struct klog_entry {
		uint8_t status; /* 0: the end */
		be64 committed, pending;
		be32 recover;
		uint8_t pad[3];
	} entry[KLOG_ENTRIES];
	uint8_t pad[8];
};
_Static_assert(sizeof(struct klog) == 512, "a page of KLOG is 512 bytes");

/* Others: dirty 2, application dirty 5. */
#define KLOG_DETACH     1
#define KLOG_COMMIT     3
#define KLOG_LOG_DETACH 4

static void read_log(struct reader *r, const struct ldm_head *h)
{
	uint32_t max = LDM_CHUNK_BYTES >> r->disk->shift;
	uint32_t n = (uint32_t)min_u64(max, h->log_sectors);
	const struct klog *page = (const void *)r->scratch->chunk;
	uint32_t pages;

	r->db->log = LDM_LOG_UNREAD;
	if (n == 0 || disk_read(r->disk, h->log_lba, n, r->scratch->chunk) != ST_OK)
		return;
	pages = (uint32_t)ldm_get(page->pages);
	if (pages == 0 || pages > (n << r->disk->shift) / sizeof(*page))
		return;
	r->db->raw = crc32_update(r->db->raw, page, pages * sizeof(*page));
	for (unsigned k = 0; k < pages; k++, page++) {
		if (memcmp(page->magic, "KLOG", 4) != 0 || ldm_get(page->page) != k)
			return;
		for (unsigned i = 0; i < KLOG_ENTRIES && page->entry[i].status; i++) {
			unsigned s = page->entry[i].status;

			if (s == KLOG_DETACH || s == KLOG_LOG_DETACH)
				r->db->log |= LDM_LOG_DETACH;
			else if (s != KLOG_COMMIT)
				r->db->log |= LDM_LOG_DIRTY;
		}
	}
	r->db->log &= (uint8_t)~LDM_LOG_UNREAD;
}

enum status ldm_db_read(const struct disk *d, const struct ldm_head *h, struct ldm_db *db,
			struct ldm_scratch *scratch)
{
	struct reader r = {.disk = d, .db = db, .scratch = scratch};
	enum status st;

	memset(db, 0, sizeof(*db));
	for (unsigned i = 0; i < LDM_PIECES; i++)
		scratch->pieces[i].count = 0;
	st = read_records(&r, h);
	if (st != ST_OK)
		return st;
	/* Of records that don't count, some pieces may not have been written. */
	for (unsigned i = 0; i < LDM_PIECES; i++)
		r.cut |= scratch->pieces[i].count != 0;
	read_log(&r, h);
	if (r.cut)
		db->log |= LDM_LOG_CUT;
	if (db->log & (LDM_LOG_CUT | LDM_LOG_UNREAD))
		db->raw = 0;
	return ST_OK;
}

const struct ldm_disk *ldm_db_disk(const struct ldm_db *db, uint32_t id)
{
	return (const void *)find(db, LDM_DISK, id);
}

const struct ldm_component *ldm_db_component(const struct ldm_db *db, uint32_t id)
{
	return (const void *)find(db, LDM_COMPONENT, id);
}

const struct ldm_volume *ldm_db_volume(const struct ldm_db *db, uint32_t id)
{
	return (const void *)find(db, LDM_VOLUME, id);
}
