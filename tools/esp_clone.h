/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* One EFI system partition's files onto others: what is planned, what was done. */
#ifndef TOOLS_ESP_CLONE_H
#define TOOLS_ESP_CLONE_H

#include "tools/esp_create.h"
#include "tools/esp_renewal.h"

struct esp_clone_options {
	bool yes, json, create, format, force, keep_extra, leave_source;
	uint64_t size_bytes; /* of what is created; 0: as the source */
};

enum esp_fresh { ESP_NOT_FRESH, ESP_FORMATTED, ESP_CREATED };

enum esp_result {
	ESP_UNTOUCHED, /* so far */
	ESP_IN_STEP,   /* nothing had to be written */
	ESP_CLONED_NOW,
	ESP_BROKEN_OFF, /* some of it was written */
};

struct esp_clone {
	struct esp_places *places;
	const struct esp_clone_options *options;
	struct esp_side from;
	unsigned count;
	struct esp_side to[ESP_PLACES];
	struct esp_delta delta[ESP_PLACES]; /* as planned */
	struct esp_create where[ESP_PLACES];
	uint8_t fresh[ESP_PLACES];  /* enum esp_fresh */
	bool manifest[ESP_PLACES];  /* is to be written */
	uint8_t result[ESP_PLACES]; /* enum esp_result */
	struct esp_renewal renewal;
	bool renew_source;
};

/* What is to be done; nothing is written. False: said. */
bool esp_clone_plan(struct esp_clone *c);

/* What to add to a complaint about a source that may have been written to meanwhile; or "". */
const char *esp_clone_torn_text(const struct esp_side *from);

/* Does it need any write? */
bool esp_clone_is_empty(const struct esp_clone *c);

/* One target after the other, each verified before the next. False: said. */
bool esp_clone_write(struct esp_clone *c);

void esp_clone_free(struct esp_clone *c);

/* ---- what people and programs are shown ---- */

void esp_clone_print(const struct esp_clone *c);
void esp_clone_print_json(const struct esp_clone *c);

#endif
