/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* What makes one ESP differ from another: a plan of common/fat_plan, and carrying it out. */
#ifndef TOOLS_ESP_DELTA_H
#define TOOLS_ESP_DELTA_H

#include "common/fat_plan.h"
#include "tools/esp_side.h"

struct esp_delta_item {
	enum fat_action action;
	bool folder;
	uint32_t bytes, fat_time;
	char *path;
};

struct esp_delta {
	struct esp_delta_item *item; /* without those that are kept or left */
	unsigned count, room;
	unsigned files[FAT_ACTIONS], folders[FAT_ACTIONS];
	uint64_t write_bytes;
	uint64_t after_bytes; /* about: free on the target when it is done */
	bool tidy, empty;
	enum fat_why why; /* of there being none */
	bool why_source;
	char path[FAT_PATH_BYTES];
	uint64_t missing_bytes;
};

struct esp_delta_options {
	bool keep_extra;
	bool source_dirty_ok; /* a mounted one is so anyway */
	bool progress;        /* on the terminal */
};

/* Both must have been looked at. False: d->why; nothing is said. */
bool esp_delta_make(struct esp_delta *d, struct esp_side *from, struct esp_side *to,
		    const struct esp_delta_options *o);

/* Make it anew, and carry it out. False: d->why, and how much was done is not known. */
bool esp_delta_apply(struct esp_delta *d, struct esp_side *from, struct esp_side *to,
		     const struct esp_delta_options *o);

bool esp_delta_same(const struct esp_delta *a, const struct esp_delta *b);

void esp_delta_free(struct esp_delta *d);

/* A sentence on why there is no plan, or why it failed. */
void esp_delta_why_text(const struct esp_delta *d, char *text, size_t size);

#endif
