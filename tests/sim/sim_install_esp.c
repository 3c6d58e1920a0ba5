/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * A power cut at any moment of install, upgrade and uninstall on an EFI system partition: the
 * fallback loader is the old or the new one, whole, and never gone; ours never stands alone where
 * there was another to start next; a manifest says no more than what is so; nobody else's file is
 * touched; and the same command, run again, gets there.
 *
 * Then the same with each flush left out, one at a time.
 */
#include "tests/sim/crashcount.h"
#include "tests/sim/crashdisk.h"
#include "tests/sim/crashfat.h"
#include "tests/sim/crashwrong.h"
#include "tools/install_write.h"
#include "common/esppolicy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#define SECTORS    400u
#define PART_LBA   8u
#define APP_MAX    9100u
#define OLD_CONFIG "timeout = 3\n"
#define NEW_CONFIG "timeout = 7\nvolumes = no\n"
#define FALLBACK   "EFI/BOOT/BOOTX64.EFI"
#define REPLACED   "EFI/BOOT/BOOTX64.REPLACED.EFI"
#define APP        "EFI/mirrorboot/mirrorboot.efi"
#define CONF       "EFI/mirrorboot/mirrorboot.conf"
#define OTHER      "EFI/debian/grubx64.efi"

enum { OLDER, NEWER };
static uint8_t app[2][APP_MAX];
static size_t app_bytes; /* few enough for all states to be looked at, or more */
static uint8_t foreign[3000], other[900];

struct scene {
	const char *name;
	bool no_fallback;   /* there is none before */
	bool installed;     /* by an older build, with OLD_CONFIG */
	const char *config; /* what is installed; NULL: it is removed */
	bool removed;       /* what is looked at is what a whole uninstall has left */
	bool saw_foreign, saw_older, saw_newer;
	unsigned states, needed;
	bool looking;
	jmp_buf found;
};

/* As little of a PE image as passes for a mirrorboot. */
static void make_app(uint8_t *data, int seed)
{
	crashfat_content(data, (int)app_bytes, seed);
	memset(data, 0, 512);
	memcpy(data, "MZ", 2);
	data[0x3c] = 64;
	memcpy(data + 64, "PE\0\0\x64\x86", 6);
	memcpy(data + 64 + 24, "\x0b\x02", 2);
	memcpy(data + 512, "\nmirrorboot,1,a,b,0.1\n", 22);
}

/* What the tool takes for this build's. */
static void use_app(int which)
{
	struct efiapp *a = (struct efiapp *)efiapp_get(EFIAPP_X64);

	a->file = "made up";
	a->data = app[which];
	a->n_bytes = app_bytes;
}

/* ---- the commands, as cmd_install.c and cmd_uninstall.c carry them out ---- */

static struct jobs *jobs_for(const struct disk *d)
{
	static struct hostset set;
	static struct jobs jobs;

	espman_free(&jobs.job[0].man);
	memset(&jobs, 0, sizeof(jobs));
	set.host[0].path = "disk";
	jobs.set = &set;
	jobs.count = 1;
	jobs.job[0].host = &set.host[0];
	jobs.job[0].disk = d;
	jobs.job[0].uefi = true;
	return &jobs;
}

static void install(struct scene *s, const struct disk *d, const char *config, const char *what)
{
	struct install in = {.uefi = true, .esp_config = config, .jobs = jobs_for(d)};
	struct job *j = &in.jobs->job[0];

	if (!esp_look(&j->esp, d) || !esp_plan(&j->esp, config, false))
		CRASHWRONG(s, what, "no plan: %s", j->esp.why);
	if (!jobs_plan_manifests(in.jobs, true))
		CRASHWRONG(s, what, "no manifest");
	if (!install_write(&in, j))
		CRASHWRONG(s, what, "%s%s", j->esp.why, j->man.why);
}

static void remove_all(struct scene *s, const struct disk *d, const char *what)
{
	struct job *j = &jobs_for(d)->job[0];
	bool touched;

	if (!esp_look(&j->esp, d))
		CRASHWRONG(s, what, "can't look: %s", j->esp.why);
	if (!esp_has_leftovers(&j->esp))
		return;
	if (!esp_plan_remove(&j->esp) || !esp_remove(&j->esp, &touched))
		CRASHWRONG(s, what, "%s", j->esp.why);
}

/* ---- what is there ---- */

static struct fatfs fs;

enum { IS_ABSENT = -1, IS_BROKEN = -2 };

/* Which of these it is; absent; or neither. */
static int which(const char *path, const uint8_t *const data[], const size_t bytes[], int n)
{
	int found = IS_BROKEN;
	uint8_t *there;
	size_t n_bytes;
	enum status st = fatfs_read(&fs, path, &there, &n_bytes);

	if (st == ST_ABSENT)
		found = IS_ABSENT;
	for (int i = 0; st == ST_OK && i < n; i++)
		if (n_bytes == bytes[i] && !memcmp(there, data[i], n_bytes))
			found = i;
	free(there);
	return found;
}

static void check_config(struct scene *s, const char *what)
{
	const uint8_t *const configs[] = {(const void *)OLD_CONFIG, (const void *)NEW_CONFIG};
	const size_t bytes[] = {strlen(OLD_CONFIG), strlen(NEW_CONFIG)};
	int is = which(CONF, configs, bytes, 2);

	if (is == IS_BROKEN)
		CRASHWRONG(s, what, "a config that nobody wrote");
	if (is == IS_ABSENT && s->installed && s->config && !s->removed)
		CRASHWRONG(s, what, "the config is gone");
}

static void check_manifest(struct scene *s, const struct disk *d, const char *what)
{
	static struct esp e;
	static struct espman m;

	espman_free(&m);
	if (!esp_look(&e, d) || !espman_look(&m, &e, d))
		CRASHWRONG(s, what, "%s%s", e.why, m.why);
	if (m.status != ST_ABSENT && m.status != ST_OK)
		CRASHWRONG(s, what, "a manifest that is damaged");
	if (m.status != ST_OK || m.old.state != MANIFEST_COMPLETE)
		return;
	for (unsigned i = 0; i < m.count; i++)
		if (m.file[i].verdict != MANIFEST_SAME)
			CRASHWRONG(s, what, "\"complete\", and %s is not as the manifest says",
				   m.file[i].f.path);
	if (m.missing)
		CRASHWRONG(s, what, "\"complete\", and a file that the manifest lists is missing");
}

static void check(struct scene *s, const struct disk *d, const char *what)
{
	const uint8_t *const loaders[] = {foreign, app[OLDER], app[NEWER]};
	const size_t bytes[] = {sizeof(foreign), app_bytes, app_bytes};
	const uint8_t *const others[] = {other};
	const size_t other_bytes[] = {sizeof(other)};
	int is;

	if (fatfs_open(&fs, d, PART_LBA, SECTORS - PART_LBA) != ST_OK)
		CRASHWRONG(s, what, "no FAT file system: %s", fs.error);
	if (which(OTHER, others, other_bytes, 1) != 0)
		CRASHWRONG(s, what, OTHER " is not as it was");
	is = which(FALLBACK, loaders, bytes, 3);
	if (is == IS_BROKEN || (is == IS_ABSENT && !s->no_fallback) ||
	    (is == OLDER + 1 && !s->installed))
		CRASHWRONG(s, what, "the fallback loader is %s",
			   is == IS_ABSENT ? "gone" : "broken");
	s->saw_foreign |= !s->removed && is <= 0;
	s->saw_older |= is == OLDER + 1;
	s->saw_newer |= is == NEWER + 1;
	/* Ours starts what it replaced: that has to be there before it, and after it. */
	if (is > 0 && !s->no_fallback && which(REPLACED, loaders, bytes, 1) != 0)
		CRASHWRONG(s, what, "the fallback is ours, and what it replaced is not there");
	if (which(APP, loaders + 1, bytes + 1, 2) == IS_BROKEN)
		CRASHWRONG(s, what, APP " is broken");
	check_config(s, what);
	check_manifest(s, d, what);
}

/* Everything that is not ours, as at first; of ours nothing. */
static void check_removed(struct scene *s, const struct disk *d, const char *what)
{
	const uint8_t *const loaders[] = {foreign};
	const size_t bytes[] = {sizeof(foreign)};
	enum fatfs_kind kind;

	check(s, d, what);
	if (which(FALLBACK, loaders, bytes, 1) != (s->no_fallback ? IS_ABSENT : 0) ||
	    which(REPLACED, loaders, bytes, 1) != IS_ABSENT)
		CRASHWRONG(s, what, "removed, and the loaders are not as they were");
	if (fatfs_lookup(&fs, "EFI/mirrorboot", &kind, NULL) != ST_OK || kind != FATFS_NONE)
		CRASHWRONG(s, what, "removed, and a folder of ours is there");
}

static void check_rerun(struct scene *s, uint8_t *image, const char *what)
{
	struct disk d = crashfat_disk(image, SECTORS);

	if (s->config) {
		install(s, &d, s->config, what);
		check(s, &d, what);
	}
	remove_all(s, &d, what);
	s->removed = true;
	check_removed(s, &d, what);
	s->removed = false;
}

static void check_cut(uint8_t *cut, const char *what, void *ctx)
{
	static uint8_t image[SECTORS * 512];
	struct scene *s = ctx;
	struct disk d = crashfat_disk(memcpy(image, cut, sizeof(image)), SECTORS);

	check(s, &d, what);
	if ((s->states++ % 4 == 0 && crashcount_is_picked(8)) || s->looking) {
		if (!s->looking)
			crashcount_rerun();
		check_rerun(s, image, what);
	}
}

static bool is_wrong(uint8_t *image, const char *what, void *ctx)
{
	struct scene *s = ctx;

	if (setjmp(s->found)) {
		s->removed = false;
		return true;
	}
	check_cut(image, what, s);
	return false;
}

static void without_each_flush(struct scene *s, const struct crashdisk *c, unsigned *flushes)
{
	*flushes = 0;
	assert_int_equal(c->op[c->op_count - 1].n, 0);
	s->looking = true;
	for (unsigned i = 0; i + 1 < c->op_count; i++)
		if (!c->op[i].n) {
			++*flushes;
			s->needed += crashdisk_without_flush(c, i, is_wrong, s);
		}
	s->looking = false;
}

static void put(const char *path, const void *data, size_t bytes)
{
	assert_int_equal(fatfs_write(&fs, path, data, bytes), ST_OK);
}

static void make(struct scene *s, const struct disk *d)
{
	struct mbr_sector *m = d->ctx;
	struct disk part = crashfat_disk((uint8_t *)d->ctx + PART_LBA * 512, SECTORS - PART_LBA);

	crashfat_format(&part, 12, 0);
	m->entry[0].type = 0xef;
	m->entry[0].start_lba = le32_of(PART_LBA);
	m->entry[0].sectors = le32_of(SECTORS - PART_LBA);
	m->signature = le16_of(MBR_SIGNATURE);
	assert_int_equal(fatfs_open(&fs, d, PART_LBA, SECTORS - PART_LBA), ST_OK);
	assert_int_equal(fatfs_mkdir(&fs, "EFI"), ST_OK);
	assert_int_equal(fatfs_mkdir(&fs, "EFI/debian"), ST_OK);
	put(OTHER, other, sizeof(other));
	if (!s->no_fallback) {
		assert_int_equal(fatfs_mkdir(&fs, "EFI/BOOT"), ST_OK);
		put(FALLBACK, foreign, sizeof(foreign));
	}
	if (s->installed) {
		use_app(OLDER);
		install(s, d, OLD_CONFIG, "the older install");
	}
	use_app(NEWER);
}

static void play(struct scene *s)
{
	static uint8_t image[SECTORS * 512];
	static struct crashdisk c;
	struct disk d = crashfat_disk(image, SECTORS);
	unsigned cuts, flushes;

	memset(image, 0, sizeof(image));
	make(s, &d);
	crashdisk_init(&c, image, SECTORS);
	d = crashdisk_disk(&c);
	if (s->config)
		install(s, &d, s->config, s->name);
	else
		remove_all(s, &d, s->name);
	crashcount_scene(!s->config     ? "uninstall (ESP)"
			 : s->installed ? "install over an older one (ESP)"
					: "install (ESP)",
			 s->config && s->installed ? 1 : 2);
	cuts = crashdisk_each_cut(&c, check_cut, s);
	without_each_flush(s, &c, &flushes);
	printf("  %s: %u operations, %u cuts, %u of %u flushes found missing\n", s->name,
	       c.op_count, cuts, s->needed, flushes);
	crashdisk_free(&c);
}

static void fresh(void **state)
{
	struct scene s = {.name = "install", .config = NEW_CONFIG};
	struct scene n = {
		.name = "install without a loader", .no_fallback = true, .config = NEW_CONFIG};

	play(&s);
	assert_true(s.saw_foreign && s.saw_newer);
	play(&n);
	assert_true(n.saw_foreign && n.saw_newer);
}

/* Never back to the loader of before: ours is there all the time. */
static void upgrade(void **state)
{
	struct scene s = {.name = "upgrade", .installed = true, .config = NEW_CONFIG};

	play(&s);
	assert_true(s.saw_older && s.saw_newer && !s.saw_foreign);
}

static void uninstall(void **state)
{
	struct scene s = {.name = "uninstall", .installed = true};
	struct scene n = {
		.name = "uninstall without a loader", .installed = true, .no_fallback = true};

	play(&s);
	assert_true(s.saw_older && s.saw_foreign);
	play(&n);
	assert_true(n.saw_older && n.saw_foreign);
}

static int make_data(void **state)
{
	app_bytes = crashcount_is_whole() ? APP_MAX : 2600;
	make_app(app[OLDER], 1);
	make_app(app[NEWER], 2);
	crashfat_content(foreign, sizeof(foreign), 3);
	crashfat_content(other, sizeof(other), 4);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fresh),
		cmocka_unit_test(upgrade),
		cmocka_unit_test(uninstall),
	};

	return crashcount_end(cmocka_run_group_tests_name("install on an ESP under power cuts",
							  tests, make_data, NULL));
}
