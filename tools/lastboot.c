/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tools/lastboot.h"
#include "tools/bootvar.h"
#include "tools/jsontext.h"
#include "tools/installed.h"
#include "tools/say.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_BIOS_DISK 0x80

static bool knows_one(const struct record *r, const struct survey *s)
{
	for (unsigned i = 0; i < r->count; i++)
		for (unsigned k = 0; k < s->mirror_count; k++)
			if (r->mirror[i].format == s->mirror[k].format &&
			    guid_equal(&r->mirror[i].uuid, &s->mirror[k].uuid))
				return true;
	return false;
}

static void read_uefi(const struct hostset *set, struct lastboot *b)
{
	static struct record_seen known;
	struct record *r = &b->record[LASTBOOT_UEFI];
	enum status st = bootvar_read(r);

	if (st == ST_OK && !knows_one(r, &set->survey))
		st = ST_ABSENT;
	b->status[LASTBOOT_UEFI] = st;
	if (st != ST_OK)
		return;
	/* Of two numbers alike this is taken: it is of the machine that we run on. */
	if (b->newest == LASTBOOT_RECORDS ||
	    !record_later(le32_get(b->record[b->newest].sequence), le32_get(r->sequence)))
		b->newest = LASTBOOT_UEFI;
	record_merge(&b->seen, r);
	memset(&known, 0, sizeof(known));
	record_merge(&known, r);
	record_prefer(&b->seen, &known, &set->survey);
}

void lastboot_read(const struct hostset *set, struct lastboot *b)
{
	static struct installed in;

	memset(b, 0, sizeof(*b));
	b->newest = LASTBOOT_RECORDS;
	for (unsigned i = 0; i < LASTBOOT_RECORDS; i++)
		b->status[i] = ST_ABSENT;
	for (unsigned i = 0; i < set->count; i++) {
		if (set->disk[i].shift != 9)
			continue;
		b->status[i] = installed_read(&set->disk[i], &in);
		if (b->status[i] == ST_OK)
			b->status[i] = in.record_status;
		if (b->status[i] != ST_OK)
			continue;
		b->record[i] = in.record;
		if (b->newest == LASTBOOT_RECORDS ||
		    record_later(le32_get(in.record.sequence),
				 le32_get(b->record[b->newest].sequence)))
			b->newest = i;
		record_merge(&b->seen, &in.record);
	}
	read_uefi(set, b);
}

/* A boot writes to disks or to the firmware. */
static bool same_boot(const struct lastboot *b, unsigned x, unsigned y)
{
	return (x == LASTBOOT_UEFI) == (y == LASTBOOT_UEFI) && b->status[x] == ST_OK &&
	       b->status[y] == ST_OK && record_same_boot(&b->record[x], &b->record[y]);
}

/* What the resident part noted reaches only two of the disks. */
static uint32_t failed_in(const struct lastboot *b, unsigned disk, uint32_t *failovers)
{
	uint32_t failed = 0;

	*failovers = 0;
	for (unsigned i = 0; i < LASTBOOT_RECORDS; i++) {
		if (!same_boot(b, disk, i))
			continue;
		failed |= le32_get(b->record[i].failed_disks);
		if (le32_get(b->record[i].failovers) > *failovers)
			*failovers = le32_get(b->record[i].failovers);
	}
	return failed;
}

uint32_t lastboot_failed(const struct hostset *set, const struct lastboot *b)
{
	uint32_t failovers;

	return b->newest < LASTBOOT_RECORDS ? failed_in(b, b->newest, &failovers) : 0;
}

int lastboot_find(const struct hostset *set, const struct lastboot *b, unsigned disk,
		  unsigned number)
{
	for (unsigned i = 0; i < set->count; i++)
		if (same_boot(b, disk, i) && b->record[i].this_disk == number)
			return (int)i;
	return -1;
}

/* "/dev/sda"; "81h (not here)" for one that is not among these disks; on UEFI "disk 1". */
static void put_disk(const struct hostset *set, const struct lastboot *b, unsigned disk,
		     unsigned number, struct text *out)
{
	int i = lastboot_find(set, b, disk, number);

	if (disk == LASTBOOT_UEFI) {
		text_str(out, "disk ");
		text_u64(out, number);
	} else if (i >= 0) {
		text_str(out, set->host[i].path);
	} else {
		text_hex(out, FIRST_BIOS_DISK + number, 2);
		text_str(out, "h (not here)");
	}
}

/* Its name, where the mirror is here; else its UUID. */
static void put_mirror(const struct survey *s, const struct record_mirror *m, struct text *out)
{
	char uuid[GUID_TEXT_BYTES];

	for (unsigned i = 0; i < s->mirror_count; i++)
		if (s->mirror[i].format == m->format && s->mirror[i].name[0] &&
		    guid_equal(&s->mirror[i].uuid, &m->uuid)) {
			text_str(out, s->mirror[i].name);
			return;
		}
	guid_text_md(&m->uuid, uuid);
	text_str(out, uuid);
}

/* " (leg 1 of boot)": nothing else tells a person which disk it was. */
static void put_legs_on(const struct survey *s, const struct record *r, unsigned number,
			struct text *out)
{
	const char *before = " (leg ";

	for (unsigned i = 0; i < r->count; i++) {
		const struct record_mirror *m = &r->mirror[i];

		if (le32_get(m->sequence) != le32_get(r->sequence))
			continue;
		for (unsigned k = 0; k < RECORD_LEGS && k < m->leg_count; k++) {
			if (m->leg[k].disk != number)
				continue;
			text_str(out, before);
			text_u64(out, k);
			text_str(out, " of ");
			put_mirror(s, m, out);
			before = ", leg ";
		}
	}
	if (before[0] == ',')
		text_char(out, ')');
}

void lastboot_put_number(const struct hostset *set, const struct lastboot *b, unsigned record,
			 unsigned number, struct text *out)
{
	if (record == LASTBOOT_UEFI) {
		put_disk(set, b, record, number, out);
		put_legs_on(&set->survey, &b->record[record], number, out);
		return;
	}
	text_hex(out, FIRST_BIOS_DISK + number, 2);
	text_char(out, 'h');
}

static void put_leg(const struct hostset *set, const struct lastboot *b, unsigned disk,
		    const struct record_leg *l, unsigned k, struct text *out)
{
	text_str(out, "    leg ");
	text_u64(out, k);
	if (l->disk != RECORD_NONE) {
		text_str(out, " on ");
		put_disk(set, b, disk, l->disk, out);
	}
	text_str(out, " was ");
	text_str(out, verdict_name(l->verdict));
	if (l->verdict != VERDICT_MISSING) {
		text_str(out, " (");
		text_str(out, reason_name(l->why));
		text_char(out, ')');
	}
	text_char(out, '\n');
}

static void put_one(const struct hostset *set, const struct lastboot *b, unsigned disk,
		    const struct record_mirror *m, struct text *out)
{
	text_str(out, "  mirror ");
	put_mirror(&set->survey, m, out);
	text_str(out, " was ");
	text_str(out, mirror_state_name(m->state));
	if (m->flags & RECORD_BEHIND)
		text_str(out, ", behind");
	if (m->chosen != RECORD_NONE) {
		text_str(out, m->flags & RECORD_BOOTED ? "; booted from leg " : "; read from leg ");
		text_u64(out, m->chosen);
		text_str(out, " on ");
		put_disk(set, b, disk, m->disk, out);
	}
	text_char(out, '\n');
	for (unsigned k = 0; k < RECORD_LEGS && k < m->leg_count; k++)
		if (m->leg[k].verdict != VERDICT_IN_SYNC)
			put_leg(set, b, disk, &m->leg[k], k, out);
}

static void put_failed(const struct hostset *set, const struct lastboot *b, unsigned disk,
		       struct text *out)
{
	uint32_t failovers, failed = failed_in(b, disk, &failovers);
	const char *before = "; failed reads: ";

	text_str(out, "  ");
	if (failovers)
		text_u64(out, failovers);
	else
		text_str(out, "no");
	text_str(out, failovers == 1 ? " failover" : " failovers");
	for (unsigned n = 0; n < 32; n++) {
		if (!(failed & (uint32_t)1 << n))
			continue;
		text_str(out, before);
		if (disk == LASTBOOT_UEFI)
			lastboot_put_number(set, b, disk, n, out);
		else
			put_disk(set, b, disk, n, out);
		before = ", ";
	}
	text_char(out, '\n');
}

static void put_boot(const struct hostset *set, const struct lastboot *b, unsigned disk,
		     struct text *out)
{
	const struct record *r = &b->record[disk];
	const char *before = ", recorded on ";

	text_str(out, same_boot(b, disk, b->newest) ? "Last boot (no. " : "Earlier boot (no. ");
	text_u64(out, le32_get(r->sequence));
	for (unsigned i = 0; i < set->count; i++) {
		if (!same_boot(b, disk, i))
			continue;
		text_str(out, before);
		text_str(out, set->host[i].path);
		before = ", ";
	}
	if (disk == LASTBOOT_UEFI)
		text_str(out, ", recorded in the firmware");
	text_str(out, "):\n");
	/* The others were not there; it is only remembered what had been seen of them. */
	for (unsigned i = 0; i < r->count; i++)
		if (le32_get(r->mirror[i].sequence) == le32_get(r->sequence))
			put_one(set, b, disk, &r->mirror[i], out);
	put_failed(set, b, disk, out);
}

static bool said_before(const struct lastboot *b, unsigned disk)
{
	for (unsigned i = 0; i < disk; i++)
		if (same_boot(b, disk, i))
			return true;
	return false;
}

void lastboot_text(const struct hostset *set, const struct lastboot *b, struct text *out)
{
	if (b->newest < LASTBOOT_RECORDS)
		put_boot(set, b, b->newest, out);
	for (unsigned i = 0; i < LASTBOOT_RECORDS; i++)
		if (b->status[i] == ST_OK && !same_boot(b, i, b->newest) && !said_before(b, i))
			put_boot(set, b, i, out);
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static void add(struct json_object *o, const char *key, uint64_t value)
{
	json_object_object_add(o, key, json_object_new_uint64(value));
}

static void add_disk(struct json_object *o, const char *key, const struct hostset *set,
		     const struct lastboot *b, unsigned disk, unsigned number)
{
	struct say_text t;

	if (number == RECORD_NONE) {
		json_object_object_add(o, key, NULL);
		return;
	}
	say_text_init(&t);
	put_disk(set, b, disk, number, &t.text);
	json_object_object_add(o, key, jsontext(t.buf));
	free(t.buf);
}

static struct json_object *json_mirror(const struct hostset *set, const struct lastboot *b,
				       unsigned disk, const struct record_mirror *m)
{
	struct json_object *o = json_object_new_object(), *legs = json_object_new_array();
	char uuid[GUID_TEXT_BYTES];

	guid_text_md(&m->uuid, uuid);
	json_object_object_add(o, "uuid", json_object_new_string(uuid));
	json_object_object_add(
		o, "format",
		m->format < FORMAT_COUNT ? json_object_new_string(formats[m->format].name) : NULL);
	add(o, "boot", le32_get(m->sequence)); /* when it was last there */
	add(o, "seen", le64_get(m->seen));
	json_object_object_add(o, "state", json_object_new_string(mirror_state_name(m->state)));
	json_object_object_add(o, "booted", json_object_new_boolean(m->flags & RECORD_BOOTED));
	json_object_object_add(o, "behind", json_object_new_boolean(m->flags & RECORD_BEHIND));
	json_object_object_add(o, "chosen",
			       m->chosen == RECORD_NONE ? NULL : json_object_new_int(m->chosen));
	add(o, "generation", le64_get(m->generation));
	add_disk(o, "disk", set, b, disk, m->disk);
	for (unsigned k = 0; k < RECORD_LEGS && k < m->leg_count; k++) {
		struct json_object *l = json_object_new_object();

		add_disk(l, "disk", set, b, disk, m->leg[k].disk);
		json_object_object_add(l, "verdict",
				       json_object_new_string(verdict_name(m->leg[k].verdict)));
		json_object_object_add(l, "reason_code",
				       json_object_new_string(reason_name(m->leg[k].why)));
		json_object_array_add(legs, l);
	}
	json_object_object_add(o, "legs", legs);
	return o;
}

struct json_object *lastboot_json(const struct hostset *set, const struct lastboot *b,
				  unsigned disk)
{
	const struct record *r = &b->record[disk];
	struct json_object *o, *mirrors, *failed;
	uint32_t failovers, mask;

	if (b->status[disk] != ST_OK)
		return NULL;
	o = json_object_new_object();
	mirrors = json_object_new_array();
	failed = json_object_new_array();
	mask = failed_in(b, disk, &failovers);
	add(o, "boot", le32_get(r->sequence));
	json_object_object_add(o, "latest", json_object_new_boolean(same_boot(b, disk, b->newest)));
	json_object_object_add(
		o, "source",
		json_object_new_string(disk == LASTBOOT_UEFI ? "uefi-variable" : "disk"));
	if (disk != LASTBOOT_UEFI)
		add(o, "bios_disk", FIRST_BIOS_DISK + r->this_disk);
	add(o, "failovers", failovers);
	for (unsigned n = 0; n < 32; n++)
		if (mask & (uint32_t)1 << n) {
			struct say_text t;

			say_text_init(&t);
			put_disk(set, b, disk, n, &t.text);
			json_object_array_add(failed, jsontext(t.buf));
			free(t.buf);
		}
	json_object_object_add(o, "failed_disks", failed);
	for (unsigned i = 0; i < r->count; i++)
		json_object_array_add(mirrors, json_mirror(set, b, disk, &r->mirror[i]));
	json_object_object_add(o, "mirrors", mirrors);
	return o;
}
