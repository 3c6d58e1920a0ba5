/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tools/status_check.h"
#include "tools/shellword.h"
#include "tools/status_ldm.h"
#include "tools/status_next.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *__attribute__((format(printf, 1, 0))) print(const char *fmt, va_list ap)
{
	char *line;

	if (vasprintf(&line, fmt, ap) < 0)
		abort();
	return line;
}

bool status_warn_once(struct status_warnings *w, enum status_level level, const char *fmt, ...)
{
	static const char full[] =
		"there is more to be said than there is room for: give fewer disks at a time";
	bool last = w->count == STATUS_WARNINGS - 1;
	char *line;
	va_list ap;

	if (w->count == STATUS_WARNINGS)
		return false;
	va_start(ap, fmt);
	line = print(fmt, ap);
	va_end(ap);
	for (unsigned i = 0; i < w->count; i++)
		if (!strcmp(w->line[i], line)) {
			free(line);
			return false;
		}
	if (last) {
		free(line);
		line = strdup(full);
		if (!line)
			abort();
	}
	w->line[w->count] = line;
	w->next[w->count] = NULL;
	w->level[w->count++] = (uint8_t)level;
	return !last;
}

void status_warn_next(struct status_warnings *w, const char *fmt, ...)
{
	va_list ap;

	if (!w->count || w->next[w->count - 1])
		return;
	va_start(ap, fmt);
	w->next[w->count - 1] = print(fmt, ap);
	va_end(ap);
}

bool status_warns_of(const struct status_warnings *w, enum status_level level)
{
	for (unsigned i = 0; i < w->count; i++)
		if (w->level[i] == level)
			return true;
	return false;
}

void status_warnings_free(struct status_warnings *w)
{
	for (unsigned i = 0; i < w->count; i++) {
		free(w->line[i]);
		free(w->next[i]);
	}
}

static bool has_member(const struct survey *s, unsigned disk)
{
	for (unsigned i = 0; i < s->member_count; i++)
		if (s->member[i].disk == disk)
			return true;
	return false;
}

static void without_member(const struct hostset *set, unsigned disk, bool named,
			   struct status_warnings *w)
{
	char *dynamic = status_ldm_sentence(set, disk);

	if (dynamic)
		status_warn_once(w, STATUS_NOTE, "%s: %s", set->host[disk].path, dynamic);
	else if (named)
		status_warn_once(w, STATUS_NOTE, "%s: holds no member of a mirror",
				 set->host[disk].path);
	free(dynamic);
}

/* For the warning said last: a command about this disk. */
static void next_disk(const char *command, const char *disk, struct status_warnings *w)
{
	char *path = shellword_path(disk);

	status_warn_next(w, "%s %s", command, path);
	free(path);
}

static void one_disk(const struct hostset *set, unsigned i, bool named, struct status_warnings *w)
{
	const struct survey_disk *f = &set->survey.found[i];
	const char *path = set->host[i].path;

	if (f->status == ST_IO || f->io_error) {
		if (status_warn_once(w, STATUS_FAULT, "%s: some of it could not be read", path))
			next_disk("smartctl -a", path, w);
	} else if (f->status == ST_CORRUPT) {
		if (status_warn_once(w, STATUS_FAULT, "%s: its partition table is damaged", path))
			next_disk("gdisk -l", path, w);
	} else if (f->table == PART_TABLE_GPT_BACKUP) {
		if (status_warn_once(w, STATUS_FAULT,
				     "%s: its primary GPT is damaged; the backup was used", path))
			next_disk("sgdisk -e", path, w);
	} else if (!has_member(&set->survey, i)) {
		without_member(set, i, named, w);
	}
}

/* "leg 0 of mirror boot on /dev/sda part 1 is stale: missed writes (events 19, newest 24)" */
static void one_leg(const struct hostset *set, const struct mirror *m, unsigned k,
		    struct status_warnings *w)
{
	const struct leg *l = &m->leg[k];
	struct say_text t;
	char *next;

	say_text_init(&t);
	text_str(&t.text, "mirror ");
	text_str(&t.text, m->name[0] ? m->name : "(no name)");
	text_str(&t.text, ": leg ");
	text_u64(&t.text, k);
	if (l->disk < set->count) {
		text_str(&t.text, " on ");
		text_str(&t.text, set->host[l->disk].path);
		if (l->member != NO_MEMBER && set->survey.member[l->member].part) {
			text_str(&t.text, " part ");
			text_u64(&t.text, set->survey.member[l->member].part);
		}
	}
	text_str(&t.text, " is ");
	text_str(&t.text,
		 l->verdict == VERDICT_CONFLICT ? "in conflict" : verdict_name(l->verdict));
	text_str(&t.text, ": ");
	reason_text(&l->why, &t.text);
	next = status_next_leg(set, m, k);
	if (status_warn_once(w, STATUS_FAULT, "%s", t.buf) && next)
		status_warn_next(w, "%s", next);
	free(next);
	free(t.buf);
}

/* Of a mirror that is healthy, a leg that was replaced is no concern; a copy of one is. */
static bool is_concern(const struct mirror *m, const struct leg *l)
{
	if (l->verdict == VERDICT_UNTRUSTED) /* what verify finds is said instead */
		return false;
	if (m->state == MIRROR_HEALTHY)
		return l->verdict == VERDICT_CONFLICT;
	return l->verdict != VERDICT_IN_SYNC && l->verdict != VERDICT_SPARE;
}

static void legs(const struct hostset *set, struct status_warnings *w)
{
	for (unsigned i = 0; i < set->survey.mirror_count; i++) {
		const struct mirror *m = &set->survey.mirror[i];

		for (unsigned k = 0; k < m->leg_count; k++)
			if (is_concern(m, &m->leg[k]))
				one_leg(set, m, k, w);
	}
}

static void lone_leg(const struct hostset *set, struct status_warnings *w)
{
	const struct survey *s = &set->survey;

	for (unsigned i = 0; i < s->mirror_count; i++) {
		const struct mirror *m = &s->mirror[i];
		unsigned here = 0;

		for (unsigned k = 0; k < m->leg_count; k++)
			here += m->leg[k].member != NO_MEMBER;
		if (here == 1 && m->expected > 1 && !m->behind)
			status_warn_once(w, STATUS_FAULT,
					 "mirror %s: only one of its %u legs is here; whether "
					 "another is newer "
					 "can't be told",
					 m->name, m->expected);
	}
}

/* What the boot records know: a newer leg that is not here. */
static void behind(const struct hostset *set, struct status_warnings *w)
{
	for (unsigned i = 0; i < set->survey.mirror_count; i++) {
		const struct mirror *m = &set->survey.mirror[i];

		if (m->behind)
			status_warn_once(
				w, STATUS_FAULT,
				"mirror %s: these disks are out of date (generation %llu, and %llu "
				"was seen before): find the disk that has the newer one",
				m->name, (unsigned long long)m->leg[m->newest].generation,
				(unsigned long long)m->seen);
	}
}

static void failed_elsewhere(const struct hostset *set, const struct lastboot *b, unsigned number,
			     struct status_warnings *w)
{
	struct say_text t;

	say_text_init(&t);
	lastboot_put_number(set, b, b->newest, number, &t.text);
	status_warn_once(w, STATUS_FAULT,
			 "the disk that was %s in the last boot failed reads: replace it", t.buf);
	free(t.buf);
}

static void last_boot(const struct hostset *set, const struct lastboot *b,
		      struct status_warnings *w)
{
	uint32_t failed = lastboot_failed(set, b);

	for (unsigned n = 0; n < 32; n++) {
		int disk;

		if (!(failed & (uint32_t)1 << n))
			continue;
		disk = lastboot_find(set, b, b->newest, n);
		if (disk >= 0 &&
		    status_warn_once(w, STATUS_FAULT,
				     "%s: failed reads during the last boot: replace it",
				     set->host[disk].path))
			next_disk("smartctl -a", set->host[disk].path, w);
		else if (disk < 0)
			failed_elsewhere(set, b, n, w);
	}
	for (unsigned i = 0; i < set->count; i++)
		if (b->status[i] == ST_CORRUPT)
			status_warn_once(
				w, STATUS_FAULT,
				"%s: its boot record is damaged; the next boot writes a new one",
				set->host[i].path);
	if (b->status[LASTBOOT_UEFI] == ST_CORRUPT)
		status_warn_once(
			w, STATUS_FAULT,
			"the firmware's boot record is damaged; the next boot writes a new one");
}

void status_warn(const struct hostset *set, const struct lastboot *b, const struct status_check *c,
		 struct status_warnings *w)
{
	w->count = 0;
	behind(set, w);
	legs(set, w);
	last_boot(set, b, w);
	for (unsigned i = 0; i < set->count; i++)
		one_disk(set, i, c->named, w);
	if (set->survey.full)
		status_warn_once(
			w, STATUS_FAULT,
			"there are more members or mirrors than can be kept: some were left out");
	lone_leg(set, w);
	/* A mirror that mirrorboot was never installed on has not drifted. */
	if (c->installed) {
		status_drift_install(set, c, w);
		status_drift_esp(set, c, w);
		status_drift_entries(set, c, w);
	}
	status_advise(set, w);
}
