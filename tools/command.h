/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* The commands of the tool, one file each, and what all of them share. */
#ifndef TOOLS_COMMAND_H
#define TOOLS_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

/* Exit status: part of the interface, see README.md. */
enum exit_status {
	EXIT_DONE = 0,     /* healthy, or done */
	EXIT_DEGRADED = 1, /* degraded, split brain, or drift found */
	EXIT_USAGE = 2,
	EXIT_FAILED = 3, /* and what was left untouched was said */
};

struct hostset;
struct option;

struct command {
	const char *name; /* one word, or two: "esp list" */
	const char *args;
	const char *summary;
	const char *help; /* the options, a line each */

	const char *short_options;
	const struct option *options; /* for getopt_long; ends with COMMON_OPTIONS, {0} */
	bool writes;                  /* open the disks for writing */
	bool no_disks;                /* none need be named */
	/* Take one option of its own. False: it can't be, and why was said. NULL: has none. */
	bool (*option)(int opt, const char *arg);
	/* Its first argument names something and is no disk: take it. NULL: all are disks. */
	void (*named)(const char *arg);
	/* All options are read, this many disks are named: is that enough? NULL: always. */
	bool (*ready)(int disks);
	/* The work, on the open disks: an exit status. */
	int (*work)(struct hostset *set);
	/*
	 * In place of work: its arguments are more than disks, and it opens them itself.
	 * sector_bytes: as given, 0 otherwise.
	 */
	int (*work_on)(char **arg, int count, unsigned sector_bytes);
};

/* Read the options, open the disks, do the work. */
int command_run(const struct command *c, int argc, char **argv);

extern const struct command cmd_status, cmd_install, cmd_verify, cmd_uninstall, cmd_dump, cmd_drill;
extern const struct command cmd_esp_list, cmd_esp_manifest, cmd_esp_clone, cmd_esp_diff,
	cmd_esp_status, cmd_esp_verify, cmd_esp_enable, cmd_esp_disable;
extern const struct command cmd_ldm_show, cmd_ldm_create, cmd_ldm_add_mirror, cmd_ldm_break,
	cmd_ldm_remove, cmd_ldm_repair;

extern const struct command cmd_entries_list, cmd_entries_clone, cmd_entries_mirror,
	cmd_entries_delete, cmd_entries_repair;

/* After a wrong command line: says how it should be, gives EXIT_USAGE. */
int command_usage(const struct command *c);

/* "500M", "1G", or bytes: neither 0 nor more than max. False: it is no such size. */
bool command_size(const char *arg, uint64_t max_bytes, uint64_t *bytes);

/* Options that every command has: their values for getopt_long. */
enum { OPT_HELP = 256, OPT_SECTOR_SIZE, OPT_FIRST_OWN };

#define COMMON_OPTIONS                                                                             \
	{"help", no_argument, 0, OPT_HELP},                                                        \
	{                                                                                          \
		"sector-size", required_argument, 0, OPT_SECTOR_SIZE                               \
	}

#endif
