/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tools/drill.h"
#include "tools/say.h"
#include "tools/stop.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* What our line on a screen lives until the next loader clears it may be short. */
#define POLL_MS 50

#define LAST_LINES 4

/* What both firmwares' programs say right before the next loader runs through the mirror. */
static const char *const hand_overs[] = {"Starting the boot loader.", "Starting \\", NULL};

/* What they say of the mirror begins so (report_policy). */
#define SENTENCE "Mirror "

/* Nothing comes after these without somebody at the keyboard. The first one found tells most. */
static const char *const dead_ends[] = {
	"mirrorboot: no disk has a good copy",    /* our boot code; then the firmware's: */
	"No bootable device",                     /* SeaBIOS */
	"No bootable option or device was found", /* OVMF */
	"UEFI Interactive Shell",
	"Stopped. Press Ctrl-Alt-Del to restart", /* ours */
	"No disk has boot code to start",
	"Press a key to start",
	"There is no boot code to start",
	"No loader found on any EFI system partition",
	"grub rescue>",
	"grub>",
	"Kernel panic - not syncing",
	NULL,
};

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

static char *find_any(char *text, const char *const *what)
{
	char *found = NULL;

	for (; *what && !found; what++)
		found = strstr(text, *what);
	return found;
}

/* The length of a line without blanks at its end. */
static size_t line_bytes(const char *line)
{
	size_t n = strcspn(line, "\n");

	while (n && line[n - 1] == ' ')
		n--;
	return n;
}

/* Our sentence about the mirror, else the last line that is not blank. */
static char *what_was_said(const char *text)
{
	const char *best = "nothing was said", *line = text;
	size_t best_n = strlen(best);

	while (*line) {
		size_t n = line_bytes(line);

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

static char *last_lines(const char *text)
{
	const char *line[LAST_LINES] = {NULL};
	unsigned count = 0, first;
	char *out;
	size_t n = 0;

	for (const char *p = text; *p; p += *p == '\n') {
		if (line_bytes(p))
			line[count++ % LAST_LINES] = p;
		p += strcspn(p, "\n");
	}
	out = malloc(strlen(text) + 2);
	if (!out)
		return NULL;
	first = count > LAST_LINES ? count - LAST_LINES : 0;
	for (unsigned i = first; i < count; i++) {
		const char *l = line[i % LAST_LINES];

		memcpy(out + n, l, line_bytes(l));
		n += line_bytes(l);
		out[n++] = '\n';
	}
	out[n] = 0;
	return out;
}

bool drill_case_starts(const struct drill_case *c)
{
	return c->handed_over && c->expected_seen;
}

bool drill_case_has(const struct drill_case *c, unsigned disk)
{
	return c->kind == DRILL_ALL || (c->kind == DRILL_ONLY) == (c->disk == disk);
}

void drill_case_file(const struct drill_case *c, char name[64])
{
	static const char *const kind[DRILL_KINDS] = {"all", "without", "unreadable", "only"};
	const char *firmware = c->uefi ? "uefi" : "bios";

	if (c->kind == DRILL_ALL)
		snprintf(name, 64, "%s-all", firmware);
	else
		snprintf(name, 64, "%s-%s-%u", firmware, kind[c->kind], c->disk);
}

void drill_case_text(const struct drill *d, const struct drill_case *c, char *text, size_t size)
{
	const char *path = d->set->host[c->disk].path;

	switch (c->kind) {
	case DRILL_ALL: snprintf(text, size, "all disks"); break;
	case DRILL_WITHOUT: snprintf(text, size, "without %s", path); break;
	case DRILL_UNREADABLE: snprintf(text, size, "%s unreadable", path); break;
	default: snprintf(text, size, "only %s", path); break;
	}
}

/* What QEMU itself had to say, should it be gone. */
static char *with_error(const struct qemu *q, char *said)
{
	char error[300];

	qemu_last_error(q, error, sizeof(error));
	if (q->pid || !error[0])
		return said;
	free(said);
	return strdup(error);
}

/* Of a machine that got nowhere: as far as the line that says so. */
static void keep_said(const struct qemu *q, struct drill_case *c, char *text)
{
	char *end = drill_case_starts(c) ? NULL : find_any(text, dead_ends);

	if (end)
		end[strcspn(end, "\n")] = 0;
	c->last = last_lines(text);
	c->said = with_error(q, what_was_said(text));
}

/* Look at what is said until all of it is there, the machine ends, or the time is over. */
static void watch(const struct drill *d, struct qemu *q, struct drill_case *c)
{
	double start = now();
	unsigned dead = 0;
	bool alive, done = false;

	while (!done) {
		char *text;

		usleep(POLL_MS * 1000);
		alive = qemu_alive(q);
		text = qemu_text(q);
		c->seconds = now() - start;
		c->expected_seen |= !d->expect || (text && has(text, d->expect));
		c->handed_over |= text && find_any(text, hand_overs);
		/* Twice, so that what is said at the same time is seen whole. */
		dead += text && find_any(text, dead_ends);
		done = drill_case_starts(c) || !alive || dead > 1 || c->seconds > d->timeout_s ||
		       stop_asked();
		if (done && text)
			keep_said(q, c, text);
		free(text);
		if (!done)
			drill_progress(d, c->seconds);
	}
}

static void machine_of(const struct drill *d, const struct drill_case *c, struct qemu_machine *m)
{
	*m = (struct qemu_machine){.set = d->set,
				   .uefi = c->uefi,
				   .unreadable = QEMU_NONE,
				   .memory_mib = (unsigned)d->memory_mib,
				   .dir = d->dir};
	if (c->kind == DRILL_WITHOUT)
		m->detached = 1u << c->disk;
	else if (c->kind == DRILL_ONLY)
		m->detached = ~(1u << c->disk);
	else if (c->kind == DRILL_UNREADABLE)
		m->unreadable = c->disk;
}

bool drill_run_next(struct drill *d)
{
	struct drill_case *c = &d->c[d->count];
	struct qemu_machine m;
	static struct qemu q;
	char name[64], base[4200];
	bool ok;

	drill_progress(d, 0);
	drill_case_file(c, name);
	machine_of(d, c, &m);
	m.name = name;
	ok = qemu_start(&q, &m);
	if (ok) {
		watch(d, &q, c);
		snprintf(base, sizeof(base), "%s/%s", d->dir, name);
		c->picture = d->keep ? qemu_screenshot(&q, base) : NULL;
		qemu_stop(&q);
	}
	drill_progress_end();
	if (!d->keep)
		unlink(q.serial);
	if (!ok || stop_asked()) {
		say_note("%s", stop_asked() ? "interrupted" : q.why);
		return false;
	}
	d->count++;
	if (d->table)
		drill_print_row(d, c);
	return true;
}

bool drill_is_fine(const struct drill *d)
{
	for (unsigned i = 0; i < d->count; i++)
		if (!drill_case_starts(&d->c[i]))
			return false;
	for (unsigned i = 0; i < d->finding_count; i++)
		if (d->finding[i].fault)
			return false;
	return true;
}

void drill_free(struct drill *d)
{
	for (unsigned i = 0; i < d->count; i++) {
		free(d->c[i].said);
		free(d->c[i].last);
	}
	for (unsigned i = 0; i < d->finding_count; i++)
		free(d->finding[i].text);
	free(d->finding);
	free(d->paths);
}
