/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tools/status.h"
#include "tools/status_ldm.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void status_warn_once(struct status_warnings *w, const char *fmt, ...)
{
	char *line = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (w->count < STATUS_WARNINGS && vasprintf(&line, fmt, ap) < 0)
		line = NULL;
	va_end(ap);
	if (!line)
		return;
	for (unsigned i = 0; i < w->count; i++)
		if (!strcmp(w->line[i], line)) {
			free(line);
			return;
		}
	w->line[w->count++] = line;
}

void status_warnings_free(struct status_warnings *w)
{
	for (unsigned i = 0; i < w->count; i++)
		free(w->line[i]);
}

static bool has_member(const struct survey *s, unsigned disk)
{
	for (unsigned i = 0; i < s->member_count; i++)
		if (s->member[i].disk == disk)
			return true;
	return false;
}

static void without_member(const struct hostset *set, unsigned disk, struct status_warnings *w)
{
	char *dynamic = status_ldm_sentence(set, disk);

	if (dynamic)
		status_warn_once(w, "%s: %s", set->host[disk].path, dynamic);
	else
		status_warn_once(w, "%s: holds no member of a mirror", set->host[disk].path);
	free(dynamic);
}

static void one_disk(const struct hostset *set, unsigned i, struct status_warnings *w)
{
	const struct survey_disk *f = &set->survey.found[i];
	const char *path = set->host[i].path;

	if (f->status == ST_IO || f->io_error)
		status_warn_once(w, "%s: some of it could not be read", path);
	else if (f->status == ST_CORRUPT)
		status_warn_once(w, "%s: its partition table is damaged", path);
	else if (f->table == PART_TABLE_GPT_BACKUP)
		status_warn_once(w, "%s: its primary GPT is damaged; the backup was used", path);
	else if (!has_member(&set->survey, i))
		without_member(set, i, w);
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
			status_warn_once(w,
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
				w,
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
	status_warn_once(w, "the disk that was %s in the last boot failed reads: replace it",
			 t.buf);
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
		if (disk >= 0)
			status_warn_once(w, "%s: failed reads during the last boot: replace it",
					 set->host[disk].path);
		else
			failed_elsewhere(set, b, n, w);
	}
	for (unsigned i = 0; i < set->count; i++)
		if (b->status[i] == ST_CORRUPT)
			status_warn_once(
				w, "%s: its boot record is damaged; the next boot writes a new one",
				set->host[i].path);
	if (b->status[LASTBOOT_UEFI] == ST_CORRUPT)
		status_warn_once(
			w, "the firmware's boot record is damaged; the next boot writes a new one");
}

void status_warn(const struct hostset *set, const struct lastboot *b, struct status_warnings *w)
{
	w->count = 0;
	behind(set, w);
	last_boot(set, b, w);
	for (unsigned i = 0; i < set->count; i++)
		one_disk(set, i, w);
	if (set->survey.full)
		status_warn_once(
			w,
			"there are more members or mirrors than can be kept: some were left out");
	lone_leg(set, w);
	status_advise(set, w);
}
