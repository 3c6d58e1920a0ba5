/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tools/command.h"
#include "tools/say.h"

#include <stdio.h>
#include <string.h>

int command_help(const struct command *c)
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

unsigned command_sector_size(const char *arg)
{
	if (!strcmp(arg, "512"))
		return 512;
	if (!strcmp(arg, "4096"))
		return 4096;
	say_note("--sector-size is 512 or 4096, not \"%s\"", arg);
	return 0;
}
