/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tools/install_add.h"
#include "tools/say.h"

#include <stdio.h>
#include <string.h>

/* What an administrator does with a new disk before mirrorboot can be installed on it. */
#define FIRST                                                                                      \
	"partition it like the other one (sgdisk --replicate=%s %s, then sgdisk -G %s), add it "   \
	"to the mirror (mdadm --add), then run this again"

static bool has_member(const struct survey *s, unsigned disk)
{
	for (unsigned i = 0; i < s->member_count; i++)
		if (s->member[i].disk == disk)
			return true;
	return false;
}

bool install_add_say_stranger(const struct hostset *set)
{
	const char *with = NULL;
	bool said = false;

	for (unsigned i = 0; i < set->count && !with; i++)
		if (has_member(&set->survey, i))
			with = set->host[i].path;
	for (unsigned i = 0; i < set->count && with; i++) {
		if (has_member(&set->survey, i))
			continue;
		say_about(set->host[i].path,
			  "is not a member of the mirror yet: " FIRST "; nothing was written",
			  set->host[i].path, with, set->host[i].path);
		said = true;
	}
	return said;
}

void install_add_say_missing(const struct install *in)
{
	const struct mirror *m = &in->jobs->set->survey.mirror[in->mirror];

	if (m->expected > in->jobs->count)
		say_note("%u of the %u disks of the mirror are here. A new disk: " FIRST,
			 in->jobs->count, m->expected, "NEW", in->jobs->job[0].host->path, "NEW");
}

/* Two disks that have it, with configurations that differ: which one is meant? */
static bool same_config(const char *text, const char *of, const char *other, const char *other_of)
{
	if (!strcmp(text, other))
		return true;
	say_note("the configurations of %s and %s differ: run \"mirrorboot install --config FILE\" "
		 "with both first",
		 of, other_of);
	return false;
}

static bool check_configs(const struct install *in)
{
	const struct job *bios = NULL, *uefi = NULL;
	bool fine = true;

	for (unsigned i = 0; i < in->jobs->count; i++) {
		const struct job *j = &in->jobs->job[i];

		if (j->has_bios && j->boot.old.config_good) {
			if (bios)
				fine &= same_config(bios->boot.old.config, bios->host->path,
						    j->boot.old.config, j->host->path);
			bios = j;
		}
		if (j->has_uefi) {
			if (uefi)
				fine &= same_config(uefi->esp.config, uefi->host->path,
						    j->esp.config, j->host->path);
			uefi = j;
		}
	}
	if (fine && in->bios && !bios)
		say_note("the configuration of the disks that have mirrorboot can't be read: run "
			 "\"mirrorboot install\" without --add");
	return fine && (!in->bios || bios);
}

/* Secure Boot would not start an application that is not signed. */
static bool check_signed(const struct install *in)
{
	for (unsigned i = 0; i < in->jobs->count; i++)
		for (unsigned k = 0; k < EFIAPP_ARCHS; k++)
			if (in->jobs->job[i].has_uefi && !efiapp_get(k)->file &&
			    in->jobs->job[i].esp.loader[k].is_signed) {
				say_about(in->jobs->job[i].host->path,
					  "the mirrorboot on its EFI system partition is signed: "
					  "say --efi-file with the signed file");
				return false;
			}
	return true;
}

static bool check_esps(const struct install *in)
{
	const char *with = "";
	bool fine = true;

	for (unsigned i = 0; i < in->jobs->count; i++)
		if (in->jobs->job[i].has_uefi)
			with = in->jobs->job[i].host->path;
	for (unsigned i = 0; i < in->jobs->count; i++) {
		const struct job *j = &in->jobs->job[i];

		if (j->esp.part || j->esp.why[0])
			continue;
		say_about(
			j->host->path,
			"has no EFI system partition: make one (\"mirrorboot esp clone --create %s "
			"%s\"), then run this again",
			with, j->host->path);
		fine = false;
	}
	return fine;
}

bool install_add_plan(struct install *in)
{
	for (unsigned i = 0; i < in->jobs->count; i++) {
		struct job *j = &in->jobs->job[i];

		j->has_bios = j->disk->shift == 9 &&
			      installed_read(j->disk, &j->boot.old) == ST_OK && j->boot.old.ours;
		j->has_uefi = esp_look(&j->esp, j->disk) && esp_is_installed(&j->esp);
		in->bios |= j->has_bios;
		in->uefi |= j->has_uefi;
	}
	if (!in->bios && !in->uefi) {
		say_note("no disk has mirrorboot yet: run \"mirrorboot install\" without --add");
		return false;
	}
	return check_configs(in) && check_signed(in) && (!in->uefi || check_esps(in));
}
