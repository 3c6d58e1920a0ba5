/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* The rules of common/esppolicy.h, and those that --exclude and --include add to them. */
#ifndef TOOLS_ESP_POLICY_H
#define TOOLS_ESP_POLICY_H

#include "common/esppolicy.h"

#define ESP_POLICY_RULES 64

/* --exclude (LEFT), --include (INCLUDED). False: why it can't be was said. */
bool esp_policy_add(enum esp_policy what, const char *pattern);

enum esp_policy esp_policy_of(const char *path, size_t path_bytes);

#endif
