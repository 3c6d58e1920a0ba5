/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tools/command.h"
#include "tools/job.h"
#include "tools/say.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Everything that differs from what install would write, a line each with what to run, if any. */
struct drift {
	const char *path;
	const char *paths; /* all disks, for the command */
	unsigned count;
	bool damage; /* something of it is broken, not only other */
};

static void __attribute__((format(printf, 3, 4)))
drift(struct drift *d, const char *command, const char *fmt, ...)
{
	va_list ap;

	printf("%s: ", d->path);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	if (command)
		printf(": run \"mirrorboot %s%s\"", command, d->paths);
	putchar('\n');
	d->count++;
}

static void check_config(struct drift *d, const char *text, const char *what)
{
	struct config_error err;
	struct config config;

	if (config_parse(&config, text, strlen(text), &err) != ST_OK)
		drift(d, "install --config FILE", "%s, line %u: %s \"%s\"", what, err.line,
		      config_fault_text(err.fault), err.word);
}

static void check_area(struct drift *d, const struct job *j, unsigned families)
{
	const struct installed *old = &j->boot.old;
	const struct variant *v = variant_find(old->stage2_crc);

	if (old->area == ST_UNSUPPORTED) {
		drift(d, NULL,
		      "the boot area at LBA %llu was written by a newer mirrorboot: use that one",
		      (unsigned long long)old->area_lba);
		return;
	}
	if (!installed_code_is_current(old->lba0))
		drift(d, "install --bios", "the boot code of LBA 0 is not this version's");
	if (old->area != ST_OK) {
		drift(d, "install --bios", "the header of the boot area at LBA %llu is damaged",
		      (unsigned long long)old->area_lba);
		return;
	}
	if (!j->boot.current.sectors)
		drift(d, "install --bios", "the boot area at LBA %llu is where a partition is now",
		      (unsigned long long)old->area_lba);
	if (!old->saved_good)
		drift(d, "install --bios", "the saved boot code is damaged");
	if (!old->stage2_good)
		drift(d, "install --bios", "stage2 is damaged");
	else if (!v)
		drift(d, "install --bios", "stage2 is not this version's");
	else if ((v->families & families) != families)
		drift(d, "install --bios", "stage2 is the one for %s, and there are others here",
		      v->what);
	if (!old->config_good)
		drift(d, "install --bios", "the config is damaged");
	else
		check_config(d, old->config, "the config in the boot area");
}

static void check_bios(struct drift *d, struct job *j, unsigned families)
{
	if (!j->boot.old.ours) {
		drift(d, "install --bios", "LBA 0 is not our boot code");
		return;
	}
	check_area(d, j, families);
	for (unsigned i = 0; i < j->boot.left_count; i++)
		drift(d, "install --bios", "an interrupted run left sectors at LBA %llu",
		      (unsigned long long)j->boot.left[i].lba);
}

static void check_uefi(struct drift *d, const struct job *j)
{
	const struct esp *e = &j->esp;
	static const char *const state[] = {"is missing", "", "is not this version's",
					    "is not ours"};

	if (!e->part) {
		drift(d, "install --uefi", "it has no EFI system partition (make one first)");
		return;
	}
	for (unsigned i = 0; i < EFIAPP_ARCHS; i++) {
		const struct esp_loader *l = &e->loader[i];
		const struct efiapp *app = efiapp_get(i);

		if (!l->wanted)
			continue;
		if (l->app != ESP_OURS)
			drift(d, "install --uefi", "\\EFI\\mirrorboot\\%s %s",
			      strrchr(app->path, '/') + 1, state[l->app]);
		if (l->fallback != ESP_OURS)
			drift(d, "install --uefi", "\\EFI\\BOOT\\%s %s", app->fallback,
			      state[l->fallback]);
	}
	if (e->config_too_long)
		drift(d, "install --config FILE", "mirrorboot.conf is longer than %u bytes",
		      CONFIG_TEXT_BYTES);
	else if (e->has_config)
		check_config(d, e->config, "mirrorboot.conf");
}

/* Is this one of our loaders, of which check_uefi() has said already that it is not this build's?
 */
static bool is_said(const struct esp *e, const char *path)
{
	for (unsigned i = 0; i < EFIAPP_ARCHS; i++) {
		const struct esp_loader *l = &e->loader[i];
		const struct efiapp *app = efiapp_get(i);

		const char *name = strrchr(path, '\\') + 1;

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

static void check_file(struct drift *d, const struct espman_file *file)
{
	const char *path = file->f.path;

	if (file->status != ST_OK) {
		drift(d, NULL, "%s %s", path, espman_fault_text(file->status));
		d->damage = true;
		return;
	}
	switch (file->verdict) {
	case MANIFEST_DAMAGED:
		drift(d, NULL,
		      "%s is damaged: size and time are as they were, what is in it is not", path);
		d->damage = true;
		break;
	case MANIFEST_CHANGED:
		drift(d, "esp manifest", "%s has changed since the manifest was written", path);
		break;
	case MANIFEST_UNLISTED:
		drift(d, "esp manifest", "%s is not listed in the manifest", path);
		break;
	default: break;
	}
}

static void check_files(struct drift *d, const struct job *j)
{
	const struct espman *m = &j->man;
	struct manifest_file f;

	for (unsigned i = 0; i < m->count; i++)
		if (!is_said(&j->esp, m->file[i].f.path))
			check_file(d, &m->file[i]);
	for (unsigned i = 0; i < m->missing; i++) {
		char path[MANIFEST_PATH_BYTES + 1];

		espman_missing(m, i, &f);
		snprintf(path, sizeof(path), "%.*s", (int)f.path_bytes, f.path);
		if (!is_said(&j->esp, path))
			drift(d, "esp manifest", "%s is listed in the manifest and missing", path);
	}
}

/* newest: of all manifests, or NULL. */
static void check_manifest(struct drift *d, const struct job *j, const struct job *newest)
{
	const struct espman *m = &j->man;

	if (m->why[0]) {
		drift(d, NULL, "%s", m->why);
		d->damage = true;
		return;
	}
	if (m->status == ST_UNSUPPORTED)
		drift(d, NULL, "its manifest was written by a newer mirrorboot: use that one");
	else if (m->status == ST_ABSENT)
		drift(d, "install --uefi", "its EFI system partition has no manifest");
	else if (m->status == ST_IO)
		drift(d, "install --uefi", "its manifest could not be read");
	else if (m->status != ST_OK)
		drift(d, "install --uefi", "its manifest is damaged");
	else if (m->old.state != MANIFEST_COMPLETE)
		drift(d, "install --uefi", "an installation on its EFI system partition was cut");
	d->damage |= m->status == ST_IO || m->status == ST_CORRUPT;
	check_files(d, j);
	if (m->status != ST_OK)
		return;
	if (!guid_equal(&m->old.source, &m->source))
		drift(d, "esp manifest", "its manifest was written for another partition");
	if (newest && !guid_equal(&m->old.set, &newest->man.old.set))
		drift(d, "esp manifest", "its manifest is of another set than that of %s",
		      newest->host->path);
	else if (newest && m->old.generation < newest->man.old.generation)
		drift(d, NULL,
		      "its files are older than those of %s (generation %llu, there %llu): boot "
		      "takes loaders from there. Update them too, then run \"mirrorboot esp "
		      "manifest%s\"",
		      newest->host->path, (unsigned long long)m->old.generation,
		      (unsigned long long)newest->man.old.generation, d->paths);
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

/* A blank and a path, in quotes where a shell needs them. Room: 4 times the path, and 3. */
static size_t quote(char *out, const char *path)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789/._-+:,@%=";
	size_t n = 0;

	out[n++] = ' ';
	if (!path[strspn(path, plain)])
		return n + (size_t)sprintf(out + n, "%s", path);
	out[n++] = '\'';
	for (; *path; path++)
		if (*path == '\'')
			n += (size_t)sprintf(out + n, "'\\''");
		else
			out[n++] = *path;
	out[n++] = '\'';
	return n;
}

/* The disks as a shell takes them; enough for a line that is to be copied. */
static char *join_paths(const struct hostset *set)
{
	size_t size = 1, used = 0;
	char *text;

	for (unsigned i = 0; i < set->count; i++)
		size += 4 * strlen(set->host[i].path) + 3;
	text = calloc(1, size);
	for (unsigned i = 0; text && i < set->count; i++)
		used += quote(text + used, set->host[i].path);
	return text;
}

static bool look(struct job *j)
{
	enum bootplan_fault fault = BOOTPLAN_FINE;

	if (j->disk->shift == 9)
		fault = bootplan_look(j->disk, &j->boot);
	if (fault == BOOTPLAN_IO) {
		job_say_fault(j, fault);
		return false;
	}
	j->bios = j->boot.old.ours;
	/* An ESP that can't be looked into counts only where ours should be in it. */
	j->uefi = esp_look(&j->esp, j->disk) && esp_is_installed(&j->esp);
	if (j->uefi)
		espman_look(&j->man, &j->esp, j->disk); /* false: man.why, said later */
	return true;
}

static void say_installed(const struct job *j, bool bios, bool uefi)
{
	const struct variant *v = variant_find(j->boot.old.stage2_crc);

	printf("%s: as installed (%s", j->host->path, bios ? "BIOS" : "UEFI");
	if (bios && v != variant_get(0))
		printf(": stage2 for %s", v->what);
	printf("%s)\n", bios && uefi ? ", UEFI" : "");
}

static int check_all(struct jobs *jobs, bool bios, bool uefi, const char *paths)
{
	const struct job *newest = find_newest(jobs);
	int rc = EXIT_DONE;

	for (unsigned i = 0; i < jobs->count; i++) {
		struct job *j = &jobs->job[i];
		struct drift d = {.path = j->host->path, .paths = paths};

		if (bios)
			check_bios(&d, j, variant_families(&jobs->set->survey));
		if (uefi && j->esp.why[0])
			drift(&d, "install --uefi", "%s", j->esp.why);
		else if (uefi)
			check_uefi(&d, j);
		if (j->uefi)
			check_manifest(&d, j, newest);
		if (!d.count)
			say_installed(j, bios, uefi);
		if (d.damage)
			rc = EXIT_FAILED;
		else if (d.count && rc == EXIT_DONE)
			rc = EXIT_DEGRADED;
	}
	return rc;
}

static int verify(struct hostset *set)
{
	bool bios = false, uefi = false;
	struct jobs *jobs;
	char *paths;
	int rc = hostset_survey(set);

	if (rc != EXIT_DONE)
		return rc;
	jobs = jobs_new(set);
	paths = join_paths(set);
	if (!jobs || !paths)
		return EXIT_FAILED;
	for (unsigned i = 0; i < jobs->count && rc == EXIT_DONE; i++) {
		if (!look(&jobs->job[i]))
			rc = EXIT_FAILED;
		bios |= jobs->job[i].bios;
		uefi |= jobs->job[i].uefi;
	}
	if (rc == EXIT_DONE && !bios && !uefi) {
		printf("mirrorboot is not installed on any of them: run \"mirrorboot install%s\"\n",
		       paths);
		rc = EXIT_DEGRADED;
	} else if (rc == EXIT_DONE) {
		rc = check_all(jobs, bios, uefi, paths);
	}
	jobs_free(jobs);
	free(paths);
	return rc;
}

static const struct option options[] = {COMMON_OPTIONS, {0}};

const struct command cmd_verify = {
	.name = "verify",
	.args = "DISK...",
	.summary = "compares what is installed with what this version would install",
	.help = "",
	.short_options = "",
	.options = options,
	.work = verify,
};
