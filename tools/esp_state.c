/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tools/esp_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STATE_FILE   "/var/lib/mirrorboot/esp.state"
#define STATE_FOLDER "/var/lib/mirrorboot"

static void take(struct esp_state *s, const char *key, const char *value)
{
	long long n = strtoll(value, NULL, 10);
	const char *id = strchr(value, ' ');

	if (!strcmp(key, "time"))
		s->at = n;
	else if (!strcmp(key, "exit-status"))
		s->exit_status = (int)n;
	else if (!strcmp(key, "in-step-at"))
		s->in_step_at = n;
	else if (!strcmp(key, "target") && id)
		esp_state_set_generation(s, id + 1, strtoull(value, NULL, 10));
}

void esp_state_read(struct esp_state *s, const struct esp_conf *c)
{
	char *text = esp_conf_text(c, STATE_FILE), *line, *next = text;

	memset(s, 0, sizeof(*s));
	while (next && (line = strsep(&next, "\n"))) {
		char *value = strstr(line, " = ");

		if (!value)
			continue;
		*value = 0;
		take(s, line, value + 3);
	}
	free(text);
}

void esp_state_free(struct esp_state *s)
{
	for (unsigned i = 0; i < s->count; i++)
		free(s->target[i].id);
	memset(s, 0, sizeof(*s));
}

static struct esp_state_target *find(const struct esp_state *s, const char *id)
{
	for (unsigned i = 0; i < s->count; i++)
		if (!strcmp(s->target[i].id, id))
			return (struct esp_state_target *)&s->target[i];
	return NULL;
}

uint64_t esp_state_generation(const struct esp_state *s, const char *id)
{
	const struct esp_state_target *t = find(s, id);

	return t ? t->generation : 0;
}

void esp_state_set_generation(struct esp_state *s, const char *id, uint64_t generation)
{
	struct esp_state_target *t = find(s, id);

	if (!t && s->count < ESP_PLACES) {
		t = &s->target[s->count++];
		t->id = strdup(id);
		if (!t->id)
			abort();
	}
	if (t)
		t->generation = generation;
}

static bool is_enabled(const struct esp_conf *c, const char *id)
{
	for (unsigned i = 1; i < c->count; i++)
		if (!strcmp(c->place[i].id, id))
			return true;
	return false;
}

bool esp_state_write(struct esp_state *s, const struct esp_conf *c, int exit_status)
{
	size_t size;
	char *text = NULL;
	FILE *f = open_memstream(&text, &size);
	bool done;

	if (!f)
		abort();
	s->at = time(NULL);
	s->exit_status = exit_status;
	if (exit_status == EXIT_DONE)
		s->in_step_at = s->at;
	fprintf(f, "time = %lld\nexit-status = %d\nin-step-at = %lld\n", (long long)s->at,
		exit_status, (long long)s->in_step_at);
	for (unsigned i = 0; i < s->count; i++)
		if (is_enabled(c, s->target[i].id))
			fprintf(f, "target = %llu %s\n",
				(unsigned long long)s->target[i].generation, s->target[i].id);
	if (fclose(f))
		abort();
	done = esp_conf_put(c, STATE_FILE, text, 0644);
	free(text);
	return done;
}

void esp_state_remove(const struct esp_conf *c)
{
	char *file = esp_conf_path(c, STATE_FILE), *folder = esp_conf_path(c, STATE_FOLDER);

	unlink(file);
	rmdir(folder); /* when it is empty */
	free(file);
	free(folder);
}

static void local_time(time_t at, char *text, size_t size)
{
	struct tm tm;

	if (!at || !localtime_r(&at, &tm) || !strftime(text, size, "%Y-%m-%d %H:%M", &tm))
		snprintf(text, size, "never");
}

void esp_state_print(const struct esp_state *s)
{
	char at[40], good[40];

	local_time(s->at, at, sizeof(at));
	local_time(s->in_step_at, good, sizeof(good));
	if (!s->at)
		printf("Kept in step by itself: no run so far.\n");
	else if (s->exit_status == EXIT_DONE)
		printf("Kept in step by itself: last on %s.\n", at);
	else
		printf("Kept in step by itself: the run on %s %s (\"journalctl -u mirrorboot-esp\" "
		       "says more); the last that brought all in step: %s.\n",
		       at, s->exit_status == EXIT_DEGRADED ? "missed a target" : "failed", good);
}

static struct json_object *utc_time(time_t at)
{
	struct tm tm;
	char text[40];

	if (!at || !gmtime_r(&at, &tm) || !strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm))
		return NULL;
	return json_object_new_string(text);
}

struct json_object *esp_state_json(const struct esp_state *s)
{
	struct json_object *o;

	if (!s->at)
		return NULL;
	o = json_object_new_object();
	json_object_object_add(o, "time", utc_time(s->at));
	json_object_object_add(o, "exit_status", json_object_new_int(s->exit_status));
	json_object_object_add(o, "in_step_at", utc_time(s->in_step_at));
	return o;
}
