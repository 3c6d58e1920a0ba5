/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * The manifest of an EFI system partition: which generation of the set of ESPs it holds, whether
 * it was completed, and the size, time and SHA-256 of each file. By it the newest whole
 * ESP is found, and a loader is seen to be damaged before it runs. It finds damage; trust
 * is the business of Secure Boot.
 *
 * A text, so that a person can read it; docs/formats/manifest.md has the same:
 *
 *   mirrorboot-manifest 1
 *   set 0f3c...-...            the same on all ESPs that are clones of each other
 *   generation 12
 *   state complete             or: updating
 *   source c12a...-...         partition GUID of the ESP that it was written for
 *   file SHA256 BYTES TIME \EFI\debian\grubx64.efi
 *   ...                        TIME: FAT's, 8 hex digits: date in the upper 16 bits
 *   end SHA256                 of every byte before this line
 *
 * Lines end in LF; paths are UTF-8, from the root, with backslashes. The four lines before the
 * files may be in any order; lines with other keys may be among them, and are skipped.
 */
#ifndef COMMON_MANIFEST_H
#define COMMON_MANIFEST_H

#include "common/guid.h"
#include "common/sha256.h"
#include "common/status.h"

#include <stdbool.h>

#define MANIFEST_PATH       "\\EFI\\mirrorboot\\manifest"
#define MANIFEST_BYTES_MAX  (4u << 20)
#define MANIFEST_PATH_BYTES 1024

enum manifest_state { MANIFEST_UPDATING, MANIFEST_COMPLETE };

struct manifest {
	struct guid set;
	struct guid source;
	uint64_t generation;
	uint8_t state; /* enum manifest_state */
	uint32_t files;
	const char *text; /* not ours: outlives this */
	size_t first;     /* offset of the first file line */
	size_t end;       /* offset of the end line */
};

struct manifest_file {
	uint8_t sha256[SHA256_BYTES];
	uint64_t bytes;
	uint32_t fat_time; /* of the last write: FAT date << 16 | FAT time */
	const char *path;  /* in the text; no NUL behind it */
	size_t path_bytes;
};

/* What a file on an ESP is by its manifest. */
enum manifest_verdict {
	MANIFEST_SAME,    /* size and hash are right */
	MANIFEST_CHANGED, /* size or time are others: somebody wrote it since, on purpose */
	MANIFEST_DAMAGED, /* size and time are right, the content is not */
	MANIFEST_UNLISTED,
};

/* Can this path be in a manifest: from the root, UTF-8, no characters that FAT has not, no ".."? */
bool manifest_path_ok(const char *path, size_t bytes);

/*
 * Take a text apart, all of it. ST_CORRUPT: not a manifest, cut, or its own hash is wrong.
 * ST_UNSUPPORTED: of a later version. With any but ST_OK, *m is not to be used.
 */
enum status manifest_open(struct manifest *m, const char *text, size_t bytes);

/* The file lines one by one: *at is m->first at the start. False: no more. */
bool manifest_next(const struct manifest *m, size_t *at, struct manifest_file *f);

/* By path; ASCII letters alike in both cases, as FAT compares. */
bool manifest_find(const struct manifest *m, const char *path, size_t path_bytes,
		   struct manifest_file *f);

enum manifest_verdict manifest_judge(const struct manifest_file *f, uint64_t bytes,
				     uint32_t fat_time, const uint8_t sha256[SHA256_BYTES]);

/*
 * Writing one, into memory of the caller's: begin, add each file, end. ST_FULL: no room for it,
 * or longer than MANIFEST_BYTES_MAX. ST_UNSUPPORTED: a path that manifest_path_ok() refuses.
 */
struct manifest_writer {
	char *text;
	size_t room, bytes;
	bool full, bad_path;
};

void manifest_begin(struct manifest_writer *w, char *text, size_t room, const struct guid *set,
		    uint64_t generation, enum manifest_state state, const struct guid *source);
void manifest_add(struct manifest_writer *w, const struct manifest_file *f);
enum status manifest_end(struct manifest_writer *w); /* w->bytes is the length then */

#endif
