/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* verify: members that a boot does not read, because what is installed does not name them. */
#include "tools/verify_disk.h"
#include "tools/trustlist.h"

#include <stdio.h>

/* What the configurations of this disk trust, that of its boot area before its ESP's. */
static void trust_of(const struct verify_disk *d, struct trust *t)
{
	const struct job *j = d->job;

	*t = (struct trust){0};
	if (j->bios && j->boot.old.config_good)
		trustlist_of(j->boot.old.config, t);
	if (!t->pinned && j->uefi && j->esp.has_config)
		trustlist_of(j->esp.config, t);
}

static void check_legs(struct verify *v, unsigned disk, const struct survey *s)
{
	for (unsigned i = 0; i < s->mirror_count; i++)
		for (unsigned k = 0; k < s->mirror[i].leg_count; k++) {
			const struct leg *l = &s->mirror[i].leg[k];
			const struct member *mb;
			char part[32] = "it";

			if (l->member == NO_MEMBER || l->disk != disk)
				continue;
			mb = &s->member[l->member];
			if (trust_has(&v->trust, &mb->device_uuid))
				continue;
			if (mb->part)
				snprintf(part, sizeof(part), "partition %u", mb->part);
			verify_add(&v->disk[disk], VERIFY_TRUST, "install --trust",
				   "%s (mirror %s) is not one of the disks trusted at install: no "
				   "boot reads it",
				   part, s->mirror[i].name[0] ? s->mirror[i].name : "(no name)")
				->boot = true;
		}
}

void verify_trust(struct verify *v)
{
	const struct survey *s = &v->jobs->set->survey;
	const char *of = NULL;
	struct trust t;

	for (unsigned i = 0; i < v->count && !v->trust.pinned; i++) {
		trust_of(&v->disk[i], &v->trust);
		of = v->jobs->job[i].host->path;
	}
	for (unsigned i = 0; i < v->count && v->trust.pinned; i++) {
		struct verify_disk *d = &v->disk[i];

		trust_of(d, &t);
		if ((d->job->bios || d->job->uefi) && !trust_equal(&t, &v->trust))
			verify_add(d, VERIFY_TRUST, "install --trust",
				   "its configuration does not trust the same disks as that of %s",
				   of);
		check_legs(v, i, s);
	}
}
