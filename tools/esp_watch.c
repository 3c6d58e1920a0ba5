/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tools/esp_watch.h"

#include "tools/esp_policy.h"
#include "tools/esp_units.h"
#include "tools/say.h"

#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

/* Not those that a clone is not about. */
static bool is_left(const char *below)
{
	char *path = strdup(below);
	bool left;

	if (!path)
		abort();
	for (char *p = path; *p; p++)
		if (*p == '/')
			*p = '\\';
	left = *path && esp_policy_of(path, strlen(path)) == ESP_LEFT;
	free(path);
	return left;
}

/* "%" means something to systemd. */
static void print_line(FILE *f, const char *path)
{
	fputs("PathChanged=", f);
	for (; *path; path++)
		fprintf(f, *path == '%' ? "%%%%" : "%c", *path);
	fputc('\n', f);
}

char *esp_watch_lines(const char *mount)
{
	char *top[] = {(char *)mount, NULL}, *text = NULL;
	FTS *tree = fts_open(top, FTS_PHYSICAL | FTS_XDEV | FTS_NOCHDIR, by_name);
	size_t size, n = strlen(mount);
	FILE *f = open_memstream(&text, &size);
	unsigned count = 0;
	FTSENT *e;

	if (!f)
		abort();
	while (tree && (e = fts_read(tree))) {
		if (e->fts_info != FTS_D)
			continue;
		if (is_left(e->fts_path + n) || strchr(e->fts_path, '\n'))
			fts_set(tree, e, FTS_SKIP);
		else if (count++ < ESP_WATCH_FOLDERS)
			print_line(f, e->fts_path);
	}
	if (tree)
		fts_close(tree);
	if (fclose(f))
		abort();
	return text;
}

char *esp_watch_mount(char *source)
{
	int rc;
	struct esp_places *ps = esp_places_open(&source, 1, 0, 1, &rc);
	char *mount = NULL;

	if (!ps)
		return NULL;
	if (esp_place_find(&ps->place[0], true)) {
		mount = ps->place[0].mounted_on;
		ps->place[0].mounted_on = NULL;
	}
	esp_places_close(ps);
	return mount;
}

void esp_watch_renew(struct esp_conf *c, char *source)
{
	const struct esp_conf_file *ours = esp_conf_find_file(c, ESP_UNITS_PATH);
	char *there = ours ? esp_conf_text(c, ESP_UNITS_PATH) : NULL;
	char *mount = there ? esp_watch_mount(source) : NULL;
	char *text = mount ? esp_units_path_text(mount) : NULL;
	char hash[ESP_CONF_HASH];

	if (text)
		esp_conf_hash(there, hash);
	if (text && !strcmp(hash, ours->hash) && strcmp(text, there) != 0) {
		esp_conf_add_file(c, ESP_UNITS_PATH, text);
		if (esp_conf_write(c) && esp_conf_put(c, ESP_UNITS_PATH, text, 0644))
			esp_units_reload(c);
	}
	free(text);
	free(mount);
	free(there);
}
