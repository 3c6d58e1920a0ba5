/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#ifndef TOOLS_FOLDER_H
#define TOOLS_FOLDER_H

#include <stdbool.h>

/* The folder that this file is in: after a power cut it has the names that it has now. errno. */
bool folder_sync(const char *file);

#endif
