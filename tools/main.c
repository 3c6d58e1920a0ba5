/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tools/command.h"
#include "tools/say.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct command *const commands[] = {
	&cmd_status,         &cmd_install,       &cmd_verify,         &cmd_uninstall,
	&cmd_dump,           &cmd_drill,         &cmd_esp_list,       &cmd_esp_manifest,
	&cmd_esp_clone,      &cmd_esp_diff,      &cmd_esp_status,     &cmd_esp_verify,
	&cmd_esp_enable,     &cmd_esp_disable,   &cmd_ldm_show,       &cmd_ldm_create,
	&cmd_ldm_add_mirror, &cmd_ldm_break,     &cmd_ldm_remove,     &cmd_ldm_repair,
	&cmd_entries_list,   &cmd_entries_clone, &cmd_entries_mirror, &cmd_entries_delete,
	&cmd_entries_repair,
};
#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void help(FILE *out)
{
	fprintf(out, "mirrorboot " MIRRORBOOT_VERSION
		     ": boots a mirror from its healthy leg, on BIOS and UEFI\n\n"
		     "usage: mirrorboot COMMAND [OPTION...] DISK...\n\n");
	for (unsigned i = 0; i < COMMANDS; i++)
		fprintf(out, "  %-14s %s\n", commands[i]->name, commands[i]->summary);
	fprintf(out,
		"\nDISK is a block device or an image file. \"mirrorboot COMMAND --help\" says "
		"more.\nExit status: 0 healthy or done, 1 degraded, split brain or drift, "
		"2 usage, 3 failed.\n");
}

/* How many words of the command line are this command's name; 0: it is another. */
static int is_command(const struct command *c, int argc, char **argv)
{
	size_t n = strcspn(c->name, " ");

	if (argc < 2 || strncmp(argv[1], c->name, n) || argv[1][n])
		return 0;
	if (!c->name[n])
		return 1;
	return argc > 2 && !strcmp(argv[2], c->name + n + 1) ? 2 : 0;
}

/* Is this the first word of commands that have two? */
static bool is_group(const char *word)
{
	size_t n = strlen(word);

	for (unsigned i = 0; i < COMMANDS; i++)
		if (!strncmp(commands[i]->name, word, n) && commands[i]->name[n] == ' ')
			return true;
	return false;
}

/*
 * A disk that is opened while stdout or stderr is closed would get its number, and
 * what we print. Writing to what is put there instead fails, so that it is noticed.
 */
static bool fill_descriptors(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDONLY);
	while (fd >= 0 && fd <= 2);
	if (fd > 2)
		close(fd);
	return fd > 2;
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";

	if (!fill_descriptors())
		return EXIT_FAILED;

	/* A reader that goes away is reported where the write fails. */
	signal(SIGPIPE, SIG_IGN);
	if (!strcmp(name, "--help") || !strcmp(name, "-h") || !strcmp(name, "help")) {
		help(stdout);
		return EXIT_DONE;
	}
	if (!strcmp(name, "--version") || !strcmp(name, "-V")) {
		puts("mirrorboot " MIRRORBOOT_VERSION);
		return EXIT_DONE;
	}
	for (unsigned i = 0; i < COMMANDS; i++) {
		int words = is_command(commands[i], argc, argv);

		if (words) {
			int rc;

			argv[words] = argv[0]; /* how getopt calls us in its messages */
			rc = command_run(commands[i], argc - words, argv + words);

			if (fflush(stdout) || ferror(stdout)) {
				say_note("the output could not be written");
				return rc > EXIT_FAILED ? rc : EXIT_FAILED;
			}
			return rc;
		}
	}
	if (*name)
		say_note("unknown command \"%s%s%s\"; \"mirrorboot --help\" lists them", name,
			 is_group(name) && argc > 2 ? " " : "",
			 is_group(name) && argc > 2 ? argv[2] : "");
	else
		help(stderr);
	return EXIT_USAGE;
}
