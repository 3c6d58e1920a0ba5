/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "stage2/drives.h"

#include "common/mem.h"
#include "common/writeplan.h"
#include "stage2/volume.h"

#define DEFAULT_HEADS 255
#define DEFAULT_TRACK 63

static void disk_says(unsigned disk, const char *what, struct text *out)
{
	biosdisk_name(NULL, disk, out);
	text_str(out, what);
}

/* The geometry that loaders saw before us, where the BIOS gives one: they may have stored it. */
static void set_geometry(struct int13_drive *drive, uint64_t sectors,
			 const struct biosdisk_chs *chs)
{
	unsigned heads = DEFAULT_HEADS, track = DEFAULT_TRACK;
	uint32_t cylinder;

	if (chs && chs->track_sectors > 0 && chs->heads > 0 && chs->heads < 256) {
		heads = chs->heads;
		track = chs->track_sectors;
	}
	cylinder = heads * track;
	drive->heads = (uint8_t)heads;
	drive->track_sectors = (uint8_t)track;
	drive->cylinders = 1024;
	if (sectors < (uint64_t)cylinder * 1024)
		drive->cylinders = (uint16_t)((uint32_t)sectors / cylinder);
	if (drive->cylinders == 0)
		drive->cylinders = 1;
}

static void add_vdisk(struct drives *d, unsigned v, const struct biosdisk_chs *chs)
{
	const struct vdisk *vd = &d->int13.set.vdisk[v];
	struct int13_drive *drive = &d->int13.drive[d->int13.drive_count++];

	*drive = (struct int13_drive){.kind = INT13_VDISK, .target = (uint8_t)v};
	/* CHS counts in 512 bytes, whatever the disk does. */
	set_geometry(drive, vd->sectors << (vd->shift - DISK_SHIFT_MIN), chs);
}

static bool has_room(const struct drives *d)
{
	return d->int13.drive_count < INT13_DRIVES;
}

static bool add_disk_view(struct drives *d, unsigned disk)
{
	unsigned v;

	if (!has_room(d))
		return false;
	if ((d->config->members == CONFIG_CONTENTS
		     ? view_add_contents(&d->int13.set, d->survey, disk, &v)
		     : view_add_disk(&d->int13.set, d->survey, disk, &v)) != ST_OK)
		return false;
	add_vdisk(d, v, &d->disks->chs[disk]);
	return true;
}

static bool add_volume_view(struct drives *d, unsigned mirror)
{
	unsigned v;

	if (!has_room(d))
		return false;
	if (view_add_volume(&d->int13.set, d->survey, mirror, &v) != ST_OK)
		return false;
	add_vdisk(d, v, NULL);
	return true;
}

static bool has_members(const struct survey *s, unsigned disk)
{
	for (unsigned i = 0; i < s->member_count; i++)
		if (s->member[i].disk == disk)
			return true;
	return false;
}

/*
 * The base disk: the chosen leg's, when it has boot code to start; else the next
 * leg's that has; else the one we came from. With a volume to start, the chosen leg's.
 */
static bool choose_base(struct drives *d, bool boot_volume, struct text *out)
{
	const struct mirror *m = &d->survey->mirror[d->mirror];

	d->base = m->leg[m->chosen].disk;
	if (boot_volume)
		return true;
	for (unsigned i = 0; i < m->order_count; i++) {
		d->base = m->leg[m->order[i]].disk;
		chain_find(&d->disks->disk[d->base], &d->code);
		if (d->code.found)
			break;
		disk_says(d->base, " holds a good leg, but no boot code to start.\n", out);
	}
	if (!d->code.found) {
		d->base = d->came_from;
		chain_find(&d->disks->disk[d->base], &d->code);
	}
	if (!d->code.found) {
		text_str(out, "No disk has boot code to start: was a boot loader installed before "
			      "mirrorboot?\n");
		return false;
	}
	if (d->base != m->leg[m->chosen].disk)
		disk_says(d->base,
			  " is the boot disk instead; the mirror is still read from the "
			  "leg above.\n",
			  out);
	return true;
}

/* Its own partition table is inside a mirror of whole disks; with md 1.1 and 1.2 only there. */
static bool wants_volume(const struct drives *d)
{
	const struct mirror *m = &d->survey->mirror[d->mirror];
	const struct member *chosen = &d->survey->member[m->leg[m->chosen].member];

	if (d->config->boot_disk == CONFIG_VIEW_AUTO)
		return chosen->part == 0 && chosen->format != FORMAT_LDM &&
		       chosen->data_start_s512 > 0;
	return d->config->boot_disk == CONFIG_VOLUME;
}

/* boot-disk = volume: the mirror's own contents are 80h, when they can be started. */
static bool add_boot_volume(struct drives *d, struct text *out)
{
	struct vdisk_handle h = {.set = &d->int13.set, .v = 0, .disk = d->disks->disk};
	struct mbr_sector lba0;
	struct disk volume;

	if (!add_volume_view(d, d->mirror))
		return false;
	volume = vdisk_as_disk(&h);
	if (!chain_read_boot_sector(&volume, &lba0)) {
		text_str(out,
			 "The mirror's volume has no boot sector: the disk is started instead.\n");
		view_init(&d->int13.set, &d->tables);
		d->int13.drive_count = 0;
		return false;
	}
	d->code = (struct chain_code){.found = true, .sector = lba0};
	return true;
}

/* A disk without members: the BIOS's own, under the next number. */
static bool add_pass(struct drives *d, unsigned disk)
{
	if (!has_room(d))
		return false;
	d->int13.drive[d->int13.drive_count++] = (struct int13_drive){
		.kind = INT13_PASS, .target = (uint8_t)(BIOSDISK_FIRST + disk)};
	return true;
}

/* Does it hold the chosen leg of a mirror that no drive shows yet? */
static bool shows_more(const struct drives *d, unsigned disk)
{
	const struct vdisk_set *set = &d->int13.set;

	for (unsigned i = 0; i < d->survey->mirror_count; i++) {
		const struct mirror *m = &d->survey->mirror[i];
		unsigned k = 0;

		if (m->chosen == NO_LEG || m->leg[m->chosen].disk != disk)
			continue;
		while (k < set->leg_count && set->leg[k].mirror != i)
			k++;
		if (k == set->leg_count)
			return true;
	}
	return false;
}

static void add_other_disks(struct drives *d, struct text *out)
{
	const struct survey *s = d->survey;

	for (unsigned i = 0; i < d->disks->count; i++) {
		if (i == d->base || survey_dead(s, i) ||
		    (d->config->hide_stale && survey_only_legs(s, i) && !shows_more(d, i)))
			continue;
		/* hide-stale = no: the disk as it is, old bytes included. */
		if (!(d->config->hide_stale && has_members(s, i) ? add_disk_view(d, i)
								 : add_pass(d, i)))
			disk_says(i, ": no room to present it; it is hidden.\n", out);
	}
}

static void add_volumes(struct drives *d, bool boot_volume, struct text *out)
{
	for (unsigned i = 0; i < d->survey->mirror_count; i++) {
		if ((boot_volume && i == d->mirror) || d->survey->mirror[i].chosen == NO_LEG)
			continue;
		if (!add_volume_view(d, i)) {
			text_str(out, "No room to present the volume of mirror ");
			text_str(out, d->survey->mirror[i].name);
			text_char(out, '\n');
		}
	}
}

/* The BIOS disk that this drive stands for; the number of disks when it is a volume. */
static unsigned disk_of(const struct drives *d, const struct int13_drive *drive)
{
	const struct vdisk *vd = &d->int13.set.vdisk[drive->target];

	if (drive->kind == INT13_PASS)
		return drive->target - (unsigned)BIOSDISK_FIRST;
	return vd->base != VDISK_NO_LEG ? vd->base : d->disks->count;
}

static bool is_hidden(const struct drives *d, unsigned disk)
{
	for (unsigned i = 0; i < d->int13.drive_count; i++)
		if (disk_of(d, &d->int13.drive[i]) == disk)
			return false;
	return true;
}

/* "Loaders will see disk 81h as 80h; 80h is hidden." Nothing when all is as before. */
static void say_numbers(const struct drives *d, struct text *out)
{
	const char *before = "Loaders will see disk ";

	for (unsigned i = 0; i < d->int13.drive_count; i++) {
		const struct int13_drive *drive = &d->int13.drive[i];
		unsigned disk = disk_of(d, drive);

		if (disk == i)
			continue;
		text_str(out, before);
		before = ", ";
		if (disk < d->disks->count) {
			biosdisk_name(NULL, disk, out);
		} else {
			text_str(out, "(mirror ");
			text_str(out,
				 d->survey->mirror[d->int13.set.vdisk[drive->target].mirror].name);
			text_char(out, ')');
		}
		text_str(out, " as ");
		biosdisk_name(NULL, i, out);
	}
	for (unsigned i = 0; i < d->disks->count; i++) {
		if (!is_hidden(d, i))
			continue;
		text_str(out, before[0] == ',' ? "; " : "Disk ");
		before = ",";
		biosdisk_name(NULL, i, out);
		text_str(out, " is hidden");
	}
	if (before[0] == ',')
		text_str(out, ".\n");
}

bool drives_plan(struct drives *d, struct text *out)
{
	bool boot_volume = false;

	view_init(&d->int13.set, &d->tables);
	d->int13.drive_count = 0;
	d->int13.drive = d->drive;

	if (volume_plan(d, out)) {
		boot_volume = d->table_made;
		if (boot_volume)
			add_vdisk(d, 0, &d->disks->chs[d->base]);
	} else {
		if (wants_volume(d))
			boot_volume = add_boot_volume(d, out);
		if (!choose_base(d, boot_volume, out))
			return false;
	}
	if (!add_disk_view(d, d->base)) {
		text_str(out, "There is no room to present the mirror.\n");
		return false;
	}
	add_other_disks(d, out);
	if (d->config->volumes)
		add_volumes(d, boot_volume, out);
	writeplan_make(&d->int13.set, d->survey, d->config->writes, d->scratch, DISK_SHIFT_MIN);
	say_numbers(d, out);
	return true;
}
