/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tools/esp_renewal.h"

#include "common/fat_write.h"
#include "tools/say.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define MSDOS_MAGIC  0x4d44
#define MEMORY_TRIES 8

bool esp_renewal_is_current(const struct espman *m)
{
	return espgen_is_current(m->status, &m->old, m->same, &m->source);
}

const char *esp_renewal_state(const struct espman *m)
{
	switch (m->status) {
	case ST_OK: return m->old.state == MANIFEST_COMPLETE ? "complete" : "updating";
	case ST_ABSENT: return "none";
	case ST_UNSUPPORTED: return "newer";
	case ST_IO: return "unreadable";
	default: return "damaged";
	}
}

/* ---- which generation ---- */

static bool new_set(struct guid *g)
{
	if (espman_new_set(g))
		return true;
	say_note("there are no random numbers for a new set of manifests");
	return false;
}

struct espgen_esp esp_renewal_facts(const struct esp_side *s, const struct esp_delta *delta)
{
	const struct espman *m = &s->man;
	bool there = m->status == ST_OK;

	return (struct espgen_esp){.status = (uint8_t)m->status,
				   .complete = there && m->old.state == MANIFEST_COMPLETE,
				   .updated = there && m->updated,
				   .is_current = esp_renewal_is_current(m),
				   .differs = delta && !delta->empty,
				   .set = m->old.set,
				   .generation = m->old.generation};
}

static bool may_believe(const struct esp_side *from)
{
	struct espman copy = from->man;

	if (espman_may_renew(&copy, false))
		return true;
	say_about(from->place->arg, "%s", copy.why);
	return false;
}

static void say_newer(const struct esp_side *from, const struct esp_side *to)
{
	say_about(to->place->arg,
		  "is newer than %s (generation %llu, there %llu): clone the other way, or "
		  "say --force",
		  from->place->arg, (unsigned long long)to->man.old.generation,
		  (unsigned long long)from->man.old.generation);
}

bool esp_renewal_plan(struct esp_renewal *r, const struct esp_side *from, const struct esp_side *to,
		      const struct esp_delta *delta, unsigned count, bool force)
{
	struct espgen_esp source = esp_renewal_facts(from, NULL), target[ESP_PLACES];
	struct guid fresh;
	struct espgen g;
	unsigned which;

	memset(r, 0, sizeof(*r));
	if (!may_believe(from) || !new_set(&fresh))
		return false;
	for (unsigned i = 0; i < count; i++)
		target[i] = esp_renewal_facts(&to[i], &delta[i]);
	switch (espgen_plan(&g, &source, target, count, &fresh, force, &which)) {
	case ESPGEN_SOURCE_CUT:
		say_about(from->place->arg, "its last update was cut: it may hold files of two "
					    "generations. Clone the other way, or say --force");
		return false;
	case ESPGEN_TARGET_NEWER: say_newer(from, &to[which]); return false;
	default: break;
	}
	r->set = g.set;
	r->generation = g.generation;
	r->source = g.source;
	for (unsigned i = 0; i < from->man.count; i++)
		r->fat_time = espgen_time(r->fat_time, &from->man.file[i].f);
	if (!r->fat_time)
		r->fat_time = ESPGEN_NO_TIME;
	return true;
}

bool esp_renewal_needed(const struct esp_renewal *r, const struct esp_side *to,
			const struct esp_delta *delta)
{
	const struct espgen g = {.set = r->set, .generation = r->generation};
	const struct espgen_esp e = esp_renewal_facts(to, delta);

	return espgen_needed(&g, &e);
}

/* ---- writing ---- */

uint64_t esp_renewal_bytes(const struct esp_side *s)
{
	return espman_bytes(&s->man);
}

static char *make_text(const struct esp_renewal *r, const struct esp_side *s,
		       enum manifest_state state, size_t *bytes)
{
	uint64_t room = espman_bytes(&s->man);
	struct manifest_writer w;
	char *text = malloc(room);

	if (!text)
		abort();
	manifest_begin(&w, text, room, &r->set, r->generation, state, &s->man.source);
	for (unsigned i = 0; i < s->man.count && state == MANIFEST_COMPLETE; i++)
		manifest_add(&w, &s->man.file[i].f);
	if (manifest_end(&w) != ST_OK) {
		say_about(s->place->arg,
			  "its EFI system partition has too many files for a manifest");
		free(text);
		return NULL;
	}
	*bytes = w.bytes;
	return text;
}

static bool put(struct esp_side *s, const char *text, size_t bytes, uint32_t fat_time)
{
	static const struct fat_plan_options how = {.target_dirty_ok = true};
	uint64_t room = fat_plan_memory(&s->fat, &s->fat, s->man.count * 2 + 256);
	struct fat_plan *p = malloc(sizeof(*p));
	char why[FAT_PATH_BYTES + 200];
	enum status st = ST_FULL;
	void *work = NULL;

	for (unsigned i = 0; i < MEMORY_TRIES; i++, room *= 2) {
		work = malloc(room);
		if (!work || !p)
			abort();
		memset(p, 0, sizeof(*p));
		st = fat_plan_put(p, &s->fat, MANIFEST_PATH, text, (uint32_t)bytes, fat_time, &how,
				  work, room);
		if (st == ST_OK || p->why != FAT_NO_MEMORY)
			break;
		free(work);
		work = NULL;
	}
	if (st == ST_OK && !fat_plan_is_empty(p))
		st = fat_write_apply(p);
	if (st != ST_OK) {
		esp_side_why_text(p->why, p->path, why, sizeof(why));
		say_about(s->place->arg, "its manifest could not be written: %s", why);
	}
	free(work);
	free(p);
	return st == ST_OK;
}

bool esp_renewal_write(const struct esp_renewal *r, struct esp_side *s, enum manifest_state state)
{
	size_t bytes;
	char *text = make_text(r, s, state, &bytes);
	bool done = text && put(s, text, bytes, r->fat_time);

	free(text);
	return done;
}

/* ---- a source that is mounted ---- */

static bool write_file(const char *path, const char *text, size_t bytes)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	bool done = fd >= 0;

	while (done && bytes) {
		ssize_t n = write(fd, text, bytes);

		if (n < 0 && errno == EINTR)
			continue;
		done = n > 0;
		text += done ? n : 0;
		bytes -= done ? (size_t)n : 0;
	}
	done = done && !fsync(fd);
	if (fd >= 0 && close(fd))
		done = false;
	return done;
}

static bool make_folder(const char *mount, const char *name, char *path, size_t size)
{
	snprintf(path, size, "%s/%s", mount, name);
	return !mkdir(path, 0700) || errno == EEXIST;
}

static bool write_mounted(const struct esp_side *s, const char *text, size_t bytes)
{
	const char *mount = s->place->mounted_on;
	char path[PATH_MAX], fresh[PATH_MAX];
	struct statfs fs;
	bool done;

	if (statfs(mount, &fs) || fs.f_type != MSDOS_MAGIC) {
		say_about(s->place->arg, "what is mounted on %s is not its FAT file system", mount);
		return false;
	}
	snprintf(fresh, sizeof(fresh), "%s/EFI/mirrorboot/manifest.new", mount);
	done = make_folder(mount, "EFI", path, sizeof(path)) &&
	       make_folder(mount, "EFI/mirrorboot", path, sizeof(path)) &&
	       write_file(fresh, text, bytes);
	snprintf(path, sizeof(path), "%s/EFI/mirrorboot/manifest", mount);
	done = done && !rename(fresh, path);
	if (!done) {
		say_about(s->place->arg, "its manifest could not be written on %s: %s", mount,
			  strerror(errno));
		unlink(fresh);
	}
	return done && esp_side_sync(s);
}

/* A disk that was opened for reading is opened once more. */
static bool write_unmounted(struct esp_side *s, const char *text, size_t bytes, uint32_t fat_time)
{
	struct esp_place *p = s->place;
	struct hostset *set = NULL;
	int rc;
	bool done = esp_place_may_write(p);

	if (done && !p->disk->write) {
		set = hostset_open(&p->path, 1, 1u << p->disk->shift, true, &rc);
		done = set;
		if (set)
			s->disk = &set->disk[0];
	}
	done = done && fat_open(&s->fat, s->disk, s->start_lba, s->sectors) == ST_OK &&
	       put(s, text, bytes, fat_time);
	s->disk = p->disk;
	done = fat_open(&s->fat, s->disk, s->start_lba, s->sectors) == ST_OK && done;
	hostset_close(set);
	return done;
}

bool esp_renewal_write_source(const struct esp_renewal *r, struct esp_side *s)
{
	size_t bytes;
	char *text = make_text(r, s, MANIFEST_COMPLETE, &bytes);
	bool done = text && (s->place->mounted_on ? write_mounted(s, text, bytes)
						  : write_unmounted(s, text, bytes, r->fat_time));

	free(text);
	return done;
}
