/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* What other people's tools say of a disk that was cut. */
#ifndef TESTS_SIM_CRASHTOOLS_H
#define TESTS_SIM_CRASHTOOLS_H

#include <stdint.h>

struct crashtools {
	const char *name;
	uint32_t sectors;
	unsigned partitions; /* at least */
	uint32_t member_lba, member_sectors;
	uint32_t esp_lba, esp_sectors; /* none: it has no ESP, or one that is being made */
};

/*
 * In the whole run, of each few hundredth state: sgdisk reads its table, fsck.fat -n its ESP,
 * mdadm -E its member. Fails when one finds what a cut may not leave.
 */
void crashtools_ask(const struct crashtools *of, const uint8_t *image, unsigned state,
		    const char *what);

/* The same: ldmtool finds the disk group and its volume on these disks. */
void crashtools_ask_ldm(uint8_t *const *image, const uint64_t *sectors, unsigned disks,
			const char *volume, unsigned state, const char *name, const char *what);

#endif
