/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tools/esp_conf.h"

#include "common/sha256.h"
#include "tools/esp_policy.h"
#include "tools/folder.h"
#include "tools/say.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEXT_BYTES_MAX (1 << 20)

static char *copy(const char *text)
{
	char *c = strdup(text);

	if (!c)
		abort();
	return c;
}

void esp_conf_init(struct esp_conf *c, const char *root)
{
	size_t n;

	memset(c, 0, sizeof(*c));
	c->root = copy(root ? root : "");
	n = strlen(c->root);
	while (n && c->root[n - 1] == '/')
		c->root[--n] = 0;
}

void esp_conf_free(struct esp_conf *c)
{
	for (unsigned i = 0; i < c->count; i++) {
		free(c->place[i].id);
		free(c->place[i].was);
	}
	for (unsigned i = 0; i < c->rule_count; i++)
		free(c->rule[i].pattern);
	for (unsigned i = 0; i < c->file_count; i++)
		free(c->file[i].path);
	free(c->root);
	memset(c, 0, sizeof(*c));
}

/* ---- files ---- */

char *esp_conf_path(const struct esp_conf *c, const char *path)
{
	char *full;

	if (asprintf(&full, "%s%s", c->root, path) < 0)
		abort();
	return full;
}

char *esp_conf_text(const struct esp_conf *c, const char *path)
{
	char *full = esp_conf_path(c, path), *text = NULL;
	int fd = open(full, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	size_t used = 0;
	ssize_t n = 1;

	free(full);
	if (fd < 0)
		return NULL;
	text = malloc(TEXT_BYTES_MAX + 1);
	if (!text)
		abort();
	while (used < TEXT_BYTES_MAX && n > 0) {
		n = read(fd, text + used, TEXT_BYTES_MAX - used);
		used += n > 0 ? (size_t)n : 0;
	}
	close(fd);
	text[used] = 0;
	if (n >= 0)
		return text;
	free(text);
	return NULL;
}

static bool make_folders(const char *path)
{
	char *folder = copy(path);
	bool done = true;

	for (char *p = folder + 1; done && (p = strchr(p, '/')); p++) {
		*p = 0;
		done = !mkdir(folder, 0755) || errno == EEXIST;
		*p = '/';
	}
	free(folder);
	return done;
}

static bool write_text(int fd, const char *text)
{
	size_t left = strlen(text);

	while (left) {
		ssize_t n = write(fd, text, left);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		text += n;
		left -= (size_t)n;
	}
	return !fsync(fd);
}

bool esp_conf_put(const struct esp_conf *c, const char *path, const char *text, mode_t mode)
{
	char *full = esp_conf_path(c, path), *fresh;
	bool done;
	int fd;

	if (asprintf(&fresh, "%s.new", full) < 0)
		abort();
	done = make_folders(full);
	unlink(fresh);
	fd = done ? open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode) : -1;
	done = fd >= 0 && !fchmod(fd, mode) && write_text(fd, text);
	if (fd >= 0 && close(fd))
		done = false;
	done = done && !rename(fresh, full) && folder_sync(full);
	if (!done) {
		say_about(full, "could not be written: %s", strerror(errno));
		unlink(fresh);
	}
	free(fresh);
	free(full);
	return done;
}

bool esp_conf_mark(const struct esp_conf *c, const char *path)
{
	char *full = esp_conf_path(c, path);
	int fd = make_folders(full) ? open(full, O_WRONLY | O_CREAT | O_CLOEXEC, 0600) : -1;

	if (fd < 0)
		say_about(full, "could not be written: %s", strerror(errno));
	else
		close(fd);
	free(full);
	return fd >= 0;
}

void esp_conf_hash(const char *text, char hash[ESP_CONF_HASH])
{
	uint8_t sum[SHA256_BYTES];
	struct sha256 s;

	sha256_init(&s);
	sha256_add(&s, text, strlen(text));
	sha256_end(&s, sum);
	for (unsigned i = 0; i < SHA256_BYTES; i++)
		sprintf(hash + 2 * i, "%02x", sum[i]);
}

/* ---- what is in it ---- */

void esp_conf_add_place(struct esp_conf *c, const char *id, const char *was)
{
	struct esp_conf_place *p = &c->place[c->count++];

	p->id = copy(id);
	p->was = was ? copy(was) : NULL;
}

bool esp_conf_add_rule(struct esp_conf *c, bool include, const char *pattern)
{
	if (c->rule_count == ESP_CONF_RULES) {
		say_note("more than %u times --exclude and --include", ESP_CONF_RULES);
		return false;
	}
	c->rule[c->rule_count++] = (struct esp_conf_rule){include, copy(pattern)};
	return true;
}

bool esp_conf_use_rules(const struct esp_conf *c)
{
	for (unsigned i = 0; i < c->rule_count; i++)
		if (!esp_policy_add(c->rule[i].include ? ESP_INCLUDED : ESP_LEFT,
				    c->rule[i].pattern))
			return false;
	return true;
}

struct esp_conf_file *esp_conf_find_file(struct esp_conf *c, const char *path)
{
	for (unsigned i = 0; i < c->file_count; i++)
		if (!strcmp(c->file[i].path, path))
			return &c->file[i];
	return NULL;
}

void esp_conf_add_file(struct esp_conf *c, const char *path, const char *text)
{
	struct esp_conf_file *f = esp_conf_find_file(c, path);

	if (!f) {
		if (c->file_count == ESP_CONF_FILES)
			abort();
		f = &c->file[c->file_count++];
		f->path = copy(path);
	}
	esp_conf_hash(text, f->hash);
}

/* ---- its text ---- */

static bool take_file(struct esp_conf *c, const char *value)
{
	const char *path = strchr(value, ' ');
	struct esp_conf_file *f;

	if (!path || path - value != ESP_CONF_HASH - 1 || path[1] != '/' ||
	    c->file_count == ESP_CONF_FILES)
		return false;
	f = &c->file[c->file_count++];
	memcpy(f->hash, value, ESP_CONF_HASH - 1);
	f->path = copy(path + 1);
	return true;
}

static bool take(struct esp_conf *c, const char *key, const char *value)
{
	if (!strcmp(key, "source") || !strcmp(key, "target")) {
		/* The source comes first, and once. */
		if (c->count == ESP_PLACES || (*key == 's') != !c->count)
			return false;
		esp_conf_add_place(c, value, NULL);
		return true;
	}
	if (!strcmp(key, "was")) {
		if (!c->count || c->place[c->count - 1].was)
			return false;
		c->place[c->count - 1].was = copy(value);
		return true;
	}
	if (!strcmp(key, "exclude") || !strcmp(key, "include"))
		return esp_conf_add_rule(c, *key == 'i', value);
	if (!strcmp(key, "keep-extra")) {
		c->keep_extra = !strcmp(value, "yes");
		return c->keep_extra || !strcmp(value, "no");
	}
	return !strcmp(key, "wrote") && take_file(c, value);
}

static bool take_line(struct esp_conf *c, char *line)
{
	char *value = strchr(line, '='), *end;

	line += strspn(line, " \t\r");
	if (!*line || *line == '#')
		return true;
	if (!value)
		return false;
	for (end = value; end > line && strchr(" \t", end[-1]); end--)
		;
	*end = 0;
	value++;
	value += strspn(value, " \t");
	for (end = value + strlen(value); end > value && strchr(" \t\r", end[-1]); end--)
		;
	*end = 0;
	return *value && take(c, line, value);
}

enum status esp_conf_read(struct esp_conf *c)
{
	char *text = esp_conf_text(c, ESP_CONF_FILE), *line, *next;
	unsigned number = 0;

	if (!text && (errno == ENOENT || errno == ENOTDIR))
		return ST_ABSENT;
	if (!text) {
		say_about(ESP_CONF_FILE, "%s", strerror(errno));
		return ST_IO;
	}
	for (next = text; (line = strsep(&next, "\n"));) {
		number++;
		if (take_line(c, line))
			continue;
		say_about(ESP_CONF_FILE,
			  "line %u can't be understood: run \"mirrorboot esp "
			  "enable\" again",
			  number);
		free(text);
		return ST_CORRUPT;
	}
	free(text);
	if (c->count > 1)
		return ST_OK;
	say_about(ESP_CONF_FILE, "names no source and target: run \"mirrorboot esp enable\" again");
	return ST_CORRUPT;
}

bool esp_conf_write(const struct esp_conf *c)
{
	size_t size;
	char *text = NULL;
	FILE *f = open_memstream(&text, &size);
	bool done;

	if (!f)
		abort();
	fputs("# The EFI system partitions that are kept in step: the targets get the source's "
	      "files.\n# \"mirrorboot esp enable\" wrote this; \"mirrorboot esp disable\" removes "
	      "it.\n",
	      f);
	for (unsigned i = 0; i < c->count; i++) {
		fprintf(f, "%s = %s\n", i ? "target" : "source", c->place[i].id);
		if (c->place[i].was)
			fprintf(f, "was = %s\n", c->place[i].was);
	}
	for (unsigned i = 0; i < c->rule_count; i++)
		fprintf(f, "%s = %s\n", c->rule[i].include ? "include" : "exclude",
			c->rule[i].pattern);
	if (c->keep_extra)
		fputs("keep-extra = yes\n", f);
	if (c->file_count)
		fputs("# removed by \"esp disable\" when they are as they were written:\n", f);
	for (unsigned i = 0; i < c->file_count; i++)
		fprintf(f, "wrote = %s %s\n", c->file[i].hash, c->file[i].path);
	if (fclose(f))
		abort();
	done = esp_conf_put(c, ESP_CONF_FILE, text, 0644);
	free(text);
	return done;
}
