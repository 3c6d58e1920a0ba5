/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tools/command.h"
#include "tools/install_add.h"
#include "tools/install_entries.h"
#include "tools/install_trust.h"
#include "tools/install_write.h"
#include "tools/ourdisks.h"
#include "tools/say.h"
#include "tools/status.h"
#include "tools/stop.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Read and check the config. False: said. text: CONFIG_TEXT_BYTES + 1. */
static bool read_config(const char *path, char *text)
{
	FILE *f = fopen(path, "re");
	struct config_error err;
	struct config config;
	size_t n;

	if (!f) {
		say_about(path, "%s; nothing was written", strerror(errno));
		return false;
	}
	n = fread(text, 1, CONFIG_TEXT_BYTES + 1, f);
	if (ferror(f)) {
		say_about(path, "%s; nothing was written", strerror(errno));
		fclose(f);
		return false;
	}
	fclose(f);
	if (n > CONFIG_TEXT_BYTES || memchr(text, 0, n)) {
		say_about(path, n > CONFIG_TEXT_BYTES
					? "is longer than 2048 bytes; nothing was written"
					: "is not a text; nothing was written");
		return false;
	}
	text[n] = 0;
	config_default(&config);
	if (config_parse(&config, text, n, &err) == ST_OK)
		return true;
	say_about(path, "line %u: %s \"%s\"; nothing was written", err.line,
		  config_fault_text(err.fault), err.word);
	return false;
}

/* One disk after the other, each verified before the next is touched. */
static int write_all(const struct install *in)
{
	stop_hold();
	for (unsigned i = 0; i < in->jobs->count; i++) {
		struct job *j = &in->jobs->job[i];

		if (!job_is_as_planned(j, in->bios_config, false) || !install_write(in, j)) {
			jobs_say_untouched(in->jobs, i);
			return EXIT_FAILED;
		}
		printf("%s: %s\n", j->host->path,
		       j->bios || j->uefi ? "installed and verified" : "nothing was written");
		fflush(stdout);
		if (jobs_stopped(in->jobs, i))
			return EXIT_FAILED;
	}
	return EXIT_DONE;
}

/* What the options say. */
static struct install install;
static struct install_entries entries;
static bool yes;

static int ask_and_write(const struct install *in)
{
	bool asked = true;
	int rc;

	install_plan_print(in);
	install_entries_print(&entries);
	if (install_plan_is_empty(in) && install_entries_is_empty(&entries)) {
		printf("Everything is installed already; nothing was written.\n");
		if (in->add)
			install_add_say_missing(in);
		return EXIT_DONE;
	}
	if (!yes && !say_ask("Write this?", &asked)) {
		say_note(asked ? "nothing was written"
			       : "there is no terminal to ask on: say --yes; nothing was written");
		return asked ? EXIT_FAILED : EXIT_USAGE;
	}
	rc = install_plan_is_empty(in) ? EXIT_DONE : write_all(in);
	/* Last: an entry is of use only when what it starts is there. */
	if (rc == EXIT_DONE && !install_entries_write(&entries)) {
		say_note("what is on the disks is installed; the boot entries are not");
		rc = EXIT_FAILED;
	}
	return rc;
}

/* A disk or image that ends too early is not what its owner thinks: leave it alone. */
static bool disks_are_whole(const struct hostset *set, const struct mirror *m)
{
	for (unsigned i = 0; i < m->leg_count; i++) {
		struct say_text why;

		if (m->leg[i].why.code != REASON_TRUNCATED)
			continue;
		say_text_init(&why);
		reason_text(&m->leg[i].why, &why.text);
		say_about(set->host[m->leg[i].disk].path, "%s; nothing was written", why.buf);
		free(why.buf);
		return false;
	}
	return true;
}

static bool check_mirror(struct install *in, struct hostset *set)
{
	in->mirror = status_common_mirror(set);
	if (in->mirror == SURVEY_MIRRORS) {
		if (in->add && install_add_say_stranger(set))
			return false;
		say_note("the disks are not all members of one mirror; nothing was written");
		return false;
	}
	if (set->survey.mirror[in->mirror].state == MIRROR_UNUSABLE) {
		status_say_unusable(set);
		say_note("the mirror can't be used; nothing was written");
		return false;
	}
	return disks_are_whole(set, &set->survey.mirror[in->mirror]);
}

static int work(struct hostset *set)
{
	struct install *in = &install;
	int rc = EXIT_FAILED;

	if (hostset_survey(set) != EXIT_DONE) {
		say_note("nothing was written");
		return EXIT_FAILED;
	}
	if (!check_mirror(in, set))
		return EXIT_FAILED;
	in->jobs = jobs_new(set);
	if (!in->jobs)
		return EXIT_FAILED;
	if (install_plan(in) && install_entries_plan(&entries, in->jobs, false))
		rc = ask_and_write(in);
	else
		say_note("nothing was written");
	install_entries_free(&entries);
	install_trust_free(in);
	jobs_free(in->jobs);
	return rc;
}

static int none(const char *why, int status)
{
	(void)status; /* nothing was done */
	say_note("%s; nothing was written", why);
	return EXIT_FAILED;
}

/* Only --add goes without any disk named. */
static int run(char **arg, int count, unsigned sector_bytes)
{
	static const struct ourdisks o = {.any = true, .writes = true, .work = work, .none = none};

	return ourdisks_work(&o, arg, count, sector_bytes);
}

static bool ready(int disks)
{
	if (install.add && (install.given || install.config || install.trust || install.no_trust)) {
		say_note("--add does as on the disks that have mirrorboot: it goes without --bios, "
			 "--uefi, --config, --trust and --no-trust");
		return false;
	}
	if (install.trust && install.no_trust) {
		say_note("--trust and --no-trust exclude each other");
		return false;
	}
	if (!disks && !install.add)
		command_usage(&cmd_install);
	return disks || install.add;
}

enum {
	BIOS = OPT_FIRST_OWN,
	UEFI,
	CONFIG,
	EFI_FILE,
	IA32,
	ADD,
	EFIVARS,
	NO_ENTRIES,
	TRUST,
	NO_TRUST
};

static bool option(int opt, const char *arg)
{
	static char config[CONFIG_TEXT_BYTES + 2];

	switch (opt) {
	case BIOS: install.bios = install.given = true; return true;
	case UEFI: install.uefi = install.given = true; return true;
	case CONFIG: install.config = config; return read_config(arg, config);
	case EFI_FILE: return efiapp_give(arg);
	case IA32: install.ia32 = true; return true;
	case ADD: install.add = true; return true;
	case EFIVARS: entries.folder = arg; return true;
	case NO_ENTRIES: entries.none = true; return true;
	case TRUST: install.trust = true; return true;
	case NO_TRUST: install.no_trust = true; return true;
	default: yes = true; return true;
	}
}

static const struct option options[] = {
	{"bios", no_argument, 0, BIOS},
	{"uefi", no_argument, 0, UEFI},
	{"config", required_argument, 0, CONFIG},
	{"efi-file", required_argument, 0, EFI_FILE},
	{"ia32", no_argument, 0, IA32},
	{"add", no_argument, 0, ADD},
	{"efivars", required_argument, 0, EFIVARS},
	{"no-entries", no_argument, 0, NO_ENTRIES},
	{"trust", no_argument, 0, TRUST},
	{"no-trust", no_argument, 0, NO_TRUST},
	{"yes", no_argument, 0, 'y'},
	COMMON_OPTIONS,
	{0},
};

const struct command cmd_install = {
	.name = "install",
	.args = "[--bios] [--uefi] [--config FILE] [--add] [--trust | --no-trust] "
		"[--efi-file FILE] [--ia32] [--no-entries] [--efivars DIR] [--yes] DISK...",
	.summary = "writes the boot sectors and ESP files on every disk of a mirror",
	.help = "  --bios, --uefi   for this firmware only (default: what the disks are made for)\n"
		"  --config FILE    configuration to install (default: keep the old one)\n"
		"  --add            to disks that were added to the mirror, as it is on the "
		"others,\n"
		"                   which are not written to (default DISK: all of this machine)\n"
		"  --trust          boot from the members that are here now, by their device "
		"UUIDs, "
		"and\n"
		"                   from no others (default: keep the old list; at first there is "
		"none)\n"
		"  --no-trust       forget that list: boot from what Linux would take\n"
		"  --efi-file FILE  a mirrorboot.efi that you signed, in place of this build's\n"
		"  --ia32           for 32-bit UEFI, too (default: where there is a BOOTIA32.EFI)\n"
		"  --no-entries     leave the firmware's boot entries alone (default: on devices, "
		"each\n"
		"                   EFI system partition gets one, before all others)\n"
		"  --efivars DIR    the firmware's variables (default: those of this machine)\n"
		"  -y, --yes        do not ask\n",
	.short_options = "y",
	.options = options,
	.option = option,
	.no_disks = true,
	.ready = ready,
	.work_on = run,
};
