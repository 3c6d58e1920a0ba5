/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* The firmware's boot entries: which loaders would have been started from an ESP. */
#ifndef EFI_ENTRIES_H
#define EFI_ENTRIES_H

#include "efi/esp.h"

#define ENTRIES_MAX 256 /* of BootOrder that we look at */

struct entries {
	unsigned count;
	uint16_t order[ENTRIES_MAX];
};

struct entry {
	uint16_t number; /* Boot#### */
	CHAR16 file[PATH_CHARS];
	void *options; /* its optional data, allocated; NULL when there are none */
	uint32_t options_bytes;
};

/* Read BootOrder. None at all is no error. */
void entries_read(struct entries *all);

/* The ESP whose entries are wanted: by its HD() node, or by its partition GUID. Both NULL: none. */
struct entries_esp {
	const struct path_hd *hd;
	const struct guid *guid;
};

/*
 * The next entry from *at on, in boot order, that is active and names a file on
 * that ESP; *at is moved past it. False: no more.
 */
bool entries_next(const struct entries *all, unsigned *at, const struct entries_esp *esp,
		  struct entry *e);

#endif
