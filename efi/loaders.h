/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* Which loaders an ESP may have, one after the other: what to try, and with which options. */
#ifndef EFI_LOADERS_H
#define EFI_LOADERS_H

#include "common/config.h"
#include "efi/entries.h"

/* One loader to try. */
struct loader {
	const struct esp *esp;
	CHAR16 file[PATH_CHARS];
	void *options; /* allocated when they are an entry's */
	uint32_t options_bytes;
	bool options_ours; /* to be freed */
	const char *why;
	bool configured; /* somebody asked for it by name */
};

/* The search on one ESP. */
struct loaders {
	const struct config *config;
	const struct esps *esps;
	const struct entries *entries;
	const struct esp *esp;
	const char *next; /* what is left of the config's next */
	unsigned clone;   /* whose entries are being looked at: 0 the ESP's own, see loaders.c */
	unsigned entry, known; /* where we are among them */
	unsigned step;
};

/*
 * The config's next; the boot entries of the ESP, then those of its clones; the fallback
 * loader that ours replaced; the paths of well-known loaders; the fallback. Never ourselves.
 */
void loaders_start(struct loaders *s, const struct config *c, const struct esps *esps,
		   const struct entries *entries, const struct esp *esp);

/* False: no more. Whether the file is there is not looked at. */
bool loaders_next(struct loaders *s, struct loader *l);

/* For one that is there: the options of its boot entry, or else our own. */
void loaders_options(const struct loaders *s, struct loader *l);
void loaders_done(struct loader *l);

#endif
