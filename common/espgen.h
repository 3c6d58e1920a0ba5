/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * Generations: which one source and targets of a clone get, so that at boot the newest is taken.
 * From Linux and from firmware by the same rule.
 */
#ifndef COMMON_ESPGEN_H
#define COMMON_ESPGEN_H

#include "common/manifest.h"

/* What the manifest of an ESP says, and how its files are by it. */
struct espgen_esp {
	uint8_t status;  /* enum status of its manifest */
	bool complete;   /* its state */
	bool updated;    /* files that are not ours differ: somebody installed something since */
	bool is_current; /* it says of this ESP what is so (espgen_is_current) */
	bool differs;    /* a target: its files are to be written */
	struct guid set;
	uint64_t generation;
};

struct espgen {
	struct guid set;
	bool set_is_new; /* none has a manifest: *set is the caller's */
	uint64_t generation;
	bool source; /* its manifest is to be written */
};

enum espgen_result {
	ESPGEN_FINE,
	ESPGEN_SOURCE_CUT,   /* its last update was cut: files of two generations */
	ESPGEN_TARGET_NEWER, /* which says which */
};

/* Does the manifest say of the ESP with this partition GUID what is so? same: no file differs. */
bool espgen_is_current(enum status status, const struct manifest *m, bool same,
		       const struct guid *partition);

/* fresh: a random guid, for a set that is made now. force: the refusals are none. */
enum espgen_result espgen_plan(struct espgen *g, const struct espgen_esp *from,
			       const struct espgen_esp *to, unsigned count,
			       const struct guid *fresh, bool force, unsigned *which);

/* Does this target's manifest need to be written? */
bool espgen_needed(const struct espgen *g, const struct espgen_esp *to);

/* The one to clone from: the first of the highest generation; of those, one that was changed since.
 */
unsigned espgen_newest(const struct espgen_esp *e, unsigned count);

/*
 * The time that the manifests of a clone get, that of the newest of these files of the source: call
 * it for each, from 0 on. No clock's: a clone is the same bytes whenever and from wherever it
 * is made, and a firmware's clock may be wrong, or in another zone than the files' times.
 */
static inline uint32_t espgen_time(uint32_t time, const struct manifest_file *f)
{
	return f->fat_time > time ? f->fat_time : time;
}

#define ESPGEN_NO_TIME 0x00210000u /* 1980-01-01, where there is no file */

#endif
