/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* A new EFI system partition in free space of a GPT (libfdisk). */
#ifndef TOOLS_ESP_CREATE_H
#define TOOLS_ESP_CREATE_H

#include "tools/esp_place.h"

struct esp_create {
	uint64_t start_lba, sectors;
	uint64_t longest_bytes; /* the longest free space there is */
};

/* Where one of this size goes; nothing is written. False: said. */
bool esp_create_plan(const struct esp_place *p, uint64_t bytes, struct esp_create *c);

/* Make it there, and find it. False: said. */
bool esp_create_write(struct esp_place *p, const struct esp_create *c);

/* Is there something in the partition that libblkid knows? what: its name. */
bool esp_create_holds(const struct esp_place *p, char *what, size_t size);

#endif
