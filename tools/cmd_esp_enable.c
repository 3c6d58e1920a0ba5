/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* esp enable, disable: EFI system partitions that are kept in step by themselves. */
#include "tools/command.h"
#include "tools/esp_choose.h"
#include "tools/esp_found.h"
#include "tools/esp_state.h"
#include "tools/esp_units.h"
#include "tools/esp_watch.h"
#include "tools/say.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SHOW = OPT_FIRST_OWN, ROOT, EXCLUDE, INCLUDE, KEEP };

static struct esp_conf conf; /* what is asked for */
static const char *root;
static bool show, yes;

static bool option(int opt, const char *arg)
{
	switch (opt) {
	case SHOW: show = true; return true;
	case ROOT: root = arg; return true;
	case EXCLUDE: return esp_conf_add_rule(&conf, false, arg);
	case INCLUDE: return esp_conf_add_rule(&conf, true, arg);
	case KEEP: conf.keep_extra = true; return true;
	default: yes = true; return true;
	}
}

static void print_conf(const struct esp_conf *c)
{
	for (unsigned i = 0; i < c->count; i++) {
		const struct esp_conf_place *p = &c->place[i];

		printf("%s %s", i ? "target" : "source", p->id);
		printf(p->was ? " (%s)\n" : "\n", p->was);
	}
	for (unsigned i = 0; i < c->rule_count; i++)
		printf("%s %s\n", c->rule[i].include ? "include" : "exclude", c->rule[i].pattern);
	if (c->keep_extra)
		printf("files that the source has not are kept\n");
}

static int show_enabled(struct esp_conf *old, enum status st)
{
	struct esp_state state;

	if (st == ST_ABSENT) {
		printf("Nothing is enabled.\n");
		return EXIT_DONE;
	}
	if (st != ST_OK)
		return EXIT_FAILED;
	print_conf(old);
	for (unsigned i = 0; i < old->file_count; i++)
		printf("file %s%s\n", old->root, old->file[i].path);
	esp_state_read(&state, old);
	esp_state_print(&state);
	esp_state_free(&state);
	return EXIT_DONE;
}

/* Where the source is mounted, as it is called today. */
static char *source_mount(const struct esp_conf *c)
{
	struct esp_found_list l;
	char *arg, *mount = NULL;

	esp_found_all(&l);
	if (esp_found_resolve(&l, c->place[0].id, &arg) == ESP_FOUND)
		mount = esp_watch_mount(arg);
	free(arg);
	esp_found_free(&l);
	return mount;
}

/* DONE: yes. */
static int ask(void)
{
	bool asked;

	if (yes || say_ask("Enable this?", &asked))
		return EXIT_DONE;
	say_note(asked ? "nothing was enabled"
		       : "there is no terminal to ask on: say --yes; nothing was enabled");
	return asked ? EXIT_FAILED : EXIT_USAGE;
}

static int write_all(struct esp_conf *old, bool again, const struct esp_units *u, bool watch)
{
	/* First of all what has to be removed one day. */
	if (again)
		esp_units_stop(old);
	if (!esp_conf_write(&conf) || !esp_units_write(u, &conf))
		return EXIT_FAILED;
	if (again)
		esp_units_remove(old, &conf);
	return esp_units_start(&conf, watch) ? EXIT_DONE : EXIT_FAILED;
}

static int enable_chosen(struct esp_conf *old, bool again, unsigned new_targets)
{
	struct esp_units *u;
	char *mount;
	int rc;

	/* What an earlier run wrote may be written over. */
	conf.file_count = old->file_count;
	for (unsigned i = 0; i < old->file_count; i++) {
		conf.file[i] = old->file[i];
		conf.file[i].path = strdup(old->file[i].path);
		if (!conf.file[i].path)
			abort();
	}
	mount = source_mount(&conf);
	u = esp_units_plan(&conf, mount);
	print_conf(&conf);
	esp_units_print(u, &conf);
	if (!mount)
		printf("The source is not mounted: changes on it are seen by the hooks and the "
		       "timer only.\n");
	rc = ask();
	if (rc == EXIT_DONE)
		rc = write_all(old, again, u, mount);
	if (rc == EXIT_DONE)
		printf("Enabled.\n");
	if (rc == EXIT_DONE && new_targets)
		printf("Not yet cloned: %u. Do it once by hand: mirrorboot esp clone --enabled\n",
		       new_targets);
	esp_units_free(u);
	free(mount);
	return rc;
}

static void set_root(struct esp_conf *c)
{
	struct esp_conf fresh;

	esp_conf_init(&fresh, root);
	free(c->root);
	c->root = fresh.root;
}

static int enable(char **arg, int count, unsigned sector_bytes)
{
	struct esp_conf old;
	unsigned new_targets = 0;
	enum status st;
	bool fine;
	int rc = EXIT_FAILED;

	set_root(&conf);
	esp_conf_init(&old, root);
	st = esp_conf_read(&old);
	if (show) {
		rc = show_enabled(&old, st);
	} else if (count == 1) {
		say_note("a source and at least one target are needed, or none at all");
		rc = EXIT_USAGE;
	} else if (!esp_conf_use_rules(&conf)) {
		rc = EXIT_USAGE;
	} else {
		fine = count ? esp_choose_named(&conf, arg, count, sector_bytes, &new_targets)
			     : esp_choose_found(&conf, &new_targets);
		if (fine)
			rc = enable_chosen(&old, st != ST_ABSENT, new_targets);
		else
			say_note("nothing was enabled");
	}
	esp_conf_free(&old);
	esp_conf_free(&conf);
	return rc;
}

static int disable(char **arg, int count, unsigned sector_bytes)
{
	struct esp_conf c;
	enum status st;
	char *path;
	int rc = EXIT_DONE;

	if (count) {
		say_note("esp disable takes no EFI system partition: it is about all of them");
		return EXIT_USAGE;
	}
	esp_conf_init(&c, root);
	st = esp_conf_read(&c);
	if (st == ST_ABSENT) {
		printf("Nothing is enabled.\n");
	} else if (st != ST_OK) {
		rc = EXIT_FAILED;
	} else {
		if (!esp_units_stop(&c))
			rc = EXIT_FAILED;
		esp_units_remove(&c, NULL);
		esp_state_remove(&c);
		esp_units_reload(&c);
		path = esp_conf_path(&c, ESP_CONF_FILE);
		if (unlink(path)) {
			say_about(path, "could not be removed: %s", strerror(errno));
			rc = EXIT_FAILED;
		} else {
			*strrchr(path, '/') = 0;
			rmdir(path); /* when it is empty */
			printf("Disabled.\n");
		}
		free(path);
	}
	esp_conf_free(&c);
	return rc;
}

static const struct option enable_options[] = {{"yes", no_argument, 0, 'y'},
					       {"show", no_argument, 0, SHOW},
					       {"root", required_argument, 0, ROOT},
					       {"exclude", required_argument, 0, EXCLUDE},
					       {"include", required_argument, 0, INCLUDE},
					       {"keep-extra", no_argument, 0, KEEP},
					       COMMON_OPTIONS,
					       {0}};
static const struct option disable_options[] = {
	{"root", required_argument, 0, ROOT}, COMMON_OPTIONS, {0}};

#define ROOT_HELP "  --root DIR       the files of the system in this folder\n"

const struct command cmd_esp_enable = {
	.name = "esp enable",
	.args = "[OPTION...] [SOURCE TARGET...]",
	.summary = "keeps EFI system partitions in step by itself, with systemd and hooks",
	.help = "Without names: the source is the one that is mounted on /boot/efi, /efi or "
		"/boot; the\n"
		"targets are those of other disks that were cloned with it before, or that are in "
		"a\n"
		"mirror with its disk.\n\n"
		"  --show           what is enabled\n"
		"  --exclude PATH   as for \"esp clone\", in every run\n"
		"  --include PATH\n"
		"  --keep-extra\n" ROOT_HELP "  -y, --yes        do not ask\n",
	.short_options = "y",
	.options = enable_options,
	.no_disks = true,
	.option = option,
	.work_on = enable,
};

const struct command cmd_esp_disable = {
	.name = "esp disable",
	.args = "[OPTION...]",
	.summary = "ends that, and removes the files that \"esp enable\" wrote",
	.help = ROOT_HELP,
	.short_options = "",
	.options = disable_options,
	.no_disks = true,
	.option = option,
	.work_on = disable,
};
