/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* esp clone, diff, status, verify: EFI system partitions kept in step. */
#include "tools/command.h"
#include "tools/esp_clone.h"
#include "tools/esp_drift.h"
#include "tools/esp_follow.h"
#include "tools/esp_policy.h"
#include "tools/esp_state.h"
#include "tools/jsontext.h"
#include "tools/say.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	JSON = OPT_FIRST_OWN,
	EXCLUDE,
	INCLUDE,
	CREATE,
	FORMAT,
	FORCE,
	KEEP,
	LEAVE_SOURCE,
	SIZE,
	ENABLED,
	UNATTENDED,
	ROOT
};

static struct esp_clone_options esp;
static bool enabled, unattended;
static const char *root; /* where /etc/mirrorboot is */

static bool read_size(const char *arg)
{
	if (command_size(arg, UINT64_MAX >> 1, &esp.size_bytes))
		return true;
	say_note("--size is a number of bytes, with K, M, G or T after it if you like: not \"%s\"",
		 arg);
	return false;
}

static bool option(int opt, const char *arg)
{
	switch (opt) {
	case JSON: esp.json = true; return true;
	case EXCLUDE: return esp_policy_add(ESP_LEFT, arg);
	case INCLUDE: return esp_policy_add(ESP_INCLUDED, arg);
	case CREATE: esp.create = true; return true;
	case FORMAT: esp.format = true; return true;
	case FORCE: esp.force = true; return true;
	case KEEP: esp.keep_extra = true; return true;
	case LEAVE_SOURCE: esp.leave_source = true; return true;
	case SIZE: return read_size(arg);
	case ENABLED: enabled = true; return true;
	case UNATTENDED: unattended = true; return true;
	case ROOT: root = arg; return true;
	default: esp.yes = true; return true;
	}
}

#define OPTION(name, arg, value)                                                                   \
	{                                                                                          \
		name, arg, 0, value                                                                \
	}

#define WHICH                                                                                      \
	"  ESP              a disk or image that has one, an image of one, a "                     \
	"partition's "                                                                             \
	"device,\n"                                                                                \
	"                   DISK:NUMBER, DISK:GUID or PARTUUID=GUID\n"
#define RULES                                                                                      \
	"  --exclude PATH   leave this file or folder alone, on all sides (* and ? "               \
	"may be in "                                                                               \
	"it)\n"                                                                                    \
	"  --include PATH   clone it although it is left alone otherwise\n"
#define ROOT_HELP "  --root DIR       the files of the system (/etc/mirrorboot) in this folder\n"
#define JSON_HELP "  --json           for programs: stable names, see docs/esp.md\n"

/* ---- clone ---- */

static int ask_and_write(struct esp_clone *c)
{
	bool asked = true, done;

	if (!esp.json)
		esp_clone_print(c);
	if (!c->renew_source && c->renewal.source && !esp.leave_source)
		say_about(c->from.place->arg,
			  "its manifest is not up to date, and is not written here (it is "
			  "read-only, "
			  "or a leg of a mirror): \"mirrorboot esp manifest\" does it");
	if (esp_clone_is_empty(c)) {
		for (unsigned i = 0; i < c->count; i++)
			c->result[i] = ESP_IN_STEP;
		if (esp.json)
			esp_clone_print_json(c);
		else
			printf("All are in step; nothing was written.\n");
		return EXIT_DONE;
	}
	if (!esp.yes && !say_ask("Write this?", &asked)) {
		say_note(asked ? "nothing was written"
			       : "there is no terminal to ask on: say --yes; nothing was written");
		return asked ? EXIT_FAILED : EXIT_USAGE;
	}
	done = esp_clone_write(c);
	if (esp.json)
		esp_clone_print_json(c);
	return done ? EXIT_DONE : EXIT_FAILED;
}

/* False: said, or nothing is enabled; *rc is set. */
static bool read_conf(struct esp_conf *c, int *rc)
{
	enum status st;

	esp_conf_init(c, root);
	st = esp_conf_read(c);
	*rc = EXIT_FAILED;
	if (st == ST_OK && esp_conf_use_rules(c))
		return true;
	if (st == ST_ABSENT && unattended) {
		printf("Nothing is enabled.\n"); /* any more: it was when this was called */
		*rc = EXIT_DONE;
	} else if (st == ST_ABSENT) {
		say_note("nothing is enabled: name EFI system partitions, or see \"mirrorboot esp "
			 "enable --help\"");
		*rc = EXIT_USAGE;
	}
	esp_conf_free(c);
	return false;
}

static int clone_esps(char **arg, int count, unsigned sector_bytes);

/* What esp.conf names, as if it had been named here. */
static int clone_enabled(void)
{
	struct esp_follow_set s;
	struct esp_conf c;
	int rc;

	if (!read_conf(&c, &rc))
		return rc;
	if (unattended) {
		rc = esp_follow(&c);
		esp_conf_free(&c);
		return rc;
	}
	esp.keep_extra |= c.keep_extra;
	esp_follow_set(&s, &c);
	rc = EXIT_FAILED;
	if (s.arg[0] && s.count > 1)
		rc = clone_esps(s.arg, (int)s.count, 0);
	else
		say_note("nothing was written");
	if (rc == EXIT_DONE && s.missing)
		rc = EXIT_DEGRADED;
	esp_follow_free(&s);
	esp_conf_free(&c);
	return rc;
}

static int clone_named(char **arg, int count, unsigned sector_bytes)
{
	if (!enabled && !unattended)
		return clone_esps(arg, count, sector_bytes);
	if (!count)
		return clone_enabled();
	say_note("--enabled and --unattended name source and targets: name no others");
	return EXIT_USAGE;
}

static int clone_esps(char **arg, int count, unsigned sector_bytes)
{
	static struct esp_clone c;
	int rc;

	if (count < 2) {
		say_note("a source and at least one target are needed");
		return EXIT_USAGE;
	}
	if (esp.json && !esp.yes) {
		say_note("--json asks nothing: say --yes, too");
		return EXIT_USAGE;
	}
	c.options = &esp;
	c.places = esp_places_open(arg, count, sector_bytes, 1, &rc);
	if (!c.places)
		return rc;
	if (esp_clone_plan(&c)) {
		rc = ask_and_write(&c);
	} else {
		say_note("nothing was written");
		rc = EXIT_FAILED;
	}
	esp_clone_free(&c);
	esp_places_close(c.places);
	return rc;
}

static const struct option clone_options[] = {OPTION("yes", no_argument, 'y'),
					      OPTION("json", no_argument, JSON),
					      OPTION("exclude", required_argument, EXCLUDE),
					      OPTION("include", required_argument, INCLUDE),
					      OPTION("create", no_argument, CREATE),
					      OPTION("size", required_argument, SIZE),
					      OPTION("format", no_argument, FORMAT),
					      OPTION("keep-extra", no_argument, KEEP),
					      OPTION("leave-source", no_argument, LEAVE_SOURCE),
					      OPTION("force", no_argument, FORCE),
					      OPTION("enabled", no_argument, ENABLED),
					      OPTION("unattended", no_argument, UNATTENDED),
					      OPTION("root", required_argument, ROOT),
					      COMMON_OPTIONS,
					      {0}};

const struct command cmd_esp_clone = {
	.name = "esp clone",
	.args = "[OPTION...] SOURCE TARGET...",
	.summary = "makes EFI system partitions hold the files of another one",
	.help = WHICH "Only what differs is written; what the source has not is "
		      "deleted. A target boots at\n"
		      "every moment: each file is the old or the new one.\n\n" RULES
		      "  --keep-extra     delete nothing\n"
		      "  --create         make an EFI system partition in free "
		      "space of a target's GPT\n"
		      "  --size N         of the one that is made: 500M, 1G "
		      "(default: as large as the source)\n"
		      "  --format         make a new file system on the targets: "
		      "what is in it is lost\n"
		      "  --leave-source   do not write the source's manifest when "
		      "it is out of date\n"
		      "  --force          although a target is newer, or the "
		      "source was not unmounted\n"
		      "  --enabled        source and targets are those of \"esp "
		      "enable\"\n"
		      "  --unattended     the same, as systemd and hooks run it: "
		      "each target by itself,\n"
		      "                   and nothing that a person should be "
		      "asked about\n" ROOT_HELP "  -y, --yes        do not ask\n" JSON_HELP,
	.short_options = "y",
	.options = clone_options,
	.no_disks = true,
	.option = option,
	.work_on = clone_named,
};

/* ---- reading only ---- */

static int read_only(char **arg, int count, unsigned sector_bytes,
		     int (*work)(struct esp_places *ps, bool json))
{
	struct esp_places *ps;
	int rc;

	ps = esp_places_open(arg, count, sector_bytes, ESP_PLACES, &rc);
	if (!ps)
		return rc;
	rc = work(ps, esp.json);
	esp_places_close(ps);
	return rc;
}

static int diff(char **arg, int count, unsigned sector_bytes)
{
	if (count < 2) {
		say_note("at least two EFI system partitions are needed to compare");
		return EXIT_USAGE;
	}
	return read_only(arg, count, sector_bytes, esp_diff);
}

static int verify(char **arg, int count, unsigned sector_bytes)
{
	return read_only(arg, count, sector_bytes, esp_verify);
}

/* For JSON: what is enabled, and when it was last seen to. */
static struct json_object *about_enabled(const struct esp_conf *c, const struct esp_state *state)
{
	struct json_object *o = json_object_new_object(), *list = json_object_new_array();

	json_object_object_add(o, "source", jsontext(c->place[0].id));
	for (unsigned i = 1; i < c->count; i++)
		json_object_array_add(list, jsontext(c->place[i].id));
	json_object_object_add(o, "targets", list);
	json_object_object_add(o, "last_run", esp_state_json(state));
	return o;
}

static int status_enabled(void)
{
	struct esp_drift_more more = {0};
	struct esp_follow_set s;
	struct esp_state state;
	struct esp_places *ps;
	struct esp_conf c;
	char **arg;
	int rc;

	if (!read_conf(&c, &rc))
		return rc;
	esp_state_read(&state, &c);
	if (!esp.json)
		esp_state_print(&state);
	esp_follow_set(&s, &c);
	more.missing = s.missing;
	more.enabled = esp.json ? about_enabled(&c, &state) : NULL;
	arg = s.arg[0] ? s.arg : s.arg + 1;
	ps = esp_places_open(arg, (int)s.count - (arg != s.arg), 0, ESP_PLACES, &rc);
	if (ps) {
		rc = esp_status(ps, esp.json, &more);
		esp_places_close(ps);
	}
	esp_follow_free(&s);
	esp_state_free(&state);
	esp_conf_free(&c);
	return rc;
}

static int status(char **arg, int count, unsigned sector_bytes)
{
	static const struct esp_drift_more none;
	struct esp_places *ps;
	int rc;

	if (!count)
		return status_enabled();
	ps = esp_places_open(arg, count, sector_bytes, ESP_PLACES, &rc);
	if (!ps)
		return rc;
	rc = esp_status(ps, esp.json, &none);
	esp_places_close(ps);
	return rc;
}

static const struct option reading_options[] = {OPTION("json", no_argument, JSON),
						OPTION("exclude", required_argument, EXCLUDE),
						OPTION("include", required_argument, INCLUDE),
						COMMON_OPTIONS,
						{0}};

const struct command cmd_esp_diff = {
	.name = "esp diff",
	.args = "[OPTION...] SOURCE ESP...",
	.summary = "says in which files EFI system partitions differ from the first",
	.help = WHICH RULES JSON_HELP,
	.short_options = "",
	.options = reading_options,
	.option = option,
	.work_on = diff,
};

static const struct option verify_options[] = {
	OPTION("json", no_argument, JSON), COMMON_OPTIONS, {0}};

const struct command cmd_esp_verify = {
	.name = "esp verify",
	.args = "[OPTION...] ESP...",
	.summary = "checks the file system and every file of EFI system partitions",
	.help = WHICH "Each file by the SHA-256 of its manifest.\n\n" JSON_HELP,
	.short_options = "",
	.options = verify_options,
	.option = option,
	.work_on = verify,
};

static const struct option status_options[] = {OPTION("json", no_argument, JSON),
					       OPTION("exclude", required_argument, EXCLUDE),
					       OPTION("include", required_argument, INCLUDE),
					       OPTION("root", required_argument, ROOT),
					       COMMON_OPTIONS,
					       {0}};

const struct command cmd_esp_status = {
	.name = "esp status",
	.args = "[OPTION...] [ESP...]",
	.summary = "says whether EFI system partitions are whole and in step",
	.help = WHICH "Without names: those of \"esp enable\".\n\n" RULES ROOT_HELP JSON_HELP,
	.short_options = "",
	.options = status_options,
	.no_disks = true,
	.option = option,
	.work_on = status,
};
