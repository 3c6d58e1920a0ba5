/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* Names in commands that a person is to type: as a shell takes them. */
#ifndef TOOLS_SHELLWORD_H
#define TOOLS_SHELLWORD_H

#include "tools/hostdisk.h"

/* In quotes where it needs them, and never an option; to be freed. */
char *shellword_path(const char *path);

/* The disks of a mask, each with a blank before it; to be freed. */
char *shellword_disks(const struct hostset *set, uint32_t disks);

#endif
