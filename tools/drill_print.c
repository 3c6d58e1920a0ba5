/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tools/drill.h"
#include "tools/jsontext.h"
#include "tools/say.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_BYTES 4200
#define LESSER_MAX 8 /* of what is no fault: more lines help nobody */

/* ---- the table ------------------------------------------------------------------------------- */

static void print_finding(const struct drill *d, const struct drill_finding *f, const char *before)
{
	char *text = drill_fault_text(d, f);

	printf("%s%s\n", before, text);
	free(text);
}

void drill_print_findings(const struct drill *d)
{
	unsigned lesser = 0;

	for (unsigned i = 0; i < d->finding_count; i++)
		if (d->finding[i].fault)
			print_finding(d, &d->finding[i], "");
	for (unsigned i = 0; i < d->finding_count; i++)
		if (!d->finding[i].fault && lesser++ < LESSER_MAX)
			print_finding(d, &d->finding[i], "");
	if (lesser > LESSER_MAX)
		printf("and %u more: run \"mirrorboot verify%s\"\n", lesser - LESSER_MAX, d->paths);
	if (d->finding_count)
		putchar('\n');
	fflush(stdout);
}

static const char *result_word(const struct drill *d, const struct drill_case *c)
{
	if (drill_case_starts(c))
		return "starts";
	if (c->handed_over)
		return "no text";
	/* It got there, by another way than ours. */
	return d->expect && c->expected_seen ? "not us" : "fails";
}

/* As wide as the widest of all that is planned. */
static int disks_width(const struct drill *d)
{
	char text[TEXT_BYTES];
	size_t widest = 0;

	for (unsigned i = 0; i < d->planned; i++) {
		drill_case_text(d, &d->c[i], text, sizeof(text));
		if (strlen(text) > widest)
			widest = strlen(text);
	}
	return (int)widest + 2;
}

void drill_print_row(const struct drill *d, const struct drill_case *c)
{
	char disks[TEXT_BYTES];
	int width = disks_width(d);

	drill_case_text(d, c, disks, sizeof(disks));
	if (c == d->c)
		printf("%-9s%-*s%-8s%6s  %s\n", "firmware", width, "disks", "result", "s", "said");
	printf("%-9s%-*s%-8s%6.1f  %s\n", c->uefi ? "UEFI" : "BIOS", width, disks,
	       result_word(d, c), c->seconds, c->said ? c->said : "");
	fflush(stdout);
}

static void explain(const struct drill *d, const struct drill_case *c)
{
	const struct drill_finding *f;
	const char *line = c->last ? c->last : "";
	char disks[TEXT_BYTES];

	drill_case_text(d, c, disks, sizeof(disks));
	printf("\n%s, %s: ", c->uefi ? "UEFI" : "BIOS", disks);
	if (c->handed_over)
		printf("the next loader was started, and \"%s\" did not come in %.0f s\n",
		       d->expect, c->seconds);
	else if (d->expect && c->expected_seen)
		puts("it started, but not by mirrorboot: nothing has judged which leg was read");
	else
		puts("did not start");
	f = drill_fault_of(d, c, 0);
	if (!f)
		puts("  what is installed on the disks that were there is as it should be");
	else if (!f->fault)
		puts("  nothing on the disks that were there is known to be broken; what is not as "
		     "usual:");
	for (unsigned n = 0; n < LESSER_MAX && (f = drill_fault_of(d, c, n)); n++)
		print_finding(d, f, "  ");
	puts(*line ? "  the last that was said:" : "  nothing was said");
	for (; *line; line += *line == '\n') {
		size_t n = strcspn(line, "\n");

		printf("    %.*s\n", (int)n, line);
		line += n;
	}
	if (!d->keep)
		return;
	drill_case_file(c, disks);
	printf("  more: %s/%s.serial.txt\n", d->dir, disks);
	if (c->picture)
		printf("        %s/%s%s\n", d->dir, disks, c->picture);
}

void drill_print_end(const struct drill *d)
{
	unsigned failed = 0, faults = 0;

	for (unsigned i = 0; i < d->count; i++) {
		if (drill_case_starts(&d->c[i]))
			continue;
		explain(d, &d->c[i]);
		failed++;
	}
	for (unsigned i = 0; i < d->finding_count; i++)
		faults += d->finding[i].fault;
	if (failed)
		printf("\n%u of %u boots did not get there\n", failed, d->count);
	else if (faults)
		printf("\nall %u boots got there, but only thanks to other disks: see above\n",
		       d->count);
	else
		printf("all %u boots got there\n", d->count);
}

/* ---- progress -------------------------------------------------------------------------------- */

static int shown; /* columns that are to be blanked */

void drill_progress(const struct drill *d, double seconds)
{
	const struct drill_case *c = &d->c[d->count];
	char disks[TEXT_BYTES], line[160];
	static int last_s;
	static unsigned last_case;
	int n;

	if (!say_is_terminal(stderr) || (shown && (int)seconds == last_s && d->count == last_case))
		return;
	last_s = (int)seconds;
	last_case = d->count;
	drill_case_text(d, c, disks, sizeof(disks));
	n = snprintf(line, sizeof(line), "boot %u of %u: %s, %.90s: %d s", d->count + 1, d->planned,
		     c->uefi ? "UEFI" : "BIOS", disks, last_s);
	fprintf(stderr, "\r%-*s", shown, line);
	fflush(stderr);
	shown = n;
}

void drill_progress_end(void)
{
	if (shown)
		fprintf(stderr, "\r%*s\r", shown, "");
	fflush(stderr);
	shown = 0;
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static void add_bool(struct json_object *o, const char *key, bool value)
{
	json_object_object_add(o, key, json_object_new_boolean(value));
}

/* KEY and KEY_index: the disk, where the case is of that kind; else null. */
static void add_disk(struct json_object *o, const struct drill *d, const struct drill_case *c,
		     const char *key, enum drill_kind kind)
{
	bool is = c->kind == kind;
	char index[32];

	snprintf(index, sizeof(index), "%s_index", key);
	json_object_object_add(o, key, is ? jsontext(d->set->host[c->disk].path) : NULL);
	json_object_object_add(o, index, is ? json_object_new_int((int)c->disk) : NULL);
}

static void add_file(struct json_object *o, const struct drill *d, const struct drill_case *c,
		     const char *key, const char *end)
{
	char name[64], path[TEXT_BYTES];

	drill_case_file(c, name);
	snprintf(path, sizeof(path), "%s/%s%s", d->dir, name, end ? end : "");
	json_object_object_add(o, key, d->keep && end ? jsontext(path) : NULL);
}

/* The sentences that name what is behind a failure, a line each; null: it started, or none does. */
static struct json_object *fault_json(const struct drill *d, const struct drill_case *c)
{
	const struct drill_finding *f;
	struct json_object *o = NULL;
	char *all = NULL, *text, *more;

	if (drill_case_starts(c))
		return NULL;
	for (unsigned n = 0; (f = drill_fault_of(d, c, n)); n++) {
		text = drill_fault_text(d, f);
		if (asprintf(&more, "%s%s%s", all ? all : "", all ? "\n" : "", text) < 0)
			abort();
		free(text);
		free(all);
		all = more;
	}
	if (all)
		o = jsontext(all);
	free(all);
	return o;
}

static struct json_object *case_json(const struct drill *d, const struct drill_case *c)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "firmware", json_object_new_string(c->uefi ? "uefi" : "bios"));
	add_disk(o, d, c, "detached", DRILL_WITHOUT);
	add_disk(o, d, c, "unreadable", DRILL_UNREADABLE);
	add_disk(o, d, c, "only", DRILL_ONLY);
	add_bool(o, "starts", drill_case_starts(c));
	add_bool(o, "handed_over", c->handed_over);
	json_object_object_add(o, "expected_seen",
			       d->expect ? json_object_new_boolean(c->expected_seen) : NULL);
	json_object_object_add(o, "seconds", json_object_new_double(c->seconds));
	json_object_object_add(o, "said", jsontext(c->said));
	json_object_object_add(o, "last_lines", jsontext(c->last));
	json_object_object_add(o, "fault", fault_json(d, c));
	add_file(o, d, c, "screenshot", c->picture);
	add_file(o, d, c, "serial", ".serial.txt");
	return o;
}

static struct json_object *finding_json(const struct drill *d, const struct drill_finding *f)
{
	struct json_object *o = json_object_new_object();
	char run[TEXT_BYTES];

	json_object_object_add(o, "disk", jsontext(d->set->host[f->disk].path));
	json_object_object_add(o, "disk_index", json_object_new_int((int)f->disk));
	add_bool(o, "fault", f->fault);
	add_bool(o, "bios", f->firmware & DRILL_BIOS);
	add_bool(o, "uefi", f->firmware & DRILL_UEFI);
	json_object_object_add(o, "text", jsontext(f->text));
	snprintf(run, sizeof(run), "mirrorboot %s%s", f->run ? f->run : "", d->paths);
	json_object_object_add(o, "run", f->run ? jsontext(run) : NULL);
	return o;
}

void drill_print_json(const struct drill *d)
{
	struct json_object *o = json_object_new_object();
	struct json_object *cases = json_object_new_array();
	struct json_object *findings = json_object_new_array();

	for (unsigned i = 0; i < d->count; i++)
		json_object_array_add(cases, case_json(d, &d->c[i]));
	for (unsigned i = 0; i < d->finding_count; i++)
		json_object_array_add(findings, finding_json(d, &d->finding[i]));
	json_object_object_add(o, "cases", cases);
	json_object_object_add(o, "findings", findings);
	puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |
						       JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
}
