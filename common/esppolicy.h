/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * Which files of an EFI system partition a clone is about, and which its manifest covers. Not
 * those that belong to one ESP alone: \loader\random-seed, our manifest, \System Volume
 * Information, firmware updates (\EFI\UpdateCapsule, \EFI\...\fw). What loaders write in place
 * (grubenv, bootstat.dat) is cloned to where there is none.
 *
 * In paths and patterns "\" and "/" are alike, and so are ASCII letters in both cases.
 */
#ifndef COMMON_ESPPOLICY_H
#define COMMON_ESPPOLICY_H

#include "common/manifest.h"

enum esp_policy {
	ESP_CLONED,
	ESP_INCLUDED, /* by a rule of a person's: nothing else may leave it out */
	ESP_LEFT,     /* on the source not looked at, on the target neither changed nor deleted */
	ESP_ONCE,     /* cloned where the target has none; after that its own */
};

/*
 * A file or folder, and all in it: from the root when it begins with a slash, else a name in any
 * folder. "*" and "?" stand for any characters but slashes.
 */
struct esppolicy_rule {
	const char *pattern;
	enum esp_policy what;
};

/* rule: a person's, of which the last that fits counts; they come before the rules above. */
enum esp_policy esppolicy_of(const char *path, size_t path_bytes, const struct esppolicy_rule *rule,
			     unsigned count);

/* Is it listed in manifests? Not what changes without anybody installing something. */
bool esppolicy_is_covered(const char *path, size_t path_bytes);

/* Is it what install writes, and so may differ without anybody else's doing? */
bool esppolicy_is_ours(const char *path, size_t path_bytes);

/*
 * systemd-boot counts the tries of an entry in its name: \loader\entries\NAME+LEFT-DONE.conf,
 * \EFI\Linux\NAME+LEFT.efi. Where the counter is, from the plus on; false: it has none.
 */
bool esppolicy_counter(const char *path, size_t path_bytes, size_t *at, size_t *bytes);

/*
 * Is file b of the target, but for a counter in its name, the same as a of the source, which has
 * one? Then both are left alone: which tries were made is each ESP's own.
 */
bool esppolicy_keeps_counter(const struct manifest_file *a, const struct manifest_file *b);

/* Are n characters of two paths the same? */
bool esppolicy_same(const char *a, const char *b, size_t n);

/* May this file have a counter: is it where systemd-boot looks for entries? */
bool esppolicy_is_entry(const char *path, size_t path_bytes);

#endif
