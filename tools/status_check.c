/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tools/status_check.h"
#include "tools/shellword.h"
#include "tools/sysblock.h"

#include <stdio.h>
#include <stdlib.h>

const char *status_installed_name(uint8_t installed)
{
	static const char *const names[] = {
		[STATUS_ABSENT] = "absent",         [STATUS_CURRENT] = "current",
		[STATUS_OTHER] = "other-version",   [STATUS_NEWER] = "newer",
		[STATUS_DAMAGED] = "damaged",       [STATUS_OVERWRITTEN] = "overwritten",
		[STATUS_UNREADABLE] = "unreadable",
	};

	return names[installed];
}

uint32_t status_mirror_disks(const struct hostset *set, const struct mirror *m)
{
	uint32_t disks = 0;

	for (unsigned k = 0; k < m->leg_count; k++)
		if (m->leg[k].member != NO_MEMBER && m->leg[k].disk < set->count)
			disks |= (uint32_t)1 << m->leg[k].disk;
	return disks;
}

static uint8_t bios_state(const struct verify_disk *v)
{
	const struct bootplan *p = &v->job->boot;
	const struct installed *in = &p->old;

	if (v->count && v->finding[0].what == VERIFY_UNREADABLE)
		return STATUS_UNREADABLE;
	if (!in->ours)
		return v->bios ? STATUS_OVERWRITTEN : STATUS_ABSENT;
	if (in->area == ST_UNSUPPORTED)
		return STATUS_NEWER;
	if (in->area != ST_OK || !in->stage2_good || !in->config_good || !in->saved_good ||
	    !p->current.sectors)
		return v->overwritten ? STATUS_OVERWRITTEN : STATUS_DAMAGED;
	return installed_code_is_current(in->lba0) && variant_find(in->stage2_crc) ? STATUS_CURRENT
										   : STATUS_OTHER;
}

static uint8_t uefi_state(const struct esp *e)
{
	uint8_t state = STATUS_CURRENT;

	if (!esp_is_installed(e))
		return STATUS_ABSENT;
	for (unsigned i = 0; i < EFIAPP_ARCHS; i++) {
		const struct esp_loader *l = &e->loader[i];

		if (!l->wanted)
			continue;
		/* The fallback is what grub-install --removable and Windows write over. */
		if (l->fallback == ESP_FOREIGN || l->fallback == ESP_ABSENT)
			return STATUS_OVERWRITTEN;
		if (l->app == ESP_FOREIGN || l->app == ESP_ABSENT)
			state = STATUS_DAMAGED;
		else if (state == STATUS_CURRENT &&
			 (l->app == ESP_OURS_OTHER || l->fallback == ESP_OURS_OTHER))
			state = STATUS_OTHER;
	}
	return state;
}

static void look_at(struct status_disk *s, const struct verify_disk *v, const struct hostset *set,
		    unsigned i)
{
	const struct esp *e = &v->job->esp;

	s->entry = NVRAM_NONE;
	s->esp = e;
	s->bios_state = bios_state(v);
	if (e->why[0]) {
		s->uefi_state = e->part ? STATUS_UNREADABLE : STATUS_ABSENT;
		return;
	}
	if (!e->part)
		return;
	s->uefi_state = uefi_state(e);
	s->has_files = espman_look_quick(&s->man, e, &set->disk[i]);
	sysblock_mounted(&set->host[i], e->start_bytes, e->len_bytes, &s->mounted_on);
}

struct status_check *status_check_new(struct hostset *set)
{
	struct status_check *c = calloc(1, sizeof(*c));
	uint32_t legs = 0;

	if (c)
		c->verify = verify_new(set, true);
	if (!c || !c->verify)
		abort();
	c->installed = c->verify->bios || c->verify->uefi;
	for (unsigned i = 0; i < set->survey.mirror_count; i++)
		legs |= status_mirror_disks(set, &set->survey.mirror[i]);
	for (unsigned i = 0; i < set->count; i++) {
		c->disk[i].leg = legs & (uint32_t)1 << i;
		look_at(&c->disk[i], &c->verify->disk[i], set, i);
	}
	status_entries_look(c, set);
	return c;
}

void status_next_unmount(const struct status_check *c, uint32_t disks, struct status_warnings *w)
{
	for (unsigned i = 0; i < SURVEY_DISKS; i++) {
		char **next = &w->next[w->count - 1], *dir, *longer;

		if (!(disks & (uint32_t)1 << i) || !c->disk[i].mounted_on || !*next)
			continue;
		dir = shellword_path(c->disk[i].mounted_on);
		if (asprintf(&longer, "umount %s && %s; mount %s", dir, *next, dir) < 0)
			abort();
		free(dir);
		free(*next);
		*next = longer;
	}
}

void status_check_free(struct status_check *c)
{
	for (unsigned i = 0; i < SURVEY_DISKS; i++) {
		if (c->disk[i].has_files)
			espman_free(&c->disk[i].man);
		free(c->disk[i].mounted_on);
	}
	if (c->entries) {
		entries_parts_free(&c->parts);
		entries_record_free(&c->record);
		entries_free(&c->all);
	}
	verify_free(c->verify);
	free(c);
}
