/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * Which EFI system partitions are kept in step: /etc/mirrorboot/esp.conf, which `esp enable`
 * writes. Partitions are in it by GUID: the names of disks change. It also lists the files that
 * were made for it, so that `esp disable` removes those and no others.
 */
#ifndef TOOLS_ESP_CONF_H
#define TOOLS_ESP_CONF_H

#include "common/status.h"
#include "tools/esp_place.h"

#include <limits.h>

#define ESP_CONF_FILE  "/etc/mirrorboot/esp.conf"
#define ESP_CONF_RULES 64
#define ESP_CONF_FILES 16
#define ESP_CONF_HASH  65 /* SHA-256 as text */

struct esp_conf_place {
	char *id;  /* "PARTUUID=GUID"; an image: its path, or PATH:GUID */
	char *was; /* its name when it was enabled; NULL: the same */
};

struct esp_conf {
	char *root; /* a folder before all paths; "": the machine itself */
	unsigned count;
	struct esp_conf_place place[ESP_PLACES]; /* the first is the source */
	bool keep_extra;
	unsigned rule_count;
	struct esp_conf_rule {
		bool include;
		char *pattern;
	} rule[ESP_CONF_RULES];
	unsigned file_count;
	struct esp_conf_file {
		char *path; /* without root */
		char hash[ESP_CONF_HASH];
	} file[ESP_CONF_FILES];
};

/* root: NULL is "". Free with esp_conf_free(). */
void esp_conf_init(struct esp_conf *c, const char *root);
void esp_conf_free(struct esp_conf *c);

/* ABSENT: nothing is enabled, nothing said. CORRUPT, IO: said. */
enum status esp_conf_read(struct esp_conf *c);
/* As a whole or not at all. False: said. */
bool esp_conf_write(const struct esp_conf *c);

void esp_conf_add_place(struct esp_conf *c, const char *id, const char *was);
/* False: too many; said. */
bool esp_conf_add_rule(struct esp_conf *c, bool include, const char *pattern);
struct esp_conf_file *esp_conf_find_file(struct esp_conf *c, const char *path);
/* Listed with what is to be in it; one that is listed already gets this hash. */
void esp_conf_add_file(struct esp_conf *c, const char *path, const char *text);

/* Its rules, for all that this run does. False: said. */
bool esp_conf_use_rules(const struct esp_conf *c);

/* ---- files under its root ---- */

/* root + path, to be freed. */
char *esp_conf_path(const struct esp_conf *c, const char *path);
/* NULL: there is none, or it can't be read (errno). To be freed. */
char *esp_conf_text(const struct esp_conf *c, const char *path);
/* Written beside it, synced, renamed; its folders are made. False: said. */
bool esp_conf_put(const struct esp_conf *c, const char *path, const char *text, mode_t mode);
/* An empty file, there or not; others may do the same at this moment. False: said. */
bool esp_conf_mark(const struct esp_conf *c, const char *path);
void esp_conf_hash(const char *text, char hash[ESP_CONF_HASH]);

#endif
