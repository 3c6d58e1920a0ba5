/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * Which EFI system partition a loader and the configuration are taken from: the newest
 * whole one, the same whichever disk the firmware started.
 */
#ifndef COMMON_ESPCHOICE_H
#define COMMON_ESPCHOICE_H

#include "common/guid.h"

#include <stdbool.h>
#include <stdint.h>

/* What its manifest says of an ESP, the best first. */
enum espchoice_state {
	ESPCHOICE_COMPLETE,
	ESPCHOICE_UPDATING, /* a clone to it was cut: files of two generations */
	ESPCHOICE_UNKNOWN,  /* no manifest, or one that can't be used */
};

struct espchoice {
	uint8_t state; /* enum espchoice_state */
	bool own;      /* the one that we were started from */
	bool first;    /* goes before the others, whatever its manifest says */
	struct guid set;
	uint64_t generation;
	uint32_t changed_time; /* FAT time of the newest loader written since the manifest; 0: none
				*/
};

/*
 * order[0] is the index of the one to use first, and so on. ESPs of one set can be
 * compared: our own's, or the first one's that is in any. The others of no set known
 * come after them, and those of other sets last.
 */
void espchoice_order(const struct espchoice *e, unsigned count, unsigned *order);

#endif
