/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* verify: our files on an EFI system partition, its manifest, and the files that it lists. */
#include "tools/verify_disk.h"
#include "tools/shellword.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Who has put another fallback in place of ours? maker: NULL when it is not known. */
static const char *who(const char *maker)
{
	if (maker == EFIAPP_SHIM)
		return ": grub-install, or an update of shim or GRUB, has put shim there";
	if (maker == EFIAPP_GRUB)
		return ": grub-install, or an update of GRUB, has put GRUB there";
	return maker ? ": systemd-boot is there (bootctl, or an update of it)"
		     : ": another loader is there";
}

static void check_loader(struct verify_disk *d, unsigned arch)
{
	static const char *const state[] = {"is missing", "", "is not this version's",
					    "is not ours"};
	const struct esp_loader *l = &d->job->esp.loader[arch];
	const struct efiapp *app = efiapp_get(arch);
	struct verify_finding *f;

	if (l->app != ESP_OURS) {
		f = verify_add(d, VERIFY_APP, "install --uefi", "\\EFI\\mirrorboot\\%s %s",
			       strrchr(app->path, '/') + 1, state[l->app]);
		f->boot = l->app != ESP_OURS_OTHER;
	}
	if (l->fallback != ESP_OURS) {
		bool lost = l->fallback == ESP_FOREIGN && l->app != ESP_ABSENT;

		d->overwritten |= lost;
		f = verify_add(d, VERIFY_FALLBACK, "install --uefi", "\\EFI\\BOOT\\%s %s%s%s",
			       app->fallback, state[l->fallback], lost ? " any more" : "",
			       lost ? who(l->maker) : "");
		f->boot = l->fallback != ESP_OURS_OTHER;
	}
}

static void check_uefi(struct verify_disk *d)
{
	const struct esp *e = &d->job->esp;

	if (!e->part) {
		verify_add(d, VERIFY_NO_ESP, "install --uefi",
			   "it has no EFI system partition (make one first)")
			->boot = true;
		return;
	}
	for (unsigned i = 0; i < EFIAPP_ARCHS; i++)
		if (e->loader[i].wanted)
			check_loader(d, i);
	if (e->config_too_long)
		verify_add(d, VERIFY_CONFIG, "install --config FILE",
			   "mirrorboot.conf is longer than %u bytes", CONFIG_TEXT_BYTES);
	else if (e->has_config)
		verify_config_text(d, e->config, "mirrorboot.conf");
}

/* One of our loaders, of which check_loader() has said already that it is not this build's? */
static bool is_said(const struct esp *e, const char *path)
{
	const char *name = strrchr(path, '\\') + 1;

	for (unsigned i = 0; i < EFIAPP_ARCHS; i++) {
		const struct esp_loader *l = &e->loader[i];
		const struct efiapp *app = efiapp_get(i);

		if (!l->wanted)
			continue;
		if (l->app != ESP_OURS && !strncasecmp(path, "\\EFI\\mirrorboot\\", 16) &&
		    !strcasecmp(name, strrchr(app->path, '/') + 1))
			return true;
		if (l->fallback != ESP_OURS && !strncasecmp(path, "\\EFI\\BOOT\\", 10) &&
		    !strcasecmp(name, app->fallback))
			return true;
	}
	return false;
}

static void check_file(struct verify_disk *d, const struct espman_file *file)
{
	const char *path = file->f.path;

	if (file->status != ST_OK) {
		verify_add(d, VERIFY_FILE, NULL, "%s %s", path, espman_fault_text(file->status));
		d->damage = true;
		return;
	}
	switch (file->verdict) {
	case MANIFEST_DAMAGED:
		verify_add(d, VERIFY_FILE, NULL,
			   "%s is damaged: size and time are as they were, what is in it is not",
			   path);
		d->damage = true;
		break;
	case MANIFEST_CHANGED:
		verify_add(d, VERIFY_FILE, "esp manifest",
			   "%s has changed since the manifest was written", path);
		break;
	case MANIFEST_UNLISTED:
		verify_add(d, VERIFY_FILE, "esp manifest", "%s is not listed in the manifest",
			   path);
		break;
	default: break;
	}
}

static void check_files(struct verify_disk *d)
{
	const struct espman *m = &d->job->man;
	struct manifest_file f;

	for (unsigned i = 0; i < m->count; i++)
		if (!is_said(&d->job->esp, m->file[i].f.path))
			check_file(d, &m->file[i]);
	for (unsigned i = 0; i < m->missing; i++) {
		char path[MANIFEST_PATH_BYTES + 1];

		espman_missing(m, i, &f);
		snprintf(path, sizeof(path), "%.*s", (int)f.path_bytes, f.path);
		if (!is_said(&d->job->esp, path))
			verify_add(d, VERIFY_FILE, "esp manifest",
				   "%s is listed in the manifest and missing", path);
	}
}

static const struct job *find_newest(const struct jobs *jobs)
{
	const struct job *newest = NULL;

	for (unsigned i = 0; i < jobs->count; i++) {
		const struct job *j = &jobs->job[i];

		if (j->uefi && j->man.status == ST_OK &&
		    (!newest || j->man.old.generation > newest->man.old.generation))
			newest = j;
	}
	return newest;
}

static void check_set(struct verify *v, struct verify_disk *d)
{
	const struct job *newest = find_newest(v->jobs);
	const struct espman *m = &d->job->man;
	char *paths;

	if (!guid_equal(&m->old.source, &m->source))
		verify_add(d, VERIFY_MANIFEST, "esp manifest",
			   "its manifest was written for another partition");
	if (newest && !guid_equal(&m->old.set, &newest->man.old.set)) {
		verify_add(d, VERIFY_MANIFEST, "esp manifest",
			   "its manifest is of another set than that of %s", newest->host->path);
	} else if (newest && m->old.generation < newest->man.old.generation) {
		paths = shellword_disks(v->jobs->set, UINT32_MAX);
		verify_add(d, VERIFY_MANIFEST, NULL,
			   "its files are older than those of %s (generation %llu, there %llu): "
			   "boot takes loaders from there. Update them too, then run \"mirrorboot "
			   "esp manifest%s\"",
			   newest->host->path, (unsigned long long)m->old.generation,
			   (unsigned long long)newest->man.old.generation, paths);
		free(paths);
	}
}

static void check_manifest(struct verify *v, struct verify_disk *d)
{
	const struct espman *m = &d->job->man;

	if (m->why[0]) {
		verify_add(d, VERIFY_MANIFEST, NULL, "%s", m->why);
		d->damage = true;
		return;
	}
	if (m->status == ST_UNSUPPORTED)
		verify_add(d, VERIFY_NEWER, NULL,
			   "its manifest was written by a newer mirrorboot: use that one");
	else if (m->status == ST_ABSENT)
		verify_add(d, VERIFY_MANIFEST, "install --uefi",
			   "its EFI system partition has no manifest");
	else if (m->status == ST_IO)
		verify_add(d, VERIFY_MANIFEST, "install --uefi", "its manifest could not be read");
	else if (m->status != ST_OK)
		verify_add(d, VERIFY_MANIFEST, "install --uefi", "its manifest is damaged");
	else if (m->old.state != MANIFEST_COMPLETE)
		verify_add(d, VERIFY_MANIFEST, "install --uefi",
			   "an installation on its EFI system partition was cut");
	d->damage |= m->status == ST_IO || m->status == ST_CORRUPT;
	check_files(d);
	if (m->status == ST_OK)
		check_set(v, d);
}

void verify_esp(struct verify *v, struct verify_disk *d)
{
	if (d->job->esp.why[0])
		verify_add(d, VERIFY_NO_ESP, "install --uefi", "%s", d->job->esp.why)->boot = true;
	else
		check_uefi(d);
	if (d->uefi && !v->quick)
		check_manifest(v, d);
}
