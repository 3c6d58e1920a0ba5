/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* Reading only: do EFI system partitions hold what they should, and the same? */
#ifndef TOOLS_ESP_DRIFT_H
#define TOOLS_ESP_DRIFT_H

#include "tools/esp_delta.h"

#include <json-c/json.h>

/* The first against each other. An exit status. */
int esp_diff(struct esp_places *ps, bool json);

/* Each against its own manifest, its file system followed to the end. */
int esp_verify(struct esp_places *ps, bool json);

/* Of what is enabled (esp.conf): what else there is to say. */
struct esp_drift_more {
	unsigned missing;            /* that many are not there, which was said */
	struct json_object *enabled; /* for JSON; taken */
};

/* As verify, in short, and all against the newest. */
int esp_status(struct esp_places *ps, bool json, const struct esp_drift_more *more);

#endif
