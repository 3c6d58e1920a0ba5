/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tools/trustlist.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void trustlist_of(const char *config, struct trust *t)
{
	struct config_error err;
	struct config c;

	config_default(&c);
	config_parse(&c, config, strlen(config), &err);
	*t = c.trust;
}

/* Is the key of this line "trust"? */
static bool is_trust(const char *line)
{
	line += strspn(line, " \t\r");
	if (strncmp(line, "trust", 5))
		return false;
	line += 5;
	return line[strspn(line, " \t")] == '=';
}

/* Those lines of the text that are of this kind, each with an end. */
static void put_lines(FILE *f, const char *text, bool trust)
{
	while (*text) {
		size_t n = strcspn(text, "\n");

		if (is_trust(text) == trust)
			fprintf(f, "%.*s\n", (int)n, text);
		text += n + (text[n] == '\n');
	}
}

static FILE *begin(char **text, size_t *size)
{
	FILE *f = open_memstream(text, size);

	if (!f)
		abort();
	return f;
}

char *trustlist_put(const char *config, const char *lines)
{
	char *text = NULL;
	size_t size;
	FILE *f = begin(&text, &size);

	put_lines(f, config, false);
	fputs(lines, f);
	if (fclose(f))
		abort();
	if (size > CONFIG_TEXT_BYTES) {
		free(text);
		return NULL;
	}
	return text;
}

char *trustlist_lines(const char *config)
{
	char *text = NULL;
	size_t size;
	FILE *f = begin(&text, &size);

	put_lines(f, config, true);
	if (fclose(f))
		abort();
	return text;
}

bool trustlist_takes_part(const struct leg *l)
{
	return l->member != NO_MEMBER &&
	       (l->verdict == VERDICT_IN_SYNC || l->verdict == VERDICT_REBUILDING ||
		l->verdict == VERDICT_SPARE);
}

void trustlist_uuid(const struct member *m, char text[GUID_TEXT_BYTES])
{
	char *out = text;

	if (m->format != FORMAT_LDM) {
		guid_text_md(&m->device_uuid, text);
		return;
	}
	for (unsigned i = 0; i < sizeof(m->device_uuid.b); i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*out++ = '-';
		out += sprintf(out, "%02x", m->device_uuid.b[i]);
	}
}
