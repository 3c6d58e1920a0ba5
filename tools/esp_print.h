/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* Text and JSON about EFI system partitions and how they differ. */
#ifndef TOOLS_ESP_PRINT_H
#define TOOLS_ESP_PRINT_H

#include "tools/esp_delta.h"

#include <json-c/json.h>

/* "12.5 MiB", "731 bytes"; one buffer for all calls, of which the last four stay. */
const char *esp_print_size(uint64_t bytes);

/* "a (partition 1, GUID, FAT32)" */
void esp_print_name(const struct esp_side *s);

/* A line for each item; limit: at most so many, 0: all. diff: as a state, not as a plan. */
void esp_print_items(const struct esp_delta *d, bool diff, unsigned limit);

/* "3 files to write (1.2 MiB), 1 to delete" */
void esp_print_sum(const struct esp_delta *d, char *text, size_t size);

struct json_object *esp_json_side(const struct esp_side *s);
/* "differences" */
struct json_object *esp_json_items(const struct esp_delta *d);
void esp_json_print(struct json_object *o);

#endif
