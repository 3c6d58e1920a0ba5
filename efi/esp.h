/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * EFI system partitions: the one that we were started from, the others, which of them is
 * the newest whole one, and the config on it.
 */
#ifndef EFI_ESP_H
#define EFI_ESP_H

#include "common/config.h"
#include "common/espchoice.h"
#include "common/manifest.h"
#include "common/survey.h"
#include "efi/efidisk.h"
#include "efi/path.h"

#define ESP_MAX 16

struct esp {
	EFI_HANDLE handle;
	const void *path;         /* device path of the handle */
	const struct path_hd *hd; /* its partition; NULL when it is on none */
	unsigned disk;            /* that it lies on; NO_DISK: a volume, or none that we know */
	struct espchoice choice;
	enum status manifest_status; /* ST_OK: the next one is filled */
	struct manifest manifest;
	void *text; /* the manifest's, ours to free; NULL: none */
	size_t text_bytes;
};

struct esps {
	unsigned count;
	unsigned untrusted;      /* that are not in esp[]: nothing on their disks is trusted */
	struct esp esp[ESP_MAX]; /* the best first */
	CHAR16 self[PATH_CHARS]; /* our own file's path; empty when not known */
	EFI_HANDLE device;       /* what we were started from, a file system or not */
	const void *device_path; /* or NULL */
	void *options;           /* our load options */
	uint32_t options_bytes;
};

/* What our loaded image says of where we come from. No ESP is known yet. */
void esp_self(struct esps *all);

/*
 * Find the ESPs, read their manifests and bring them into order: our own, and those on
 * our disks that are not removable. Those of volumes that we present go first when
 * volumes_first. To be called again when handles have changed. Where the survey knows what is
 * trusted, those of disks that hold nothing of it are left out: they could say that they are
 * the newest, and would be believed.
 */
void esp_find(struct esps *all, const struct efidisks *disks, const struct survey *s,
	      bool volumes_first);

/* That some were left out. */
void esp_say_untrusted(const struct esps *all, struct text *out);

/* Give their memory back. */
void esp_forget(struct esps *all);

/* Of two ESPs: do their manifests say that they are clones of each other? */
bool esp_same_set(const struct esp *a, const struct esp *b);

/* "disk 0" */
void esp_say(const struct esp *esp, struct text *out);

/* When the first is not our own: which one it is, and why. */
void esp_say_choice(const struct esps *all, struct text *out);

/* A config as it was read; bytes is 0 when none was. */
struct esp_config_text {
	size_t bytes;
	char text[CONFIG_TEXT_BYTES + 1]; /* one more, so that a longer one is seen to be */
};

/*
 * What the config beside us trusts, be it damaged or old: by that it is decided whose other
 * config may be read. After esp_self().
 */
void esp_own_trust(const struct esps *all, struct trust *t);

/*
 * Read \EFI\mirrorboot\mirrorboot.conf of the first ESP whose copy can be read and is
 * whole, and say which when it is not our own's. ST_ABSENT: there is none, and *c has the
 * defaults. ST_CORRUPT: *err has the first wrong line. ST_IO: none can be read.
 */
enum status esp_read_config(const struct esps *all, struct config *c, struct esp_config_text *text,
			    struct config_error *err, struct text *out);

#endif
