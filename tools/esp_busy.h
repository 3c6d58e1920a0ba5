/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* Does somebody other than a mount hold a partition: device-mapper, md, swap? */
#ifndef TOOLS_ESP_BUSY_H
#define TOOLS_ESP_BUSY_H

#include "tools/hostdisk.h"

/* The partition of this block device that starts there; images: never. */
bool esp_busy(const struct hostdisk *h, uint64_t start_bytes);

/* What the kernel has in its cache of that partition's own block device is forgotten. */
void esp_busy_forget(const struct hostdisk *h, uint64_t start_bytes);

#endif
