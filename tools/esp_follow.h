/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * A run that nobody looks at (`esp clone --unattended`): each enabled target by itself, so that
 * one that fails is no loss to the others. It refuses what a person would have been asked about.
 */
#ifndef TOOLS_ESP_FOLLOW_H
#define TOOLS_ESP_FOLLOW_H

#include "tools/esp_conf.h"
#include "tools/esp_found.h"

/* An exit status: 0 all are in step, 1 all that are there, 3 one could not be brought in step. */
int esp_follow(struct esp_conf *c);

/*
 * Those of the enabled that are there today, the source first: arg[0] is NULL when it is not.
 * What is missing is said, and counted. Free with esp_follow_free().
 */
struct esp_follow_set {
	unsigned count; /* of arg; at least 1 */
	char *arg[ESP_PLACES];
	const char *id[ESP_PLACES];
	unsigned missing;
	struct esp_found_list found;
};
void esp_follow_set(struct esp_follow_set *s, const struct esp_conf *c);
void esp_follow_free(struct esp_follow_set *s);

#endif
