/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tools/say.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void say_about(const char *path, const char *fmt, ...)
{
	va_list ap;

	fflush(stdout);
	fprintf(stderr, "mirrorboot: %s: ", path);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

void say_note(const char *fmt, ...)
{
	va_list ap;

	fflush(stdout);
	fputs("mirrorboot: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

static void put(struct text *text, char c)
{
	struct say_text *t = text->ctx;

	if (t->used + 1 >= t->size) {
		t->size = t->size ? t->size * 2 : 1024;
		t->buf = realloc(t->buf, t->size);
		if (!t->buf)
			abort();
	}
	t->buf[t->used++] = c;
	t->buf[t->used] = 0;
}

void say_text_init(struct say_text *t)
{
	memset(t, 0, sizeof(*t));
	t->text.put = put;
	t->text.ctx = t;
	put(&t->text, 0);
	t->used = 0;
}

/* The worst word of a line gives it its colour. */
static const char *line_colour(const char *line, size_t n)
{
	static const struct {
		const char *word, *colour;
	} words[] = {
		/* status: what to type, and the verdict */
		{"  next: ", "1"},      {"UNUSABLE: ", "1;31"}, {"SPLIT BRAIN: ", "1;31"},
		{"DEGRADED: ", "1;33"}, {"FAILING: ", "1;33"},  {"DRIFT: ", "1;33"},
		{"HEALTHY: ", "1;32"},  {"note: ", "0"},        {"unusable", "31"},
		{"split-brain", "31"},  {"split brain", "31"},  {"conflict", "31"},
		{"faulty", "31"},       {"unreadable", "31"},   {"missing", "33"},
		{"degraded", "33"},     {"stale", "33"},        {"rebuilding", "33"},
		{"warning", "33"},      {"healthy", "32"},      {"in-sync", "32"},
	};

	for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (memmem(line, n, words[i].word, strlen(words[i].word)))
			return words[i].colour;
	return NULL;
}

bool say_is_terminal(FILE *out)
{
	const char *term = getenv("TERM");

	return isatty(fileno(out)) && !(term && !strcmp(term, "dumb"));
}

void say_report(FILE *out, const char *report)
{
	const char *no = getenv("NO_COLOR");
	bool colour = say_is_terminal(out) && !(no && *no);

	while (*report) {
		size_t n = strcspn(report, "\n");
		const char *c = colour ? line_colour(report, n) : NULL;

		if (c)
			fprintf(out, "\033[%sm%.*s\033[0m\n", c, (int)n, report);
		else
			fprintf(out, "%.*s\n", (int)n, report);
		report += n + (report[n] == '\n');
	}
}

bool say_ask(const char *question, bool *asked)
{
	char answer[16];

	*asked = isatty(STDIN_FILENO);
	if (!*asked)
		return false;
	printf("%s [y/N] ", question);
	fflush(stdout);
	if (!fgets(answer, sizeof(answer), stdin))
		return false;
	return answer[0] == 'y' || answer[0] == 'Y';
}

void say_progress_start(struct say_progress *p, const char *what, uint64_t total)
{
	p->what = what;
	p->total = total;
	p->shown = say_is_terminal(stderr) && total ? -1 : -2;
}

void say_progress_at(struct say_progress *p, uint64_t done)
{
	static const char bar[] = "########################################";
	int percent;

	if (p->shown == -2)
		return;
	percent = (int)(done * 100 / p->total);
	if (percent == p->shown)
		return;
	p->shown = percent;
	fprintf(stderr, "\r%s [%-40.*s] %3d%%", p->what, percent * 40 / 100, bar, percent);
}

void say_progress_end(struct say_progress *p)
{
	if (p->shown >= 0)
		fprintf(stderr, "\r%*s\r", (int)strlen(p->what) + 50, "");
}
