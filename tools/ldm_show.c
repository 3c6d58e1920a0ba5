/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* show: Disk Management's two panes, the disks and the volumes. */
#include "tools/ldm_job.h"
#include "tools/jsontext.h"
#include "tools/say.h"
#include "tools/status.h"

#include <stdio.h>
#include <string.h>

static const char *const layouts[] = {"simple", "spanned", "striped", "mirrored", "raid-5"};

/* A disk of the command line; or one that a group has a record of, and that is not here. */
struct row {
	const struct ldm_group *g;
	const struct ldm_raw *record;
	const struct ldm_copy *c;
	unsigned index;
};

static const char *status_of(const struct row *r)
{
	static const char *const standings[] = {"Online", "Unreadable", "Unfinished",
						"Online", "Outdated",   "Conflict"};
	const uint32_t bad = LDM_DISK_FAILING | LDM_DISK_REMOVED | LDM_DISK_DETACHED;

	if (!r->c)
		return "Missing";
	if (r->c->standing == LDM_CURRENT && r->record && (r->record->rec.disk.flags & bad))
		return "Errors";
	if (r->c->standing == LDM_CURRENT && !r->record)
		return "Unfinished";
	return standings[r->c->standing];
}

static uint64_t unallocated(struct ldm_groups *gs, const struct row *r)
{
	uint64_t start, longest = 0;

	if (r->g && r->c && r->c->standing == LDM_CURRENT)
		ldm_find_room(gs, r->g, r->index, 0, &start, &longest);
	return longest;
}

static bool rows(struct ldm_groups *gs, unsigned *at, struct row *r)
{
	unsigned k = *at;

	memset(r, 0, sizeof(*r));
	if (k < gs->copies) {
		r->c = &gs->copy[k];
		r->index = k;
		r->g = ldm_group_of(gs, k);
		r->record = r->g ? ldm_disk_record(gs, r->g, k) : NULL;
		++*at;
		return true;
	}
	k -= gs->copies;
	for (unsigned i = 0; i < gs->count; i++) {
		const struct ldm_group *g = &gs->group[i];

		for (; k < g->raws.count; k++) {
			const struct ldm_raw *rec = &g->raws.raw[k];

			++*at;
			if (rec->rec.type != LDM_DISK ||
			    ldm_disk_index(gs, g, rec->rec.disk.id) >= 0)
				continue;
			r->g = g;
			r->record = rec;
			return true;
		}
		k -= g->raws.count;
	}
	return false;
}

static bool is_dynamic(const struct row *r)
{
	return !r->c || r->c->standing != LDM_BASIC;
}

/* ---- text ---- */

static void print_disks(struct ldm_groups *gs)
{
	struct row r;
	unsigned at = 0;

	while (rows(gs, &at, &r)) {
		if (r.c)
			printf("Disk %-3u", r.index);
		else
			printf("Disk -  ");
		printf(" %-8s %-7s %-10s %-10s %s\n", r.record ? r.record->rec.name : "-",
		       is_dynamic(&r) ? "Dynamic" : "Basic",
		       r.c ? ldm_size_text(disk_s512(r.c->disk, r.c->disk->sectors)) : "-",
		       status_of(&r), r.c ? r.c->host->path : "-");
		if (unallocated(gs, &r))
			printf("         unallocated: %s\n", ldm_size_text(unallocated(gs, &r)));
	}
}

static void print_leg(struct ldm_groups *gs, const struct ldm_group *g, const struct ldm_raw *leg,
		      unsigned number, bool mirror)
{
	const struct ldm_raw *piece[LDM_EXTENTS];
	unsigned n = ldm_pieces(g, leg, piece, LDM_EXTENTS);

	for (unsigned i = 0; i < n; i++) {
		const struct ldm_partition *p = &piece[i]->rec.partition;
		const struct ldm_raw *d = ldm_find(g, LDM_DISK, p->disk);
		int on = ldm_disk_index(gs, g, p->disk);

		if (mirror)
			printf("  leg %u  %-12s ", number,
			       ldm_health_name(ldm_leg_health(gs, g, leg)));
		else
			printf("  ");
		printf("%-8s %s", d ? d->rec.name : "?", ldm_size_text(p->size_s512));
		if (on >= 0)
			printf(" at LBA %llu of %s",
			       (unsigned long long)(gs->copy[on].head.public_lba +
						    (p->start_s512 >>
						     (gs->copy[on].disk->shift - 9))),
			       gs->copy[on].host->path);
		putchar('\n');
	}
}

static void print_volume(struct ldm_groups *gs, const struct ldm_group *g,
			 const struct ldm_raw *volume)
{
	const struct ldm_raw *leg[LDM_LEGS];
	unsigned n = ldm_legs(g, volume, leg);
	const char *hint = volume->rec.volume.hint;

	printf("Volume %s %s%s %s, %s, %s\n", volume->rec.name, hint, *hint ? "" : "-",
	       layouts[ldm_layout_of(g, volume)], ldm_size_text(volume->rec.volume.size_s512),
	       ldm_volume_status(gs, g, volume));
	for (unsigned i = 0; i < n; i++)
		print_leg(gs, g, leg[i], i, n > 1);
}

static void print_group(struct ldm_groups *gs, const struct ldm_group *g)
{
	printf("\nGroup %s, transaction %llu\n", g->name, (unsigned long long)g->tid);
	if (g->cut)
		printf("  an update was cut: Windows, or the next change here, will %s it\n",
		       g->forward ? "finish" : "undo");
	if (g->differs)
		printf("  databases of this transaction differ: \"mirrorboot ldm repair --keep "
		       "DISK\"\n");
	if (g->odd)
		printf("  the database has records that can't be read\n");
	for (unsigned i = 0; i < g->raws.count; i++)
		if (g->raws.raw[i].rec.type == LDM_VOLUME)
			print_volume(gs, g, &g->raws.raw[i]);
}

/* ---- JSON ---- */

static void add_str(struct json_object *o, const char *key, const char *value)
{
	json_object_object_add(o, key, jsontext(value));
}

static void add_u64(struct json_object *o, const char *key, uint64_t value)
{
	json_object_object_add(o, key, json_object_new_uint64(value));
}

static void add_guid(struct json_object *o, const char *key, const struct guid *g)
{
	char text[GUID_TEXT_BYTES];

	ldm_guid_text(g, text);
	add_str(o, key, text);
}

static struct json_object *json_disk(struct ldm_groups *gs, const struct row *r)
{
	struct json_object *o = json_object_new_object();
	bool has_copy = r->c && r->c->standing >= LDM_CURRENT;

	add_str(o, "path", r->c ? r->c->host->path : NULL);
	json_object_object_add(o, "number", r->c ? json_object_new_int((int)r->index) : NULL);
	add_str(o, "kind", is_dynamic(r) ? "dynamic" : "basic");
	add_str(o, "status", status_of(r));
	add_str(o, "name", r->record ? r->record->rec.name : NULL);
	add_str(o, "group", r->g ? r->g->name : NULL);
	if (r->record)
		add_guid(o, "guid", &r->record->rec.disk.guid);
	else
		add_str(o, "guid", NULL);
	if (r->c) {
		add_u64(o, "sectors", r->c->disk->sectors);
		add_u64(o, "sector_size", 1u << r->c->disk->shift);
	}
	json_object_object_add(o, "generation",
			       has_copy ? json_object_new_uint64(r->c->tid) : NULL);
	add_u64(o, "longest_unallocated_sectors_512", unallocated(gs, r));
	return o;
}

static struct json_object *json_piece(struct ldm_groups *gs, const struct ldm_group *g,
				      const struct ldm_partition *p)
{
	struct json_object *o = json_object_new_object();
	const struct ldm_raw *d = ldm_find(g, LDM_DISK, p->disk);
	int on = ldm_disk_index(gs, g, p->disk);

	add_str(o, "disk", on < 0 ? NULL : gs->copy[on].host->path);
	add_str(o, "disk_name", d ? d->rec.name : NULL);
	if (on < 0)
		add_str(o, "start_lba", NULL);
	else
		add_u64(o, "start_lba",
			gs->copy[on].head.public_lba +
				(p->start_s512 >> (gs->copy[on].disk->shift - 9)));
	add_u64(o, "start_in_public_512", p->start_s512);
	add_u64(o, "offset_512", p->offset_s512);
	add_u64(o, "sectors_512", p->size_s512);
	add_u64(o, "column", p->column);
	return o;
}

static struct json_object *json_volume(struct ldm_groups *gs, const struct ldm_group *g,
				       const struct ldm_raw *volume)
{
	struct json_object *o = json_object_new_object(), *legs = json_object_new_array();
	const struct ldm_raw *leg[LDM_LEGS], *piece[LDM_EXTENTS];
	unsigned n = ldm_legs(g, volume, leg);
	const char *hint = volume->rec.volume.hint;

	add_str(o, "name", volume->rec.name);
	add_guid(o, "guid", &volume->rec.volume.guid);
	add_str(o, "letter", hint[0] ? hint : NULL);
	add_str(o, "layout", layouts[ldm_layout_of(g, volume)]);
	add_u64(o, "size_sectors_512", volume->rec.volume.size_s512);
	add_str(o, "status", ldm_volume_status(gs, g, volume));
	for (unsigned i = 0; i < n; i++) {
		struct json_object *l = json_object_new_object();
		struct json_object *pieces = json_object_new_array();
		unsigned m = ldm_pieces(g, leg[i], piece, LDM_EXTENTS);

		json_object_object_add(l, "index", json_object_new_int((int)i));
		add_str(l, "name", leg[i]->rec.name);
		add_str(l, "health", ldm_health_name(ldm_leg_health(gs, g, leg[i])));
		for (unsigned k = 0; k < m; k++)
			json_object_array_add(pieces, json_piece(gs, g, &piece[k]->rec.partition));
		json_object_object_add(l, "pieces", pieces);
		json_object_array_add(legs, l);
	}
	json_object_object_add(o, "legs", legs);
	return o;
}

static struct json_object *json_group(struct ldm_groups *gs, const struct ldm_group *g)
{
	struct json_object *o = json_object_new_object(), *volumes = json_object_new_array();

	add_str(o, "name", g->name);
	add_guid(o, "guid", &g->guid);
	add_u64(o, "generation", g->tid);
	add_str(o, "unfinished", !g->cut ? NULL : g->forward ? "finish" : "undo");
	json_object_object_add(o, "conflict", json_object_new_boolean(g->differs));
	json_object_object_add(o, "unreadable_records", json_object_new_boolean(g->odd));
	for (unsigned i = 0; i < g->raws.count; i++)
		if (g->raws.raw[i].rec.type == LDM_VOLUME)
			json_object_array_add(volumes, json_volume(gs, g, &g->raws.raw[i]));
	json_object_object_add(o, "volumes", volumes);
	return o;
}

static void print_json(struct ldm_groups *gs, const struct status_warnings *advice)
{
	struct json_object *warnings = json_object_new_array();
	struct json_object *o = json_object_new_object();
	struct json_object *disks = json_object_new_array(), *groups = json_object_new_array();
	struct row r;
	unsigned at = 0;

	while (rows(gs, &at, &r))
		json_object_array_add(disks, json_disk(gs, &r));
	for (unsigned i = 0; i < gs->count; i++)
		json_object_array_add(groups, json_group(gs, &gs->group[i]));
	json_object_object_add(o, "disks", disks);
	json_object_object_add(o, "groups", groups);
	for (unsigned i = 0; i < advice->count; i++)
		json_object_array_add(warnings, jsontext(advice->line[i]));
	json_object_object_add(o, "warnings", warnings);
	puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |
						       JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
}

/* ---- */

static int exit_of(struct ldm_groups *gs)
{
	int rc = gs->count ? EXIT_DONE : EXIT_FAILED;
	struct row r;
	unsigned at = 0;

	while (gs->count && rows(gs, &at, &r))
		if (is_dynamic(&r) && strcmp(status_of(&r), "Online"))
			rc = EXIT_DEGRADED;
	for (unsigned i = 0; i < gs->count; i++) {
		const struct ldm_group *g = &gs->group[i];

		if (g->cut || g->differs || g->odd)
			rc = EXIT_DEGRADED;
		for (unsigned k = 0; k < g->raws.count; k++)
			if (g->raws.raw[k].rec.type == LDM_VOLUME &&
			    strcmp(ldm_volume_status(gs, g, &g->raws.raw[k]), "Healthy"))
				rc = EXIT_DEGRADED;
	}
	return rc;
}

int ldm_show(struct hostset *set, const struct ldm_options *o)
{
	struct ldm_groups *gs = ldm_groups_read(set);
	struct status_warnings advice = {0};
	int rc = exit_of(gs);

	survey_run(&set->survey, set->disk, set->count);
	status_advise(set, &advice);
	if (o->json) {
		print_json(gs, &advice);
	} else {
		print_disks(gs);
		for (unsigned i = 0; i < gs->count; i++)
			print_group(gs, &gs->group[i]);
		for (unsigned i = 0; i < advice.count; i++)
			printf("warning: %s\n", advice.line[i]);
	}
	status_warnings_free(&advice);
	if (gs->count == 0)
		say_note("no database of dynamic disks was found");
	ldm_groups_free(gs);
	return rc;
}
