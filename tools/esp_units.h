/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * What makes the machine call `esp clone --unattended`: systemd's service, timer and path unit,
 * hooks of kernels and initramfs (tools/dist). A package may have brought them, but for the path
 * unit, which is about this machine's folders; what is missing is written.
 */
#ifndef TOOLS_ESP_UNITS_H
#define TOOLS_ESP_UNITS_H

#include "tools/esp_conf.h"

#define ESP_UNITS_PATH "/etc/systemd/system/mirrorboot-esp.path"

/*
 * Which files are to be written is put into c->file. mount: where the source is mounted; NULL:
 * it is not, and nothing watches it.
 */
struct esp_units;
struct esp_units *esp_units_plan(struct esp_conf *c, const char *mount);
void esp_units_print(const struct esp_units *u, const struct esp_conf *c);
/* False: said. */
bool esp_units_write(const struct esp_units *u, const struct esp_conf *c);
void esp_units_free(struct esp_units *u);

/* systemd is told. False: said. */
bool esp_units_start(const struct esp_conf *c, bool watch);
bool esp_units_stop(const struct esp_conf *c);
/* The path unit was written anew. */
void esp_units_reload(const struct esp_conf *c);

/* Remove what esp.conf lists, where it is as it was written, and keep (or NULL) has it not. */
void esp_units_remove(const struct esp_conf *c, struct esp_conf *keep);

/* The path unit's text, to be freed. */
char *esp_units_path_text(const char *mount);

#endif
