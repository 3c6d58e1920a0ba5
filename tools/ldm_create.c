/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* create: empty disks become the dynamic disks of a new group with a mirrored volume. */
#include "tools/ldm_job.h"

#include "common/ldm_db.h"
#include "tools/say.h"
#include "tools/stop.h"

#include <stdio.h>
#include <string.h>

#define ALIGN_S512 2048 /* 1 MiB */
#define LEGS       2
#define PART_NTFS  0x07

struct create {
	struct ldm_fresh disk[LEGS];
	uint64_t start_s512[LEGS]; /* from the public start */
	uint64_t size_s512;
	struct guid group, volume;
	char group_text[GUID_TEXT_BYTES], volume_text[GUID_TEXT_BYTES];
	char group_name[24], name[28];
};

/* As large as the smaller disk has room for, or as was said. */
static bool plan_size(const struct ldm_groups *gs, const struct ldm_options *o, struct create *c)
{
	uint64_t room[LEGS];

	for (unsigned i = 0; i < LEGS; i++) {
		const struct ldm_fresh *f = &c->disk[i];
		uint64_t at = (f->public_lba + ALIGN_S512 - 1) / ALIGN_S512 * ALIGN_S512;

		c->start_s512[i] = at - f->public_lba;
		room[i] = f->public_sectors > c->start_s512[i]
				  ? f->public_sectors - c->start_s512[i]
				  : 0;
	}
	c->size_s512 = room[0] < room[1] ? room[0] : room[1];
	if (!o->size_bytes)
		c->size_s512 = c->size_s512 / ALIGN_S512 * ALIGN_S512;
	else if (o->size_bytes / 512 <= c->size_s512)
		c->size_s512 = o->size_bytes / 512;
	else {
		unsigned small = room[0] < room[1] ? 0 : 1;

		say_about(gs->copy[small].host->path,
			  "has room for %llu sectors, %llu are wanted; nothing was written",
			  (unsigned long long)room[small],
			  (unsigned long long)(o->size_bytes / 512));
		return false;
	}
	if (c->size_s512)
		return true;
	say_note("there is no room for a volume; nothing was written");
	return false;
}

static bool plan(const struct ldm_groups *gs, const struct ldm_options *o, struct create *c)
{
	bool fine = true;

	memset(c, 0, sizeof(*c));
	for (unsigned i = 0; i < LEGS; i++)
		fine &= ldm_fresh_plan(gs, i, o->gpt, o->force, &c->disk[i]);
	if (!fine) {
		say_note("nothing was written");
		return false;
	}
	snprintf(c->name, sizeof(c->name), "%s", o->name ? o->name : "Volume1");
	/* Names of Windows' own have the computer's name before "Dg0". */
	snprintf(c->group_name, sizeof(c->group_name), "mirrorboot-Dg0");
	return ldm_random_guid(&c->group, c->group_text) &&
	       ldm_random_guid(&c->volume, c->volume_text) && plan_size(gs, o, c);
}

static void add(struct ldm_image *img, const struct ldm_out *o)
{
	ldm_image_add(img, o->data, o->bytes, LDM_RAW_ACTIVE, 512);
}

/* Identities and transactions from one counter, as Windows counts. */
static void make_records(struct ldm_image *img, const struct create *c, const char *letter)
{
	const uint32_t group = 1, disk = 2, volume = 4, component = 5, partition = 7;
	const uint64_t tid = 9;
	struct ldm_out o;
	char name[LDM_NAME_BYTES];

	ldm_make_group(&o, group, c->group_name, c->group_text);
	add(img, &o);
	for (unsigned i = 0; i < LEGS; i++) {
		snprintf(name, sizeof(name), "Disk%u", i + 1);
		ldm_make_disk(&o, disk + i, name, c->disk[i].disk_text, tid);
		add(img, &o);
	}
	ldm_make_volume(&o, &(struct ldm_new_volume){.id = volume,
						     .name = c->name,
						     .hint = letter ? letter : "",
						     .number = 1,
						     .part_type = PART_NTFS,
						     .components = LEGS,
						     .tid = tid,
						     .size_s512 = c->size_s512,
						     .guid = c->volume});
	add(img, &o);
	for (unsigned i = 0; i < LEGS; i++) {
		const struct ldm_partition p = {.id = partition + i,
						.component = component + i,
						.disk = disk + i,
						.start_s512 = c->start_s512[i],
						.size_s512 = c->size_s512};

		snprintf(name, sizeof(name), "%s-%02u", c->name, i + 1);
		ldm_make_component(&o, component + i, name, volume, 1, tid);
		add(img, &o);
		snprintf(name, sizeof(name), "Disk%u-01", i + 1);
		ldm_make_partition(&o, name, &p, tid, true);
		add(img, &o);
	}
	ldm_image_put(img, LDM_AT_COMMITTED, 8, tid);
	ldm_image_put(img, LDM_AT_PENDING, 8, tid);
	ldm_image_count(img, LDM_AT_COUNTS, LDM_RAW_ACTIVE);
	ldm_image_count(img, LDM_AT_PENDING_COUNTS, LDM_RAW_ACTIVE);
	ldm_image_put(img, LDM_AT_STATUS, 2, LDM_DB_CLEAN);
}

static bool write_all(struct ldm_groups *gs, const struct create *c, const char *letter)
{
	struct ldm_extents leg[LEGS];
	struct ldm_image img;
	bool done;

	for (unsigned i = 0; i < LEGS; i++) {
		if (!ldm_fresh_write(gs, i, &c->disk[i], &c->group, c->group_name))
			return false;
		leg[i].count = 1;
		leg[i].extent[0] = (struct ldm_extent){
			i, gs->copy[i].head.public_lba + c->start_s512[i], c->size_s512};
	}
	/* What the disks hold is not known, and the legs must be the same. */
	if (!ldm_copy_data(gs, &leg[0], &leg[1], c->size_s512))
		return false;
	stop_hold();
	ldm_fresh_image(&img, c->group_name, c->group_text);
	make_records(&img, c, letter);
	done = ldm_txn_fill(&gs->copy[0], &img) && ldm_txn_fill(&gs->copy[1], &img);
	ldm_image_free(&img);
	return done;
}

static void print_plan(const struct ldm_groups *gs, const struct create *c)
{
	for (unsigned i = 0; i < LEGS; i++)
		printf("%s: becomes a dynamic disk (%s)\n"
		       "%s: leg %u of volume %s, %s, at LBA %llu\n",
		       gs->copy[i].host->path, c->disk[i].gpt ? "GPT" : "MBR",
		       gs->copy[i].host->path, i, c->name, ldm_size_text(c->size_s512),
		       (unsigned long long)(c->disk[i].public_lba + c->start_s512[i]));
}

/* A run was cut when one disk was ready and the other was not: repair finishes that. */
static bool was_cut(struct ldm_groups *gs)
{
	return gs->count == 1 && gs->of[0] == 0 && gs->of[1] == 0 &&
	       (gs->copy[0].state == LDM_DB_NEW || gs->copy[1].state == LDM_DB_NEW) &&
	       ldm_disk_record(gs, &gs->group[0], 0) && ldm_disk_record(gs, &gs->group[0], 1);
}

/* All was made, and the run that did was cut before it could say so. */
static bool was_made(struct ldm_groups *gs, const struct ldm_options *o)
{
	struct ldm_group *g;
	const struct ldm_raw *v;
	unsigned present;
	bool many;

	if (gs->count != 1 || ldm_group_of(gs, 0) != ldm_group_of(gs, 1) || gs->group[0].cut ||
	    gs->copy[0].standing != LDM_CURRENT || gs->copy[1].standing != LDM_CURRENT ||
	    ldm_group_disks(gs, &gs->group[0], &present) != LEGS || present != LEGS)
		return false;
	v = ldm_find_volume(gs, o->name ? o->name : "Volume1", &g, &many);
	return v && ldm_layout_of(g, v) == LDM_IS_MIRRORED &&
	       (!o->size_bytes || v->rec.volume.size_s512 == o->size_bytes / 512);
}

int ldm_create(struct hostset *set, const struct ldm_options *o)
{
	struct ldm_groups *gs = ldm_groups_read(set);
	static struct create c;
	struct ldm_options again = *o;
	int rc = EXIT_FAILED;

	if (was_cut(gs)) {
		again.volume = o->name ? o->name : "Volume1";
		ldm_groups_free(gs);
		return ldm_repair(set, &again);
	}
	if (was_made(gs, o)) {
		printf("The volume is there already; nothing was written.\n");
		rc = EXIT_DONE;
	} else if (plan(gs, o, &c)) {
		print_plan(gs, &c);
		rc = ldm_job_ask(o);
		if (rc == EXIT_DONE)
			rc = write_all(gs, &c, o->letter) ? EXIT_DONE : EXIT_FAILED;
		if (rc == EXIT_DONE)
			printf("Volume %s is made.\n", c.name);
	}
	ldm_groups_free(gs);
	return rc;
}
