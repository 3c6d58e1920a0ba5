/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* The plan of a clone. */
#include "tools/esp_clone.h"

#include "tools/say.h"

#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define LOOKS         5
#define LOOK_PAUSE_US 300000

/* ---- targets ---- */

/* It has no file system that could be kept: is there to be a new one? */
static bool plan_fresh(struct esp_clone *c, unsigned i)
{
	struct esp_side *s = &c->to[i];
	const struct esp_place *p = s->place;
	const struct esp_clone_options *o = c->options;
	uint64_t size = o->size_bytes ? o->size_bytes : c->from.sectors << c->from.disk->shift;
	char what[64];

	if (p->none) {
		if (!o->create) {
			say_about(p->arg,
				  "it has no EFI system partition: say --create to make one");
			return false;
		}
		c->fresh[i] = ESP_CREATED;
		return esp_create_plan(p, size, &c->where[i]) &&
		       esp_side_rehearse(s, c->where[i].sectors, c->from.fat.label);
	}
	if (p->fat == ST_OK && !o->format)
		return true;
	if (!o->format && !p->part) {
		say_about(p->arg, "has no partition table");
		return false;
	}
	if (!o->format && esp_create_holds(p, what, sizeof(what))) {
		say_about(p->arg,
			  "there is no FAT file system in it, but %s: say --format to "
			  "replace that",
			  what);
		return false;
	}
	if (!o->format && !o->create) {
		say_about(p->arg, "there is no FAT file system in it: say --format to make one");
		return false;
	}
	c->fresh[i] = ESP_FORMATTED;
	return esp_side_rehearse(s, p->sectors, c->from.fat.label);
}

const char *esp_clone_torn_text(const struct esp_side *from)
{
	return from->place->mounted_on
		       ? "; it is mounted: if it is being written to, run this again after that"
		       : "";
}

static void say_no_plan(const struct esp_clone *c, unsigned i)
{
	const struct esp_delta *d = &c->delta[i];
	const char *whose = d->why_source ? c->from.place->arg : c->to[i].place->arg;
	char why[FAT_PATH_BYTES + 200];

	esp_delta_why_text(d, why, sizeof(why));
	say_about(whose, "%s%s", why, d->why_source ? esp_clone_torn_text(&c->from) : "");
}

/* The manifest that is written last must fit, too. */
static bool manifest_fits(const struct esp_clone *c, unsigned i)
{
	const struct esp_side *s = &c->to[i];
	uint64_t cluster = 1ull << s->fat.cluster_shift;
	uint64_t need = esp_renewal_bytes(&c->from) + 3 * cluster;

	if (esp_renewal_bytes(s) > esp_renewal_bytes(&c->from))
		need = esp_renewal_bytes(s) + 3 * cluster;
	if (!c->manifest[i] || c->delta[i].after_bytes + s->man.old.end >= need)
		return true;
	say_about(s->place->arg, "there is too little room for the manifest (%llu KiB)",
		  (unsigned long long)(need >> 10));
	return false;
}

static bool plan_targets(struct esp_clone *c)
{
	const struct esp_delta_options o = {.keep_extra = c->options->keep_extra,
					    .source_dirty_ok = c->options->force,
					    .progress = true};
	bool fine = true;

	for (unsigned i = 0; i < c->count; i++) {
		struct esp_side *s = &c->to[i];

		if (!s->place->none && !esp_place_may_write(s->place)) {
			fine = false;
			continue;
		}
		if (!plan_fresh(c, i) || !esp_side_look(s)) {
			fine = false;
			continue;
		}
		if (s->man.status == ST_UNSUPPORTED) {
			say_about(s->place->arg,
				  "its manifest was written by a newer mirrorboot: use that one");
			fine = false;
			continue;
		}
		if (!esp_delta_make(&c->delta[i], &c->from, s, &o)) {
			say_no_plan(c, i);
			fine = false;
			if (c->delta[i].why_source)
				break; /* the others would say the same */
		}
	}
	return fine;
}

/* ---- the source ---- */

/* Can its manifest be written, and may it? */
static bool may_renew_source(const struct esp_clone *c)
{
	const struct esp_place *p = c->from.place;
	struct statvfs fs;

	if (!c->renewal.source || c->options->leave_source || esp_place_is_leg(c->from.place))
		return false;
	if (p->mounted_on)
		return !statvfs(p->mounted_on, &fs) && !(fs.f_flag & ST_RDONLY) &&
		       !access(p->mounted_on, W_OK);
	return !access(p->path, W_OK);
}

static bool find_all(struct esp_clone *c)
{
	struct esp_places *ps = c->places;
	bool lack = c->options->create || c->options->format;
	bool fine = esp_place_find(&ps->place[0], false);

	for (unsigned i = 1; i < ps->count; i++)
		fine &= esp_place_find(&ps->place[i], true) &&
			(lack || ps->place[i].none || ps->place[i].fat == ST_OK ||
			 esp_place_find(&ps->place[i], false));
	if (!fine || esp_places_overlap(ps))
		return false;
	c->from.place = &ps->place[0];
	c->count = ps->count - 1;
	for (unsigned i = 0; i < c->count; i++)
		c->to[i].place = &ps->place[i + 1];
	return true;
}

static bool is_whole(struct esp_side *s)
{
	for (unsigned i = 0; i < s->man.count; i++)
		if (s->man.file[i].status != ST_OK)
			return false;
	return esp_side_check(s);
}

/*
 * One that is mounted may be in the middle of a change: it is given some time to come out of
 * it. One that stays damaged is so, and the plan says why.
 */
static bool look_at_source(struct esp_clone *c)
{
	for (unsigned i = 0; i < LOOKS; i++) {
		if (!esp_side_look(&c->from))
			return false;
		if (!c->from.place->mounted_on || is_whole(&c->from))
			break;
		usleep(LOOK_PAUSE_US);
	}
	return true;
}

bool esp_clone_plan(struct esp_clone *c)
{
	bool fine = true;

	if (!find_all(c) || !look_at_source(c) || !plan_targets(c))
		return false;
	if (!esp_renewal_plan(&c->renewal, &c->from, c->to, c->delta, c->count, c->options->force))
		return false;
	c->renew_source = may_renew_source(c);
	for (unsigned i = 0; i < c->count; i++) {
		c->manifest[i] = esp_renewal_needed(&c->renewal, &c->to[i], &c->delta[i]);
		fine &= manifest_fits(c, i);
	}
	return fine;
}

bool esp_clone_is_empty(const struct esp_clone *c)
{
	for (unsigned i = 0; i < c->count; i++)
		if (c->fresh[i] || c->manifest[i] || !c->delta[i].empty)
			return false;
	return !c->renew_source;
}

void esp_clone_free(struct esp_clone *c)
{
	esp_side_forget(&c->from);
	for (unsigned i = 0; i < c->count; i++) {
		esp_side_forget(&c->to[i]);
		esp_delta_free(&c->delta[i]);
	}
}
