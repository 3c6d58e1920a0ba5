/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tools/verify_disk.h"
#include "tools/grubcore.h"
#include "tools/sysblock.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct verify_finding *verify_add(struct verify_disk *d, enum verify_what what, const char *run,
				  const char *fmt, ...)
{
	struct verify_finding *f;
	va_list ap;

	d->finding = realloc(d->finding, (d->count + 1) * sizeof(*d->finding));
	if (!d->finding)
		abort();
	f = &d->finding[d->count++];
	*f = (struct verify_finding){.what = what, .run = run};
	va_start(ap, fmt);
	if (vasprintf(&f->text, fmt, ap) < 0)
		abort();
	va_end(ap);
	return f;
}

/* One that keeps the disk from starting the machine through us. */
#define ADD_BOOT(...) (verify_add(__VA_ARGS__)->boot = true)

void verify_config_text(struct verify_disk *d, const char *text, const char *which)
{
	struct config_error err;
	struct config config;

	config_default(&config);
	if (config_parse(&config, text, strlen(text), &err) != ST_OK)
		verify_add(d, VERIFY_CONFIG, "install --config FILE", "%s, line %u: %s \"%s\"",
			   which, err.line, config_fault_text(err.fault), err.word);
}

/* Is GRUB's core.img over our boot area, whoever points to it? */
static bool grub_is_over(const struct job *j)
{
	static struct part_list list;
	uint8_t buf[DISK_SECTOR_BYTES];
	uint64_t first_lba[1 + PART_MAX] = {1};
	unsigned n = 1;
	struct grubcore core;

	if (part_read(j->disk, &list, buf) == ST_OK)
		for (unsigned i = 0; i < list.count; i++)
			if (list.part[i].kind == PART_BIOS_BOOT)
				first_lba[n++] = list.part[i].start_lba;
	for (unsigned i = 0; i < n; i++) {
		grubcore_find_at(j->disk, first_lba[i], &core);
		for (unsigned k = 0; k < BOOTPLAN_AREA_MAX; k++)
			if (grubcore_has(&core, j->boot.old.area_lba + k))
				return true;
	}
	return false;
}

static void check_stage2(struct verify_disk *d, unsigned families)
{
	const struct installed *old = &d->job->boot.old;
	const struct variant *v = variant_find(old->stage2_crc);

	if (!old->stage2_good)
		ADD_BOOT(d, VERIFY_STAGE2, "install --bios", "stage2 is damaged%s",
			 d->overwritten ? ": grub-install has put GRUB's core.img over it" : "");
	else if (!v)
		verify_add(d, VERIFY_STAGE2, "install --bios", "stage2 is not this version's");
	else if ((v->families & families) != families)
		ADD_BOOT(d, VERIFY_STAGE2, "install --bios",
			 "stage2 is the one for %s, and there are others here", v->what);
}

static void check_area(struct verify_disk *d, unsigned families)
{
	const struct job *j = d->job;
	const struct installed *old = &j->boot.old;

	if (old->area == ST_UNSUPPORTED) {
		verify_add(d, VERIFY_NEWER, NULL,
			   "the boot area at LBA %llu was written by a newer mirrorboot: use that "
			   "one",
			   (unsigned long long)old->area_lba);
		return;
	}
	if (!installed_code_is_current(old->lba0))
		verify_add(d, VERIFY_LBA0, "install --bios",
			   "the boot code of LBA 0 is not this version's");
	d->overwritten = (old->area != ST_OK || !old->stage2_good) && grub_is_over(j);
	if (old->area != ST_OK) {
		ADD_BOOT(d, VERIFY_AREA, "install --bios",
			 "the header of the boot area at LBA %llu is damaged%s",
			 (unsigned long long)old->area_lba,
			 d->overwritten ? ": grub-install has put GRUB's core.img over it" : "");
		return;
	}
	if (!j->boot.current.sectors)
		ADD_BOOT(d, VERIFY_AREA, "install --bios",
			 "the boot area at LBA %llu is where a partition is now",
			 (unsigned long long)old->area_lba);
	if (!old->saved_good)
		verify_add(d, VERIFY_SAVED, "install --bios", "the saved boot code is damaged");
	check_stage2(d, families);
	if (!old->config_good)
		verify_add(d, VERIFY_CONFIG, "install --bios", "the config is damaged");
	else
		verify_config_text(d, old->config, "the config in the boot area");
}

static void check_bios(struct verify_disk *d, unsigned families)
{
	const struct bootplan *p = &d->job->boot;

	if (!p->old.ours) {
		bool grub = grubcore_is_boot(p->old.lba0);
		bool wiped = !installed_has_code(p->old.lba0);

		d->overwritten = d->bios;
		ADD_BOOT(d, VERIFY_LBA0, "install --bios", "LBA 0 is not our boot code%s%s",
			 d->bios ? " any more" : "",
			 !d->bios ? ""
			 : grub   ? ": grub-install has put GRUB's there"
			 : wiped  ? ": it was wiped"
				  : ": another boot loader's is there");
		return;
	}
	check_area(d, families);
	for (unsigned i = 0; i < p->left_count; i++)
		verify_add(d, VERIFY_LEFT, "install --bios",
			   "an interrupted run left sectors at LBA %llu",
			   (unsigned long long)p->left[i].lba);
}

/* A finished boot area that LBA 0 does not lead to: somebody has written LBA 0 since. */
static bool has_lost_area(const struct job *j)
{
	uint8_t sector[SECTOR];

	for (unsigned i = 0; !j->boot.old.ours && i < j->boot.left_count; i++)
		if (disk_read(j->disk, j->boot.left[i].lba, 1, sector) == ST_OK &&
		    bootarea_check((const void *)sector, j->boot.left[i].lba, j->disk->sectors) ==
			    ST_OK)
			return true;
	return false;
}

/*
 * What was just written to an ESP that is mounted may be in the cache of its partition only: the
 * disk is read past that. True: it is on the disk now.
 */
static bool sync_esp(const struct job *j)
{
	char *where = NULL;
	bool done = false;
	int fd;

	if (!j->host->block || !j->esp.part ||
	    !sysblock_mounted(j->host, j->esp.start_bytes, j->esp.len_bytes, &where))
		return false;
	fd = where ? open(where, O_RDONLY | O_CLOEXEC) : -1;
	if (fd >= 0) {
		done = !syncfs(fd);
		close(fd);
	}
	free(where);
	return done;
}

static void look(struct verify *v, struct verify_disk *d, struct job *j)
{
	bool whole;

	d->job = j;
	if (j->disk->shift == 9 && bootplan_look(j->disk, &j->boot) == BOOTPLAN_IO) {
		ADD_BOOT(d, VERIFY_UNREADABLE, NULL, "could not be read");
		d->damage = true;
	}
	j->bios = j->boot.old.ours;
	d->bios = j->bios || has_lost_area(j);
	/* An ESP that can't be looked into counts only where ours should be in it. */
	whole = esp_look(&j->esp, j->disk);
	if (sync_esp(j))
		whole = esp_look(&j->esp, j->disk);
	j->uefi = d->uefi = whole && esp_is_installed(&j->esp);
	if (j->uefi && !v->quick)
		espman_look(&j->man, &j->esp, j->disk); /* false: man.why, said later */
	v->bios |= d->bios;
	v->uefi |= d->uefi;
}

struct verify *verify_new(struct hostset *set, bool quick)
{
	struct verify *v = calloc(1, sizeof(*v));

	if (v)
		v->jobs = jobs_new(set);
	if (!v || !v->jobs) {
		free(v);
		return NULL;
	}
	v->quick = quick;
	v->count = v->jobs->count;
	for (unsigned i = 0; i < v->count; i++)
		look(v, &v->disk[i], &v->jobs->job[i]);
	for (unsigned i = 0; i < v->count; i++) {
		struct verify_disk *d = &v->disk[i];

		if (d->count)
			continue; /* unreadable */
		if (v->bios && d->job->disk->shift == 9)
			check_bios(d, variant_families(&set->survey));
		if (v->uefi)
			verify_esp(v, d);
	}
	verify_trust(v);
	return v;
}

void verify_free(struct verify *v)
{
	if (!v)
		return;
	for (unsigned i = 0; i < v->count; i++) {
		for (unsigned k = 0; k < v->disk[i].count; k++)
			free(v->disk[i].finding[k].text);
		free(v->disk[i].finding);
	}
	jobs_free(v->jobs);
	free(v);
}

int verify_exit(const struct verify *v)
{
	int rc = v->bios || v->uefi ? EXIT_DONE : EXIT_DEGRADED;

	for (unsigned i = 0; i < v->count; i++) {
		if (v->disk[i].damage)
			return EXIT_FAILED;
		if (v->disk[i].count)
			rc = EXIT_DEGRADED;
	}
	return rc;
}
