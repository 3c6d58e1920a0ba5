/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tools/ldm_image.h"

#include "common/ldm_db.h"
#include "common/ldm_wire.h"

#include <stdlib.h>
#include <string.h>

#define PAYLOAD        112
#define HEAD           16 /* of a slot */
#define KLOG_BYTES     512
#define KLOG_ENTRIES   0x18
#define KLOG_ENTRY     24
#define KLOG_ENTRY_MAX 20
#define KLOG_COMMIT    3
#define TIME_BYTES     8
#define COUNTS         4
#define CONFIG_MAX     (16u << 20)

uint64_t ldm_image_get(const struct ldm_image *img, unsigned at, unsigned bytes)
{
	return ldm_be(img->config + at, bytes);
}

void ldm_put_be(uint8_t *to, unsigned bytes, uint64_t value)
{
	while (bytes-- > 0) {
		to[bytes] = (uint8_t)value;
		value >>= 8;
	}
}

void ldm_image_put(struct ldm_image *img, unsigned at, unsigned bytes, uint64_t value)
{
	ldm_put_be(img->config + at, bytes, value);
}

static uint8_t *read_region(const struct disk *d, uint64_t lba, uint64_t sectors, size_t *bytes,
			    enum status *st)
{
	uint8_t *buf;

	*bytes = 0;
	*st = ST_CORRUPT;
	if (sectors == 0 || sectors > CONFIG_MAX >> d->shift)
		return NULL;
	*bytes = (size_t)sectors << d->shift;
	buf = malloc(*bytes);
	if (!buf)
		abort();
	*st = disk_read(d, lba, (uint32_t)sectors, buf);
	return buf;
}

enum status ldm_image_read(struct ldm_image *img, const struct disk *d, const struct ldm_head *h)
{
	enum status st;

	memset(img, 0, sizeof(*img));
	img->config = read_region(d, h->config_lba, h->config_sectors, &img->config_bytes, &st);
	if (st == ST_OK) {
		img->log = read_region(d, h->log_lba, h->log_sectors, &img->log_bytes, &st);
		if (st == ST_CORRUPT)
			st = ST_UNSUPPORTED; /* a database without a log: seen on no disk */
	}
	if (st != ST_OK)
		return st;
	img->slots = (uint32_t)ldm_image_get(img, LDM_AT_SLOTS, 4);
	if (memcmp(img->config, "VMDB", 4) != 0 || ldm_image_get(img, 8, 4) != LDM_SLOT_BYTES ||
	    ldm_image_get(img, 12, 4) != LDM_SLOT_FIRST * LDM_SLOT_BYTES ||
	    img->slots < LDM_SLOT_FIRST || img->slots > img->config_bytes / LDM_SLOT_BYTES)
		return ST_CORRUPT;
	return memcmp(img->log, "KLOG", 4) == 0 ? ST_OK : ST_CORRUPT;
}

void ldm_image_free(struct ldm_image *img)
{
	free(img->config);
	free(img->log);
	memset(img, 0, sizeof(*img));
}

void ldm_image_assign(struct ldm_image *to, const struct ldm_image *from)
{
	if (!to->config) {
		to->config = malloc(from->config_bytes);
		to->log = malloc(from->log_bytes);
		if (!to->config || !to->log)
			abort();
	}
	to->config_bytes = from->config_bytes;
	to->log_bytes = from->log_bytes;
	to->slots = from->slots;
	memcpy(to->config, from->config, from->config_bytes);
	memcpy(to->log, from->log, from->log_bytes);
}

/* ---- records ---- */

static uint8_t *slot_at(const struct ldm_image *img, uint32_t slot)
{
	return img->config + (size_t)slot * LDM_SLOT_BYTES;
}

static bool is_used(const uint8_t *slot)
{
	return memcmp(slot, "VBLK", 4) == 0 && ldm_be(slot + 14, 2) != 0;
}

bool ldm_image_slot_is(const struct ldm_image *img, uint32_t slot)
{
	const uint8_t *at = slot_at(img, slot);

	return memcmp(at, "VBLK", 4) == 0 && ldm_be(at + 4, 4) == slot;
}

static struct ldm_raw *record_of(struct ldm_raws *all, uint32_t group, unsigned pieces)
{
	for (unsigned i = 0; pieces > 1 && i < all->count; i++)
		if (all->raw[i].group == group && all->raw[i].pieces == pieces)
			return &all->raw[i];
	if (all->count == all->room) {
		all->room = all->room ? 2 * all->room : 64;
		all->raw = realloc(all->raw, all->room * sizeof(*all->raw));
		if (!all->raw)
			abort();
	}
	memset(&all->raw[all->count], 0, sizeof(*all->raw));
	all->raw[all->count].group = group;
	all->raw[all->count].pieces = pieces;
	return &all->raw[all->count++];
}

bool ldm_image_records(const struct ldm_image *img, struct ldm_raws *all)
{
	memset(all, 0, sizeof(*all));
	for (uint32_t i = LDM_SLOT_FIRST; i < img->slots; i++) {
		const uint8_t *slot = slot_at(img, i);
		unsigned piece = (unsigned)ldm_be(slot + 12, 2);
		unsigned pieces = (unsigned)ldm_be(slot + 14, 2);
		struct ldm_raw *r;

		if (!is_used(slot))
			continue;
		r = pieces > LDM_RAW_PIECES || piece >= pieces
			    ? NULL
			    : record_of(all, (uint32_t)ldm_be(slot + 8, 4), pieces);
		if (!r || r->slot[piece]) {
			ldm_raws_free(all);
			return false;
		}
		r->slot[piece] = i;
		r->found++;
		memcpy(r->data + (size_t)piece * PAYLOAD, slot + HEAD, PAYLOAD);
	}
	for (unsigned i = 0; i < all->count; i++) {
		struct ldm_raw *r = &all->raw[i];

		r->parsed = r->found < r->pieces
				    ? ST_ABSENT
				    : ldm_record_parse(&r->rec, r->data, r->pieces * PAYLOAD);
		r->rec.status = (uint8_t)ldm_be(r->data, 2);
		r->rec.type = r->data[3] & 15;
		r->bytes = 8 + (uint32_t)ldm_be(r->data + 4, 4);
	}
	return true;
}

void ldm_raws_free(struct ldm_raws *all)
{
	free(all->raw);
	memset(all, 0, sizeof(*all));
}

void ldm_image_set_status(struct ldm_image *img, const struct ldm_raw *r, unsigned status)
{
	ldm_put_be(slot_at(img, r->slot[0]) + HEAD, 2, status);
}

void ldm_image_drop(struct ldm_image *img, const struct ldm_raw *r, bool later_only)
{
	for (unsigned i = later_only; i < r->pieces; i++)
		if (r->slot[i])
			memset(slot_at(img, r->slot[i]) + 8, 0, LDM_SLOT_BYTES - 8);
}

static bool group_used(const struct ldm_image *img, uint32_t group)
{
	for (uint32_t i = LDM_SLOT_FIRST; i < img->slots; i++)
		if (is_used(slot_at(img, i)) && ldm_be(slot_at(img, i) + 8, 4) == group)
			return true;
	return false;
}

/* The first run of sectors with so many free slots, within one sector where that can be. */
static bool find_slots(const struct ldm_image *img, unsigned pieces, unsigned sector_bytes,
		       uint32_t *slot)
{
	uint32_t per_sector = sector_bytes / LDM_SLOT_BYTES;

	for (uint32_t first = 0; first < img->slots; first += per_sector) {
		unsigned n = 0;

		for (uint32_t i = first; i < first + per_sector && i < img->slots; i++)
			if (i >= LDM_SLOT_FIRST && !is_used(slot_at(img, i)) && n < pieces)
				slot[n++] = i;
		if (n == pieces)
			return true;
	}
	return false;
}

bool ldm_image_add(struct ldm_image *img, const uint8_t *data, uint32_t bytes, unsigned status,
		   unsigned sector_bytes)
{
	unsigned pieces = (bytes + PAYLOAD - 1) / PAYLOAD;
	uint32_t slot[LDM_RAW_PIECES], group = 1;

	if (pieces > LDM_RAW_PIECES || !find_slots(img, pieces, sector_bytes, slot))
		return false;
	while (group_used(img, group))
		group++;
	for (unsigned i = 0; i < pieces; i++) {
		uint8_t *to = slot_at(img, slot[i]);
		uint32_t left = bytes - i * PAYLOAD;

		memset(to, 0, LDM_SLOT_BYTES);
		memcpy(to, "VBLK", 4);
		ldm_put_be(to + 4, 4, slot[i]);
		ldm_put_be(to + 8, 4, group);
		ldm_put_be(to + 12, 2, i);
		ldm_put_be(to + 14, 2, pieces);
		memcpy(to + HEAD, data + (size_t)i * PAYLOAD, left < PAYLOAD ? left : PAYLOAD);
	}
	ldm_put_be(slot_at(img, slot[0]) + HEAD, 2, status);
	return true;
}

void ldm_image_count(struct ldm_image *img, unsigned at, unsigned also)
{
	unsigned count[LDM_TYPES] = {0};
	struct ldm_raws all;

	if (!ldm_image_records(img, &all))
		return;
	for (unsigned i = 0; i < all.count; i++)
		if (all.raw[i].slot[0] && all.raw[i].rec.type < LDM_TYPES &&
		    (all.raw[i].rec.status == LDM_RAW_ACTIVE || all.raw[i].rec.status == also))
			count[all.raw[i].rec.type]++;
	for (unsigned i = 0; i < COUNTS; i++)
		ldm_image_put(img, at + 4 * i, 4, count[LDM_VOLUME + i]);
	ldm_raws_free(&all);
}

/* ---- the update protocol's pieces ---- */

void ldm_image_log_commit(struct ldm_image *img, uint64_t committed, uint64_t pending)
{
	uint8_t *entry = img->log + KLOG_ENTRIES;

	for (unsigned i = 0; i + 1 < KLOG_ENTRY_MAX && *entry && *entry != KLOG_COMMIT; i++)
		entry += KLOG_ENTRY;
	*entry = KLOG_COMMIT;
	ldm_put_be(entry + 1, 8, committed);
	ldm_put_be(entry + 9, 8, pending);
}

void ldm_image_log_assign(struct ldm_image *to, const struct ldm_image *from)
{
	memcpy(to->log, from->log, to->log_bytes);
}

void ldm_image_settle(struct ldm_image *img, bool forward)
{
	unsigned goes = forward ? LDM_RAW_LEAVING : LDM_RAW_COMING;
	struct ldm_raws all;

	if (!ldm_image_records(img, &all))
		return;
	for (unsigned i = 0; i < all.count; i++) {
		const struct ldm_raw *r = &all.raw[i];

		/* Without its first piece: what is left of one that was being dropped. */
		if (!r->slot[0] || r->rec.status == goes)
			ldm_image_drop(img, r, false);
		else if (r->rec.status != LDM_RAW_ACTIVE)
			ldm_image_set_status(img, r, LDM_RAW_ACTIVE);
	}
	ldm_raws_free(&all);
}

void ldm_image_clean(struct ldm_image *img, bool forward)
{
	unsigned from_at = forward ? LDM_AT_PENDING : LDM_AT_COMMITTED;
	unsigned to_at = forward ? LDM_AT_COMMITTED : LDM_AT_PENDING;
	unsigned from_counts = forward ? LDM_AT_PENDING_COUNTS : LDM_AT_COUNTS;
	unsigned to_counts = forward ? LDM_AT_COUNTS : LDM_AT_PENDING_COUNTS;

	memcpy(img->config + to_at, img->config + from_at, 8);
	memcpy(img->config + to_counts, img->config + from_counts, 4 * COUNTS);
	ldm_image_put(img, LDM_AT_STATUS, 2, LDM_DB_CLEAN);
}

/* The entry says only what VMDB says too. */
static void forget_commits(uint8_t *page)
{
	for (unsigned i = 0; i < KLOG_ENTRY_MAX; i++) {
		uint8_t *entry = page + KLOG_ENTRIES + i * KLOG_ENTRY;

		if (*entry == KLOG_COMMIT || *entry == 0)
			memset(entry, 0, KLOG_ENTRY);
	}
}

bool ldm_image_same(const struct ldm_image *a, const struct ldm_image *b)
{
	if (a->config_bytes != b->config_bytes || a->log_bytes != b->log_bytes ||
	    memcmp(a->config, b->config, LDM_AT_TIME) != 0 ||
	    memcmp(a->config + LDM_AT_TIME + TIME_BYTES, b->config + LDM_AT_TIME + TIME_BYTES,
		   a->config_bytes - LDM_AT_TIME - TIME_BYTES) != 0)
		return false;
	for (size_t at = 0; at + KLOG_BYTES <= a->log_bytes; at += KLOG_BYTES) {
		uint8_t one[KLOG_BYTES], other[KLOG_BYTES];

		memcpy(one, a->log + at, KLOG_BYTES);
		memcpy(other, b->log + at, KLOG_BYTES);
		if (memcmp(one, "KLOG", 4) == 0) {
			forget_commits(one);
			forget_commits(other);
		}
		if (memcmp(one, other, KLOG_BYTES) != 0)
			return false;
	}
	return true;
}
