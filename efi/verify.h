/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * A loader, read and checked against the manifest of its ESP before it runs, together with
 * the files that it will read. It finds damage; trust is the firmware's business.
 */
#ifndef EFI_VERIFY_H
#define EFI_VERIFY_H

#include "efi/esp.h"

enum verify_result {
	VERIFY_OK,
	VERIFY_ABSENT, /* no such file, and none is listed */
	VERIFY_LOADER, /* the loader itself is damaged, missing or can't be read */
	VERIFY_BESIDE, /* a file that it needs is */
};

/* A loader as it was read. */
struct verify_image {
	void *data;   /* NULL: the memory is too small to hold it */
	size_t bytes; /* of the memory */
};

/*
 * Read a file of this ESP, and check what verify (enum config_verify) asks for. The
 * damage, and what was changed on purpose since the manifest was written, is said.
 */
enum verify_result verify_loader(const struct esp *esp, const CHAR16 *file, uint8_t verify,
				 struct verify_image *image, struct text *out);
void verify_free(struct verify_image *image);

#endif
