/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* New manifests: which generation, and writing them. */
#include "tools/esp_manifest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define FILE_NAME "EFI/mirrorboot/manifest"

/* Our own files, whose lines come on top of what is there now. */
#define OWN_FILES      4
#define LINE_BYTES_MAX (MANIFEST_PATH_BYTES + 128)

static bool has_manifest(const struct espman *m)
{
	return m && m->status == ST_OK;
}

bool espman_new_set(struct guid *g)
{
	if (getrandom(g->b, sizeof(g->b), 0) != (ssize_t)sizeof(g->b))
		return false;
	guid_mark_random(g);
	return true;
}

/* Of the highest generation found: its set is everybody's. NULL: no manifest at all. */
static const struct espman *find_newest(struct espman *const m[], unsigned count)
{
	const struct espman *newest = NULL;

	for (unsigned i = 0; i < count; i++)
		if (has_manifest(m[i]) &&
		    (!newest || m[i]->old.generation > newest->old.generation))
			newest = m[i];
	return newest;
}

static bool is_as_planned(const struct espman *m)
{
	return m->status == ST_OK && m->same && m->old.state == MANIFEST_COMPLETE &&
	       m->old.generation == m->generation && guid_equal(&m->old.set, &m->set) &&
	       guid_equal(&m->old.source, &m->source);
}

bool espman_plan(struct espman *const m[], const bool changing[], unsigned count, bool level)
{
	const struct espman *newest = find_newest(m, count);
	uint64_t highest = newest ? newest->old.generation : 1, next;
	bool updated = false, level_already = true;
	struct guid set;

	if (newest)
		set = newest->old.set;
	else if (!espman_new_set(&set))
		return false;
	for (unsigned i = 0; i < count; i++) {
		if (!m[i])
			continue;
		if (has_manifest(m[i]))
			updated |= m[i]->updated;
		if (!has_manifest(m[i]) || m[i]->old.generation != highest ||
		    !guid_equal(&m[i]->old.set, &set))
			level_already = false;
	}
	next = highest;
	if ((updated || (level && newest && !level_already)) && highest < UINT64_MAX)
		next++;
	for (unsigned i = 0; i < count; i++) {
		if (!m[i])
			continue;
		m[i]->set = set;
		m[i]->generation = next;
		/* Its files are of an older time, and writing ours does not make them newer. */
		if (!level && has_manifest(m[i]) && !m[i]->updated &&
		    guid_equal(&m[i]->old.set, &set))
			m[i]->generation = m[i]->old.generation;
		m[i]->needed = (changing && changing[i]) || !is_as_planned(m[i]);
	}
	return true;
}

uint64_t espman_bytes(const struct espman *m)
{
	uint64_t bytes = 4096 + OWN_FILES * LINE_BYTES_MAX;

	for (unsigned i = 0; i < m->count; i++)
		bytes += m->file[i].f.path_bytes + 128;
	return bytes;
}

static bool put(struct espman *m, struct esp *e, enum manifest_state state)
{
	uint64_t room = espman_bytes(m);
	struct manifest_writer w;
	char *text = malloc(room);
	enum status st;

	if (!text)
		abort();
	manifest_begin(&w, text, room, &m->set, m->generation, state, &m->source);
	for (unsigned i = 0; i < m->count && state == MANIFEST_COMPLETE; i++)
		manifest_add(&w, &m->file[i].f);
	st = manifest_end(&w);
	if (st != ST_OK)
		snprintf(m->why, sizeof(m->why),
			 "its EFI system partition has too many files for a manifest");
	else if ((st = fatfs_write(&e->fs, FILE_NAME, text, w.bytes)) != ST_OK)
		snprintf(m->why, sizeof(m->why), MANIFEST_PATH ": %s", e->fs.error);
	free(text);
	return st == ST_OK;
}

bool espman_write_updating(struct espman *m, struct esp *e)
{
	return put(m, e, MANIFEST_UPDATING);
}

bool espman_write_complete(struct espman *m, struct esp *e, const struct disk *d)
{
	struct espman now;
	bool fine = espman_look(&now, e, d) && espman_may_renew(&now, false);

	now.set = m->set;
	now.generation = m->generation;
	fine = fine && put(&now, e, MANIFEST_COMPLETE);
	if (!fine)
		memcpy(m->why, now.why, sizeof(m->why));
	espman_free(&now);
	return fine;
}
