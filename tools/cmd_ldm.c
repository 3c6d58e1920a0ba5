/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* The command lines of `mirrorboot ldm`. */
#include "tools/command.h"
#include "tools/ldm_job.h"
#include "tools/say.h"

#include <getopt.h>
#include <string.h>

enum { JSON = OPT_FIRST_OWN, SIZE, NAME, LETTER, TO, KEEP, LEG, GPT, FORCE };

static struct ldm_options ldm = {.leg = -1};

static bool read_size(const char *arg)
{
	if (command_size(arg, UINT64_MAX, &ldm.size_bytes) && !(ldm.size_bytes & 511))
		return true;
	say_note("--size is a number of bytes, with K, M, G or T after it if you like, and "
		 "a multiple of 512: not \"%s\"",
		 arg);
	return false;
}

static bool read_leg(const char *arg)
{
	if (arg[0] >= '0' && arg[0] <= '9' && !arg[1]) {
		ldm.leg = arg[0] - '0';
		return true;
	}
	say_note("--leg is the leg's number, as \"mirrorboot ldm show\" has it: not \"%s\"", arg);
	return false;
}

static bool read_name(const char *arg)
{
	size_t n = strlen(arg);

	for (size_t i = 0; i < n; i++)
		if (arg[i] <= ' ' || arg[i] > '~' || n > 24) {
			n = 0;
			break;
		}
	if (n == 0)
		say_note("--name has at most 24 letters, digits and signs, and no blanks");
	ldm.name = arg;
	return n > 0;
}

static bool read_letter(const char *arg)
{
	static char letter[3];

	if (((arg[0] | 32) < 'a' || (arg[0] | 32) > 'z') || (arg[1] && strcmp(arg + 1, ":"))) {
		say_note("--letter is a drive letter, not \"%s\"", arg);
		return false;
	}
	letter[0] = (char)(arg[0] & ~32);
	letter[1] = ':';
	ldm.letter = letter;
	return true;
}

static bool option(int opt, const char *arg)
{
	switch (opt) {
	case JSON: ldm.json = true; return true;
	case SIZE: return read_size(arg);
	case NAME: return read_name(arg);
	case LETTER: return read_letter(arg);
	case TO: ldm.to = arg; return true;
	case KEEP: ldm.keep = arg; return true;
	case LEG: return read_leg(arg);
	case GPT: ldm.gpt = true; return true;
	case FORCE: ldm.force = true; return true;
	default: ldm.yes = true; return true;
	}
}

static void named(const char *arg)
{
	ldm.volume = arg;
}

#define OPTION(name, arg, value)                                                                   \
	{                                                                                          \
		name, arg, 0, value                                                                \
	}
#define YES OPTION("yes", no_argument, 'y')

/* ---- show ---- */

static int show(struct hostset *set)
{
	return ldm_show(set, &ldm);
}

static const struct option show_options[] = {
	OPTION("json", no_argument, JSON), COMMON_OPTIONS, {0}};

const struct command cmd_ldm_show = {
	.name = "ldm show",
	.args = "[--json] DISK...",
	.summary = "lists dynamic disks and their volumes, as Disk Management does",
	.help = "  --json           for programs: stable names, see docs/ldm.md\n",
	.short_options = "",
	.options = show_options,
	.option = option,
	.work = show,
};

/* ---- create ---- */

static int create(struct hostset *set)
{
	return ldm_create(set, &ldm);
}

static bool create_ready(int disks)
{
	if (disks == 2)
		return true;
	say_note("a mirror is made of two disks, not %d", disks);
	command_usage(&cmd_ldm_create);
	return false;
}

static const struct option create_options[] = {YES,
					       OPTION("size", required_argument, SIZE),
					       OPTION("name", required_argument, NAME),
					       OPTION("letter", required_argument, LETTER),
					       OPTION("gpt", no_argument, GPT),
					       OPTION("force", no_argument, FORCE),
					       COMMON_OPTIONS,
					       {0}};

const struct command cmd_ldm_create = {
	.name = "ldm create",
	.args = "[--size N] [--name NAME] [--letter X] [--gpt] [--force] [--yes] DISK DISK",
	.summary = "makes two empty disks dynamic, with a mirrored volume",
	.help = "  --size N         of the volume: 500M, 20G (default: what there is room for)\n"
		"  --name NAME      of the volume (default: Volume1)\n"
		"  --letter X       drive letter that Windows should give it\n"
		"  --gpt            with a GPT (default: MBR)\n"
		"  --force          on disks that are not empty, too: what they hold is lost\n"
		"  -y, --yes        do not ask\n",
	.short_options = "y",
	.options = create_options,
	.writes = true,
	.option = option,
	.ready = create_ready,
	.work = create,
};

/* ---- add-mirror ---- */

static int add_mirror(struct hostset *set)
{
	return ldm_add_mirror(set, &ldm);
}

static const struct option add_options[] = {YES,
					    OPTION("to", required_argument, TO),
					    OPTION("gpt", no_argument, GPT),
					    OPTION("force", no_argument, FORCE),
					    COMMON_OPTIONS,
					    {0}};

#define PLACE_HELP                                                                                 \
	"  --to DISK        put it on this one of the disks\n"                                     \
	"  --gpt            a disk that is made dynamic gets a GPT (default: MBR)\n"               \
	"  --force          on a disk that is not empty, too: what it holds is lost\n"

const struct command cmd_ldm_add_mirror = {
	.name = "ldm add-mirror",
	.args = "[--to DISK] [--gpt] [--force] [--yes] VOLUME DISK...",
	.summary = "gives a simple volume a second leg, and copies its data there",
	.help = "  VOLUME           its name, drive letter or GUID; DISK: all disks of its group,\n"
		"                   and an empty one if that shall have the leg\n" PLACE_HELP
		"  -y, --yes        do not ask\n",
	.short_options = "y",
	.options = add_options,
	.writes = true,
	.option = option,
	.named = named,
	.work = add_mirror,
};

/* ---- break ---- */

static int break_mirror(struct hostset *set)
{
	return ldm_break(set, &ldm);
}

static const struct option break_options[] = {YES,
					      OPTION("leg", required_argument, LEG),
					      OPTION("name", required_argument, NAME),
					      COMMON_OPTIONS,
					      {0}};

const struct command cmd_ldm_break = {
	.name = "ldm break",
	.args = "[--leg N] [--name NAME] [--yes] VOLUME DISK...",
	.summary = "makes a mirror two simple volumes, each with the data",
	.help = "  --leg N          the leg that becomes the new volume (default: the last)\n"
		"  --name NAME      of the new volume\n"
		"  -y, --yes        do not ask\n",
	.short_options = "y",
	.options = break_options,
	.writes = true,
	.option = option,
	.named = named,
	.work = break_mirror,
};

/* ---- remove ---- */

static int remove_leg(struct hostset *set)
{
	return ldm_remove(set, &ldm);
}

static bool remove_ready(int disks)
{
	if (ldm.leg >= 0)
		return true;
	say_note("which leg goes must be said: --leg N");
	return false;
}

static const struct option remove_options[] = {
	YES, OPTION("leg", required_argument, LEG), COMMON_OPTIONS, {0}};

const struct command cmd_ldm_remove = {
	.name = "ldm remove",
	.args = "--leg N [--yes] VOLUME DISK...",
	.summary = "takes a leg away from a mirror; its space becomes unallocated",
	.help = "  --leg N          the leg's number, as \"ldm show\" has it\n"
		"  -y, --yes        do not ask\n",
	.short_options = "y",
	.options = remove_options,
	.writes = true,
	.option = option,
	.named = named,
	.ready = remove_ready,
	.work = remove_leg,
};

/* ---- repair ---- */

static int repair(struct hostset *set)
{
	return ldm_repair(set, &ldm);
}

static const struct option repair_options[] = {YES,
					       OPTION("to", required_argument, TO),
					       OPTION("keep", required_argument, KEEP),
					       OPTION("gpt", no_argument, GPT),
					       OPTION("force", no_argument, FORCE),
					       COMMON_OPTIONS,
					       {0}};

const struct command cmd_ldm_repair = {
	.name = "ldm repair",
	.args = "[--to DISK] [--keep DISK] [--gpt] [--force] [--yes] VOLUME DISK...",
	.summary = "gives a mirror a good second leg again: in place, or on another disk",
	.help = PLACE_HELP
	"  --keep DISK      where databases of the same transaction differ: this one is right\n"
	"  -y, --yes        do not ask\n",
	.short_options = "y",
	.options = repair_options,
	.writes = true,
	.option = option,
	.named = named,
	.work = repair,
};
