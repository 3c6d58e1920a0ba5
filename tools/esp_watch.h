/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * The folders of the source that a systemd path unit watches. inotify, on which path units are
 * built, sees what happens in a folder, not below it: each has a line. Folders made later are
 * added after the next run.
 */
#ifndef TOOLS_ESP_WATCH_H
#define TOOLS_ESP_WATCH_H

#include "tools/esp_conf.h"

#define ESP_WATCH_FOLDERS 128 /* more are not watched */

/* "PathChanged=" lines, to be freed. */
char *esp_watch_lines(const char *mount);

/* The path unit, written anew when the folders are others. source: as on a command line. */
void esp_watch_renew(struct esp_conf *c, char *source);

/* Where it is mounted, to be freed; NULL: it is not. */
char *esp_watch_mount(char *source);

#endif
