/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tools/command.h"
#include "tools/drill.h"
#include "tools/esp_busy.h"
#include "tools/ourdisks.h"
#include "tools/say.h"
#include "tools/shellword.h"
#include "tools/stop.h"
#include "tools/sysblock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MEMORY_MIB     1024 /* a distribution's kernel and its initramfs want it */
#define MEMORY_MIN_MIB 256

enum { EACH = -1, NONE = -2 };

/* Which disks a kind of case is for: --detach, --unreadable, --only. */
struct choice {
	const char *option, *text; /* text: as typed, or NULL */
	int disk;                  /* or EACH, NONE */
};

/* What the options say. */
static struct {
	bool bios, uefi; /* --firmware; neither: as installed */
	struct choice choice[DRILL_KINDS];
	bool json;
	struct drill drill;
} given = {
	.choice =
		{
			[DRILL_WITHOUT] = {.option = "--detach"},
			[DRILL_UNREADABLE] = {.option = "--unreadable"},
			[DRILL_ONLY] = {.option = "--only"},
		},
	.drill = {.timeout_s = 60},
};

static bool parse_number(const char *text, long low, long high, int *out)
{
	char *end;
	long n;

	errno = 0;
	n = strtol(text, &end, 10);
	*out = (int)n;
	return *text && !*end && !errno && n >= low && n <= high;
}

/* A disk by its number, or as it is named in the command. */
static bool parse_disk(const char *text, char **path, int count, int *disk)
{
	if (parse_number(text, 0, count - 1, disk))
		return true;
	for (*disk = 0; *disk < count; ++*disk)
		if (!strcmp(path[*disk], text))
			return true;
	return false;
}

static bool parse_choice(struct choice *c, char **path, int count)
{
	if (!strcmp(c->text, "each"))
		c->disk = EACH;
	else if (!strcmp(c->text, "none"))
		c->disk = NONE;
	else if (!parse_disk(c->text, path, count, &c->disk)) {
		say_note("%s is \"each\", \"none\", one of the disks or its number from 0 to %d, "
			 "not \"%s\"",
			 c->option, count - 1, c->text);
		return false;
	} else if (count == 1 && c != &given.choice[DRILL_ONLY]) {
		say_note("%s %s would leave no disk", c->option, c->text);
		return false;
	}
	return true;
}

/* With one disk named for a kind of case, nothing else is done but what is asked for. */
static bool parse_choices(char **path, int count)
{
	bool one = false;

	for (unsigned i = DRILL_ALL + 1; i < DRILL_KINDS; i++) {
		struct choice *c = &given.choice[i];

		if (c->text && !parse_choice(c, path, count))
			return false;
		one |= c->text && c->disk >= 0;
	}
	for (unsigned i = DRILL_ALL; i < DRILL_KINDS; i++)
		if (!given.choice[i].text)
			given.choice[i].disk = one ? NONE : EACH;
	/* A system may well need more than one disk to come up: only as far as the next loader. */
	if (!given.choice[DRILL_ONLY].text && (count < 3 || given.drill.expect))
		given.choice[DRILL_ONLY].disk = NONE;
	return true;
}

static void plan_case(struct drill *d, bool uefi, enum drill_kind kind, unsigned disk)
{
	d->c[d->planned++] = (struct drill_case){.uefi = uefi, .kind = (uint8_t)kind, .disk = disk};
}

static void plan(struct drill *d, const struct verify *v, bool uefi)
{
	if (given.choice[DRILL_ALL].disk == EACH)
		plan_case(d, uefi, DRILL_ALL, 0);
	for (unsigned kind = DRILL_ALL + 1; kind < DRILL_KINDS; kind++) {
		int disk = given.choice[kind].disk;

		for (unsigned i = 0; i < d->set->count; i++) {
			bool each = disk == EACH && d->set->count > 1 &&
				    (kind != DRILL_ONLY || drill_should_start(d, v, i));

			if (each || (int)i == disk)
				plan_case(d, uefi, kind, i);
		}
	}
}

/* Which firmware, and is all there that is needed? */
static bool check(const struct verify *v)
{
	bool asked = given.bios || given.uefi;
	const char *missing;

	if (!asked) {
		given.bios = v->bios;
		given.uefi = v->uefi;
	}
	if (!given.bios && !given.uefi) {
		say_note("mirrorboot is not installed on these disks: run \"mirrorboot install\" "
			 "first");
		return false;
	}
	if (!qemu_available(given.uefi, &missing)) {
		say_note("%s", missing);
		return false;
	}
	if (given.bios ? !v->bios : !v->uefi)
		say_note("mirrorboot is not installed for %s on any of these disks",
			 given.bios ? "BIOS" : "UEFI");
	return true;
}

static void say_in_use(const struct hostset *set)
{
	for (unsigned i = 0; i < set->count; i++) {
		const struct hostdisk *h = &set->host[i];
		char *where = NULL;

		if (sysblock_mounted(h, 0, h->bytes, &where) || esp_busy(h, 0))
			say_about(
				h->path,
				"is in use: what is written to it meanwhile may reach the machine "
				"that is booted half done");
		free(where);
	}
}

/* As much as asked for; else what is usual, but not more than half of what there is. */
static int memory_mib(void)
{
	FILE *f = fopen("/proc/meminfo", "re");
	char line[128];
	long long kib = 0, mib = MEMORY_MIB;

	while (f && !kib && fgets(line, sizeof(line), f))
		if (sscanf(line, "MemAvailable: %lld kB", &kib) == 1 && kib / 2048 < mib)
			mib = kib / 2048;
	if (f)
		fclose(f);
	return (int)(mib < MEMORY_MIN_MIB ? MEMORY_MIN_MIB : mib);
}

static int run_all(struct drill *d)
{
	if (d->table)
		drill_print_findings(d);
	while (d->count < d->planned)
		if (!drill_run_next(d))
			return EXIT_FAILED;
	if (d->table)
		drill_print_end(d);
	else
		drill_print_json(d);
	return drill_is_fine(d) ? EXIT_DONE : EXIT_DEGRADED;
}

static bool make_folder(struct drill *d, char temporary[PATH_MAX])
{
	const char *tmp = getenv("TMPDIR");

	if (d->keep && mkdir(d->keep, 0777) && errno != EEXIST) {
		say_about(d->keep, "%s", strerror(errno));
		return false;
	}
	d->dir = d->keep ? d->keep : temporary;
	if (d->keep)
		return true;
	tmp = tmp && *tmp ? tmp : "/tmp";
	snprintf(temporary, PATH_MAX, "%s/mirrorboot-drill-XXXXXX", tmp);
	if (mkdtemp(temporary))
		return true;
	say_about(tmp, "%s", strerror(errno));
	return false;
}

static void remove_folder(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *e;

	while (d && (e = readdir(d)))
		unlinkat(fd, e->d_name, 0);
	if (d)
		closedir(d);
	rmdir(dir);
}

static int drill(struct hostset *set)
{
	struct drill *d = &given.drill;
	char temporary[PATH_MAX];
	struct verify *v;
	int rc = EXIT_FAILED;

	if (hostset_survey(set) != EXIT_DONE)
		return EXIT_FAILED;
	v = verify_new(set, false);
	if (!v)
		return EXIT_FAILED;
	stop_watch();
	d->set = set;
	d->paths = shellword_disks(set, UINT32_MAX);
	d->table = !given.json;
	if (!d->memory_mib)
		d->memory_mib = memory_mib();
	if (check(v) && make_folder(d, temporary)) {
		say_in_use(set);
		drill_faults_find(d, v,
				  (given.bios ? DRILL_BIOS : 0) | (given.uefi ? DRILL_UEFI : 0));
		if (given.bios)
			plan(d, v, false);
		if (given.uefi)
			plan(d, v, true);
		rc = run_all(d);
		if (!d->keep)
			remove_folder(temporary);
	}
	verify_free(v);
	drill_free(d);
	return rc;
}

static int none(const char *why, int status)
{
	say_note("%s", why);
	return status;
}

static int run(char **arg, int count, unsigned sector_bytes)
{
	static const struct ourdisks o = {.named = parse_choices, .work = drill, .none = none};

	return ourdisks_work(&o, arg, count, sector_bytes);
}

static bool parse_firmware(const char *text)
{
	given.bios = !strcmp(text, "bios");
	given.uefi = !strcmp(text, "uefi");
	if (!given.bios && !given.uefi)
		say_note("--firmware is bios or uefi, not \"%s\"", text);
	return given.bios || given.uefi;
}

static bool parse_bounded(const char *option, const char *unit, const char *text, int low, int high,
			  int *out)
{
	if (parse_number(text, low, high, out))
		return true;
	say_note("%s is a number of %s from %d to %d, not \"%s\"", option, unit, low, high, text);
	return false;
}

enum { FIRMWARE = OPT_FIRST_OWN, DETACH, UNREADABLE, ONLY, EXPECT, JSON, KEEP, MEMORY, TIMEOUT };

static bool option(int opt, const char *arg)
{
	switch (opt) {
	case FIRMWARE: return parse_firmware(arg);
	case DETACH: given.choice[DRILL_WITHOUT].text = arg; return true;
	case UNREADABLE: given.choice[DRILL_UNREADABLE].text = arg; return true;
	case ONLY: given.choice[DRILL_ONLY].text = arg; return true;
	case EXPECT: given.drill.expect = arg; return true;
	case JSON: given.json = true; return true;
	case KEEP: given.drill.keep = arg; return true;
	case MEMORY:
		return parse_bounded("--memory", "MiB", arg, 64, 1 << 20, &given.drill.memory_mib);
	default:
		return parse_bounded("--timeout", "seconds", arg, 1, 86400, &given.drill.timeout_s);
	}
}

static const struct option options[] = {
	{"firmware", required_argument, 0, FIRMWARE},
	{"detach", required_argument, 0, DETACH},
	{"unreadable", required_argument, 0, UNREADABLE},
	{"only", required_argument, 0, ONLY},
	{"expect", required_argument, 0, EXPECT},
	{"json", no_argument, 0, JSON},
	{"keep", required_argument, 0, KEEP},
	{"memory", required_argument, 0, MEMORY},
	{"timeout", required_argument, 0, TIMEOUT},
	COMMON_OPTIONS,
	{0},
};

const struct command cmd_drill = {
	.name = "drill",
	.args = "[--firmware bios|uefi] [--detach X] [--unreadable X] [--only X] [--expect TEXT] "
		"[DISK...]",
	.summary =
		"boots the disks in QEMU, never writing to them: all, then each in turn detached "
		"and unreadable",
	.help = "  DISK             (default: those of this machine that mirrorboot is installed "
		"on,\n"
		"                   and the others of their mirrors)\n"
		"  --firmware F     bios or uefi (default: what is installed)\n"
		"  --detach X       boots without this disk (its path, or its number from 0);\n"
		"                   none; each (default)\n"
		"  --unreadable X   boots with every read of this disk failing; none; each "
		"(default)\n"
		"  --only X         boots with this disk alone; none; each (default for three "
		"disks\n"
		"                   and more, without --expect). With one disk named for one of\n"
		"                   these three options, nothing else is booted\n"
		"  --expect TEXT    a boot counts only when this is said, too\n"
		"  --json           for programs\n"
		"  --keep DIR       keep screenshots and what the machines said\n"
		"  --memory MIB     memory of the machine (default 1024, or half of what is free)\n"
		"  --timeout S      seconds for each boot (default 60)\n",
	.short_options = "",
	.options = options,
	.option = option,
	.no_disks = true,
	.work_on = run,
};
