/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tools/esp_drift.h"

#include "tools/esp_print.h"
#include "tools/esp_renewal.h"
#include "tools/jsontext.h"
#include "tools/say.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PER_FILE 20 /* sentences, in status */

/* Sentences about one ESP: printed, or for JSON kept. */
struct drift {
	const char *path;
	struct json_object *list; /* NULL: they are printed */
	unsigned count;
	bool damage;
	unsigned files, limit; /* sentences about single files; 0: no limit */
};

static void __attribute__((format(printf, 2, 3))) drift(struct drift *d, const char *fmt, ...)
{
	char text[FAT_PATH_BYTES + 512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	d->count++;
	if (d->list)
		json_object_array_add(d->list, jsontext(text));
	else
		printf("%s: %s\n", d->path, text);
}

static void about_file(struct drift *d, const char *path, const char *what)
{
	if (d->limit && d->files == d->limit && !d->list)
		printf("%s: and more files (\"mirrorboot esp verify\" names them all)\n", d->path);
	d->files++;
	if (!d->limit || d->files <= d->limit || d->list)
		drift(d, "%s %s", path, what);
	else
		d->count++;
}

static int worst(const struct drift *d, int rc)
{
	if (d->damage)
		return EXIT_FAILED;
	return d->count && rc == EXIT_DONE ? EXIT_DEGRADED : rc;
}

/* All are found and read. False: said. */
static bool look(struct esp_places *ps, struct esp_side *side)
{
	bool fine = true;

	for (unsigned i = 0; i < ps->count; i++) {
		side[i].place = &ps->place[i];
		fine &= esp_place_find(&ps->place[i], false);
	}
	if (!fine || esp_places_overlap(ps))
		return false;
	for (unsigned i = 0; i < ps->count; i++)
		fine &= esp_side_look(&side[i]);
	return fine;
}

static void forget(struct esp_side *side, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		esp_side_forget(&side[i]);
	free(side);
}

static struct esp_side *new_sides(unsigned count)
{
	struct esp_side *side = calloc(count, sizeof(*side));

	if (!side)
		abort();
	return side;
}

/* ---- one by itself ---- */

static void check_fat(struct drift *d, struct esp_side *s)
{
	char why[FAT_PATH_BYTES + 200];

	if (esp_side_check(s))
		return;
	esp_side_why_text(s->why, s->wrong_path, why, sizeof(why));
	drift(d, "%s", why);
	if (s->why != FAT_DIRTY)
		d->damage = true;
}

static void check_files(struct drift *d, const struct espman *m)
{
	static const char *const what[] = {
		[MANIFEST_CHANGED] = "has changed since the manifest was written",
		[MANIFEST_DAMAGED] =
			"is damaged: size and time are as they were, what is in it is not",
		[MANIFEST_UNLISTED] = "is not listed in the manifest",
	};
	bool listed = m->status == ST_OK && m->old.state == MANIFEST_COMPLETE;

	for (unsigned i = 0; i < m->count; i++) {
		const struct espman_file *f = &m->file[i];

		if (f->status != ST_OK) {
			about_file(d, f->f.path, espman_fault_text(f->status));
			d->damage = true;
		} else if (listed && f->verdict != MANIFEST_SAME) {
			about_file(d, f->f.path, what[f->verdict]);
			d->damage |= f->verdict == MANIFEST_DAMAGED;
		}
	}
	for (unsigned i = 0; i < m->missing; i++) {
		char path[MANIFEST_PATH_BYTES + 1];
		struct manifest_file f;

		espman_missing(m, i, &f);
		snprintf(path, sizeof(path), "%.*s", (int)f.path_bytes, f.path);
		about_file(d, path, "is listed in the manifest and missing");
	}
}

static void check_manifest(struct drift *d, const struct espman *m)
{
	switch (m->status) {
	case ST_OK: break;
	case ST_ABSENT: drift(d, "its EFI system partition has no manifest"); break;
	case ST_UNSUPPORTED:
		drift(d, "its manifest was written by a newer mirrorboot: use that one");
		break;
	case ST_IO: drift(d, "its manifest could not be read"); break;
	default: drift(d, "its manifest is damaged"); break;
	}
	d->damage |= m->status == ST_IO || m->status == ST_CORRUPT;
	if (m->status == ST_OK && m->old.state != MANIFEST_COMPLETE)
		drift(d, "its last update was cut: it may hold files of two generations");
	check_files(d, m);
	if (m->status == ST_OK && !guid_equal(&m->old.source, &m->source))
		drift(d, "its manifest was written for another partition");
}

static void check_one(struct drift *d, struct esp_side *s)
{
	check_fat(d, s);
	check_manifest(d, &s->man);
}

static void add_drift(struct json_object *o, const struct drift *d)
{
	json_object_object_add(o, "in_step", json_object_new_boolean(!d->count));
	json_object_object_add(o, "drift", d->list);
}

int esp_verify(struct esp_places *ps, bool json)
{
	struct esp_side *side = new_sides(ps->count);
	struct json_object *top = json_object_new_object(), *list = json_object_new_array();
	int rc = EXIT_DONE;

	json_object_object_add(top, "esps", list);
	if (!look(ps, side)) {
		forget(side, ps->count);
		json_object_put(top);
		return EXIT_FAILED;
	}
	for (unsigned i = 0; i < ps->count; i++) {
		struct drift d = {.path = ps->place[i].arg,
				  .list = json ? json_object_new_array() : NULL};
		struct json_object *o;

		check_one(&d, &side[i]);
		rc = worst(&d, rc);
		if (!json) {
			if (!d.count)
				printf("%s: as its manifest says (%u files, generation %llu)\n",
				       d.path, side[i].man.count,
				       (unsigned long long)side[i].man.old.generation);
			continue;
		}
		o = esp_json_side(&side[i]);
		add_drift(o, &d);
		json_object_array_add(list, o);
	}
	if (json)
		esp_json_print(top);
	else
		json_object_put(top);
	forget(side, ps->count);
	return rc;
}

/* ---- one against another ---- */

/* "3 files of a are missing" */
static void say_differences(struct drift *d, const struct esp_delta *x, const char *other)
{
	static const struct {
		enum fat_action action;
		const char *one, *more;
	} what[] = {
		{FAT_CREATE, "that is on", "that are on"},
		{FAT_REPLACE, "that is another on", "that are others on"},
		{FAT_REMOVE, "that is not on", "that are not on"},
		{FAT_TOUCH, "with other times or attributes than on",
		 "with other times or attributes than on"},
	};

	for (unsigned i = 0; i < sizeof(what) / sizeof(what[0]); i++) {
		unsigned files = x->files[what[i].action], folders = x->folders[what[i].action];
		unsigned n = files ? files : folders;

		if (n)
			drift(d, "%s%u %s%s %s %s",
			      what[i].action == FAT_CREATE ? "it lacks " : "it has ", n,
			      files ? "file" : "folder", n == 1 ? "" : "s",
			      n == 1 ? what[i].one : what[i].more, other);
	}
	if (x->tidy && !x->count)
		drift(d, "its file system has to be put in order (lost clusters, or the "
			 "mark of one "
			 "that was not unmounted)");
}

static const struct esp_delta_options reading = {.source_dirty_ok = true, .progress = true};

/* False: they can't be compared; that is in the sentences. */
static bool compare(struct drift *d, struct esp_delta *x, struct esp_side *from,
		    struct esp_side *to)
{
	char why[FAT_PATH_BYTES + 256];

	if (esp_delta_make(x, from, to, &reading)) {
		say_differences(d, x, from->place->arg);
		return true;
	}
	esp_delta_why_text(x, why, sizeof(why));
	if (x->why_source)
		drift(d, "can't be compared with %s, where %s", from->place->arg, why);
	else
		drift(d, "%s", why);
	d->damage |= x->why != FAT_NO_ROOM && x->why != FAT_NO_SLOTS;
	return false;
}

int esp_diff(struct esp_places *ps, bool json)
{
	struct esp_side *side = new_sides(ps->count);
	struct json_object *top = json_object_new_object(), *list = json_object_new_array();
	int rc = EXIT_DONE;

	json_object_object_add(top, "targets", list);
	if (!look(ps, side)) {
		forget(side, ps->count);
		json_object_put(top);
		return EXIT_FAILED;
	}
	json_object_object_add(top, "source", esp_json_side(&side[0]));
	for (unsigned i = 1; i < ps->count; i++) {
		struct drift d = {.path = ps->place[i].arg,
				  .list = json ? json_object_new_array() : NULL};
		struct json_object *o = esp_json_side(&side[i]);
		struct esp_delta x = {0};
		bool plan = compare(&d, &x, &side[0], &side[i]);

		rc = worst(&d, rc);
		if (!json && plan)
			esp_print_items(&x, true, 0);
		if (!json && !d.count)
			printf("%s: in step with %s\n", d.path, ps->place[0].arg);
		if (json)
			add_drift(o, &d);
		json_object_object_add(o, "differences", esp_json_items(&x));
		json_object_array_add(list, o);
		esp_delta_free(&x);
	}
	if (json)
		esp_json_print(top);
	else
		json_object_put(top);
	forget(side, ps->count);
	return rc;
}

/* ---- all together ---- */

static unsigned find_newest(const struct esp_side *side, unsigned count)
{
	struct espgen_esp e[ESP_PLACES];

	for (unsigned i = 0; i < count; i++)
		e[i] = esp_renewal_facts(&side[i], NULL);
	return espgen_newest(e, count);
}

static void compare_manifests(struct drift *d, const struct esp_side *newest,
			      const struct esp_side *s)
{
	const struct espman *a = &newest->man, *b = &s->man;

	if (a->status != ST_OK || b->status != ST_OK)
		return;
	if (!guid_equal(&a->old.set, &b->old.set))
		drift(d, "its manifest is of another set than that of %s", newest->place->arg);
	else if (b->old.generation < a->old.generation)
		drift(d, "it is older than %s (generation %llu, there %llu)", newest->place->arg,
		      (unsigned long long)b->old.generation, (unsigned long long)a->old.generation);
}

static void print_line(const struct esp_side *s)
{
	const struct espman *m = &s->man;

	esp_print_name(s);
	printf(": %u files, %s of %s used", m->count,
	       esp_print_size((uint64_t)s->used << s->fat.cluster_shift),
	       esp_print_size((uint64_t)s->fat.clusters << s->fat.cluster_shift));
	if (m->status == ST_OK)
		printf(", generation %llu", (unsigned long long)m->old.generation);
	if (s->place->mounted_on)
		printf(", mounted on %s", s->place->mounted_on);
	putchar('\n');
}

int esp_status(struct esp_places *ps, bool json, const struct esp_drift_more *more)
{
	struct esp_side *side = new_sides(ps->count);
	struct json_object *top = json_object_new_object(), *list = json_object_new_array();
	int rc = more->missing ? EXIT_DEGRADED : EXIT_DONE;
	unsigned newest;

	json_object_object_add(top, "esps", list);
	if (more->enabled) {
		json_object_object_add(top, "enabled", more->enabled);
		json_object_object_add(top, "missing", json_object_new_int((int)more->missing));
	}
	if (!look(ps, side)) {
		forget(side, ps->count);
		json_object_put(top);
		return EXIT_FAILED;
	}
	newest = find_newest(side, ps->count);
	for (unsigned i = 0; i < ps->count; i++) {
		struct drift d = {.path = ps->place[i].arg,
				  .list = json ? json_object_new_array() : NULL,
				  .limit = PER_FILE};
		struct esp_delta x = {0};
		struct json_object *o = esp_json_side(&side[i]);

		esp_side_check(&side[i]);
		if (!json)
			print_line(&side[i]);
		check_one(&d, &side[i]);
		if (i != newest) {
			compare_manifests(&d, &side[newest], &side[i]);
			if (!d.damage)
				compare(&d, &x, &side[newest], &side[i]);
		}
		rc = worst(&d, rc);
		json_object_object_add(o, "newest", json_object_new_boolean(i == newest));
		if (json)
			add_drift(o, &d);
		json_object_array_add(list, o);
		esp_delta_free(&x);
	}
	json_object_object_add(top, "in_step", json_object_new_boolean(rc == EXIT_DONE));
	if (json)
		esp_json_print(top);
	else
		json_object_put(top);
	if (!json && rc == EXIT_DONE)
		printf(ps->count > 1 ? "All are in step.\n" : "It is as its manifest says.\n");
	forget(side, ps->count);
	return rc;
}
