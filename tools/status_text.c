/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * status for people: the verdict first, then what was found, and last, next to the prompt, what
 * to type. For the journal each line has a priority, as systemd takes them from services.
 */
#include "tools/status_check.h"
#include "tools/shellword.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

struct out {
	bool journal;
	int priority;
	struct say_text t;
};

static struct text *begin(struct out *o, int priority)
{
	o->priority = priority;
	say_text_init(&o->t);
	return &o->t.text;
}

static void end(struct out *o)
{
	const char *line = o->t.buf;

	if (!o->journal)
		say_report(stdout, line);
	for (; o->journal && *line; line += strcspn(line, "\n"), line += *line == '\n')
		if (*line != '\n')
			printf("<%d>%.*s\n", o->priority, (int)strcspn(line, "\n"), line);
	free(o->t.buf);
}

static void put_verdict(const struct status_all *a, struct out *o)
{
	struct status_verdict v;
	struct text *out;

	status_verdict(a, &v);
	out = begin(o, v.worse ? LOG_ERR : a->rc == EXIT_DONE ? LOG_INFO : LOG_WARNING);
	text_str(out, v.text);
	text_str(out, "\n\n");
	end(o);
	free(v.text);
}

static void put_indented(const char *lines, struct text *out)
{
	for (; *lines; lines += strcspn(lines, "\n"), lines += *lines == '\n') {
		text_str(out, "  ");
		for (size_t i = 0; lines[i] && lines[i] != '\n'; i++)
			text_char(out, lines[i]);
		text_char(out, '\n');
	}
}

static void put_mirrors(const struct status_all *a, struct out *o)
{
	struct report_names names = status_names(a->set);
	struct text *out = begin(o, LOG_INFO);
	struct say_text now;

	report_survey(&a->set->survey, &names, out);
	text_str(out, "\nIf it started now:\n");
	say_text_init(&now);
	report_policy(&a->set->survey, a->policy, &names, &now.text);
	put_indented(now.buf, out);
	free(now.buf);
	lastboot_text(a->set, a->last, out);
	end(o);
}

/* "BIOS", "BIOS (damaged)" */
static void put_part(uint8_t state, const char *name, bool *first, struct text *out)
{
	if (state == STATUS_ABSENT)
		return;
	text_str(out, *first ? "" : ", ");
	*first = false;
	text_str(out, name);
	if (state == STATUS_CURRENT)
		return;
	text_str(out, " (");
	text_str(out, status_installed_name(state));
	text_char(out, ')');
}

static void put_esp(const struct status_disk *s, bool entries, struct text *out)
{
	char entry[NVRAM_NAME_BYTES];

	text_str(out, "; ESP: partition ");
	text_u64(out, s->esp->part);
	if (s->has_files && s->man.status == ST_OK) {
		text_str(out, ", generation ");
		text_u64(out, s->man.old.generation);
	}
	if (s->mounted_on) {
		text_str(out, ", on ");
		text_str(out, s->mounted_on);
	}
	if (s->entry != NVRAM_NONE) {
		nvram_name(s->entry, entry);
		text_str(out, ", ");
		text_str(out, entry);
	} else if (entries) {
		text_str(out, ", no boot entry");
	}
}

static void put_disks(const struct status_all *a, struct out *o)
{
	struct text *out = begin(o, LOG_INFO);

	text_str(out, a->check->installed ? "Installed:\n"
					  : "mirrorboot is not installed on these disks.\n");
	for (unsigned i = 0; i < a->set->count && a->check->installed; i++) {
		const struct status_disk *s = &a->check->disk[i];
		bool first = true;

		if (!s->leg)
			continue;
		text_str(out, "  ");
		text_str(out, a->set->host[i].path);
		text_str(out, ": ");
		put_part(s->bios_state, "BIOS", &first, out);
		put_part(s->uefi_state, "UEFI", &first, out);
		text_str(out, first ? "not installed" : "");
		if (s->esp->part && !s->esp->why[0])
			put_esp(s, a->check->entries, out);
		text_char(out, '\n');
	}
	end(o);
}

static void put_warning(const struct status_warnings *w, unsigned i, struct out *o)
{
	bool note = w->level[i] == STATUS_NOTE;
	struct text *out = begin(o, note ? LOG_NOTICE : LOG_WARNING);

	text_str(out, note ? "note: " : "warning: ");
	text_str(out, w->line[i]);
	if (w->next[i]) {
		text_str(out, "\n  next: ");
		text_str(out, w->next[i]);
	}
	text_char(out, '\n');
	end(o);
}

static void put_install(const struct status_all *a, struct out *o)
{
	uint32_t disks = 0;
	struct text *out;
	char *paths;

	for (unsigned i = 0; i < a->set->count; i++)
		disks |= a->check->disk[i].leg ? (uint32_t)1 << i : 0;
	paths = shellword_disks(a->set, disks);
	out = begin(o, LOG_INFO);
	text_str(out, "  next: mirrorboot install");
	text_str(out, paths);
	text_char(out, '\n');
	end(o);
	free(paths);
}

void status_text(const struct status_all *a, bool journal)
{
	struct out o = {.journal = journal};
	const struct status_warnings *w = a->warnings;

	put_verdict(a, &o);
	put_mirrors(a, &o);
	if (a->set->survey.mirror_count) {
		put_disks(a, &o);
		if (!a->check->installed && status_exit(a->set) == EXIT_DONE)
			put_install(a, &o);
	}
	if (w->count && !journal)
		puts("");
	/* What is to be done stands last, next to the prompt; what need not be, before it. */
	for (unsigned i = 0; i < w->count; i++)
		if (w->level[i] == STATUS_NOTE)
			put_warning(w, i, &o);
	for (unsigned i = 0; i < w->count; i++)
		if (w->level[i] != STATUS_NOTE)
			put_warning(w, i, &o);
}
