/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * Where boot entries are kept: the global variables of a UEFI firmware, as Linux' efivarfs
 * shows them, or a folder with the same files (NAME-GUID: 4 bytes of attributes, then the data).
 *
 * libefivar can't be asked for the second kind once it has looked for the first, and can't be
 * made to fail, as the tests need it; so reading and writing is done here.
 */
#ifndef TOOLS_ENTRIES_VARS_H
#define TOOLS_ENTRIES_VARS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ENTRIES_VARS_FOLDER   "/sys/firmware/efi/efivars"
#define ENTRIES_VAR_BYTES_MAX 65536u /* firmware has smaller limits */
#define ENTRIES_VAR_PLAIN     7u     /* kept, for boot services, for a running system */

struct entries_var {
	uint32_t attributes;
	uint8_t *data; /* free() it */
	size_t bytes;
};

/* Each gives 0 or an errno. Names are without the GUID. */
struct entries_vars {
	int (*each)(const struct entries_vars *v, void (*take)(void *arg, const char *name),
		    void *arg);
	int (*get)(const struct entries_vars *v, const char *name, struct entries_var *var);
	/* At once: the old value or the new one is there. After a failure: the old one, or none. */
	int (*set)(const struct entries_vars *v, const char *name, uint32_t attributes,
		   const void *data, size_t bytes);
	int (*remove)(const struct entries_vars *v, const char *name);
	const char *where; /* the folder */
	bool firmware;     /* the variables of a running firmware, not files in a folder */
};

/* The folder; NULL: MIRRORBOOT_EFIVARS of the environment, else Linux'. False: said. */
bool entries_vars_open(struct entries_vars *v, const char *folder);

/* What an error of set() means, and what can be done about it: a sentence. */
const char *entries_vars_why(const struct entries_vars *v, int error);

#endif
