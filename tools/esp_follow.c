/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tools/esp_follow.h"

#include "tools/esp_clone.h"
#include "tools/esp_state.h"
#include "tools/esp_watch.h"
#include "tools/say.h"
#include "tools/stop.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/file.h>
#include <unistd.h>

#define LOCK_FILE  "/run/mirrorboot/esp.lock"
#define AGAIN_FILE "/run/mirrorboot/esp.again" /* somebody asked for a run; hooks make it, too */

/* Until a pass finds nothing to write; a source that changes all the time ends it. */
#define PASSES 5

/* ---- which are there ---- */

static void say_missing(const struct esp_conf_place *p, enum esp_found_what what)
{
	if (what == ESP_FOUND_TWICE)
		say_about(p->id, "more than one partition of this machine has this GUID: which one "
				 "is meant can't be told");
	else if (p->was)
		say_about(p->id,
			  "is not there (it was %s): its disk is missing, or was replaced; "
			  "\"mirrorboot esp enable\" takes another",
			  p->was);
	else
		say_about(p->id, "is not there");
}

void esp_follow_set(struct esp_follow_set *s, const struct esp_conf *c)
{
	memset(s, 0, sizeof(*s));
	esp_found_all(&s->found);
	s->count = 1;
	for (unsigned i = 0; i < c->count; i++) {
		enum esp_found_what what;
		char *arg;

		what = esp_found_resolve(&s->found, c->place[i].id, &arg);
		if (what != ESP_FOUND) {
			say_missing(&c->place[i], what);
			s->missing++;
			free(arg);
			continue;
		}
		s->arg[i ? s->count : 0] = arg;
		s->id[i ? s->count : 0] = c->place[i].id;
		s->count += i > 0;
	}
}

void esp_follow_free(struct esp_follow_set *s)
{
	for (unsigned i = 0; i < s->count; i++)
		free(s->arg[i]);
	esp_found_free(&s->found);
	memset(s, 0, sizeof(*s));
}

/* ---- what is refused ---- */

struct run {
	struct esp_conf *conf;
	struct esp_state state;
	uint64_t source_generation; /* before this pass; 0: not looked at yet */
	bool wrote;
};

static bool has_loader(const struct esp_side *s)
{
	for (unsigned i = 0; i < s->man.count; i++) {
		const struct manifest_file *f = &s->man.file[i].f;

		if (f->path_bytes > 4 && !strncasecmp(f->path + f->path_bytes - 4, ".efi", 4))
			return true;
	}
	return false;
}

/* Is this file, or a folder that it is in, among what is written over or deleted? */
static bool is_lost(const struct esp_delta *d, const char *path)
{
	for (unsigned i = 0; i < d->count; i++) {
		const struct esp_delta_item *item = &d->item[i];
		size_t n = strlen(item->path);

		if ((item->action == FAT_REMOVE || item->action == FAT_REPLACE) &&
		    !strncasecmp(path, item->path, n) && (!path[n] || path[n] == '\\'))
			return true;
	}
	return false;
}

/* A file that somebody wrote on the target since it was cloned, and that would be lost. */
static const char *own_change(const struct esp_side *to, const struct esp_delta *d)
{
	if (to->man.old.state != MANIFEST_COMPLETE)
		return NULL;
	for (unsigned i = 0; i < to->man.count; i++) {
		const struct espman_file *f = &to->man.file[i];

		if (f->status == ST_OK &&
		    (f->verdict == MANIFEST_CHANGED || f->verdict == MANIFEST_UNLISTED) &&
		    is_lost(d, f->f.path))
			return f->f.path;
	}
	return NULL;
}

/* Does the source's manifest list this file, which is not there any more? */
static bool is_deleted(const struct esp_side *from, const char *path)
{
	struct manifest_file f;

	for (unsigned i = 0; i < from->man.missing; i++) {
		espman_missing(&from->man, i, &f);
		if (f.path_bytes == strlen(path) && !strncasecmp(f.path, path, f.path_bytes))
			return true;
	}
	return false;
}

/*
 * Both are of one generation, and this file is as it was then on both: they were given that
 * number apart from each other.
 */
static const char *split(const struct esp_clone *c)
{
	const struct espman *from = &c->from.man, *to = &c->to[0].man;

	if (to->old.state != MANIFEST_COMPLETE || from->old.state != MANIFEST_COMPLETE ||
	    to->old.generation != from->old.generation)
		return NULL;
	for (unsigned i = 0; i < to->count; i++) {
		const struct espman_file *f = &to->file[i], *there;

		if (f->status != ST_OK || f->verdict != MANIFEST_SAME ||
		    !is_lost(&c->delta[0], f->f.path))
			continue;
		there = esp_side_find(&c->from, f->f.path);
		if (there ? there->verdict == MANIFEST_SAME : !is_deleted(&c->from, f->f.path))
			return f->f.path;
	}
	return NULL;
}

/* A generation that neither a run of ours nor the source knows of. */
static bool is_foreign(const struct esp_clone *c, const struct run *r, const char *id)
{
	const struct espman *to = &c->to[0].man;
	uint64_t last = esp_state_generation(&r->state, id);

	return last && !c->delta[0].empty && to->old.state == MANIFEST_COMPLETE &&
	       to->old.generation != last && to->old.generation != r->source_generation &&
	       to->old.generation != c->from.man.old.generation;
}

static bool say_apart(const struct esp_clone *c, const char *path)
{
	say_about(c->to[0].place->arg,
		  "was updated apart from %s%s%s: clone by hand, the one way or the other",
		  c->from.place->arg, path ? ", and both have their own " : "", path ? path : "");
	return false;
}

static bool may_clone(const struct esp_clone *c, const struct run *r, const char *id)
{
	const struct esp_side *from = &c->from, *to = &c->to[0];
	const char *changed;

	if (from->man.status != ST_OK) {
		say_about(from->place->arg,
			  "has no manifest: is it new? It is not cloned without being asked: "
			  "\"mirrorboot esp clone --enabled\"");
		return false;
	}
	if (!has_loader(from)) {
		say_about(from->place->arg,
			  "there is no loader on it, not one .efi file: it is not cloned");
		return false;
	}
	if (to->man.status != ST_OK || !guid_equal(&to->man.old.set, &from->man.old.set)) {
		say_about(to->place->arg,
			  "was not cloned from %s yet: the first time, \"mirrorboot "
			  "esp clone --enabled\" asks",
			  from->place->arg);
		return false;
	}
	if (is_foreign(c, r, id))
		return say_apart(c, NULL);
	changed = split(c);
	if (changed)
		return say_apart(c, changed);
	changed = own_change(to, &c->delta[0]);
	if (changed) {
		say_about(to->place->arg,
			  "%s was changed there since it was cloned, and is not written over: "
			  "\"mirrorboot esp diff\" shows it; then clone by hand, or leave it alone "
			  "with \"mirrorboot esp enable --exclude\"",
			  changed);
		return false;
	}
	return true;
}

/* ---- a run ---- */

static bool clone_planned(struct esp_clone *c, struct run *r, const char *id)
{
	bool done = true;

	if (!esp_clone_is_empty(c)) {
		r->wrote = true;
		esp_clone_print(c);
		fflush(stdout);
		done = esp_clone_write(c);
	}
	if (done)
		esp_state_set_generation(&r->state, id, c->renewal.generation);
	return done;
}

/* One target. False: said. */
static bool clone_one(struct run *r, char *source, char *target, const char *id)
{
	struct esp_clone_options o = {.keep_extra = r->conf->keep_extra};
	struct esp_clone *c = calloc(1, sizeof(*c));
	char *arg[] = {source, target};
	bool done = false;
	int rc;

	if (!c)
		abort();
	c->options = &o;
	c->places = esp_places_open(arg, 2, 0, 1, &rc);
	if (c->places) {
		done = esp_clone_plan(c);
		if (done && !r->source_generation && c->from.man.status == ST_OK)
			r->source_generation = c->from.man.old.generation;
		done = done && may_clone(c, r, id);
		if (done)
			done = clone_planned(c, r, id);
		else
			say_about(target, "was left untouched");
		esp_clone_free(c);
		esp_places_close(c->places);
	}
	free(c);
	return done;
}

static int one_pass(struct run *r)
{
	struct esp_follow_set s;
	int rc;

	r->wrote = false;
	r->source_generation = 0;
	esp_follow_set(&s, r->conf);
	rc = s.missing ? EXIT_DEGRADED : EXIT_DONE;
	if (!s.arg[0])
		rc = EXIT_FAILED;
	for (unsigned i = 1; i < s.count && s.arg[0] && !stop_is_held(); i++)
		if (!clone_one(r, s.arg[0], s.arg[i], s.id[i]))
			rc = EXIT_FAILED;
	if (stop_is_held())
		rc = EXIT_FAILED;
	if (s.arg[0])
		esp_watch_renew(r->conf, s.arg[0]);
	esp_follow_free(&s);
	return rc;
}

/* What failed would fail again, and say so again: another pass only when it is asked for. */
static int passes(struct run *r, const char *again)
{
	int rc = EXIT_DONE;

	for (unsigned pass = 0; pass < PASSES && !stop_is_held(); pass++) {
		bool asked = !unlink(again);

		if (pass && !asked && (!r->wrote || rc == EXIT_FAILED))
			return rc;
		rc = one_pass(r);
	}
	if (r->wrote && rc == EXIT_DONE) {
		say_note("the source was written to all the time: the next run goes on");
		rc = EXIT_DEGRADED;
	}
	return rc;
}

static int run(struct esp_conf *c, const char *again)
{
	struct run r = {.conf = c};
	int rc;

	esp_state_read(&r.state, c);
	rc = passes(&r, again);
	esp_state_write(&r.state, c, rc);
	esp_state_free(&r.state);
	return rc;
}

static int open_lock(const struct esp_conf *c)
{
	char *path = esp_conf_path(c, LOCK_FILE);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		say_about(path, "%s", strerror(errno));
	free(path);
	return fd;
}

int esp_follow(struct esp_conf *c)
{
	char *again = esp_conf_path(c, AGAIN_FILE);
	int rc = EXIT_FAILED, fd;

	/* Asked for first: whoever has the lock looks for this after giving it up. */
	if (!esp_conf_mark(c, AGAIN_FILE) || (fd = open_lock(c)) < 0) {
		free(again);
		return rc;
	}
	stop_hold();
	do {
		if (flock(fd, LOCK_EX | LOCK_NB)) {
			printf("Another run is under way; it looks once more when it is done.\n");
			rc = EXIT_DONE;
			break;
		}
		rc = run(c, again);
		flock(fd, LOCK_UN);
	} while (!access(again, F_OK) && !stop_is_held());
	close(fd);
	free(again);
	return rc;
}
