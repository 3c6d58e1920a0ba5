/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "common/ldm.h"
#include "common/ldm_wire.h"
#include "common/mem.h"
#include "common/range.h"

#define HEAD_BYTES  8 /* status, flags, revision and type, length: not counted in the length */
#define STATE_BYTES 14

const uint8_t *ldm_raw(struct ldm_cursor *c, uint32_t bytes)
{
	const uint8_t *at;

	if (c->bad || !range_ok(c->at, bytes, c->end)) {
		c->bad = true;
		return NULL;
	}
	at = c->data + c->at;
	c->at += bytes;
	return at;
}

uint64_t ldm_be(const uint8_t *bytes, unsigned n)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < n; i++)
		value = value << 8 | bytes[i];
	return value;
}

uint64_t ldm_fixed(struct ldm_cursor *c, unsigned bytes)
{
	const uint8_t *b = ldm_raw(c, bytes);

	return b ? ldm_be(b, bytes) : 0;
}

uint64_t ldm_var(struct ldm_cursor *c)
{
	unsigned bytes = (unsigned)ldm_fixed(c, 1);

	if (bytes > 8)
		c->bad = true;
	return ldm_fixed(c, bytes);
}

uint32_t ldm_var32(struct ldm_cursor *c)
{
	uint64_t value = ldm_var(c);

	if (value > UINT32_MAX)
		c->bad = true;
	return (uint32_t)value;
}

void ldm_text(char *to, size_t to_bytes, const void *from, size_t from_bytes)
{
	const char *text = from;
	size_t n = 0;

	for (; n + 1 < to_bytes && n < from_bytes && text[n]; n++)
		to[n] = text[n] >= ' ' && text[n] <= '~' ? text[n] : '?';
	to[n] = '\0';
}

void ldm_var_text(struct ldm_cursor *c, char *to, size_t to_bytes)
{
	uint32_t bytes = (uint32_t)ldm_fixed(c, 1);
	const uint8_t *text = ldm_raw(c, bytes);

	if (text)
		ldm_text(to, to_bytes, text, bytes);
}

bool ldm_is_active(const char *state)
{
	return memcmp(state, "ACTIVE", 7) == 0;
}

/* Optional fields: a flag says that one is there. What is left are flags that we don't know. */
static bool has(uint8_t *flags, uint8_t flag)
{
	bool there = *flags & flag;

	*flags &= (uint8_t)~flag;
	return there;
}

static void parse_volume(struct ldm_cursor *c, struct ldm_volume *v, uint8_t *flags)
{
	char text[LDM_TEXT_BYTES];
	const uint8_t *raw;

	ldm_var_text(c, v->type, sizeof(v->type));
	ldm_var_text(c, text, sizeof(text)); /* "8000000000000000": without a drive letter */
	raw = ldm_raw(c, STATE_BYTES);
	if (raw)
		ldm_text(v->state, sizeof(v->state), raw, STATE_BYTES);
	v->read_policy = (uint8_t)ldm_fixed(c, 1);
	ldm_var(c); /* number */
	v->flags = (uint32_t)ldm_fixed(c, 4);
	v->components = ldm_var32(c);
	ldm_raw(c, 16); /* transactions */
	v->size_s512 = ldm_var(c);
	ldm_raw(c, 4);
	v->part_type = (uint8_t)ldm_fixed(c, 1);
	raw = ldm_raw(c, sizeof(v->guid));
	if (raw)
		memcpy(&v->guid, raw, sizeof(v->guid));
	if (has(flags, 0x08))
		ldm_var(c);
	if (has(flags, 0x20))
		ldm_var(c);
	if (has(flags, 0x80))
		ldm_var(c);
	if (has(flags, 0x02))
		ldm_var_text(c, v->hint, sizeof(v->hint));
}

static void parse_component(struct ldm_cursor *c, struct ldm_component *p, uint8_t *flags)
{
	ldm_var_text(c, p->state, sizeof(p->state));
	p->layout = (uint8_t)ldm_fixed(c, 1);
	p->flags = (uint32_t)ldm_fixed(c, 4);
	p->partitions = ldm_var32(c);
	ldm_raw(c, 16); /* a transaction, zero */
	p->volume = ldm_var32(c);
	ldm_var(c);
	if (has(flags, 0x10)) {
		p->stripe_s512 = ldm_var(c);
		p->columns = ldm_var32(c);
	}
}

static void parse_partition(struct ldm_cursor *c, struct ldm_partition *p, uint8_t *flags)
{
	p->flags = (uint32_t)ldm_fixed(c, 4);
	ldm_raw(c, 8); /* a transaction */
	p->start_s512 = ldm_fixed(c, 8);
	p->offset_s512 = ldm_fixed(c, 8);
	p->size_s512 = ldm_var(c);
	p->component = ldm_var32(c);
	p->disk = ldm_var32(c);
	if (has(flags, 0x08))
		p->column = ldm_var32(c);
	if (has(flags, 0x20))
		ldm_raw(c, 8); /* a transaction */
	if (has(flags, 0x40))
		ldm_var(c);
	if (has(flags, 0x02))
		ldm_var(c);
}

/* A disk, or the group: that has no device, and ends in numbers. */
static void parse_disk(struct ldm_cursor *c, struct ldm_disk *d, unsigned kind, uint8_t *flags)
{
	char text[GUID_TEXT_BYTES];
	const uint8_t *guid;

	if (kind >> 4 == 3) {
		memset(text, 0, sizeof(text));
		ldm_var_text(c, text, sizeof(text));
		c->bad |= !guid_from_text(&d->guid, text, sizeof(text));
	} else {
		guid = ldm_raw(c, 2 * sizeof(d->guid)); /* and that of the disk set */
		if (guid)
			memcpy(&d->guid, guid, sizeof(d->guid));
	}
	if ((kind & 15) == LDM_DISK)
		ldm_var_text(c, d->device, sizeof(d->device));
	d->flags = (uint32_t)ldm_fixed(c, 4);
	ldm_raw(c, 8); /* a transaction */
	if ((kind & 15) == LDM_DISK)
		return;
	if (has(flags, 0x08)) {
		ldm_var(c);
		ldm_var(c);
	}
	if (has(flags, 0x10))
		ldm_var(c);
}

enum status ldm_record_parse(struct ldm_record *r, const uint8_t *data, uint32_t bytes)
{
	struct ldm_cursor c = {.data = data, .end = bytes};
	unsigned status, kind;
	uint32_t length;
	uint8_t flags;

	memset(r, 0, sizeof(*r));
	status = (unsigned)ldm_fixed(&c, 2);
	flags = (uint8_t)ldm_fixed(&c, 1);
	kind = (unsigned)ldm_fixed(&c, 1); /* the revision in the upper half */
	length = (uint32_t)ldm_fixed(&c, 4);
	if (c.bad || status > 2 || !range_ok(HEAD_BYTES, length, bytes))
		return ST_CORRUPT;
	c.end = r->bytes = HEAD_BYTES + length;
	r->status = (uint8_t)status;
	r->type = kind & 15;
	r->object.id = ldm_var32(&c);
	ldm_var_text(&c, r->object.name, sizeof(r->object.name));

	switch (kind) {
	case 0x51: parse_volume(&c, &r->volume, &flags); break;
	case 0x32: parse_component(&c, &r->component, &flags); break;
	case 0x33: parse_partition(&c, &r->partition, &flags); break;
	case 0x34:
	case 0x35:
	case 0x44:
	case 0x45: parse_disk(&c, &r->disk, kind, &flags); break;
	default: return ST_ABSENT;
	}
	r->object.odd = flags || c.at != c.end;
	return c.bad ? ST_CORRUPT : ST_OK;
}
