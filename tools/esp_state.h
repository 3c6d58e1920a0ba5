/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * When the last unattended run was, and what became of it: /var/lib/mirrorboot/esp.state. Also
 * which generation each target was left in: one that has another since was updated by somebody
 * else.
 */
#ifndef TOOLS_ESP_STATE_H
#define TOOLS_ESP_STATE_H

#include "tools/esp_conf.h"

#include <json-c/json.h>
#include <time.h>

struct esp_state {
	time_t at;         /* 0: there was none */
	int exit_status;   /* of that run */
	time_t in_step_at; /* the last that found or made all in step; 0: none */
	unsigned count;
	struct esp_state_target {
		char *id; /* as in esp.conf */
		uint64_t generation;
	} target[ESP_PLACES];
};

/* What can't be read is as if there had been no run. Free with esp_state_free(). */
void esp_state_read(struct esp_state *s, const struct esp_conf *c);
void esp_state_free(struct esp_state *s);
/* A run ends now. False: said. */
bool esp_state_write(struct esp_state *s, const struct esp_conf *c, int exit_status);
void esp_state_remove(const struct esp_conf *c);

/* 0: not known. */
uint64_t esp_state_generation(const struct esp_state *s, const char *id);
void esp_state_set_generation(struct esp_state *s, const char *id, uint64_t generation);

/* A line for people. */
void esp_state_print(const struct esp_state *s);
/* {"time", "exit_status", "in_step_at"}, times in UTC; NULL (null): no run. */
struct json_object *esp_state_json(const struct esp_state *s);

#endif
