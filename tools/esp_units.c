/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tools/esp_units.h"

#include "tools/blobs.h"
#include "tools/esp_watch.h"
#include "tools/run.h"
#include "tools/say.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define UNITS   "/etc/systemd/system/"
#define SERVICE "mirrorboot-esp.service"
#define TIMER   "mirrorboot-esp.timer"
#define WATCHER "mirrorboot-esp.path"

enum kind { UNIT, HOOK, WATCH };

static const struct {
	const char *path;
	enum kind kind;
	const uint8_t *text;
	const uint32_t *bytes;
} files[] = {
	{UNITS SERVICE, UNIT, blob_esp_service, &blob_esp_service_bytes},
	{UNITS TIMER, UNIT, blob_esp_timer, &blob_esp_timer_bytes},
	{ESP_UNITS_PATH, WATCH, blob_esp_path, &blob_esp_path_bytes},
	/* After those that copy kernels to the ESP (zz-systemd-boot, zz-update-grub). */
	{"/etc/kernel/postinst.d/zzz-mirrorboot", HOOK, blob_esp_hook, &blob_esp_hook_bytes},
	{"/etc/kernel/postrm.d/zzz-mirrorboot", HOOK, blob_esp_hook, &blob_esp_hook_bytes},
	{"/etc/initramfs/post-update.d/zzz-mirrorboot", HOOK, blob_esp_hook, &blob_esp_hook_bytes},
	{"/etc/kernel/install.d/zzz-mirrorboot.install", HOOK, blob_esp_hook, &blob_esp_hook_bytes},
};
#define FILES (sizeof(files) / sizeof(files[0]))

enum act { LEAVE, WRITE, SAME, FOREIGN, PACKAGED };

struct esp_units {
	char *text[FILES];
	enum act act[FILES];
};

/* ---- texts ---- */

static char *replace(char *text, const char *key, const char *value)
{
	char *at = text, *found, *out = NULL;
	size_t size;
	FILE *f = open_memstream(&out, &size);

	if (!f)
		abort();
	while ((found = strstr(at, key))) {
		fwrite(at, 1, (size_t)(found - at), f);
		fputs(value, f);
		at = found + strlen(key);
	}
	fputs(at, f);
	if (fclose(f))
		abort();
	free(text);
	return out;
}

static char *text_of(unsigned i)
{
	char self[PATH_MAX], *text = strndup((const char *)files[i].text, *files[i].bytes);
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (!text)
		abort();
	self[n > 0 ? n : 0] = 0;
	return replace(text, "@MIRRORBOOT@", self);
}

char *esp_units_path_text(const char *mount)
{
	char *watch = esp_watch_lines(mount), *text;

	for (unsigned i = 0; i < FILES; i++)
		if (files[i].kind == WATCH) {
			text = replace(text_of(i), "@WATCH@\n", watch);
			free(watch);
			return text;
		}
	abort();
}

/* ---- which are written ---- */

static bool exists(const struct esp_conf *c, const char *folder, const char *name)
{
	char *full = esp_conf_path(c, folder), *path;
	struct stat st;
	bool there;

	if (asprintf(&path, "%s%s", full, name) < 0)
		abort();
	there = !stat(path, &st);
	free(path);
	free(full);
	return there;
}

static bool is_packaged(const struct esp_conf *c, unsigned i)
{
	const char *name = strrchr(files[i].path, '/') + 1;

	return files[i].kind == UNIT && (exists(c, "/lib/systemd/system/", name) ||
					 exists(c, "/usr/lib/systemd/system/", name));
}

/* Is there a file that is ours, by what esp.conf says of it? */
static bool is_ours(struct esp_conf *c, const char *path, const char *text)
{
	const struct esp_conf_file *f = esp_conf_find_file(c, path);
	char hash[ESP_CONF_HASH];

	esp_conf_hash(text, hash);
	return f && !strcmp(f->hash, hash);
}

static enum act plan_one(struct esp_conf *c, const struct esp_units *u, unsigned i)
{
	char *there = esp_conf_text(c, files[i].path);
	enum act act;

	if (there && is_ours(c, files[i].path, there))
		act = WRITE;
	else if (there)
		act = strcmp(there, u->text[i]) ? FOREIGN : SAME;
	else
		act = is_packaged(c, i) ? PACKAGED : WRITE;
	free(there);
	return act;
}

struct esp_units *esp_units_plan(struct esp_conf *c, const char *mount)
{
	struct esp_units *u = calloc(1, sizeof(*u));
	struct esp_conf now = {0};

	if (!u)
		abort();
	for (unsigned i = 0; i < FILES; i++) {
		if (files[i].kind == WATCH && !mount)
			continue;
		u->text[i] = files[i].kind == WATCH ? esp_units_path_text(mount) : text_of(i);
		u->act[i] = plan_one(c, u, i);
		if (u->act[i] == WRITE)
			esp_conf_add_file(&now, files[i].path, u->text[i]);
	}
	for (unsigned i = 0; i < c->file_count; i++)
		free(c->file[i].path);
	c->file_count = now.file_count;
	memcpy(c->file, now.file, sizeof(c->file));
	return u;
}

void esp_units_free(struct esp_units *u)
{
	for (unsigned i = 0; i < FILES; i++)
		free(u->text[i]);
	free(u);
}

void esp_units_print(const struct esp_units *u, const struct esp_conf *c)
{
	printf("These files are written (\"mirrorboot esp disable\" removes them):\n  %s%s\n",
	       c->root, ESP_CONF_FILE);
	for (unsigned i = 0; i < FILES; i++)
		if (u->act[i] == WRITE)
			printf("  %s%s\n", c->root, files[i].path);
	for (unsigned i = 0; i < FILES; i++)
		if (u->act[i] == FOREIGN)
			printf("%s%s is there already, and is left as it is.\n", c->root,
			       files[i].path);
}

bool esp_units_write(const struct esp_units *u, const struct esp_conf *c)
{
	for (unsigned i = 0; i < FILES; i++)
		if (u->act[i] == WRITE && !esp_conf_put(c, files[i].path, u->text[i],
							files[i].kind == HOOK ? 0755 : 0644))
			return false;
	return true;
}

void esp_units_remove(const struct esp_conf *c, struct esp_conf *keep)
{
	for (unsigned i = 0; i < c->file_count; i++) {
		const struct esp_conf_file *f = &c->file[i];
		char hash[ESP_CONF_HASH], *text, *path;

		if (keep && esp_conf_find_file(keep, f->path))
			continue;
		text = esp_conf_text(c, f->path);
		if (!text)
			continue;
		path = esp_conf_path(c, f->path);
		esp_conf_hash(text, hash);
		if (strcmp(hash, f->hash) != 0)
			printf("%s was changed since it was written, and is left.\n", path);
		else if (unlink(path))
			say_about(path, "could not be removed");
		else
			printf("%s is removed.\n", path);
		free(text);
		free(path);
	}
}

/* ---- systemd ---- */

static bool systemctl(const struct esp_conf *c, char *const *words)
{
	char *argv[12] = {"systemctl"}, *root = NULL;
	struct run_output out;
	unsigned n = 1;
	bool done;

	if (*c->root) {
		if (asprintf(&root, "--root=%s", c->root) < 0)
			abort();
		argv[n++] = root;
	}
	while (*words)
		argv[n++] = *words++;
	done = run_command(argv, (const int[]){-1}, &out);
	if (!done)
		say_note("\"systemctl %s\" failed: %s", argv[*c->root ? 2 : 1], out.err);
	free(out.out);
	free(root);
	return done;
}

/* Another root's units can be enabled, not started. */
static bool has_systemd(const struct esp_conf *c)
{
	struct stat st;

	return run_exists("systemctl") && (*c->root || !stat("/run/systemd/system", &st));
}

#define WORDS(...) ((char *[]){__VA_ARGS__, NULL})

bool esp_units_start(const struct esp_conf *c, bool watch)
{
	if (!has_systemd(c)) {
		printf("systemd does not run here: the hooks of kernels and initramfs are all that "
		       "keeps them in step.\n");
		return true;
	}
	if (*c->root)
		return systemctl(c, WORDS("enable", TIMER, watch ? WATCHER : NULL));
	return systemctl(c, WORDS("daemon-reload")) &&
	       systemctl(c, WORDS("enable", "--now", TIMER, watch ? WATCHER : NULL)) &&
	       (!watch || systemctl(c, WORDS("restart", WATCHER)));
}

bool esp_units_stop(const struct esp_conf *c)
{
	bool watch = exists(c, UNITS, WATCHER);

	if (!has_systemd(c))
		return true;
	if (*c->root)
		return systemctl(c, WORDS("disable", TIMER, watch ? WATCHER : NULL));
	return systemctl(c, WORDS("disable", "--now", TIMER, watch ? WATCHER : NULL));
}

void esp_units_reload(const struct esp_conf *c)
{
	if (!has_systemd(c) || *c->root)
		return;
	if (systemctl(c, WORDS("daemon-reload")) && exists(c, UNITS, WATCHER))
		systemctl(c, WORDS("try-restart", "--no-block", WATCHER));
}
