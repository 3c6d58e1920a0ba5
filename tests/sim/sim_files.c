/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * Files that the tool keeps on a mounted file system, cut at every step: esp.conf, the record of
 * the boot entries, variables that are files in a folder. Each is the old one or the new one,
 * whole; and when the tool says that it is done, the new one.
 *
 * Assumed of a file system: what was written to a file is there when that file was synced, else
 * some of it may be; names change in the order in which they were changed, and are there for sure
 * when their folder was synced.
 */
#include "tests/sim/crashcount.h"
#include "tests/sim/crashlibc.h"
#include "tools/entries_record.h"
#include "tools/esp_conf.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#define STEPS 32
#define BYTES 4096

enum kind { WROTE, SYNCED, SYNCED_FOLDER, RENAMED, UNLINKED };

static struct step {
	enum kind kind;
	char path[PATH_MAX], to[PATH_MAX];
	char bytes[BYTES];
	size_t n;
} step[STEPS];
static unsigned steps;
static char folder[64];

static struct step *add(enum kind kind, const char *path)
{
	struct step *s = &step[steps++];

	if (steps == STEPS)
		abort();
	memset(s, 0, sizeof(*s));
	s->kind = kind;
	snprintf(s->path, sizeof(s->path), "%s", path);
	return s;
}

static bool path_of(int fd, char *path)
{
	char link[40];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, PATH_MAX - 1);
	if (n < 0)
		return false;
	path[n] = 0;
	return !strncmp(path, folder, strlen(folder));
}

static void wrote(int fd, const void *bytes, size_t n, off_t at)
{
	char path[PATH_MAX];
	struct step *s;

	if (!path_of(fd, path))
		return;
	s = add(WROTE, path);
	if (n > BYTES || at)
		abort();
	memcpy(s->bytes, bytes, n);
	s->n = n;
}

static void synced(int fd)
{
	char path[PATH_MAX];
	struct stat st;

	if (path_of(fd, path) && !fstat(fd, &st))
		add(S_ISDIR(st.st_mode) ? SYNCED_FOLDER : SYNCED, path);
}

static void renamed(const char *from, const char *to)
{
	struct step *s = add(RENAMED, from);

	snprintf(s->to, sizeof(s->to), "%s", to);
}

static void unlinked(const char *path)
{
	add(UNLINKED, path);
}

static const struct crashlibc listener = {wrote, synced, renamed, unlinked};

/* ---- what a cut leaves of one file ---- */

static const char *file;
static char old_bytes[BYTES], new_bytes[BYTES];
static size_t old_n, new_n; /* SIZE_MAX: it is not there */

/* After the first `cut` steps, of which names beyond the first `names` are lost. */
struct after {
	const struct step *from; /* whose bytes the file has; NULL: as before, or none */
	bool there, synced;
};

static struct after look(unsigned cut, unsigned names)
{
	struct after a = {.there = old_n != SIZE_MAX};

	for (unsigned i = 0; i < cut; i++) {
		const struct step *s = &step[i];

		if (s->kind == WROTE && !strcmp(s->path, file))
			a = (struct after){.from = s, .there = true};
		if (i >= names)
			continue;
		if (s->kind == UNLINKED && !strcmp(s->path, file))
			a = (struct after){0};
		if (s->kind != RENAMED || strcmp(s->to, file))
			continue;
		a = (struct after){.there = true};
		for (unsigned k = 0; k < i; k++)
			if (step[k].kind == WROTE && !strcmp(step[k].path, s->path))
				a.from = &step[k];
	}
	for (unsigned i = 0; a.from && i < cut; i++)
		if (step[i].kind == SYNCED && &step[i] > a.from &&
		    !strcmp(step[i].path, a.from->path))
			a.synced = true;
	return a;
}

static bool is(const struct after *a, size_t n, const char *bytes, size_t all)
{
	const char *have = a->from ? a->from->bytes : old_bytes;

	if (!a->there || all == SIZE_MAX)
		return !a->there && all == SIZE_MAX;
	return n == all && !memcmp(have, bytes, n);
}

static void check(const char *name, unsigned cut, unsigned names)
{
	struct after a = look(cut, names);
	size_t all = a.from ? a.from->n : old_n;
	size_t some[] = {all, 0, all / 2};

	for (unsigned i = 0; i < (a.from && !a.synced ? 3u : 1u); i++) {
		uint64_t hash = (uint64_t)(a.from ? a.from - step + 2 : a.there) << 32 | some[i];

		crashcount_is_new(hash + 1);
		if (is(&a, some[i], new_bytes, new_n))
			continue;
		if (cut == steps || !is(&a, some[i], old_bytes, old_n))
			fail_msg("%s, cut after step %u, names up to %u: %s is %s", name, cut,
				 names, file, cut == steps ? "not the new one" : "neither");
	}
}

static void judge(const char *name, const char *command)
{
	crashcount_scene(command, 1);
	for (unsigned cut = 0; cut <= steps; cut++) {
		unsigned sure = 0;

		for (unsigned i = 0; i < cut; i++)
			if (step[i].kind == SYNCED_FOLDER)
				sure = i;
		for (unsigned names = sure; names <= cut; names++)
			check(name, cut, names);
	}
	crashcount_all();
	printf("  %s: %u steps\n", name, steps);
}

static void begin(const char *path, const void *before, size_t n)
{
	file = path;
	memcpy(old_bytes, before, n == SIZE_MAX ? 0 : n);
	old_n = n;
	steps = 0;
	crashlibc_tell(&listener);
}

static void end(const char *path)
{
	FILE *f;

	crashlibc_tell(NULL);
	f = fopen(path, "r");
	new_n = f ? fread(new_bytes, 1, sizeof(new_bytes), f) : SIZE_MAX;
	if (f)
		fclose(f);
}

/* ---- */

static void configuration(void **state)
{
	static const char before[] = "source = a\n";
	char path[PATH_MAX];
	struct esp_conf c;

	esp_conf_init(&c, folder);
	snprintf(path, sizeof(path), "%s/etc/mirrorboot/esp.conf", folder);
	assert_true(esp_conf_put(&c, "/etc/mirrorboot/esp.conf", before, 0644));
	begin(path, before, strlen(before));
	assert_true(esp_conf_put(&c, "/etc/mirrorboot/esp.conf", "source = b\ntarget = c\n", 0644));
	end(path);
	judge("esp.conf", "esp enable");
	esp_conf_free(&c);
}

static void variables(void **state)
{
	static const uint8_t was[] = {7, 0, 0, 0, 1, 2, 3};
	char path[PATH_MAX];
	struct entries_vars v;

	assert_true(entries_vars_open(&v, folder));
	assert_false(v.firmware);
	snprintf(path, sizeof(path), "%s/Boot0001-8be4df61-93ca-11d2-aa0d-00e098032b8c", folder);
	assert_int_equal(v.set(&v, "Boot0001", 7, was + 4, 3), 0);
	begin(path, was, sizeof(was));
	assert_int_equal(v.set(&v, "Boot0001", 7, "another value", 13), 0);
	end(path);
	judge("a variable that is a file", "a variable in a folder (--efivars)");
	begin(path, new_bytes, new_n);
	assert_int_equal(v.remove(&v, "Boot0001"), 0);
	end(path);
	judge("one that is removed", "a variable in a folder, removed");
}

static void record(void **state)
{
	char path[PATH_MAX];
	struct entries_vars v;
	struct entries_record r;
	bool changed;

	assert_true(entries_vars_open(&v, folder));
	snprintf(path, sizeof(path), "%s/record.json", folder);
	assert_true(entries_record_open(&r, &v, path));
	/* Of a version that wrote it otherwise: so it is written anew. */
	r.text = strdup("older");
	assert_non_null(r.text);
	begin(path, "", SIZE_MAX);
	assert_true(entries_record_prepare(&r, &changed) && changed);
	assert_true(entries_record_commit(&r));
	end(path);
	entries_record_free(&r);
	judge("the record of boot entries", "the record of entries clone");
	assert_int_equal(unlink(path), 0);
}

static int remove_all(void **state)
{
	char command[120];

	snprintf(command, sizeof(command), "rm -r %s", folder);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(configuration),
		cmocka_unit_test(variables),
		cmocka_unit_test(record),
	};

	snprintf(folder, sizeof(folder), "/tmp/mirrorboot-files-XXXXXX");
	if (!mkdtemp(folder))
		return 1;
	return crashcount_end(
		cmocka_run_group_tests_name("files under power cuts", tests, NULL, remove_all));
}
