/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * A command line, as the UEFI shell or a boot entry hands it over: words between blanks, in
 * quotation marks where they have blanks in them.
 */
#ifndef COMMON_CMDLINE_H
#define COMMON_CMDLINE_H

#include <stdbool.h>
#include <stddef.h>

#define CMDLINE_CHARS 1024
#define CMDLINE_WORDS 64

struct cmdline {
	unsigned count;
	const char *word[CMDLINE_WORDS]; /* in text */
	char text[CMDLINE_CHARS + 1];
};

/* Up to n characters, or to a NUL. False: it is longer, or has more words, than there is room for.
 */
bool cmdline_split(struct cmdline *c, const char *text, size_t n);

/*
 * The word that may be a command: the first, or the second where the first is the program
 * itself, as a shell passes it: it ends in ".efi", or is program (a file's name, "" for not
 * known) with or without that, behind any folders. c->count: there is none.
 */
unsigned cmdline_first(const struct cmdline *c, const char *program);

/* Are they the same, but for the case of ASCII letters? */
bool cmdline_same(const char *a, const char *b);

/* A decimal number without a sign, at most max. False: it is none. */
bool cmdline_number(const char *word, unsigned max, unsigned *n);

#endif
