/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* The commands of the tool, one file each, and what all of them share. */
#ifndef TOOLS_COMMAND_H
#define TOOLS_COMMAND_H

/* Exit status: part of the interface, see README.md. */
enum exit_status {
	EXIT_DONE = 0,     /* healthy, or done */
	EXIT_DEGRADED = 1, /* degraded, split brain, or drift found */
	EXIT_USAGE = 2,
	EXIT_FAILED = 3, /* and what was left untouched was said */
};

struct command {
	const char *name;
	const char *args;
	const char *summary;
	const char *help; /* the options, a line each */
	int (*run)(const struct command *c, int argc, char **argv);
};

extern const struct command cmd_status, cmd_install, cmd_verify, cmd_uninstall, cmd_dump, cmd_drill;

/* "--help" of one command, on stdout. */
int command_help(const struct command *c);

/* After a wrong command line: points to --help, gives EXIT_USAGE. */
int command_usage(const struct command *c);

/* Options that every command has: their values for getopt_long. */
enum { OPT_HELP = 256, OPT_SECTOR_SIZE, OPT_FIRST_OWN };

#define COMMON_OPTIONS                                                                             \
	{"help", no_argument, 0, OPT_HELP},                                                        \
	{                                                                                          \
		"sector-size", required_argument, 0, OPT_SECTOR_SIZE                               \
	}

/* --sector-size: 512 or 4096; 0 after saying what is wrong. */
unsigned command_sector_size(const char *arg);

#endif
