/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "common/bootentry.h"

#include "common/mem.h"
#include "common/range.h"
#include "common/wire.h"

struct head {
	le32 attributes;
	le16 path_bytes;
};
_Static_assert(sizeof(struct head) == 6, "EFI_LOAD_OPTION starts with 6 bytes");

struct node {
	uint8_t type, subtype;
	le16 bytes; /* this header included */
};
_Static_assert(sizeof(struct node) == 4, "a device path node's header is 4 bytes");

struct hd_node {
	struct node node;
	le32 number;
	le64 start_lba;
	le64 sectors;
	struct guid signature;
	uint8_t table;
	uint8_t signature_type;
};
_Static_assert(sizeof(struct hd_node) == 42, "HD() is 42 bytes");

#define TYPE_MEDIA     4
#define TYPE_END       0x7f
#define MEDIA_HD       1
#define MEDIA_FILE     4
#define TABLE_GPT      2
#define SIGNATURE_GUID 2
#define INSTANCE_END   1 /* subtype: another instance of the same path follows */

static size_t node_bytes(const uint8_t *node)
{
	return (size_t)(node[2] | node[3] << 8);
}

static bool is(const uint8_t *node, uint8_t type, uint8_t subtype)
{
	return node[0] == type && node[1] == subtype;
}

static void take_hd(struct bootentry *e, size_t at)
{
	struct hd_node hd;

	if (node_bytes(e->path + at) != sizeof(hd))
		return;
	memcpy(&hd, e->path + at, sizeof(hd));
	if (hd.table != TABLE_GPT || hd.signature_type != SIGNATURE_GUID)
		return;
	e->on_partition = true;
	e->hd = (struct bootentry_hd){
		.number = le32_get(hd.number),
		.start_lba = le64_get(hd.start_lba),
		.sectors = le64_get(hd.sectors),
		.guid = hd.signature,
		.table = hd.table,
		.signature_type = hd.signature_type,
	};
	e->tail_at = at + sizeof(hd);
}

/* The first path, up to its end. Only what its first instance has counts. */
static bool walk(struct bootentry *e)
{
	bool first = true;
	size_t at = 0, n;

	while (range_ok(at, sizeof(struct node), e->path_bytes)) {
		n = node_bytes(e->path + at);
		if (n < sizeof(struct node) || !range_ok(at, n, e->path_bytes))
			return false;
		if (e->path[at] == TYPE_END) {
			first = false;
			if (e->path[at + 1] != INSTANCE_END) {
				e->first_bytes = at + n;
				return true;
			}
		} else if (first && is(e->path + at, TYPE_MEDIA, MEDIA_HD)) {
			take_hd(e, at);
		}
		at += n;
	}
	return false;
}

enum status bootentry_parse(struct bootentry *e, const void *variable, size_t bytes)
{
	const uint8_t *p = variable;
	const struct head *head = variable;
	size_t at = sizeof(*head);

	if (bytes < sizeof(*head))
		return ST_CORRUPT;
	*e = (struct bootentry){0};
	e->attributes = le32_get(head->attributes);
	e->path_bytes = le16_get(head->path_bytes);
	e->name = p + at;
	while (range_ok(at, 2, bytes) && (p[at] || p[at + 1]))
		at += 2;
	if (!range_ok(at, 2, bytes))
		return ST_CORRUPT;
	e->name_units = (at - sizeof(*head)) / 2;
	at += 2;
	if (!range_ok(at, e->path_bytes, bytes))
		return ST_CORRUPT;
	e->path = p + at;
	if (!walk(e))
		return ST_CORRUPT;
	at += e->path_bytes;
	e->data = p + at;
	e->data_bytes = bytes - at;
	return ST_OK;
}

bool bootentry_file(const struct bootentry *e, uint16_t file[BOOTENTRY_FILE_UNITS])
{
	size_t used = 0, n;

	for (size_t at = e->tail_at; range_ok(at, sizeof(struct node), e->first_bytes); at += n) {
		const uint8_t *p = e->path + at;

		n = node_bytes(p);
		if (p[0] == TYPE_END || n < sizeof(struct node) || !range_ok(at, n, e->first_bytes))
			break;
		if (!is(p, TYPE_MEDIA, MEDIA_FILE))
			continue;
		/* A backslash between nodes, and before the first. */
		for (size_t i = 0; i <= (n - sizeof(struct node)) / 2; i++) {
			uint16_t c = '\\';

			if (i > 0)
				c = (uint16_t)(p[2 * i + 2] | p[2 * i + 3] << 8);
			if (c == 0)
				break;
			if (c == '/')
				c = '\\';
			if (c == '\\' && used > 0 && file[used - 1] == '\\')
				continue;
			if (used + 1 >= BOOTENTRY_FILE_UNITS)
				return false;
			file[used++] = c;
		}
	}
	file[used] = 0;
	return used > 1;
}

static uint16_t upper(uint16_t c)
{
	return c >= 'a' && c <= 'z' ? (uint16_t)(c - 'a' + 'A') : c;
}

bool bootentry_same_file(const struct bootentry *a, const struct bootentry *b)
{
	uint16_t fa[BOOTENTRY_FILE_UNITS] = {0}, fb[BOOTENTRY_FILE_UNITS] = {0};
	size_t na = a->first_bytes - a->tail_at, nb = b->first_bytes - b->tail_at, i = 0;

	if (na == nb && !memcmp(a->path + a->tail_at, b->path + b->tail_at, na))
		return true;
	if (!bootentry_file(a, fa) || !bootentry_file(b, fb))
		return false;
	while (i + 1 < BOOTENTRY_FILE_UNITS && fa[i] && upper(fa[i]) == upper(fb[i]))
		i++;
	return fa[i] == 0 && fb[i] == 0;
}

bool bootentry_same_program(const struct bootentry *a, const struct bootentry *b)
{
	return a->on_partition == b->on_partition && bootentry_same_file(a, b) &&
	       a->data_bytes == b->data_bytes && !memcmp(a->data, b->data, a->data_bytes);
}

bool bootentry_is_automatic(const struct bootentry *e)
{
	static const uint8_t edk2[16] = {0x4e, 0xac, 0x08, 0x81, 0x11, 0x9f, 0x59, 0x4d,
					 0x85, 0x0e, 0xe2, 0x1a, 0x52, 0x2c, 0x59, 0xb2};
	static const uint8_t ami[4] = {0, 0, 'B', 'O'};

	return (e->data_bytes == sizeof(edk2) && !memcmp(e->data, edk2, sizeof(edk2))) ||
	       (e->data_bytes == sizeof(ami) && !memcmp(e->data, ami, sizeof(ami)));
}

/* A cursor that stops at the end of the room. */
struct out {
	uint8_t *p;
	size_t room, used;
	bool full;
};

static void put(struct out *o, const void *bytes, size_t n)
{
	if (o->full || !range_ok(o->used, n, o->room)) {
		o->full = true;
		return;
	}
	memcpy(o->p + o->used, bytes, n);
	o->used += n;
}

enum status bootentry_retarget(const struct bootentry *e, const struct bootentry_hd *hd,
			       const uint16_t *more, size_t more_units, void *buf, size_t room,
			       size_t *bytes)
{
	struct out o = {buf, room, 0, false};
	size_t tail = e->path_bytes - e->tail_at;
	const struct hd_node node = {
		.node = {TYPE_MEDIA, MEDIA_HD, {{sizeof(node), 0}}},
		.number = le32_of(hd->number),
		.start_lba = le64_of(hd->start_lba),
		.sectors = le64_of(hd->sectors),
		.signature = hd->guid,
		.table = hd->table,
		.signature_type = hd->signature_type,
	};
	const struct head head = {le32_of(e->attributes), le16_of((uint16_t)(sizeof(node) + tail))};
	le16 unit;

	if (!e->on_partition)
		return ST_UNSUPPORTED;
	put(&o, &head, sizeof(head));
	put(&o, e->name, e->name_units * 2);
	for (size_t i = 0; i <= more_units && more_units; i++) {
		unit = le16_of(i ? more[i - 1] : ' ');
		put(&o, &unit, sizeof(unit));
	}
	unit = le16_of(0);
	put(&o, &unit, sizeof(unit));
	put(&o, &node, sizeof(node));
	put(&o, e->path + e->tail_at, tail);
	put(&o, e->data, e->data_bytes);
	*bytes = o.used;
	return o.full ? ST_FULL : ST_OK;
}
