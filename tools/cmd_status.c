/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tools/command.h"
#include "tools/status.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

static bool json; /* --json */

static void print_text(const struct hostset *set, const struct policy *p, const struct lastboot *b,
		       const struct status_warnings *w)
{
	struct report_names names = status_names(set);
	struct say_text t;

	say_text_init(&t);
	report_survey(&set->survey, &names, &t.text);
	report_policy(&set->survey, p, &names, &t.text);
	if (t.text.column)
		text_char(&t.text, '\n');
	lastboot_text(set, b, &t.text);
	for (unsigned i = 0; i < w->count; i++) {
		text_str(&t.text, "warning: ");
		text_str(&t.text, w->line[i]);
		text_char(&t.text, '\n');
	}
	say_report(stdout, t.buf);
	free(t.buf);
}

static int status(struct hostset *set)
{
	struct status_warnings warnings;
	struct config config;
	struct policy policy;
	static struct lastboot last;
	int rc = hostset_survey(set);

	if (rc != EXIT_DONE && !json)
		return rc;
	lastboot_read(set, &last);
	record_judge(&set->survey, &last.seen);
	status_config(set, &config);
	policy_decide(&set->survey, &config, &policy);
	status_warn(set, &last, &warnings);
	if (json)
		status_json(set, &policy, &last, &warnings);
	else
		print_text(set, &policy, &last, &warnings);
	status_warnings_free(&warnings);
	status_say_unusable(set);
	if (rc == EXIT_DONE)
		rc = status_exit(set);
	return rc == EXIT_DONE && lastboot_failed(set, &last) ? EXIT_DEGRADED : rc;
}

static bool option(int opt, const char *arg)
{
	json = true; /* the only one */
	return true;
}

static const struct option options[] = {{"json", no_argument, 0, 'j'}, COMMON_OPTIONS, {0}};

const struct command cmd_status = {
	.name = "status",
	.args = "[--json] DISK...",
	.summary = "says what mirrors the disks hold, each leg's verdict, and what would be booted",
	.help = "  --json           for programs: stable names, see the README\n",
	.short_options = "j",
	.options = options,
	.option = option,
	.work = status,
};
