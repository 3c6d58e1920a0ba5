/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * The manifest of one disk's EFI system partition: what it says, what is there, and the new
 * one.
 *
 * Not covered are files that change without anybody installing something: the manifest itself,
 * \loader\random-seed, \System Volume Information, firmware updates (\EFI\UpdateCapsule,
 * \EFI\...\fw), and what loaders write in place (grubenv, bootstat.dat).
 */
#ifndef TOOLS_ESP_MANIFEST_H
#define TOOLS_ESP_MANIFEST_H

#include "common/fat.h"
#include "common/manifest.h"
#include "tools/esp_install.h"

struct espman_file {
	struct manifest_file f; /* f.path is ours */
	enum status status;     /* of reading it; a folder that can't be read is here too */
	uint8_t verdict;        /* enum manifest_verdict, by the manifest that is there */
};

struct espman {
	bool quick; /* espman_look_quick(): files are what their size and time say */
	/* the manifest that is there */
	enum status status; /* OK, ABSENT, CORRUPT, UNSUPPORTED, IO */
	struct manifest old;
	char *old_text;
	/* what is there */
	struct guid source; /* this partition */
	uint8_t fat_type;   /* enum fat_type */
	struct espman_file *file;
	unsigned count, room;
	struct manifest_file *gone; /* files that the manifest lists, and that are not there */
	unsigned missing;
	/* what they are together; meaningful when status is OK */
	bool same;    /* nothing differs, times neither: this manifest needs no other */
	bool updated; /* files that are not ours differ: somebody installed something since */
	/* what is to be written */
	bool needed;
	struct guid set;
	uint64_t generation;
	char why[800]; /* the last failure */
};

/* Read the manifest and every file. False: m->why; files that can't be read are no failure. */
bool espman_look(struct espman *m, const struct esp *e, const struct disk *d);
/* As that, by sizes and times alone: no file is read, so none is found damaged. */
bool espman_look_quick(struct espman *m, const struct esp *e, const struct disk *d);
void espman_free(struct espman *m);

/* Why reading a file failed: "could not be read". */
const char *espman_fault_text(enum status st);

/* The n'th file that the manifest lists and that is not there; n < m->missing. */
void espman_missing(const struct espman *m, unsigned n, struct manifest_file *f);

/*
 * May a new manifest say that what is there is right? Not when a file is damaged or can't be
 * read: m->why. mended: our own boot files are about to be written anew.
 */
bool espman_may_renew(struct espman *m, bool mended);

/*
 * Set and generation for all of these (NULL: no ESP on that disk). level: they are said to be as
 * they should be, so all get the same generation; otherwise those whose files others have
 * updated get a new one, and one that is behind stays behind. changing[i]: install is going
 * to write files on it. False: no random numbers.
 */
bool espman_plan(struct espman *const m[], const bool changing[], unsigned count, bool level);

/* For manifests that belong to none yet. False: no random numbers. */
bool espman_new_set(struct guid *g);

/* Bytes that the new one may take. */
uint64_t espman_bytes(const struct espman *m);

/* The folder \EFI\mirrorboot must be there. False: m->why. */
bool espman_write_updating(struct espman *m, struct esp *e);
/* Reads all files again first. */
bool espman_write_complete(struct espman *m, struct esp *e, const struct disk *d);

#endif
