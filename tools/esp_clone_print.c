/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* The plan of a clone, for people; what became of it, for programs. */
#include "tools/esp_clone.h"
#include "tools/esp_print.h"
#include "tools/jsontext.h"

#include <stdio.h>

#define LINES 40 /* of one target: a plan is to be read */

static void print_target(const struct esp_clone *c, unsigned i)
{
	const struct esp_side *s = &c->to[i];
	const struct esp_delta *d = &c->delta[i];
	char sum[256];

	printf("To %s", s->place->arg);
	if (c->fresh[i] == ESP_CREATED)
		printf(": an EFI system partition of %s is made at LBA %llu, with a new "
		       "FAT%u\n",
		       esp_print_size(c->where[i].sectors << s->place->disk->shift),
		       (unsigned long long)c->where[i].start_lba, s->fat.type);
	else if (c->fresh[i])
		printf(": is formatted, a new FAT%u of %s; what was in it is lost\n", s->fat.type,
		       esp_print_size(s->sectors << s->place->disk->shift));
	else
		printf(" (FAT%u)%s\n", s->fat.type,
		       d->empty && !c->manifest[i] ? ": in step already" : "");
	esp_print_items(d, false, LINES);
	esp_print_sum(d, sum, sizeof(sum));
	if (!d->empty)
		printf("  %s; then its manifest, generation %llu\n", sum,
		       (unsigned long long)c->renewal.generation);
	else if (c->manifest[i])
		printf("  no file to write; its manifest, generation %llu\n",
		       (unsigned long long)c->renewal.generation);
}

void esp_clone_print(const struct esp_clone *c)
{
	printf("From ");
	esp_print_name(&c->from);
	printf(": %u files, %s\n", c->from.man.count, esp_print_size(esp_side_bytes(&c->from)));
	if (c->renew_source)
		printf("  its manifest is written first, generation %llu\n",
		       (unsigned long long)c->renewal.generation);
	for (unsigned i = 0; i < c->count; i++)
		print_target(c, i);
}

void esp_clone_print_json(const struct esp_clone *c)
{
	static const char *const result[] = {[ESP_UNTOUCHED] = "untouched",
					     [ESP_IN_STEP] = "in-step",
					     [ESP_CLONED_NOW] = "cloned",
					     [ESP_BROKEN_OFF] = "unfinished"};
	static const char *const fresh[] = {NULL, "formatted", "created"};
	struct json_object *top = json_object_new_object(), *list = json_object_new_array();

	json_object_object_add(top, "source", esp_json_side(&c->from));
	json_object_object_add(top, "generation", json_object_new_uint64(c->renewal.generation));
	for (unsigned i = 0; i < c->count; i++) {
		struct json_object *o = esp_json_side(&c->to[i]);

		json_object_object_add(o, "fresh", jsontext(fresh[c->fresh[i]]));
		json_object_object_add(o, "write_bytes",
				       json_object_new_uint64(c->delta[i].write_bytes));
		json_object_object_add(o, "planned", esp_json_items(&c->delta[i]));
		json_object_object_add(o, "result", json_object_new_string(result[c->result[i]]));
		json_object_array_add(list, o);
	}
	json_object_object_add(top, "targets", list);
	esp_json_print(top);
}
