/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * The manifests of a clone: which generation source and targets get, and writing them. The
 * source's is written first, then each target's says "updating" before its first file changes,
 * and "complete" after the last.
 */
#ifndef TOOLS_ESP_RENEWAL_H
#define TOOLS_ESP_RENEWAL_H

#include "common/espgen.h"
#include "tools/esp_delta.h"

struct esp_renewal {
	struct guid set;
	uint64_t generation;
	uint32_t fat_time; /* that the manifests get: espgen_time() says why */
	bool source;       /* its manifest is to be written */
};

/* Does the manifest that is there say of this ESP what is so? */
bool esp_renewal_is_current(const struct espman *m);

/* What the common rules ask of it; delta: of a target, else NULL. */
struct espgen_esp esp_renewal_facts(const struct esp_side *s, const struct esp_delta *delta);

/* "complete", "updating", "none", "damaged", "unreadable", "newer" */
const char *esp_renewal_state(const struct espman *m);

/*
 * May the source be believed, and is no target newer than it? Says why not. to, delta: of
 * the targets. False also when there are no random numbers.
 */
bool esp_renewal_plan(struct esp_renewal *r, const struct esp_side *from, const struct esp_side *to,
		      const struct esp_delta *delta, unsigned count, bool force);

/* Does this target's need to be written? */
bool esp_renewal_needed(const struct esp_renewal *r, const struct esp_side *to,
			const struct esp_delta *delta);

/* Room that a manifest of these files takes. */
uint64_t esp_renewal_bytes(const struct esp_side *s);

/* Write one over what is there. The side was just looked at. False: said. */
bool esp_renewal_write(const struct esp_renewal *r, struct esp_side *s, enum manifest_state state);

/* The source's: on its disk, or by way of the mount. False: said. */
bool esp_renewal_write_source(const struct esp_renewal *r, struct esp_side *s);

#endif
