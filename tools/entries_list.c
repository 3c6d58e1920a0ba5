/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* entries list: the boot entries, and the partitions that they can be on. */
#include "tools/entries_job.h"
#include "tools/jsontext.h"
#include "tools/say.h"

#include <stdlib.h>
#include <string.h>

static const char *const fault_word[] = {
	[NVLIST_FINE] = NULL,
	[NVLIST_UNREADABLE] = "unreadable",
	[NVLIST_DAMAGED] = "damaged",
	[NVLIST_PARTITION_MISSING] = "partition-missing",
	[NVLIST_PARTITION_TWICE] = "partition-twice",
	[NVLIST_PARTITION_MOVED] = "partition-moved",
	[NVLIST_FILE_MISSING] = "file-missing",
};

static void look(struct entries_job *j, const struct nventry *e, struct nvlist *l)
{
	nvlist_look(e, &j->parts.parts, l);
	for (unsigned i = 0; i < j->record.count; i++)
		l->recorded = l->recorded || j->record.item[i].now == e;
}

/* ---- for people ---- */

static void print_parts(const struct entries_job *j)
{
	const char *disk = NULL;

	for (unsigned i = 0; i < j->parts.count; i++) {
		const struct nvpart *p = j->parts.part[i];

		if (p->disk_name != disk)
			printf("\npartitions of %s:\n", p->disk_name);
		disk = p->disk_name;
		nvlist_part(p, entries_job_text());
	}
}

static void print_gone(const struct entries_job *j)
{
	for (unsigned i = 0; i < j->record.count; i++) {
		const struct nvitem *item = &j->record.item[i];
		char *name;

		if (item->now)
			continue;
		name = entries_description(&item->e);
		printf("gone: \"%s\", which was Boot%04X: \"mirrorboot entries repair\" brings it "
		       "back\n",
		       name, item->number);
		free(name);
	}
}

/* ---- for programs ---- */

static struct json_object *number_json(unsigned number)
{
	char text[5];

	if (number == NVRAM_NONE)
		return NULL;
	snprintf(text, sizeof(text), "%04X", number & 0xffff);
	return json_object_new_string(text);
}

static struct json_object *guid_json(const struct guid *guid)
{
	char text[GUID_TEXT_BYTES];

	guid_text_gpt(guid, text);
	return json_object_new_string(text);
}

static struct json_object *line_json(const struct nvlist *l)
{
	struct json_object *o = json_object_new_object();
	const struct nventry *e = l->e;
	bool ok = e->status == ST_OK, on = ok && e->e.on_partition, is_file = false;
	char *name = ok ? entries_description(&e->e) : NULL;
	char *target = ok ? entries_target(&e->e, &is_file) : NULL;

	json_object_object_add(o, "entry", number_json(e->number));
	json_object_object_add(o, "description", jsontext(name));
	json_object_object_add(o, "active",
			       ok ? json_object_new_boolean(e->e.attributes & BOOTENTRY_ACTIVE)
				  : NULL);
	json_object_object_add(o, "in_order", json_object_new_boolean(e->place >= 0));
	json_object_object_add(o, "place", e->place >= 0 ? json_object_new_int(e->place) : NULL);
	json_object_object_add(o, "path", is_file ? jsontext(target) : NULL);
	json_object_object_add(o, "partition", on ? guid_json(&e->e.hd.guid) : NULL);
	json_object_object_add(o, "partition_number",
			       on ? json_object_new_int64(e->e.hd.number) : NULL);
	json_object_object_add(o, "disk", l->part ? jsontext(l->part->disk_name) : NULL);
	json_object_object_add(o, "automatic",
			       ok ? json_object_new_boolean(bootentry_is_automatic(&e->e)) : NULL);
	json_object_object_add(o, "recorded", json_object_new_boolean(l->recorded));
	json_object_object_add(o, "fault", jsontext(fault_word[l->fault]));
	free(name);
	free(target);
	return o;
}

static struct json_object *part_json(const struct nvpart *p)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "disk", jsontext(p->disk_name));
	json_object_object_add(o, "number", json_object_new_int(p->part.number));
	json_object_object_add(o, "start_lba", json_object_new_int64((int64_t)p->part.start_lba));
	json_object_object_add(o, "sectors", json_object_new_int64((int64_t)p->part.sectors));
	json_object_object_add(o, "sector_size", json_object_new_int(1 << p->disk->shift));
	json_object_object_add(o, "guid", guid_json(&p->part.uuid));
	json_object_object_add(o, "type", guid_json(&p->part.type));
	json_object_object_add(o, "esp", json_object_new_boolean(p->part.kind == PART_ESP));
	return o;
}

static void print_json(const struct entries_job *j, const struct nvlist *line)
{
	struct json_object *o = json_object_new_object(), *a = json_object_new_array();

	for (unsigned i = 0; i < j->all.order_count; i++)
		json_object_array_add(a, number_json(j->all.order[i]));
	json_object_object_add(o, "boot_order", a);
	json_object_object_add(o, "boot_current", number_json(j->all.current));
	json_object_object_add(o, "boot_next", number_json(j->all.next));
	json_object_object_add(o, "timeout",
			       j->all.timeout < 0 ? NULL : json_object_new_int(j->all.timeout));
	a = json_object_new_array();
	for (unsigned i = 0; i < j->all.count; i++)
		json_object_array_add(a, line_json(&line[i]));
	json_object_object_add(o, "entries", a);
	a = json_object_new_array();
	for (unsigned i = 0; i < j->record.count; i++)
		if (!j->record.item[i].now) {
			struct json_object *gone = json_object_new_object();
			char *name = entries_description(&j->record.item[i].e);

			json_object_object_add(gone, "entry",
					       number_json(j->record.item[i].number));
			json_object_object_add(gone, "description", jsontext(name));
			json_object_object_add(gone, "partition",
					       guid_json(&j->record.item[i].e.hd.guid));
			json_object_array_add(a, gone);
			free(name);
		}
	json_object_object_add(o, "gone", a);
	a = json_object_new_array();
	for (unsigned i = 0; i < j->parts.count; i++)
		json_object_array_add(a, part_json(j->parts.part[i]));
	json_object_object_add(o, "partitions", a);
	puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY |
						       JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
}

/* ---- list ---- */

int entries_list_run(struct entries_job *j)
{
	struct nvlist *line = calloc(j->all.count + 1, sizeof(*line));
	bool drift = false;

	if (!line)
		abort();
	nvverb_match(j->record.item, j->record.count, &j->all);
	for (unsigned i = 0; i < j->all.count; i++) {
		look(j, &j->all.entry[i], &line[i]);
		drift = drift || nvlist_matters(&line[i]);
	}
	for (unsigned i = 0; i < j->all.order_count; i++)
		drift = drift || !nvram_find(&j->all, j->all.order[i]);
	for (unsigned i = 0; i < j->record.count; i++)
		drift = drift || !j->record.item[i].now;
	if (j->o->json) {
		print_json(j, line);
	} else {
		nvlist_order(&j->all, entries_job_text());
		for (unsigned i = 0; i < j->all.count; i++)
			nvlist_entry(&j->all, &line[i], &j->parts.parts, &j->store.store,
				     entries_job_text());
		print_gone(j);
		print_parts(j);
	}
	free(line);
	return drift ? EXIT_DEGRADED : EXIT_DONE;
}
