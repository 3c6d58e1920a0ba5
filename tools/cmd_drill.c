/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tools/command.h"
#include "tools/drill.h"
#include "tools/job.h"
#include "tools/say.h"
#include "tools/stop.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DETACH_EACH = -1, DETACH_NONE = -2 };

/* What the options say. */
static struct {
	bool bios, uefi; /* --firmware; neither: as installed */
	int detach;
	const char *detach_text; /* as typed: what it may be depends on the number of disks */
	bool json;
	struct drill drill;
} given = {.drill = {.timeout_s = 60}};

/* Which firmware the disks are prepared for. */
static void find_firmware(struct hostset *set)
{
	struct jobs *jobs = jobs_new(set);

	for (unsigned i = 0; jobs && i < jobs->count; i++) {
		struct job *j = &jobs->job[i];

		if (j->disk->shift == 9 && installed_read(j->disk, &j->boot.old) == ST_OK)
			given.bios |= j->boot.old.ours;
		given.uefi |= esp_look(&j->esp, j->disk) && esp_is_installed(&j->esp);
	}
	jobs_free(jobs);
}

static bool check(struct hostset *set)
{
	const char *missing;

	if (!given.bios && !given.uefi)
		find_firmware(set);
	if (!given.bios && !given.uefi) {
		say_note("mirrorboot is not installed on these disks: run \"mirrorboot install\" "
			 "first");
		return false;
	}
	if (!qemu_available(given.uefi, &missing)) {
		say_note("%s", missing);
		return false;
	}
	return true;
}

static int run_all(struct hostset *set)
{
	struct drill *d = &given.drill;
	bool each = given.detach == DETACH_EACH && set->count > 1;

	for (int firmware = 0; firmware < 2; firmware++) {
		bool uefi = firmware == 1;

		if (!(uefi ? given.uefi : given.bios))
			continue;
		if (given.detach < 0 && !drill_case(d, set, uefi, QEMU_ALL))
			return EXIT_FAILED;
		for (unsigned i = 0; i < set->count; i++)
			if ((each || (int)i == given.detach) && !drill_case(d, set, uefi, i))
				return EXIT_FAILED;
	}
	if (given.json)
		drill_json(d, set);
	else
		drill_table_end(d);
	return drill_failed(d) ? EXIT_DEGRADED : EXIT_DONE;
}

static int drill(struct hostset *set)
{
	char temporary[] = "/tmp/mirrorboot-drill-XXXXXX";
	int rc;

	if (hostset_survey(set) != EXIT_DONE || !check(set))
		return EXIT_FAILED;
	stop_watch();
	given.drill.table = !given.json;
	if (given.drill.keep) {
		if (mkdir(given.drill.keep, 0777) && errno != EEXIST) {
			say_about(given.drill.keep, "%s", strerror(errno));
			return EXIT_FAILED;
		}
		given.drill.dir = given.drill.keep;
	} else if (mkdtemp(temporary)) {
		given.drill.dir = temporary;
	} else {
		say_about("/tmp", "%s", strerror(errno));
		return EXIT_FAILED;
	}
	rc = run_all(set);
	if (!given.drill.keep)
		rmdir(temporary);
	drill_free(&given.drill);
	return rc;
}

static bool parse_number(const char *text, long low, long high, int *out)
{
	char *end;
	long n = strtol(text, &end, 10);

	*out = (int)n;
	return *text && !*end && n >= low && n <= high;
}

static bool parse_detach(int count)
{
	const char *text = given.detach_text;
	int *detach = &given.detach;

	if (!text || !strcmp(text, "each"))
		*detach = DETACH_EACH;
	else if (!strcmp(text, "none"))
		*detach = DETACH_NONE;
	else if (!parse_number(text, 0, count - 1, detach)) {
		say_note("--detach is \"each\", \"none\" or a disk's number from 0 to %d, not "
			 "\"%s\"",
			 count - 1, text);
		return false;
	} else if (count == 1) {
		say_note("--detach %s would leave no disk", text);
		return false;
	}
	return true;
}

static bool parse_firmware(const char *text)
{
	given.bios = !strcmp(text, "bios");
	given.uefi = !strcmp(text, "uefi");
	if (!given.bios && !given.uefi)
		say_note("--firmware is bios or uefi, not \"%s\"", text);
	return given.bios || given.uefi;
}

enum { FIRMWARE = OPT_FIRST_OWN, DETACH, EXPECT, JSON, KEEP, TIMEOUT };

static bool option(int opt, const char *arg)
{
	switch (opt) {
	case FIRMWARE: return parse_firmware(arg);
	case DETACH: given.detach_text = arg; return true;
	case EXPECT: given.drill.expect = arg; return true;
	case JSON: given.json = true; return true;
	case KEEP: given.drill.keep = arg; return true;
	default:
		if (parse_number(arg, 1, 86400, &given.drill.timeout_s))
			return true;
		say_note("--timeout is a number of seconds, not \"%s\"", arg);
		return false;
	}
}

static const struct option options[] = {
	{"firmware", required_argument, 0, FIRMWARE},
	{"detach", required_argument, 0, DETACH},
	{"expect", required_argument, 0, EXPECT},
	{"json", no_argument, 0, JSON},
	{"keep", required_argument, 0, KEEP},
	{"timeout", required_argument, 0, TIMEOUT},
	COMMON_OPTIONS,
	{0},
};

const struct command cmd_drill = {
	.name = "drill",
	.args = "[--firmware bios|uefi] [--detach N|each|none] [--expect TEXT] DISK...",
	.summary = "boots the disks in QEMU, never writing to them, with each detached in turn",
	.help = "  --firmware F     bios or uefi (default: what is installed)\n"
		"  --detach X       a disk's number from 0: only that case; none; each (default)\n"
		"  --expect TEXT    a boot counts only when this is said, too\n"
		"  --json           for programs\n"
		"  --keep DIR       keep screenshots and what the machines said\n"
		"  --timeout S      seconds for each boot (default 60)\n",
	.short_options = "",
	.options = options,
	.option = option,
	.ready = parse_detach,
	.work = drill,
};
