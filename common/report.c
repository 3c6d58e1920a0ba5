/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "common/report.h"

#include "common/trust.h"

/* Columns of a leg's line, made for a screen of 80; longer names of disks move the last two. */
enum { COLUMN_WHERE = 9, COLUMN_VERDICT = 24, VERDICT_WIDTH = 12 };

static const char *mirror_name(const struct mirror *m)
{
	return m->name[0] ? m->name : "(no name)";
}

/* "81h partition 1", "disk 1" */
static void where(const struct survey *s, const struct leg *l, const struct report_names *n,
		  struct text *out)
{
	if (l->disk == NO_DISK) {
		text_char(out, '-');
		return;
	}
	n->disk_name(n, l->disk, out);
	if (l->member != NO_MEMBER && s->member[l->member].part > 0) {
		text_str(out, " part ");
		text_u64(out, s->member[l->member].part);
	}
}

static void drop(struct text *t, char c)
{
	(void)t; /* only t->column is wanted */
	(void)c;
}

/* Where the verdicts of this mirror's legs line up. */
static unsigned verdict_column(const struct survey *s, const struct mirror *m,
			       const struct report_names *n)
{
	unsigned column = COLUMN_VERDICT;

	for (unsigned i = 0; i < m->leg_count; i++) {
		struct text t = {.put = drop, .column = COLUMN_WHERE};

		where(s, &m->leg[i], n, &t);
		if (column <= t.column)
			column = t.column + 1;
	}
	return column;
}

void report_mirror(const struct survey *s, unsigned mirror, const struct report_names *n,
		   struct text *out)
{
	const struct mirror *m = &s->mirror[mirror];
	unsigned column = verdict_column(s, m, n);

	text_str(out, "mirror ");
	text_str(out, mirror_name(m));
	text_str(out, "  ");
	text_str(out, formats[m->format].name);
	text_str(out, "  ");
	text_size(out, m->size_s512);
	text_str(out, "  ");
	text_str(out, mirror_state_name(m->state));
	if (m->dirty)
		text_str(out, ", not closed");
	if (m->behind)
		text_str(out, ", behind");
	text_char(out, '\n');

	for (unsigned i = 0; i < m->leg_count; i++) {
		const struct leg *l = &m->leg[i];

		text_str(out, i == m->chosen ? "* leg " : "  leg ");
		text_u64(out, i);
		text_tab(out, COLUMN_WHERE);
		where(s, l, n, out);
		text_tab(out, column);
		text_str(out, verdict_name(l->verdict));
		text_tab(out, column + VERDICT_WIDTH);
		reason_text(&l->why, out);
		text_char(out, '\n');
	}
}

/* What was found and is not in any mirror: a disk that did not answer, an array of another kind. */
static void report_rest(const struct survey *s, const struct report_names *n, struct text *out)
{
	for (unsigned i = 0; i < s->disk_count; i++) {
		const struct survey_disk *d = &s->found[i];

		if (d->io_error) {
			n->disk_name(n, i, out);
			text_str(out, ": some sectors could not be read\n");
		}
		if (d->status == ST_CORRUPT) {
			n->disk_name(n, i, out);
			text_str(out, ": its partition table is damaged, and so is the backup\n");
		} else if (d->table == PART_TABLE_GPT_BACKUP) {
			n->disk_name(n, i, out);
			text_str(out, ": the primary GPT is damaged; the backup was used\n");
		}
	}
	for (unsigned i = 0; i < s->member_count; i++) {
		const struct member *m = &s->member[i];

		if (m->level == 1)
			continue;
		n->disk_name(n, m->disk, out);
		if (m->part > 0) {
			text_str(out, " part ");
			text_u64(out, m->part);
		}
		text_str(out, ": left alone: ");
		reason_text(&m->why, out);
		text_char(out, '\n');
	}
	trust_report(s, out);
	if (s->full)
		text_str(out, "more was found than there is room for; the rest was left out\n");
}

void report_survey(const struct survey *s, const struct report_names *n, struct text *out)
{
	for (unsigned i = 0; i < s->mirror_count; i++)
		report_mirror(s, i, n, out);
	report_rest(s, n, out);
}

/* "Mirror boot is degraded: leg 1 on 81h part 1" */
static void say_chosen(const struct survey *s, const struct mirror *m, const struct report_names *n,
		       struct text *out)
{
	text_str(out, "Mirror ");
	text_str(out, mirror_name(m));
	text_str(out, " is ");
	text_str(out,
		 m->state == MIRROR_SPLIT_BRAIN ? "a split brain" : mirror_state_name(m->state));
	text_str(out, ": leg ");
	text_u64(out, m->chosen);
	text_str(out, " on ");
	where(s, &m->leg[m->chosen], n, out);
}

static void report_chosen(const struct survey *s, const struct policy *p,
			  const struct report_names *n, struct text *out)
{
	const struct mirror *m = &s->mirror[p->mirror];

	say_chosen(s, m, n, out);
	/* Nothing is read before a person has chosen, or when we stop. */
	text_str(out, p->action == POLICY_ASK || p->action == POLICY_HALT ? " is the newest.\n"
									  : " is read.\n");
	if (m->state == MIRROR_SPLIT_BRAIN)
		text_str(out, "The legs ran apart from each other: each may hold writes that the "
			      "other lacks.\n");
}

/* Of every mirror, not only of the one that is booted: the system may run from another. */
static void report_behind(const struct survey *s, struct text *out)
{
	for (unsigned i = 0; i < s->mirror_count; i++) {
		const struct mirror *m = &s->mirror[i];

		if (!m->behind)
			continue;
		text_str(out, "Generation ");
		text_u64(out, m->seen);
		text_str(out, " of mirror ");
		text_str(out, mirror_name(m));
		text_str(out, " was seen before; the newest here is ");
		text_u64(out, m->leg[m->newest].generation);
		text_str(out, ":\nthe disk that has it is missing.\n");
	}
}

void report_policy(const struct survey *s, const struct policy *p, const struct report_names *n,
		   struct text *out)
{
	if (p->action == POLICY_UNTRUSTED) {
		trust_report_none(out);
		return;
	}
	if (p->action == POLICY_NO_MIRROR) {
		text_str(out, "No mirror was found on these disks.\n");
		return;
	}
	if (p->named_absent)
		text_str(out, "The mirror that the configuration names was not found; this one is "
			      "taken:\n");

	const struct mirror *m = &s->mirror[p->mirror];

	if (p->action == POLICY_UNUSABLE) {
		text_str(out, "Mirror ");
		text_str(out, mirror_name(m));
		text_str(out,
			 " is unusable: it has no leg that the operating system would take.\n");
		return;
	}
	report_chosen(s, p, n, out);
	report_behind(s, out);
	if (p->action == POLICY_HALT)
		text_str(out, "Stopped, as the configuration says (split-brain = halt).\n");
}

void report_choice(const struct survey *s, unsigned mirror, const struct report_names *n,
		   struct text *out)
{
	const struct mirror *m = &s->mirror[mirror];

	say_chosen(s, m, n, out);
	text_str(out, " is read, because a person chose it.\n");
	if (m->read_only)
		text_str(out, "It is write-protected, and no other leg stands in for it.\n");
}

void report_config_error(const char *what, const struct config_error *err, struct text *out)
{
	text_str(out, "Warning: ");
	text_str(out, what);
	text_str(out, ", line ");
	text_u64(out, err->line);
	text_str(out, ": ");
	text_str(out, config_fault_text(err->fault));
	text_str(out, ": ");
	text_str(out, err->word);
	text_char(out, '\n');
}
