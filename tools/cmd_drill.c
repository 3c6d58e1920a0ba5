/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tools/command.h"
#include "tools/drill.h"
#include "tools/job.h"
#include "tools/say.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DETACH_EACH = -1, DETACH_NONE = -2 };

struct options {
	bool bios, uefi; /* --firmware; neither: as installed */
	int detach;
	bool json;
	struct drill drill;
};

/* Which firmware the disks are prepared for. */
static void find_firmware(struct options *o, struct hostset *set)
{
	struct jobs *jobs = jobs_new(set);

	for (unsigned i = 0; jobs && i < jobs->count; i++) {
		struct job *j = &jobs->job[i];

		if (j->disk->shift == 9 && installed_read(j->disk, &j->boot.old) == ST_OK)
			o->bios |= j->boot.old.ours;
		o->uefi |= esp_look(&j->esp, j->host, j->disk) && esp_is_installed(&j->esp);
	}
	jobs_free(jobs);
}

static bool check(struct options *o, struct hostset *set)
{
	const char *missing;

	if (!o->bios && !o->uefi)
		find_firmware(o, set);
	if (!o->bios && !o->uefi) {
		say_note("mirrorboot is not installed on these disks: run \"mirrorboot install\" "
			 "first");
		return false;
	}
	if (!qemu_available(o->uefi, &missing)) {
		say_note("%s", missing);
		return false;
	}
	return true;
}

static int run_all(struct options *o, struct hostset *set)
{
	struct drill *d = &o->drill;
	bool each = o->detach == DETACH_EACH && set->count > 1;

	for (int firmware = 0; firmware < 2; firmware++) {
		bool uefi = firmware == 1;

		if (!(uefi ? o->uefi : o->bios))
			continue;
		if (o->detach < 0 && !drill_case(d, set, uefi, QEMU_ALL))
			return EXIT_FAILED;
		for (unsigned i = 0; i < set->count; i++)
			if ((each || (int)i == o->detach) && !drill_case(d, set, uefi, i))
				return EXIT_FAILED;
	}
	if (o->json)
		drill_json(d, set);
	else
		drill_table_end(d);
	return drill_failed(d) ? EXIT_DEGRADED : EXIT_DONE;
}

static int drill(struct options *o, struct hostset *set)
{
	char temporary[] = "/tmp/mirrorboot-drill-XXXXXX";
	int rc;

	if (hostset_survey(set) != EXIT_DONE || !check(o, set))
		return EXIT_FAILED;
	o->drill.table = !o->json;
	if (o->drill.keep) {
		if (mkdir(o->drill.keep, 0777) && errno != EEXIST) {
			say_about(o->drill.keep, "%s", strerror(errno));
			return EXIT_FAILED;
		}
		o->drill.dir = o->drill.keep;
	} else if (mkdtemp(temporary)) {
		o->drill.dir = temporary;
	} else {
		say_about("/tmp", "%s", strerror(errno));
		return EXIT_FAILED;
	}
	rc = run_all(o, set);
	if (!o->drill.keep)
		rmdir(temporary);
	drill_free(&o->drill);
	return rc;
}

static bool parse_number(const char *text, long low, long high, int *out)
{
	char *end;
	long n = strtol(text, &end, 10);

	*out = (int)n;
	return *text && !*end && n >= low && n <= high;
}

static bool parse_detach(const char *text, int count, int *detach)
{
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

static bool parse_firmware(const char *text, struct options *o)
{
	o->bios = !strcmp(text, "bios");
	o->uefi = !strcmp(text, "uefi");
	if (!o->bios && !o->uefi)
		say_note("--firmware is bios or uefi, not \"%s\"", text);
	return o->bios || o->uefi;
}

static int run(const struct command *c, int argc, char **argv)
{
	enum { FIRMWARE = OPT_FIRST_OWN, DETACH, EXPECT, JSON, KEEP, TIMEOUT };
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
	struct options o = {.drill = {.timeout_s = 60}};
	const char *detach = NULL;
	unsigned sector_size = 512;
	struct hostset *set;
	int opt, rc;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1)
		switch (opt) {
		case FIRMWARE:
			if (!parse_firmware(optarg, &o))
				return EXIT_USAGE;
			break;
		case DETACH: detach = optarg; break;
		case EXPECT: o.drill.expect = optarg; break;
		case JSON: o.json = true; break;
		case KEEP: o.drill.keep = optarg; break;
		case TIMEOUT:
			if (!parse_number(optarg, 1, 86400, &o.drill.timeout_s)) {
				say_note("--timeout is a number of seconds, not \"%s\"", optarg);
				return EXIT_USAGE;
			}
			break;
		case OPT_SECTOR_SIZE:
			sector_size = command_sector_size(optarg);
			if (!sector_size)
				return EXIT_USAGE;
			break;
		case OPT_HELP: return command_help(c);
		default: return command_usage(c);
		}
	if (optind == argc)
		return command_usage(c);
	if (!parse_detach(detach, argc - optind, &o.detach))
		return EXIT_USAGE;
	set = hostset_open(argv + optind, argc - optind, sector_size, false, &rc);
	if (!set)
		return rc;
	rc = drill(&o, set);
	hostset_close(set);
	return rc;
}

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
	.run = run,
};
