/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* Device paths: walking, comparing and building them; and UCS-2 file paths. */
#ifndef EFI_PATH_H
#define EFI_PATH_H

#include "common/text.h"
#include "common/wire.h"
#include "efi/uefi.h"

#define PATH_CHARS 256 /* of a file path, the NUL included */

struct path_node {
	uint8_t type, subtype;
	le16 bytes; /* this header included */
};

/* HD(): a partition (UEFI spec 2.10, 10.3.5.1). */
struct path_hd {
	struct path_node node;
	le32 number;
	le64 start_lba;
	le64 sectors;
	uint8_t signature[16];
	uint8_t table;          /* 1: MBR, 2: GPT */
	uint8_t signature_type; /* 1: MBR serial, 2: GUID */
};
#define PATH_SIGNATURE_GUID 2
_Static_assert(sizeof(struct path_node) == 4, "device path node header is 4 bytes");
_Static_assert(sizeof(struct path_hd) == 42, "HD() is 42 bytes");

/* A path that came from NVRAM: do its nodes stay inside these bytes, an end node among them? */
bool path_valid(const void *path, size_t bytes);

/* Bytes before the end node. */
size_t path_bytes(const void *path);

/* Walk: the first node, and the next one; NULL at the end. */
const struct path_node *path_first(const void *path);
const struct path_node *path_next(const struct path_node *node);

/* When path begins with all of prefix: what follows. Else NULL. */
const void *path_after(const void *path, const void *prefix);

/* The last HD() node, or NULL. */
const struct path_hd *path_last_hd(const void *path);

/* Do both name the same partition? Start and size may differ, as for the firmware. */
bool path_hd_same(const struct path_hd *a, const struct path_hd *b);

/* The file path in it, "\\EFI\\BOOT\\X.EFI"; false when there is none or it is too long. */
bool path_file(const void *path, CHAR16 file[PATH_CHARS]);

/* device + File(file) + end, allocated; device may be NULL. */
void *path_with_file(const void *device, const CHAR16 *file);

/* A word or two for a person: "SATA 1", "NVMe", "PCI 03.0". */
void path_short(const void *path, struct text *out);

/* ASCII to UCS-2, always terminated; false when cut. */
bool path_from_ascii(CHAR16 *to, size_t to_chars, const char *from);

/*
 * UTF-8, as manifests have it, and back. False: no room, or not text. The bytes are
 * without a NUL, the UCS-2 always ends in one.
 */
bool path_to_utf8(const CHAR16 *file, char *to, size_t room, size_t *bytes);
bool path_from_utf8(const char *from, size_t bytes, CHAR16 *to, size_t to_chars);

/* File names compare as FAT does: ASCII letters alike in both cases. */
bool path_file_same(const CHAR16 *a, const CHAR16 *b);
bool path_file_in(const CHAR16 *file, const char *folder); /* folder ends in a backslash */
bool path_file_ends(const CHAR16 *file, const char *end);

void path_file_text(const CHAR16 *file, struct text *out);

#endif
