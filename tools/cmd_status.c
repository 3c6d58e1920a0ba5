/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tools/command.h"
#include "tools/status_check.h"
#include "tools/sysdisks.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool json, nagios, journal; /* --json, --nagios, --journal */
static bool named;                 /* disks were */

/* The exit status, but that --nagios has its own. */
static int exit_of(const struct status_all *a, int surveyed)
{
	int rc = surveyed == EXIT_DONE ? status_exit(a->set) : surveyed;

	if (rc == EXIT_DONE &&
	    (lastboot_failed(a->set, a->last) || status_warns_of(a->warnings, STATUS_DRIFT)))
		rc = EXIT_DEGRADED;
	return rc;
}

static int status(struct hostset *set)
{
	static struct lastboot last;
	struct status_warnings warnings;
	struct status_check *check;
	struct status_all all = {.set = set, .last = &last, .warnings = &warnings};
	struct config config;
	struct policy policy;
	int rc = hostset_survey(set);

	if (rc != EXIT_DONE && !json && !nagios)
		return rc;
	check = status_check_new(set);
	check->named = named;
	/* As the next boot will see it. */
	set->trust = check->verify->trust;
	if (set->trust.pinned)
		survey_run_trusted(&set->survey, set->disk, set->count, &set->trust);
	lastboot_read(set, &last);
	record_judge(&set->survey, &last.seen);
	status_config(set, &config);
	config.trust = set->trust;
	policy_decide(&set->survey, &config, &policy);
	status_warn(set, &last, check, &warnings);
	all.policy = &policy;
	all.check = check;
	all.rc = exit_of(&all, rc);
	rc = all.rc;
	if (json)
		status_json(&all);
	else if (nagios)
		rc = status_nagios(&all);
	else
		status_text(&all, journal);
	if (!nagios && !journal)
		status_say_unusable(set);
	status_warnings_free(&warnings);
	status_check_free(check);
	return rc;
}

/* Plugins say what is wrong on stdout, and 3 for what can't be told. */
static int fail(const char *why)
{
	if (nagios)
		printf("MIRRORBOOT UNKNOWN - %s\n", why);
	else
		say_note("%s", why);
	return EXIT_FAILED;
}

/* Without any disk named: those of this machine. */
static int run(char **arg, int count, unsigned sector_bytes)
{
	char **path = NULL;
	unsigned found = count ? 0 : sysdisks_find(&path);
	struct hostset *set;
	int rc = EXIT_FAILED;

	named = count;
	if (json + nagios + journal > 1) {
		say_note("--json, --nagios and --journal exclude each other");
		return EXIT_USAGE;
	}
	if (!count && !found) {
		rc = fail("this machine has no disk that could be read: name disks or images");
	} else {
		set = hostset_open(count ? arg : path, count ? count : (int)found,
				   sector_bytes ? sector_bytes : 512, false, &rc);
		if (set)
			rc = status(set);
		else if (nagios)
			rc = fail("a disk could not be opened");
		hostset_close(set);
	}
	sysdisks_free(path, found);
	return rc;
}

enum { NAGIOS = OPT_FIRST_OWN, JOURNAL };

static bool option(int opt, const char *arg)
{
	if (opt == 'j')
		json = true;
	else if (opt == NAGIOS)
		nagios = true;
	else
		journal = true;
	return true;
}

static const struct option options[] = {{"json", no_argument, 0, 'j'},
					{"nagios", no_argument, 0, NAGIOS},
					{"journal", no_argument, 0, JOURNAL},
					COMMON_OPTIONS,
					{0}};

const struct command cmd_status = {
	.name = "status",
	.args = "[--json | --nagios | --journal] [DISK...]",
	.summary = "says how the mirrors are, what would be booted, and what to type next",
	.help = "  DISK             (default: all disks of this machine)\n"
		"  --json           for programs: stable names, see docs/status.md\n"
		"  --nagios         for monitoring: one line, exit status 0 OK, 1 WARNING, 2 "
		"CRITICAL,\n"
		"                   3 UNKNOWN\n"
		"  --journal        for a systemd unit: each line with its priority\n",
	.short_options = "j",
	.options = options,
	.option = option,
	.no_disks = true,
	.work_on = run,
};
