/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * Commands, in place of a boot: "mirrorboot.efi clone" in the UEFI shell, or a boot entry
 * whose options begin with "clone". Anything else is for the next loader, as it always was.
 *
 * To add one: its function below, and a line in the table of command.c with its name, its
 * function, and its usage. It gets the words behind its name, writes to out (the caller's
 * screen; it is not cleared), and returns what the shell shows as %lasterror%:
 * EFI_INVALID_PARAMETER after command_usage() for words that it does not know, and EFI_SUCCESS
 * when there is nothing to be done. Nothing is presented and nothing is started meanwhile: the
 * disks are the firmware's, and its watchdog is off. It gives back all memory.
 */
#ifndef EFI_COMMAND_H
#define EFI_COMMAND_H

#include "common/text.h"
#include "efi/uefi.h"

struct command_words {
	const char *name; /* of the command */
	unsigned count;
	const char *const *word;
};

/* Is it a command that we were started for? Then it runs, and *status is what it came to. */
bool command_run(EFI_STATUS *status);

/* One line: how the command is used. EFI_INVALID_PARAMETER, to be returned. */
EFI_STATUS command_usage(const struct command_words *w, struct text *out);

/*
 * Type y, or another key; no key in so many seconds (CONSOLE_FOREVER) is no. What was typed before
 * does not count.
 */
bool command_ask(const char *question, unsigned seconds, struct text *out);

EFI_STATUS command_clone(const struct command_words *w, struct text *out);
EFI_STATUS command_entries(const struct command_words *w, struct text *out);
EFI_STATUS command_status(const struct command_words *w, struct text *out);

#endif
