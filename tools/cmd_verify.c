/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tools/command.h"
#include "tools/install_entries.h"
#include "tools/ourdisks.h"
#include "tools/say.h"
#include "tools/shellword.h"
#include "tools/verify_disk.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

static bool quiet, quick; /* --quiet, --quick */

static void print_run(const char *run, const char *paths)
{
	if (run)
		printf(": run \"mirrorboot %s%s\"", run, paths);
	putchar('\n');
}

static void say_installed(const struct verify *v, const struct verify_disk *d)
{
	const struct variant *variant = variant_find(d->job->boot.old.stage2_crc);

	printf("%s: as installed (%s", d->job->host->path, v->bios ? "BIOS" : "UEFI");
	if (v->bios && variant && variant != variant_get(0))
		printf(": stage2 for %s", variant->what);
	printf("%s)\n", v->bios && v->uefi ? ", UEFI" : "");
}

/* One line a disk: what keeps it from booting before all else. */
static void say_briefly(const struct verify_disk *d, const char *paths)
{
	const struct verify_finding *worst = &d->finding[0];

	for (unsigned i = 0; i < d->count && !worst->boot; i++)
		if (d->finding[i].boot)
			worst = &d->finding[i];
	printf("mirrorboot: %s: %s", d->job->host->path, worst->text);
	if (d->count > 1)
		printf(" (and %u more: \"mirrorboot verify\")", d->count - 1);
	print_run(worst->run, paths);
}

static void say_all(const struct verify *v, const char *paths)
{
	for (unsigned i = 0; i < v->count; i++) {
		const struct verify_disk *d = &v->disk[i];

		if (quiet && d->count)
			say_briefly(d, paths);
		for (unsigned k = 0; !quiet && k < d->count; k++) {
			printf("%s: %s", d->job->host->path, d->finding[k].text);
			print_run(d->finding[k].run, paths);
		}
		if (!quiet && !d->count)
			say_installed(v, d);
	}
}

/* Of devices: is what the firmware starts still ours? */
static bool check_entries(const struct verify *v, const char *paths)
{
	struct install_entries entries = {0};
	const char *drift = NULL;

	if (v->uefi && install_entries_plan(&entries, v->jobs, false))
		drift = install_entries_drift(&entries);
	if (drift) {
		printf("%s%s", quiet ? "mirrorboot: " : "", drift);
		print_run("install --uefi", paths);
	}
	install_entries_free(&entries);
	return !drift;
}

static int verify(struct hostset *set)
{
	struct verify *v;
	char *paths;
	int rc;

	rc = hostset_survey(set);
	if (rc != EXIT_DONE)
		return rc;
	v = verify_new(set, quick);
	if (!v)
		return EXIT_FAILED;
	paths = shellword_disks(set, UINT32_MAX);
	rc = verify_exit(v);
	if (v->bios || v->uefi) {
		say_all(v, paths);
		if (!check_entries(v, paths) && rc == EXIT_DONE)
			rc = EXIT_DEGRADED;
	} else {
		printf("mirrorboot is not installed on any of them: run \"mirrorboot install%s\"\n",
		       paths);
	}
	free(paths);
	verify_free(v);
	return rc;
}

/* A hook runs everywhere, also where there is nothing for it to do. */
static int none(const char *why, int status)
{
	if (quiet)
		return EXIT_DONE;
	say_note("%s", why);
	return status;
}

static int run(char **arg, int count, unsigned sector_bytes)
{
	static const struct ourdisks o = {.work = verify, .none = none};

	return ourdisks_work(&o, arg, count, sector_bytes);
}

enum { QUICK = OPT_FIRST_OWN };

static bool option(int opt, const char *arg)
{
	*(opt == QUICK ? &quick : &quiet) = true;
	return true;
}

static const struct option options[] = {
	{"quiet", no_argument, 0, 'q'}, {"quick", no_argument, 0, QUICK}, COMMON_OPTIONS, {0}};

const struct command cmd_verify = {
	.name = "verify",
	.args = "[--quick] [--quiet] [DISK...]",
	.summary = "compares what is installed with what this version would install",
	.help = "  DISK             (default: those of this machine that mirrorboot is installed "
		"on,\n"
		"                   and the others of their mirrors)\n"
		"  --quick          boot code and loaders alone, not every file of the ESPs\n"
		"  -q, --quiet      says nothing unless something differs; then one line a disk\n",
	.short_options = "q",
	.options = options,
	.option = option,
	.no_disks = true,
	.work_on = run,
};
