/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "efi/present.h"

#include "common/writeplan.h"
#include "efi/redirect.h"
#include "efi/request.h"

static void warn(struct present *p, const char *what, const char *name)
{
	p->warned = true;
	text_str(p->out, "Warning: ");
	text_str(p->out, what);
	text_str(p->out, name);
	text_char(p->out, '\n');
}

static void warn_disk(struct present *p, const char *what, unsigned disk)
{
	char name[64];
	struct text_buffer buf;

	text_buffer_init(&buf, name, sizeof(name));
	efidisk_name(NULL, disk, &buf.text);
	warn(p, what, name);
}

static bool has_used_member(const struct survey *s, unsigned disk)
{
	for (unsigned i = 0; i < s->mirror_count; i++)
		for (unsigned k = 0; k < s->mirror[i].leg_count; k++)
			if (view_covers(&s->mirror[i], k) && s->mirror[i].leg[k].disk == disk &&
			    s->mirror[i].leg[k].member != NO_MEMBER)
				return true;
	return false;
}

static void plan_volume(struct present *p, unsigned mirror)
{
	const struct mirror *m = &p->survey->mirror[mirror];
	unsigned v;

	if (m->chosen == NO_LEG || p->volume_view[mirror] != VDISK_NO_LEG)
		return;
	if (view_add_volume(&p->set, p->survey, mirror, &v) == ST_OK)
		p->volume_view[mirror] = (uint8_t)v;
	else
		warn(p, "no room or no way to present mirror ", m->name);
}

static void plan_disk(struct present *p, unsigned disk)
{
	unsigned v;

	if (!has_used_member(p->survey, disk))
		return;
	if ((p->config->members == CONFIG_CONTENTS
		     ? view_add_contents(&p->set, p->survey, disk, &v)
		     : view_add_disk(&p->set, p->survey, disk, &v)) == ST_OK)
		p->disk_view[disk] = (uint8_t)v;
	else
		warn_disk(p, "no room: mirrors can't be read on ", disk);
}

static void plan(struct present *p, unsigned boot_mirror)
{
	memset(p->volume_view, VDISK_NO_LEG, sizeof(p->volume_view));
	memset(p->disk_view, VDISK_NO_LEG, sizeof(p->disk_view));
	view_init(&p->set, &p->tables);
	if (p->config->volumes) {
		if (boot_mirror < p->survey->mirror_count)
			plan_volume(p, boot_mirror);
		for (unsigned i = 0; i < p->survey->mirror_count; i++)
			if (i != boot_mirror)
				plan_volume(p, i);
	}
	for (unsigned i = 0; p->config->hide_stale && i < p->disks->count; i++)
		plan_disk(p, i);
	writeplan_make(&p->set, p->survey, p->config->writes, p->disks->scratch, DISK_SHIFT_MAX);
	writeplan_report(&p->set, p->survey, p->config->writes, p->out);
}

void present_start(struct present *p, unsigned boot_mirror)
{
	plan(p, boot_mirror);
	request_start(&p->set, p->survey, p->disks);
	/* In the order of the views: the boot mirror's volume first. */
	for (unsigned v = 0; v < p->set.vdisk_count; v++) {
		unsigned mirror = p->set.vdisk[v].mirror;

		if (mirror != VDISK_NO_LEG &&
		    !blockio_publish(&p->volumes, &p->set, v, &p->survey->mirror[mirror], p->disks))
			warn(p, "no room or no way to present mirror ",
			     p->survey->mirror[mirror].name);
	}
	for (unsigned i = 0; i < p->disks->count; i++)
		if (((p->config->hide_stale && has_used_member(p->survey, i)) ||
		     survey_dead(p->survey, i)) &&
		    !redirect_start(p->disks, i, p->survey, &p->set, p->disk_view[i],
				    p->own_device))
			warn_disk(p, "the firmware may remember old contents of ", i);
}

bool present_stop(struct present *p)
{
	bool ended = request_drain();
	enum blockio_gone gone = blockio_unpublish(&p->volumes);

	redirect_stop(p->own_device);
	if (gone == BLOCKIO_LEFT)
		text_str(p->out, "A mirror's volume is still in use. It stays, without a "
				 "medium.\n");
	/* Nobody can ask for anything now: what is under way is the last. */
	return request_stop() && ended && gone != BLOCKIO_STUCK;
}
