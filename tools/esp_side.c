/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tools/esp_side.h"

#include "common/fat_format.h"
#include "common/fat_plan.h"
#include "tools/esp_busy.h"
#include "tools/run.h"
#include "tools/say.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#define WORK_BYTES (1u << 20)

bool esp_side_sync(const struct esp_side *s)
{
	const struct esp_place *p = s->place;
	int fd;
	bool done;

	if (s->rehearsal)
		return true;
	if (!p->mounted_on) {
		esp_busy_forget(p->host, p->start_lba << p->disk->shift);
		return true;
	}
	fd = open(p->mounted_on, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	done = fd >= 0 && !syncfs(fd);
	if (!done)
		say_about(p->arg, "what is mounted on %s could not be synced: %s", p->mounted_on,
			  strerror(errno));
	if (fd >= 0)
		close(fd);
	return done;
}

static int by_path(const void *path, const void *file)
{
	const struct espman_file *const *f = file;

	return strcasecmp(path, (*f)->f.path);
}

static int by_file(const void *a, const void *b)
{
	const struct espman_file *const *x = a;

	return by_path((*x)->f.path, b);
}

static void sort_files(struct esp_side *s)
{
	s->sorted = realloc(s->sorted, (s->man.count + 1) * sizeof(struct espman_file *));
	if (!s->sorted)
		abort();
	for (unsigned i = 0; i < s->man.count; i++)
		s->sorted[i] = &s->man.file[i];
	qsort(s->sorted, s->man.count, sizeof(struct espman_file *), by_file);
}

const struct espman_file *esp_side_find(const struct esp_side *s, const char *path)
{
	struct espman_file **found =
		bsearch(path, s->sorted, s->man.count, sizeof(struct espman_file *), by_path);

	return found ? *found : NULL;
}

void esp_side_forget(struct esp_side *s)
{
	espman_free(&s->man);
	free(s->sorted);
	s->sorted = NULL;
	hostset_close(s->rehearsal);
	s->rehearsal = NULL;
}

bool esp_side_look(struct esp_side *s)
{
	struct esp_place *p = s->place;
	struct esp e = {.part = p->part, .uuid = p->uuid};
	enum status st;

	if (!s->rehearsal) {
		s->disk = p->disk;
		s->start_lba = p->start_lba;
		s->sectors = p->sectors;
	}
	if (!esp_side_sync(s))
		return false;
	espman_free(&s->man);
	e.start_bytes = s->start_lba << s->disk->shift;
	e.len_bytes = s->sectors << s->disk->shift;
	st = fat_open(&s->fat, s->disk, s->start_lba, s->sectors);
	s->has_fat = st == ST_OK;
	if (!s->has_fat) {
		say_about(p->arg, "its FAT file system %s",
			  st == ST_IO ? "could not be read" : "is damaged");
		return false;
	}
	if (!espman_look(&s->man, &e, s->disk)) {
		say_about(p->arg, "%s", s->man.why);
		return false;
	}
	sort_files(s);
	return true;
}

static uint32_t count_entries(struct esp_side *s)
{
	static struct fat_walk w;
	enum status st;
	uint32_t n = 0;

	fat_walk_start(&s->fat, &w);
	while ((st = fat_walk_next(&s->fat, &w)) != ST_ABSENT)
		n++;
	return n;
}

void esp_side_why_text(enum fat_why why, const char *path, char *text, size_t size)
{
	snprintf(text, size, "%s%s%s", fat_why_text(why), *path ? ": " : "", path);
}

bool esp_side_check(struct esp_side *s)
{
	static struct fat_walk w;
	uint64_t bytes = fat_plan_memory(&s->fat, &s->fat, count_entries(s) + 16);
	unsigned flags = s->place->mounted_on ? FAT_CHECK_DIRTY_OK : 0;
	enum status st;

	s->wrong_path[0] = 0;
	for (unsigned tries = 0;; tries++) {
		struct fat_arena arena = {.high = bytes};
		struct fat_tree t = {0};

		arena.base = malloc(bytes);
		if (!arena.base)
			abort();
		st = fat_check(&t, &s->fat, flags, &arena, &w);
		s->why = t.why;
		s->used = t.used;
		s->lost = t.lost;
		s->dirty = t.dirty;
		if (st != ST_OK && w.path_bytes < sizeof(s->wrong_path))
			snprintf(s->wrong_path, sizeof(s->wrong_path), "%.*s", (int)w.path_bytes,
				 w.path);
		free(arena.base);
		if (st == ST_OK || s->why != FAT_NO_MEMORY || tries == 8)
			return st == ST_OK;
		bytes *= 2;
	}
}

static bool format(struct esp_side *s, const uint8_t *label)
{
	struct fat_format how = {.start_lba = s->start_lba, .sectors = s->sectors, .label = label};
	void *buf = malloc(WORK_BYTES);
	enum status st;

	if (!buf)
		abort();
	if (getrandom(&how.serial, sizeof(how.serial), 0) != (ssize_t)sizeof(how.serial))
		how.serial = 0x6d62;
	st = fat_format(s->disk, &how, buf, WORK_BYTES);
	free(buf);
	if (st == ST_OK)
		return true;
	say_about(s->place->arg,
		  st == ST_RANGE ? "no FAT file system can be of %llu KiB"
				 : "could not be formatted (%llu KiB)",
		  (unsigned long long)(s->sectors << s->disk->shift >> 10));
	return false;
}

bool esp_side_format(struct esp_side *s, const uint8_t *label)
{
	espman_free(&s->man);
	hostset_close(s->rehearsal);
	s->rehearsal = NULL;
	s->disk = s->place->disk;
	s->start_lba = s->place->start_lba;
	s->sectors = s->place->sectors;
	return format(s, label);
}

bool esp_side_rehearse(struct esp_side *s, uint64_t sectors, const uint8_t *label)
{
	unsigned shift = s->place->disk->shift;
	int fd = memfd_create("mirrorboot", MFD_CLOEXEC), rc;
	char path[32], *paths[] = {path};

	if (fd < 0 || ftruncate(fd, (off_t)(sectors << shift))) {
		say_note("out of memory; nothing was written");
		return false;
	}
	run_fd_path(fd, path);
	s->rehearsal = hostset_open(paths, 1, 1u << shift, true, &rc);
	close(fd);
	if (!s->rehearsal)
		return false;
	s->disk = &s->rehearsal->disk[0];
	s->start_lba = 0;
	s->sectors = sectors;
	return format(s, label);
}

uint64_t esp_side_bytes(const struct esp_side *s)
{
	uint64_t bytes = 0;

	for (unsigned i = 0; i < s->man.count; i++)
		bytes += s->man.file[i].f.bytes;
	return bytes;
}
