/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tools/status_check.h"
#include "tools/jsontext.h"
#include "tools/trustlist.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>

static void add_str(struct json_object *o, const char *key, const char *value)
{
	json_object_object_add(o, key, jsontext(value));
}

static void add_u64(struct json_object *o, const char *key, uint64_t value)
{
	json_object_object_add(o, key, json_object_new_uint64(value));
}

static void add_bool(struct json_object *o, const char *key, bool value)
{
	json_object_object_add(o, key, json_object_new_boolean(value));
}

/* Of a boot record. */
static const char *record_name(enum status st)
{
	static const char *const records[] = {[ST_OK] = "ok",
					      [ST_ABSENT] = "absent",
					      [ST_CORRUPT] = "damaged",
					      [ST_UNSUPPORTED] = "unsupported",
					      [ST_IO] = "unreadable"};

	return st <= ST_IO ? records[st] : NULL;
}

/* The ESP of a disk; NULL: it has none. */
static struct json_object *esp(const struct status_disk *s)
{
	bool good = s->has_files && s->man.status == ST_OK;
	struct json_object *o;
	char uuid[GUID_TEXT_BYTES], entry[5];

	if (!s->esp->part)
		return NULL;
	o = json_object_new_object();
	guid_text_gpt(&s->esp->uuid, uuid);
	add_u64(o, "partition", s->esp->part);
	add_str(o, "guid", guid_is_zero(&s->esp->uuid) ? NULL : uuid);
	json_object_object_add(o, "generation",
			       good ? json_object_new_uint64(s->man.old.generation) : NULL);
	json_object_object_add(o, "complete",
			       good ? json_object_new_boolean(s->man.old.state == MANIFEST_COMPLETE)
				    : NULL);
	add_str(o, "mounted_on", s->mounted_on);
	snprintf(entry, sizeof(entry), "%04X", s->entry & 0xffff);
	add_str(o, "entry", s->entry == NVRAM_NONE ? NULL : entry);
	return o;
}

static struct json_object *disks(const struct hostset *set, const struct lastboot *b,
				 const struct status_check *c)
{
	static const char *const tables[] = {"none", "mbr", "gpt", "gpt-backup"};
	struct json_object *array = json_object_new_array();

	for (unsigned i = 0; i < set->count; i++) {
		const struct survey_disk *f = &set->survey.found[i];
		struct json_object *o = json_object_new_object();

		add_str(o, "path", set->host[i].path);
		add_u64(o, "sectors", set->disk[i].sectors);
		add_u64(o, "sector_size", 1u << set->disk[i].shift);
		add_str(o, "table", f->status == ST_OK ? tables[f->table] : NULL);
		add_bool(o, "io_error", f->io_error);
		add_str(o, "boot_record", record_name(b->status[i]));
		json_object_object_add(o, "last_boot", lastboot_json(set, b, i));
		add_str(o, "bios", status_installed_name(c->disk[i].bios_state));
		add_str(o, "uefi", status_installed_name(c->disk[i].uefi_state));
		json_object_object_add(o, "esp", esp(&c->disk[i]));
		json_object_array_add(array, o);
	}
	return array;
}

/* What the firmware of this machine keeps. */
static struct json_object *uefi(const struct hostset *set, const struct lastboot *b)
{
	struct json_object *o = json_object_new_object();

	add_str(o, "boot_record", record_name(b->status[LASTBOOT_UEFI]));
	json_object_object_add(o, "last_boot", lastboot_json(set, b, LASTBOOT_UEFI));
	return o;
}

static struct json_object *leg(const struct hostset *set, const struct mirror *m, unsigned k)
{
	const struct survey *s = &set->survey;
	const struct leg *l = &m->leg[k];
	const struct member *mb = l->member == NO_MEMBER ? NULL : &s->member[l->member];
	struct json_object *o = json_object_new_object();
	char uuid[GUID_TEXT_BYTES] = "";
	struct say_text why;

	json_object_object_add(o, "index", json_object_new_int((int)k));
	add_str(o, "disk", l->disk < set->count ? set->host[l->disk].path : NULL);
	if (mb) {
		add_u64(o, "start_lba", mb->start_lba);
		add_u64(o, "sectors", mb->sectors_lba);
		add_u64(o, "partition", mb->part);
		add_u64(o, "generation", l->generation);
	} else {
		add_str(o, "start_lba", NULL);
		add_str(o, "sectors", NULL);
		add_str(o, "partition", NULL);
		add_str(o, "generation", NULL);
	}
	add_str(o, "verdict", verdict_name(l->verdict));
	say_text_init(&why);
	reason_text(&l->why, &why.text);
	add_str(o, "reason", why.buf);
	free(why.buf);
	add_str(o, "reason_code", reason_name(l->why.code));
	json_object_object_add(o, "role", l->role < ROLE_MAX ? json_object_new_int(l->role) : NULL);
	if (mb && !guid_is_zero(&mb->device_uuid))
		trustlist_uuid(mb, uuid);
	add_str(o, "device_uuid", uuid[0] ? uuid : NULL);
	json_object_object_add(o, "trusted",
			       mb && s->trust ? json_object_new_boolean(!trust_refused(mb)) : NULL);
	return o;
}

static struct json_object *mirror(const struct hostset *set, const struct mirror *m)
{
	struct json_object *o = json_object_new_object();
	struct json_object *legs = json_object_new_array();
	char uuid[GUID_TEXT_BYTES];

	guid_text_md(&m->uuid, uuid);
	add_str(o, "format", formats[m->format].name);
	add_str(o, "uuid", uuid);
	add_str(o, "name", m->name);
	add_str(o, "state", mirror_state_name(m->state));
	json_object_object_add(o, "chosen",
			       m->chosen == NO_LEG ? NULL : json_object_new_int(m->chosen));
	add_bool(o, "dirty", m->dirty);
	if (m->seen)
		add_u64(o, "seen", m->seen);
	else
		add_str(o, "seen", NULL);
	add_bool(o, "behind", m->behind);
	add_u64(o, "expected", m->expected);
	add_u64(o, "size_sectors_512", m->size_s512);
	for (unsigned k = 0; k < m->leg_count; k++)
		json_object_array_add(legs, leg(set, m, k));
	json_object_object_add(o, "legs", legs);
	return o;
}

static struct json_object *boot(const struct hostset *set, const struct policy *p)
{
	static const char *const actions[] = {"boot",      "pause",    "ask",      "halt",
					      "no-mirror", "unusable", "untrusted"};
	struct json_object *o = json_object_new_object();
	struct report_names names = status_names(set);
	struct say_text t;

	add_str(o, "action", actions[p->action]);
	json_object_object_add(o, "mirror",
			       p->mirror < set->survey.mirror_count ? json_object_new_int(p->mirror)
								    : NULL);
	say_text_init(&t);
	report_policy(&set->survey, p, &names, &t.text);
	while (t.used && t.buf[t.used - 1] == '\n')
		t.buf[--t.used] = 0;
	add_str(o, "text", t.buf);
	free(t.buf);
	return o;
}

/* Each warning again, with the command. */
static struct json_object *advice(const struct status_warnings *w)
{
	static const char *const levels[] = {
		[STATUS_NOTE] = "note", [STATUS_FAULT] = "fault", [STATUS_DRIFT] = "drift"};
	struct json_object *array = json_object_new_array();

	for (unsigned i = 0; i < w->count; i++) {
		struct json_object *o = json_object_new_object();

		add_str(o, "warning", w->line[i]);
		add_str(o, "level", levels[w->level[i]]);
		add_str(o, "next", w->next[i]);
		json_object_array_add(array, o);
	}
	return array;
}

static struct json_object *verdict(const struct status_all *a)
{
	struct json_object *o = json_object_new_object();
	struct status_verdict v;

	status_verdict(a, &v);
	add_str(o, "state", v.name);
	add_str(o, "text", v.text);
	json_object_object_add(o, "exit_status", json_object_new_int(a->rc));
	free(v.text);
	return o;
}

void status_json(const struct status_all *a)
{
	const struct hostset *set = a->set;
	const struct status_warnings *w = a->warnings;
	struct json_object *o = json_object_new_object();
	struct json_object *mirrors = json_object_new_array();
	struct json_object *warnings = json_object_new_array();

	for (unsigned i = 0; i < set->survey.mirror_count; i++)
		json_object_array_add(mirrors, mirror(set, &set->survey.mirror[i]));
	for (unsigned i = 0; i < w->count; i++)
		json_object_array_add(warnings, jsontext(w->line[i]));
	json_object_object_add(o, "verdict", verdict(a));
	json_object_object_add(o, "disks", disks(set, a->last, a->check));
	json_object_object_add(o, "uefi", uefi(set, a->last));
	json_object_object_add(o, "mirrors", mirrors);
	json_object_object_add(o, "boot", boot(set, a->policy));
	json_object_object_add(o, "warnings", warnings);
	json_object_object_add(o, "advice", advice(w));
	puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |
						       JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
}
