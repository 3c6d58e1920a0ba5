/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tools/esp_print.h"

#include "tools/esp_renewal.h"
#include "tools/jsontext.h"

#include <stdio.h>
#include <string.h>

const char *esp_print_size(uint64_t bytes)
{
	static const char *const unit[] = {"KiB", "MiB", "GiB", "TiB"};
	static char text[4][32];
	static unsigned next;
	char *t = text[next++ % 4];
	double n = (double)bytes / 1024;
	unsigned i = 0;

	if (bytes < 1024) {
		snprintf(t, sizeof(text[0]), "%u byte%s", (unsigned)bytes, bytes == 1 ? "" : "s");
		return t;
	}
	for (; n >= 1024 && i < 3; i++)
		n /= 1024;
	snprintf(t, sizeof(text[0]), "%.1f %s", n, unit[i]);
	return t;
}

void esp_print_name(const struct esp_side *s)
{
	char text[128];

	esp_place_text(s->place, s->has_fat ? &s->fat : NULL, text, sizeof(text));
	printf("%s (%s)", s->place->arg, text);
}

void esp_print_items(const struct esp_delta *d, bool diff, unsigned limit)
{
	static const char *const plan[FAT_ACTIONS] = {[FAT_CREATE] = "new",
						      [FAT_REPLACE] = "changed",
						      [FAT_TOUCH] = "times",
						      [FAT_REMOVE] = "deleted"};
	static const char *const state[FAT_ACTIONS] = {[FAT_CREATE] = "missing",
						       [FAT_REPLACE] = "differs",
						       [FAT_TOUCH] = "times",
						       [FAT_REMOVE] = "extra"};
	unsigned n = limit && d->count > limit ? limit : d->count;

	for (unsigned i = 0; i < n; i++) {
		const struct esp_delta_item *item = &d->item[i];

		printf("  %-8s %s", (diff ? state : plan)[item->action], item->path);
		if (item->folder)
			printf("\\");
		else if (item->action != FAT_TOUCH)
			printf(", %s", esp_print_size(item->bytes));
		putchar('\n');
	}
	if (n < d->count)
		printf("  and %u more (\"mirrorboot esp diff\" shows all)\n", d->count - n);
}

void esp_print_sum(const struct esp_delta *d, char *text, size_t size)
{
	unsigned files = d->files[FAT_CREATE] + d->files[FAT_REPLACE];
	unsigned gone = d->files[FAT_REMOVE], touched = d->files[FAT_TOUCH];
	int n = snprintf(text, size, "%u file%s to write (%s)", files, files == 1 ? "" : "s",
			 esp_print_size(d->write_bytes));

	if (gone && (size_t)n < size)
		n += snprintf(text + n, size - (size_t)n, ", %u to delete", gone);
	if (touched && (size_t)n < size)
		n += snprintf(text + n, size - (size_t)n, ", %u to get %s times and attributes",
			      touched, touched == 1 ? "its" : "their");
	if (d->tidy && (size_t)n < size)
		snprintf(text + n, size - (size_t)n, ", the file system to be put in order");
}

/* ---- JSON ---- */

static struct json_object *guid_or_null(const struct guid *g)
{
	char text[GUID_TEXT_BYTES];

	if (guid_is_zero(g))
		return NULL;
	guid_text_gpt(g, text);
	return json_object_new_string(text);
}

static struct json_object *manifest(const struct espman *m)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "state", json_object_new_string(esp_renewal_state(m)));
	if (m->status != ST_OK)
		return o;
	json_object_object_add(o, "set", guid_or_null(&m->old.set));
	json_object_object_add(o, "generation", json_object_new_uint64(m->old.generation));
	json_object_object_add(o, "current", json_object_new_boolean(esp_renewal_is_current(m)));
	return o;
}

struct json_object *esp_json_side(const struct esp_side *s)
{
	const struct esp_place *p = s->place;
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "path", jsontext(p->arg));
	json_object_object_add(o, "partition", json_object_new_int((int)p->part));
	json_object_object_add(o, "guid", guid_or_null(&p->uuid));
	json_object_object_add(o, "bytes", json_object_new_uint64(s->sectors << p->disk->shift));
	json_object_object_add(o, "sector_size", json_object_new_int(1 << p->disk->shift));
	json_object_object_add(o, "fat", s->has_fat ? json_object_new_int(s->fat.type) : NULL);
	json_object_object_add(o, "mounted_on", jsontext(p->mounted_on));
	json_object_object_add(o, "files", json_object_new_int((int)s->man.count));
	json_object_object_add(o, "manifest", manifest(&s->man));
	return o;
}

struct json_object *esp_json_items(const struct esp_delta *d)
{
	static const char *const state[FAT_ACTIONS] = {[FAT_CREATE] = "missing",
						       [FAT_REPLACE] = "differs",
						       [FAT_TOUCH] = "times",
						       [FAT_REMOVE] = "extra"};
	struct json_object *list = json_object_new_array();

	for (unsigned i = 0; i < d->count; i++) {
		const struct esp_delta_item *item = &d->item[i];
		struct json_object *o = json_object_new_object();

		json_object_object_add(o, "path", jsontext(item->path));
		json_object_object_add(o, "what", json_object_new_string(state[item->action]));
		json_object_object_add(o, "folder", json_object_new_boolean(item->folder));
		json_object_object_add(o, "bytes", json_object_new_uint64(item->bytes));
		json_object_array_add(list, o);
	}
	return list;
}

void esp_json_print(struct json_object *o)
{
	printf("%s\n", json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY |
								 JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
}
