/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tools/ldm_make.h"

#include "common/ldm_wire.h"

#include <string.h>

#define HEAD         8  /* status, flags, type, length */
#define STATE_BYTES  14 /* of a volume */
#define HAS_HINT     0x02
#define HAS_LATER    0x40
#define CONCAT       2
#define SELECT       3    /* read policy */
#define VOLUME_FLAGS 0x11 /* default, write-back: what all volumes of the samples have */

static void put_raw(struct ldm_out *o, const void *data, size_t n)
{
	if (n > sizeof(o->data) - o->bytes) {
		o->full = true;
		return;
	}
	memcpy(o->data + o->bytes, data, n);
	o->bytes += (uint32_t)n;
}

static void put_fixed(struct ldm_out *o, unsigned n, uint64_t value)
{
	uint8_t b[8];

	ldm_put_be(b, n, value);
	put_raw(o, b, n);
}

static void put_var(struct ldm_out *o, uint64_t value)
{
	unsigned n = 0;

	while (n < 8 && value >> (8 * n))
		n++;
	put_fixed(o, 1, n);
	put_fixed(o, n, value);
}

static void put_text(struct ldm_out *o, const char *text)
{
	size_t n = strlen(text);

	if (n > 255)
		o->full = true;
	put_fixed(o, 1, n);
	put_raw(o, text, n);
}

static void start(struct ldm_out *o, uint8_t flags, uint8_t type, uint32_t id, const char *name)
{
	memset(o, 0, sizeof(*o));
	put_fixed(o, 2, 0);
	put_fixed(o, 1, flags);
	put_fixed(o, 1, type);
	put_fixed(o, 4, 0);
	put_var(o, id);
	put_text(o, name);
}

static void finish(struct ldm_out *o)
{
	ldm_put_be(o->data + 4, 4, o->bytes - HEAD);
}

/* ---- new ones ---- */

void ldm_make_group(struct ldm_out *o, uint32_t id, const char *name, const char *guid_text)
{
	start(o, 0, 0x35, id, name);
	put_text(o, guid_text);
	put_fixed(o, 4, 0);
	put_fixed(o, 8, 0);
	finish(o);
}

void ldm_make_disk(struct ldm_out *o, uint32_t id, const char *name, const char *guid_text,
		   uint64_t tid)
{
	start(o, 0, 0x34, id, name);
	put_text(o, guid_text);
	put_text(o, "");
	put_fixed(o, 4, 0);
	put_fixed(o, 8, tid);
	finish(o);
}

void ldm_make_volume(struct ldm_out *o, const struct ldm_new_volume *v)
{
	static const char active[STATE_BYTES] = "ACTIVE";

	start(o, v->hint[0] ? HAS_HINT : 0, 0x51, v->id, v->name);
	put_text(o, "gen");
	put_text(o, "");
	put_raw(o, active, sizeof(active));
	put_fixed(o, 1, SELECT);
	put_var(o, v->number);
	put_fixed(o, 4, VOLUME_FLAGS);
	put_var(o, v->components);
	put_fixed(o, 8, v->tid);
	put_fixed(o, 8, 0);
	put_var(o, v->size_s512);
	put_fixed(o, 4, 0);
	put_fixed(o, 1, v->part_type);
	put_raw(o, &v->guid, sizeof(v->guid));
	if (v->hint[0])
		put_text(o, v->hint);
	finish(o);
}

void ldm_make_component(struct ldm_out *o, uint32_t id, const char *name, uint32_t volume,
			unsigned partitions, uint64_t tid)
{
	start(o, 0, 0x32, id, name);
	put_text(o, "ACTIVE");
	put_fixed(o, 1, CONCAT);
	put_fixed(o, 4, 0);
	put_var(o, partitions);
	put_fixed(o, 8, tid);
	put_fixed(o, 8, 0);
	put_var(o, volume);
	put_var(o, 0);
	finish(o);
}

void ldm_make_partition(struct ldm_out *o, const char *name, const struct ldm_partition *p,
			uint64_t tid, bool later)
{
	start(o, later ? HAS_LATER : 0, 0x33, p->id, name);
	put_fixed(o, 4, 0);
	put_fixed(o, 8, tid);
	put_fixed(o, 8, p->start_s512);
	put_fixed(o, 8, p->offset_s512);
	put_var(o, p->size_s512);
	put_var(o, p->component);
	put_var(o, p->disk);
	if (later)
		put_var(o, 0);
	finish(o);
}

/* ---- copies ---- */

/* What lies between two places of the old record. */
static void keep(struct ldm_out *o, const struct ldm_cursor *c, uint32_t from)
{
	put_raw(o, c->data + from, c->at - from);
}

static struct ldm_cursor open_record(const struct ldm_raw *r)
{
	return (struct ldm_cursor){.data = r->data, .at = HEAD, .end = r->bytes};
}

static void skip_text(struct ldm_cursor *c)
{
	ldm_raw(c, (uint32_t)ldm_fixed(c, 1));
}

/* The rest as it was; the update's own state is not part of it. */
static bool end(struct ldm_out *o, struct ldm_cursor *c)
{
	uint32_t from = c->at;

	ldm_raw(c, c->end - c->at);
	if (c->bad)
		return false;
	keep(o, c, from);
	finish(o);
	ldm_put_be(o->data, 2, LDM_RAW_ACTIVE);
	return !o->full;
}

/* From the head of the record to behind its name. */
static void keep_head(struct ldm_out *o, struct ldm_cursor *c)
{
	memset(o, 0, sizeof(*o));
	ldm_var(c);
	skip_text(c);
	keep(o, c, 0);
}

/* In a volume, from behind its name on: up to its number. */
static void to_volume_number(struct ldm_cursor *c)
{
	skip_text(c);
	skip_text(c);
	ldm_raw(c, STATE_BYTES + 1);
}

bool ldm_copy_volume(struct ldm_out *o, const struct ldm_raw *r, unsigned components, uint64_t tid)
{
	struct ldm_cursor c = open_record(r);
	uint32_t from;

	keep_head(o, &c);
	from = c.at;
	to_volume_number(&c);
	ldm_var(&c);
	ldm_raw(&c, 4);
	keep(o, &c, from);
	ldm_var(&c);
	put_var(o, components);
	ldm_raw(&c, 8);
	put_fixed(o, 8, tid);
	return end(o, &c);
}

bool ldm_copy_volume_anew(struct ldm_out *o, const struct ldm_raw *r, uint32_t id, const char *name,
			  uint8_t number, const struct guid *guid, uint64_t tid)
{
	struct ldm_cursor c = open_record(r);
	uint8_t flags = r->data[2], without_hint = flags & 0xfd;
	uint32_t from;

	ldm_var(&c);
	skip_text(&c);
	start(o, without_hint, r->data[3], id, name);
	from = c.at;
	to_volume_number(&c);
	keep(o, &c, from);
	ldm_var(&c);
	put_var(o, number);
	put_fixed(o, 4,
		  ldm_fixed(&c, 4) &
			  ~(uint64_t)(LDM_VOLUME_BOOT | LDM_VOLUME_SYSTEM | LDM_VOLUME_RETAIN));
	ldm_var(&c);
	put_var(o, 1);
	ldm_raw(&c, 8);
	put_fixed(o, 8, tid);
	from = c.at;
	ldm_raw(&c, 8);
	ldm_var(&c);
	ldm_raw(&c, 4 + 1);
	keep(o, &c, from);
	ldm_raw(&c, sizeof(*guid));
	put_raw(o, guid, sizeof(*guid));
	from = c.at;
	for (unsigned flag = 0x08; flag <= 0x80; flag <<= 1)
		if (flag != HAS_LATER && flag != 0x10 && (flags & flag))
			ldm_var(&c);
	keep(o, &c, from);
	if (flags & HAS_HINT)
		skip_text(&c);
	return end(o, &c);
}

bool ldm_copy_component(struct ldm_out *o, const struct ldm_raw *r, const char *name,
			uint32_t volume, uint64_t tid)
{
	struct ldm_cursor c = open_record(r);
	uint32_t from;

	memset(o, 0, sizeof(*o));
	ldm_var(&c);
	keep(o, &c, 0);
	from = c.at;
	skip_text(&c);
	if (name)
		put_text(o, name);
	else
		keep(o, &c, from);
	skip_text(&c);
	put_text(o, "ACTIVE");
	put_fixed(o, 1, ldm_fixed(&c, 1));
	ldm_raw(&c, 4);
	put_fixed(o, 4, 0);
	from = c.at;
	ldm_var(&c);
	keep(o, &c, from);
	ldm_raw(&c, 8);
	put_fixed(o, 8, tid);
	from = c.at;
	ldm_raw(&c, 8);
	keep(o, &c, from);
	ldm_var(&c);
	put_var(o, volume);
	return end(o, &c);
}

bool ldm_copy_partition(struct ldm_out *o, const struct ldm_raw *r, uint32_t flags, uint64_t tid)
{
	struct ldm_cursor c = open_record(r);

	keep_head(o, &c);
	ldm_raw(&c, 4 + 8);
	put_fixed(o, 4, flags);
	put_fixed(o, 8, tid);
	return end(o, &c);
}

bool ldm_copy_disk(struct ldm_out *o, const struct ldm_raw *r, uint32_t flags, uint64_t tid)
{
	struct ldm_cursor c = open_record(r);
	uint32_t from;

	keep_head(o, &c);
	from = c.at;
	if (r->data[3] >> 4 == 3)
		skip_text(&c);
	else
		ldm_raw(&c, 32);
	skip_text(&c);
	keep(o, &c, from);
	ldm_raw(&c, 4 + 8);
	put_fixed(o, 4, flags);
	put_fixed(o, 8, tid);
	return end(o, &c);
}

uint64_t ldm_volume_number(const struct ldm_raw *r)
{
	struct ldm_cursor c = open_record(r);
	uint64_t number;

	ldm_var(&c);
	skip_text(&c);
	to_volume_number(&c);
	number = ldm_var(&c);
	return c.bad ? 0 : number;
}

bool ldm_partition_is_later(const struct ldm_raw *r)
{
	return r->data[2] & HAS_LATER;
}
