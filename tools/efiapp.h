/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * The EFI applications that install writes, one for each kind of firmware: this
 * build's, or files given in their place (this build's, signed with the owner's key).
 */
#ifndef TOOLS_EFIAPP_H
#define TOOLS_EFIAPP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum efiapp_arch { EFIAPP_X64, EFIAPP_IA32, EFIAPP_ARCHS };

struct efiapp {
	const char *path;     /* on an ESP: EFI/mirrorboot/ and then ... */
	const char *fallback; /* EFI/BOOT/ and then ... */
	const char *replaced; /* as path: what the fallback was before */
	uint16_t machine;     /* in the PE header */
	const uint8_t *data;
	size_t n_bytes;   /* 0: this build has none */
	const char *file; /* that was given; NULL: this build's */
};

const struct efiapp *efiapp_get(enum efiapp_arch arch);

/*
 * Take a file in place of this build's. It must be a PE image for one of our
 * machines and a mirrorboot. False: what is wrong has been said.
 */
bool efiapp_give(const char *path);

/* "mirrorboot 0.1, signed" of a file that was given. */
void efiapp_describe(const struct efiapp *app, char *text, size_t size);

enum efiapp_is {
	EFIAPP_FOREIGN,
	EFIAPP_OTHER, /* a mirrorboot, of another version or build, or its beginning */
	EFIAPP_THIS,  /* what install writes; or that with a signature more */
};
enum efiapp_is efiapp_recognize(const struct efiapp *app, const uint8_t *data, size_t n_bytes);

/* Does it have a signature (good or not)? */
bool efiapp_signed(const uint8_t *data, size_t n_bytes);

/* Who made a loader that is not ours: EFIAPP_SHIM, EFIAPP_GRUB, another name; NULL: not known. */
const char *efiapp_maker(const uint8_t *data, size_t n_bytes);
extern const char EFIAPP_SHIM[], EFIAPP_GRUB[];

#endif
