/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tools/drill.h"
#include "tools/jsontext.h"
#include "tools/say.h"
#include "tools/stop.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define POLL_MS 100

/* What both firmwares' programs say right before the next loader runs. */
#define HAND_OVER "Starting "

/* What they say of the mirror begins so (report_policy). */
#define SENTENCE "Mirror "

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Is it in the text, also where a screen's edge has broken it? */
static bool has(const char *text, const char *what)
{
	size_t n = 0;
	char *joined;
	bool found;

	if (strstr(text, what))
		return true;
	joined = strdup(text);
	for (const char *p = text; joined && *p; p++)
		if (*p != '\n')
			joined[n++] = *p;
	if (!joined)
		return false;
	joined[n] = 0;
	found = strstr(joined, what);
	free(joined);
	return found;
}

/* Our sentence, else the last line that is not blank. */
static char *what_was_said(const char *text)
{
	const char *best = "nothing was said", *line = text;
	size_t best_n = strlen(best);

	while (*line) {
		size_t n = strcspn(line, "\n");

		while (n && line[n - 1] == ' ')
			n--;
		if (n) {
			best = line;
			best_n = n;
		}
		if (n > strlen(SENTENCE) && !strncmp(line, SENTENCE, strlen(SENTENCE)))
			break;
		line += strcspn(line, "\n");
		line += *line == '\n';
	}
	return strndup(best, best_n);
}

static void print_row(const struct drill *d, const struct drill_result *r,
		      const struct hostset *set)
{
	char disks[256];

	if (r->detached == QEMU_ALL)
		snprintf(disks, sizeof(disks), "all disks");
	else
		snprintf(disks, sizeof(disks), "without %s", set->host[r->detached].path);
	if (d->count == 1)
		printf("%-9s%-28s%-9s%6s  %s\n", "firmware", "disks", "result", "s", "said");
	printf("%-9s%-28s%-9s%6.1f  %s\n", r->uefi ? "UEFI" : "BIOS", disks,
	       r->handed_over && r->expected_seen ? "starts"
	       : r->handed_over                   ? "no text"
						  : "fails",
	       r->seconds, r->said ? r->said : "");
	fflush(stdout);
}

/* Look at what is said until all of it is there, the machine ends, or the time is over. */
static void watch(const struct drill *d, struct qemu *q, struct drill_result *r)
{
	double start = now();
	bool alive, done = false;

	while (!done) {
		char *text;

		usleep(POLL_MS * 1000);
		alive = qemu_alive(q);
		text = qemu_text(q);
		r->seconds = now() - start;
		r->expected_seen |= !d->expect || (text && has(text, d->expect));
		r->handed_over |= text && has(text, HAND_OVER);
		done = (r->handed_over && r->expected_seen) || !alive ||
		       r->seconds > d->timeout_s || stop_asked();
		if (done && text)
			r->said = what_was_said(text);
		free(text);
	}
}

bool drill_case(struct drill *d, const struct hostset *set, bool uefi, unsigned detached)
{
	struct drill_result *r = &d->result[d->count];
	static struct qemu q;
	char name[64], base[4200];

	if (detached == QEMU_ALL)
		snprintf(name, sizeof(name), "%s-all", uefi ? "uefi" : "bios");
	else
		snprintf(name, sizeof(name), "%s-without-%u", uefi ? "uefi" : "bios", detached);
	*r = (struct drill_result){.uefi = uefi, .detached = detached};
	if (!qemu_start(&q, set, detached, uefi, d->dir, name)) {
		say_note("%s", q.why);
		if (!d->keep)
			unlink(q.serial);
		return false;
	}
	d->count++;
	watch(d, &q, r);
	snprintf(base, sizeof(base), "%s/%s", d->dir, name);
	if (d->keep)
		qemu_screenshot(&q, base);
	qemu_stop(&q);
	if (!d->keep)
		unlink(q.serial);
	if (stop_asked()) {
		say_note("interrupted");
		return false;
	}
	if (d->table)
		print_row(d, r, set);
	return true;
}

bool drill_failed(const struct drill *d)
{
	for (unsigned i = 0; i < d->count; i++)
		if (!d->result[i].handed_over || !d->result[i].expected_seen)
			return true;
	return false;
}

void drill_table_end(const struct drill *d)
{
	unsigned failed = 0;

	for (unsigned i = 0; i < d->count; i++)
		failed += !d->result[i].handed_over || !d->result[i].expected_seen;
	if (failed)
		printf("%u of %u boots did not get there\n", failed, d->count);
	else
		printf("all %u boots got there\n", d->count);
}

void drill_json(const struct drill *d, const struct hostset *set)
{
	struct json_object *o = json_object_new_object();
	struct json_object *cases = json_object_new_array();

	for (unsigned i = 0; i < d->count; i++) {
		const struct drill_result *r = &d->result[i];
		struct json_object *c = json_object_new_object();
		bool all = r->detached == QEMU_ALL;

		json_object_object_add(c, "firmware",
				       json_object_new_string(r->uefi ? "uefi" : "bios"));
		json_object_object_add(c, "detached",
				       all ? NULL : jsontext(set->host[r->detached].path));
		json_object_object_add(c, "detached_index",
				       all ? NULL : json_object_new_int((int)r->detached));
		json_object_object_add(c, "starts",
				       json_object_new_boolean(r->handed_over && r->expected_seen));
		json_object_object_add(c, "handed_over", json_object_new_boolean(r->handed_over));
		json_object_object_add(c, "expected_seen",
				       d->expect ? json_object_new_boolean(r->expected_seen)
						 : NULL);
		json_object_object_add(c, "seconds", json_object_new_double(r->seconds));
		json_object_object_add(c, "said", jsontext(r->said));
		json_object_array_add(cases, c);
	}
	json_object_object_add(o, "cases", cases);
	puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |
						       JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
}

void drill_free(struct drill *d)
{
	for (unsigned i = 0; i < d->count; i++)
		free(d->result[i].said);
}
