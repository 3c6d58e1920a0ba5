/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tools/esp_choose.h"

#include "tools/esp_found.h"
#include "tools/esp_side.h"
#include "tools/say.h"

#include <stdlib.h>
#include <string.h>

/* ---- named ---- */

/* A partition by its GUID; what is no block device, by its path. NULL: said. */
static char *id_of(const struct esp_place *p)
{
	char guid[GUID_TEXT_BYTES], *full, *id;
	int n;

	guid_text_gpt(&p->uuid, guid);
	if (p->host->block) {
		if (guid_is_zero(&p->uuid)) {
			say_about(p->arg, "is in no GPT: it has no GUID to know it by");
			return NULL;
		}
		n = asprintf(&id, "PARTUUID=%s", guid);
		return n < 0 ? NULL : id;
	}
	full = realpath(p->path, NULL);
	if (!full || strchr(full, '\n') || full[strlen(full) - 1] == ' ') {
		say_about(p->arg, "can't be written down by its name");
		free(full);
		return NULL;
	}
	n = p->select[0] ? asprintf(&id, "%s:%s", full, p->select) : asprintf(&id, "%s", full);
	free(full);
	return n < 0 ? NULL : id;
}

static bool is_new(const struct esp_side *from, const struct esp_side *to)
{
	return from->man.status != ST_OK || to->man.status != ST_OK ||
	       !guid_equal(&from->man.old.set, &to->man.old.set);
}

static bool take(struct esp_conf *c, struct esp_place *p)
{
	char *id;

	if (c->count && esp_place_is_leg(p)) {
		say_about(p->arg, "is a member of a mirror: writing to one leg would make the legs "
				  "differ");
		return false;
	}
	id = id_of(p);
	if (!id)
		return false;
	esp_conf_add_place(c, id, p->host->block ? p->arg : NULL);
	free(id);
	return true;
}

static bool take_all(struct esp_conf *c, struct esp_places *ps, unsigned *new_targets)
{
	struct esp_side *side = calloc(ps->count, sizeof(*side));
	bool fine = true;

	if (!side)
		abort();
	for (unsigned i = 0; i < ps->count; i++) {
		side[i].place = &ps->place[i];
		fine &= esp_place_find(&ps->place[i], false);
	}
	fine = fine && !esp_places_overlap(ps);
	for (unsigned i = 0; i < ps->count && fine; i++)
		fine = take(c, &ps->place[i]) && esp_side_look(&side[i]);
	*new_targets = 0;
	for (unsigned i = 1; i < ps->count && fine; i++)
		*new_targets += is_new(&side[0], &side[i]);
	for (unsigned i = 0; i < ps->count; i++)
		esp_side_forget(&side[i]);
	free(side);
	return fine;
}

bool esp_choose_named(struct esp_conf *c, char **arg, int count, unsigned sector_bytes,
		      unsigned *new_targets)
{
	struct esp_places *ps;
	bool fine;
	int rc;

	ps = esp_places_open(arg, count, sector_bytes, ESP_PLACES, &rc);
	if (!ps)
		return false;
	fine = take_all(c, ps, new_targets);
	esp_places_close(ps);
	return fine;
}

/* ---- found ---- */

/* A candidate: an ESP of another disk, and what its manifest says. */
struct candidate {
	const struct esp_found *part;
	enum status manifest;
	struct guid set;
	bool of_mirror; /* its disk is in a mirror with the source's */
};

/* False: it is none that could be a target. */
static bool look(struct candidate *one, const struct esp_found *part)
{
	char *arg = part->arg;
	struct esp_places *ps;
	struct esp_side side = {0};
	bool fine;
	int rc;

	*one = (struct candidate){.part = part};
	ps = esp_places_open(&arg, 1, 0, 1, &rc);
	if (!ps)
		return false;
	side.place = &ps->place[0];
	fine = esp_place_find(side.place, false) && !esp_place_is_leg(side.place) &&
	       esp_side_look(&side);
	one->manifest = side.man.status;
	one->set = side.man.old.set;
	esp_side_forget(&side);
	esp_places_close(ps);
	return fine;
}

/* Are the disks a and b of this survey legs of one mirror? */
static bool share_a_mirror(const struct survey *s, unsigned a, unsigned b)
{
	for (unsigned i = 0; i < s->mirror_count; i++) {
		bool has_a = false, has_b = false;

		for (unsigned k = 0; k < s->mirror[i].leg_count; k++) {
			has_a |= s->mirror[i].leg[k].disk == a;
			has_b |= s->mirror[i].leg[k].disk == b;
		}
		if (has_a && has_b)
			return true;
	}
	return false;
}

static void ask_mirrors(struct candidate *all, unsigned count, const struct esp_found *source)
{
	char *path[ESP_PLACES + 1] = {source->disk};
	struct hostset *set;
	int n = 1, rc;

	for (unsigned i = 0; i < count; i++) {
		bool twice = false;

		for (int k = 0; k < n; k++)
			twice |= !strcmp(path[k], all[i].part->disk);
		if (!twice)
			path[n++] = all[i].part->disk;
	}
	set = hostset_open(path, n, 512, false, &rc);
	if (!set)
		return;
	survey_run(&set->survey, set->disk, set->count);
	for (unsigned i = 0; i < count; i++)
		for (int k = 1; k < n; k++)
			if (!strcmp(path[k], all[i].part->disk))
				all[i].of_mirror = share_a_mirror(&set->survey, 0, (unsigned)k);
	hostset_close(set);
}

static unsigned find_candidates(const struct esp_found_list *l, const struct esp_found *source,
				struct candidate *all)
{
	unsigned count = 0;

	for (unsigned i = 0; i < l->count && count < ESP_PLACES; i++)
		if (l->part[i].is_esp && l->part[i].whole != source->whole &&
		    look(&all[count], &l->part[i]))
			count++;
	return count;
}

/* The names of those that are targets. */
static int pick(const struct candidate *all, unsigned count, const struct candidate *source,
		char **arg)
{
	int n = 0;

	for (unsigned i = 0; i < count && n < ESP_PLACES - 1; i++)
		if (source->manifest == ST_OK && all[i].manifest == ST_OK &&
		    guid_equal(&all[i].set, &source->set))
			arg[n++] = all[i].part->arg;
	for (unsigned i = 0; i < count && !n; i++)
		for (unsigned k = i; k < count && n < ESP_PLACES - 1; k++)
			if (all[k].of_mirror)
				arg[n++] = all[k].part->arg;
	return n;
}

bool esp_choose_found(struct esp_conf *c, unsigned *new_targets)
{
	struct candidate all[ESP_PLACES], source;
	char *arg[ESP_PLACES];
	struct esp_found_list l;
	const struct esp_found *mounted;
	unsigned count;
	bool fine = false;
	int n;

	esp_found_all(&l);
	mounted = esp_found_mounted(&l);
	if (!mounted) {
		say_note("no EFI system partition is mounted on /boot/efi, /efi or /boot: name "
			 "source and targets");
	} else if (look(&source, mounted)) {
		count = find_candidates(&l, mounted, all);
		ask_mirrors(all, count, mounted);
		arg[0] = mounted->arg;
		n = pick(all, count, &source, arg + 1);
		if (!n)
			say_note("%s is the source; of the other disks' EFI system partitions none "
				 "has a manifest of its set, or is on a disk of the same mirror: "
				 "name source and targets",
				 mounted->arg);
		else
			fine = esp_choose_named(c, arg, n + 1, 0, new_targets);
	}
	esp_found_free(&l);
	return fine;
}
