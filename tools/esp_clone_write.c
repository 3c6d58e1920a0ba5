/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* A clone is carried out. */
#include "tools/esp_clone.h"
#include "tools/esp_policy.h"
#include "tools/say.h"
#include "tools/stop.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Of a source that is mounted: how often it may change while it is cloned. */
#define ROUNDS         5
#define ROUND_PAUSE_US 200000

static struct esp_delta_options options_of(const struct esp_clone *c)
{
	return (struct esp_delta_options){.keep_extra = c->options->keep_extra,
					  .source_dirty_ok = c->options->force,
					  .progress = true};
}

static bool fail(const struct esp_side *s, const struct esp_side *from, const struct esp_delta *d)
{
	char why[FAT_PATH_BYTES + 200];

	esp_delta_why_text(d, why, sizeof(why));
	say_about(d->why_source ? from->place->arg : s->place->arg, "%s%s", why,
		  d->why_source ? esp_clone_torn_text(from) : "");
	return false;
}

/* Is the target still what the plan was made for? */
static bool is_as_planned(struct esp_clone *c, unsigned i)
{
	const struct esp_delta_options o = options_of(c);
	struct esp_side *s = &c->to[i];
	struct esp_place was = *s->place;
	struct esp_delta now = {0};
	bool same = true;

	was.mounted_on = NULL;
	if (!esp_place_find(s->place, true))
		return false;
	if (c->fresh[i]) {
		same = s->place->none == was.none && s->place->fat == was.fat;
	} else if (s->place->fat != ST_OK) {
		same = false;
	} else {
		if (!esp_side_look(s))
			return false;
		if (!esp_delta_make(&now, &c->from, s, &o))
			return fail(s, &c->from, &now);
		same = c->from.place->mounted_on || esp_delta_same(&now, &c->delta[i]);
	}
	esp_delta_free(&now);
	if (!same || was.start_lba != s->place->start_lba || was.sectors != s->place->sectors ||
	    !guid_equal(&was.uuid, &s->place->uuid)) {
		say_about(s->place->arg, "has changed since the plan was made: run this again");
		return false;
	}
	return s->place->none || esp_place_may_write(s->place);
}

static bool make_fresh(struct esp_clone *c, unsigned i)
{
	struct esp_side *s = &c->to[i];

	if (c->fresh[i] == ESP_CREATED && !esp_create_write(s->place, &c->where[i]))
		return false;
	if (!esp_side_format(s, c->from.fat.label))
		return false;
	return esp_place_find(s->place, false) && esp_side_look(s);
}

/*
 * A source that is mounted and written to is read from its disk in the middle of a change, and
 * seems to be damaged. What is on it is whole again when the change is.
 */
static bool is_torn(const struct esp_clone *c, const struct esp_delta *d)
{
	return c->from.place->mounted_on && d->why && d->why_source;
}

/*
 * Until a comparison, byte by byte and from the disk, finds nothing left. It
 * takes one round, unless the source is mounted and somebody writes to it.
 */
static bool level(struct esp_clone *c, unsigned i)
{
	const struct esp_delta_options o = options_of(c);
	struct esp_side *s = &c->to[i];
	struct esp_delta d = {0};
	bool fine = true;

	for (unsigned round = 0; round < ROUNDS; round++) {
		/* What is cached of one that is mounted may be old by now. */
		if (c->from.place->mounted_on && !esp_side_look(&c->from))
			return false;
		fine = esp_delta_apply(&d, &c->from, s, &o);
		if (!fine && !is_torn(c, &d))
			break;
		if (!esp_side_look(&c->from) || !esp_side_look(s))
			return false;
		if (fine)
			fine = esp_delta_make(&d, &c->from, s, &o);
		if ((fine && d.empty) || !c->from.place->mounted_on || (!fine && !is_torn(c, &d)))
			break;
		usleep(ROUND_PAUSE_US);
	}
	if (!fine && d.why)
		fail(s, &c->from, &d);
	else if (fine && !d.empty)
		say_about(s->place->arg,
			  c->from.place->mounted_on
				  ? "the source was written to all the time: run this again"
				  : "what is read back is not what was written");
	fine = fine && d.empty;
	esp_delta_free(&d);
	return fine;
}

/* As read from the disk once more: by SHA-256, with the source and with the new manifest. */
static bool hashes_agree(const struct esp_clone *c, const struct esp_side *s)
{
	for (unsigned i = 0; i < c->from.man.count; i++) {
		const struct espman_file *f = &c->from.man.file[i];
		const struct espman_file *there = esp_side_find(s, f->f.path);
		enum esp_policy what = esp_policy_of(f->f.path, f->f.path_bytes);

		if (!there || (what != ESP_CLONED && what != ESP_INCLUDED) ||
		    (there->status == ST_OK && !memcmp(there->f.sha256, f->f.sha256, SHA256_BYTES)))
			continue;
		say_about(s->place->arg, "%s is not what was written to it", f->f.path);
		return false;
	}
	if (esp_renewal_is_current(&s->man))
		return true;
	say_about(s->place->arg, "its files are not what its new manifest says");
	return false;
}

static bool write_one(struct esp_clone *c, unsigned i)
{
	struct esp_side *s = &c->to[i];

	c->result[i] = ESP_UNTOUCHED;
	if (!is_as_planned(c, i))
		return false;
	if (!c->fresh[i] && !c->manifest[i] && c->delta[i].empty) {
		c->result[i] = ESP_IN_STEP;
		return true;
	}
	c->result[i] = ESP_BROKEN_OFF;
	if (c->fresh[i] && !make_fresh(c, i))
		return false;
	if ((c->fresh[i] || !c->delta[i].empty) &&
	    (!esp_renewal_write(&c->renewal, s, MANIFEST_UPDATING) || !esp_side_look(s) ||
	     !level(c, i)))
		return false;
	if (!esp_renewal_write(&c->renewal, s, MANIFEST_COMPLETE) || !esp_side_look(s) ||
	    !hashes_agree(c, s))
		return false;
	c->result[i] = ESP_CLONED_NOW;
	return true;
}

static void say_untouched(const struct esp_clone *c, unsigned i)
{
	for (; i < c->count; i++)
		say_about(c->to[i].place->arg, "was left untouched");
}

static void say_done(const struct esp_clone *c, unsigned i)
{
	if (c->options->json)
		return;
	if (c->result[i] == ESP_IN_STEP)
		printf("%s: in step already; nothing was written\n", c->to[i].place->arg);
	else
		printf("%s: cloned and verified (generation %llu)\n", c->to[i].place->arg,
		       (unsigned long long)c->renewal.generation);
	fflush(stdout);
}

/*
 * The source's manifest may come with a folder that it had not. So the targets are asked before
 * whether they are as planned, and the plans are made again after it.
 */
static bool renew_source(struct esp_clone *c)
{
	const struct esp_delta_options o = options_of(c);

	for (unsigned i = 0; i < c->count; i++)
		if (!is_as_planned(c, i))
			return false;
	if (!esp_renewal_write_source(&c->renewal, &c->from) || !esp_side_look(&c->from))
		return false;
	for (unsigned i = 0; i < c->count; i++)
		if (!c->fresh[i] && !esp_delta_make(&c->delta[i], &c->from, &c->to[i], &o))
			return fail(&c->to[i], &c->from, &c->delta[i]);
	return true;
}

bool esp_clone_write(struct esp_clone *c)
{
	stop_hold();
	if (c->renew_source && !renew_source(c)) {
		say_untouched(c, 0);
		return false;
	}
	for (unsigned i = 0; i < c->count; i++) {
		if (!write_one(c, i)) {
			if (c->result[i] == ESP_BROKEN_OFF)
				say_about(c->to[i].place->arg,
					  "is not finished: run this again; each of its files is "
					  "either the old or the new one");
			say_untouched(c, i + 1);
			return false;
		}
		say_done(c, i);
		if (i + 1 < c->count && stop_is_held()) {
			say_about(c->to[i].place->arg, "is finished; interrupted");
			say_untouched(c, i + 1);
			return false;
		}
	}
	return true;
}
