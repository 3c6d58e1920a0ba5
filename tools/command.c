/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tools/command.h"
#include "tools/hostdisk.h"
#include "tools/say.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int command_help(const struct command *c)
{
	printf("usage: mirrorboot %s %s\n%s.\n\n%s"
	       "  --sector-size N  sector size of image files: 512 (default) or 4096\n"
	       "  --help           this text\n",
	       c->name, c->args, c->summary, c->help);
	return EXIT_DONE;
}

int command_usage(const struct command *c)
{
	fprintf(stderr, "usage: mirrorboot %s %s\n", c->name, c->args);
	return EXIT_USAGE;
}

bool command_size(const char *arg, uint64_t max_bytes, uint64_t *bytes)
{
	static const char units[] = "KMGT";
	char *end;
	uint64_t n = strtoull(arg, &end, 10);
	const char *unit = *end ? strchr(units, *end) : NULL;
	unsigned shift = unit ? 10 * (unsigned)(unit - units + 1) : 0;

	if (end == arg || *arg == '-' || (*end && (!unit || end[1])) || !n ||
	    n > max_bytes >> shift)
		return false;
	*bytes = n << shift;
	return true;
}

/* 512 or 4096; 0 after saying what is wrong. */
static unsigned sector_size(const char *arg)
{
	if (!strcmp(arg, "512"))
		return 512;
	if (!strcmp(arg, "4096"))
		return 4096;
	say_note("--sector-size is 512 or 4096, not \"%s\"", arg);
	return 0;
}

int command_run(const struct command *c, int argc, char **argv)
{
	unsigned sector_bytes = 0;
	struct hostset *set;
	int opt, rc;

	while ((opt = getopt_long(argc, argv, c->short_options, c->options, NULL)) != -1)
		switch (opt) {
		case OPT_HELP: return command_help(c);
		case '?': return command_usage(c);
		case OPT_SECTOR_SIZE:
			sector_bytes = sector_size(optarg);
			if (!sector_bytes)
				return EXIT_USAGE;
			break;
		default:
			if (!c->option(opt, optarg))
				return EXIT_USAGE;
			break;
		}
	if (c->named && optind < argc)
		c->named(argv[optind++]);
	if (optind == argc && !c->no_disks)
		return command_usage(c);
	if (c->ready && !c->ready(argc - optind))
		return EXIT_USAGE;
	if (c->work_on)
		return c->work_on(argv + optind, argc - optind, sector_bytes);
	set = hostset_open(argv + optind, argc - optind, sector_bytes ? sector_bytes : 512,
			   c->writes, &rc);
	if (!set)
		return rc;
	rc = c->work(set);
	hostset_close(set);
	return rc;
}
