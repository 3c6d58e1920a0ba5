/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* The command lines of `mirrorboot entries`. */
#include "tools/command.h"
#include "tools/entries_job.h"
#include "tools/esp_place.h"
#include "tools/say.h"
#include "common/ucs2.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum { JSON = OPT_FIRST_OWN, EFIVARS, RECORD, FROM, TO, APPEND, DESCRIPTION, LAST, ID, ON, FORCE };

static struct entries_options entries;

/* As the commands of many systems print it; braces, as Windows has them, may be around it. */
static bool take_guid(const char *arg, struct guid *guid)
{
	size_t n = strlen(arg);
	bool braces = n > 2 && arg[0] == '{' && arg[n - 1] == '}';

	return guid_from_text_gpt(guid, arg + braces, n - (braces ? 2 : 0));
}

static bool names_a_file(const char *arg)
{
	const char *colon = strrchr(arg, ':');
	char *path = strndup(arg, colon ? (size_t)(colon - arg) : strlen(arg));
	bool found = path && (!access(arg, F_OK) || !access(path, F_OK));

	free(path);
	return found;
}

/* The EFI system partition of a disk, or DISK:NUMBER. False: said. */
static bool guid_of_esp(const char *arg, struct guid *guid)
{
	char *args[] = {(char *)arg};
	int rc;
	struct esp_places *ps = esp_places_open(args, 1, 0, 1, &rc);
	bool found = ps && esp_place_find(&ps->place[0], false);

	if (found) {
		*guid = ps->place[0].uuid;
		found = !guid_is_zero(guid);
		if (!found)
			say_about(arg, "it has no partition GUID");
	}
	if (ps)
		esp_places_close(ps);
	return found;
}

static bool read_guid(const char *option, const char *arg, struct guid *guid, bool *has)
{
	*has = take_guid(strncasecmp(arg, "PARTUUID=", 9) ? arg : arg + 9, guid);
	if (*has)
		return true;
	if (names_a_file(arg)) {
		*has = guid_of_esp(arg, guid);
		return *has;
	}
	say_note("%s wants the GUID of a partition (lsblk -o NAME,PARTUUID shows it), or the disk "
		 "whose EFI system partition it is, not \"%s\"",
		 option, arg);
	return false;
}

static bool read_id(const char *arg)
{
	const char *digits = strncmp(arg, "Boot", 4) ? arg : arg + 4;
	char *end;
	unsigned long n = strtoul(digits, &end, 16);

	if (strlen(digits) != 4 || *end || strspn(digits, "0123456789abcdefABCDEF") != 4) {
		say_note("--id wants the four digits of an entry, as \"entries list\" has them: "
			 "not \"%s\"",
			 arg);
		return false;
	}
	if (entries.want.ids == NVVERB_IDS) {
		say_note("more than %d entries were named", NVVERB_IDS);
		return false;
	}
	entries.want.id[entries.want.ids++] = (unsigned)n;
	return true;
}

static bool read_text(const char *option, const char *arg, struct nvtext *text)
{
	uint16_t *unit = malloc(NVPLAN_NAME_UNITS * sizeof(*unit));

	if (!unit)
		abort();
	text->unit = unit; /* for as long as the program runs */
	if (strlen(arg) <= NVPLAN_NAME_UNITS && *arg &&
	    ucs2_from_utf8(arg, strlen(arg), unit, NVPLAN_NAME_UNITS, &text->units))
		return true;
	say_note("%s wants a text in UTF-8 of at most %d bytes", option, NVPLAN_NAME_UNITS);
	return false;
}

static bool option(int opt, const char *arg)
{
	struct entries_options *o = &entries;
	struct nvwant *w = &o->want;

	switch (opt) {
	case JSON: o->json = true; return true;
	case EFIVARS: o->efivars = arg; return true;
	case RECORD: o->record = arg; return true;
	case FROM: return read_guid("--from", arg, &w->from, &w->has_from);
	case TO: return read_guid("--to", arg, &w->to, &w->has_to);
	case APPEND: return read_text("--append", arg, &w->append);
	case DESCRIPTION: return read_text("--description", arg, &w->name);
	case LAST: w->last = true; return true;
	case ID: return read_id(arg);
	case ON: return read_guid("--on", arg, &w->on, &w->has_on);
	case FORCE: w->force = true; return true;
	default: o->yes = true; return true;
	}
}

#define OPTION(name, arg, value)                                                                   \
	{                                                                                          \
		name, arg, 0, value                                                                \
	}
#define READING                                                                                    \
	OPTION("json", no_argument, JSON), OPTION("efivars", required_argument, EFIVARS),          \
		OPTION("record", required_argument, RECORD)
#define WRITING READING, OPTION("yes", no_argument, 'y')

#define DISK_HELP "  DISK             where to look for partitions (default: libblkid finds them)\n"
#define FOLDER_HELP                                                                                \
	"  --efivars DIR    a folder of variables, as efivarfs has them\n"                         \
	"  --record FILE    what clone wrote, for repair (default: see docs/entries.md)\n"
#define WRITE_HELP                                                                                 \
	FOLDER_HELP "  --json           for programs; without --yes the plan only\n"               \
		    "  -y, --yes        do not ask\n"

static int work(struct hostset *set, int (*verb)(struct entries_job *j))
{
	struct entries_job j;
	int rc = EXIT_FAILED;

	if (entries_job_open(&j, &entries, set))
		rc = verb(&j);
	entries_job_close(&j);
	return rc;
}

/* ---- list ---- */

static int list(struct hostset *set)
{
	entries.reading = true;
	return work(set, entries_list_run);
}

static const struct option list_options[] = {READING, COMMON_OPTIONS, {0}};

const struct command cmd_entries_list = {
	.name = "entries list",
	.args = "[--json] [--efivars DIR] [DISK...]",
	.summary = "lists the firmware's boot entries, and the partitions that they lead to",
	.help = DISK_HELP FOLDER_HELP "  --json           for programs: see docs/entries.md\n",
	.short_options = "",
	.options = list_options,
	.no_disks = true,
	.option = option,
	.work = list,
};

/* ---- clone ---- */

static int clone(struct hostset *set)
{
	return work(set, entries_clone_run);
}

static bool clone_ready(int disks)
{
	if (!entries.want.has_from || !entries.want.has_to)
		say_note("which partition's entries are to be cloned for which must be said: "
			 "--from and --to");
	else if (guid_equal(&entries.want.from, &entries.want.to))
		say_note("--from and --to are the same partition");
	else
		return true;
	return false;
}

static const struct option clone_options[] = {WRITING,
					      OPTION("from", required_argument, FROM),
					      OPTION("to", required_argument, TO),
					      OPTION("append", required_argument, APPEND),
					      OPTION("last", no_argument, LAST),
					      COMMON_OPTIONS,
					      {0}};

const struct command cmd_entries_clone = {
	.name = "entries clone",
	.args = "--from ESP --to ESP [--append TEXT] [--last] [--yes] [DISK...]",
	.summary = "clones the boot entries of one EFI system partition for another",
	.help = "  --from, --to     the partitions: GUID, DISK:NUMBER, or DISK for its ESP\n"
		"  --append TEXT    behind the names of the new ones (default: (mirror))\n"
		"  --last           at the end of the boot order, as bootcfg put them\n"
		"                   (default: each right behind its original)\n" DISK_HELP
			WRITE_HELP,
	.short_options = "y",
	.options = clone_options,
	.no_disks = true,
	.option = option,
	.ready = clone_ready,
	.work = clone,
};

/* ---- mirror ---- */

static int mirror(struct hostset *set)
{
	return work(set, entries_mirror_run);
}

static bool mirror_ready(int disks)
{
	if (!entries.want.has_to)
		say_note("for which partition must be said: --add");
	return entries.want.has_to;
}

static const struct option mirror_options[] = {
	WRITING,
	OPTION("add", required_argument, TO),
	OPTION("description", required_argument, DESCRIPTION),
	OPTION("append", required_argument, APPEND),
	OPTION("last", no_argument, LAST),
	COMMON_OPTIONS,
	{0}};

const struct command cmd_entries_mirror = {
	.name = "entries mirror",
	.args = "--add ESP [--description TEXT] [--last] [--yes] [DISK...]",
	.summary = "adds a boot entry: the loader in use, on another EFI system partition",
	.help = "  --add ESP        the partition: GUID, DISK:NUMBER, or DISK for its ESP\n"
		"  --description    the entry's name (default: the old one and \"(mirror)\")\n"
		"  --append TEXT    instead of \"(mirror)\"\n"
		"  --last           at the end of the boot order\n" DISK_HELP WRITE_HELP,
	.short_options = "y",
	.options = mirror_options,
	.no_disks = true,
	.option = option,
	.ready = mirror_ready,
	.work = mirror,
};

/* ---- delete ---- */

static int delete (struct hostset *set)
{
	return work(set, entries_delete_run);
}

static bool delete_ready(int disks)
{
	if (!entries.want.ids && !entries.want.has_on)
		say_note("which ones must be said: --id or --on");
	return entries.want.ids || entries.want.has_on;
}

static const struct option delete_options[] = {WRITING,
					       OPTION("id", required_argument, ID),
					       OPTION("on", required_argument, ON),
					       OPTION("force", no_argument, FORCE),
					       COMMON_OPTIONS,
					       {0}};

const struct command cmd_entries_delete = {
	.name = "entries delete",
	.args = "{--id XXXX | --on ESP}... [--yes]",
	.summary = "removes boot entries, and takes them off the record",
	.help = "  --id XXXX        this one; may be said again\n"
		"  --on ESP         all that lead to this partition\n"
		"  --force          even if the boot order is empty then\n" WRITE_HELP,
	.short_options = "y",
	.options = delete_options,
	.no_disks = true,
	.option = option,
	.ready = delete_ready,
	.work = delete,
};

/* ---- repair ---- */

static int repair(struct hostset *set)
{
	return work(set, entries_repair_run);
}

static const struct option repair_options[] = {WRITING, COMMON_OPTIONS, {0}};

const struct command cmd_entries_repair = {
	.name = "entries repair",
	.args = "[--yes] [DISK...]",
	.summary = "brings back boot entries that the firmware deleted",
	.help = DISK_HELP WRITE_HELP,
	.short_options = "y",
	.options = repair_options,
	.no_disks = true,
	.option = option,
	.work = repair,
};
