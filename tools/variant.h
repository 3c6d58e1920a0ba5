/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * The stage2 files of this build: one for all formats, and smaller ones for one family of
 * them, where a disk has less room.
 */
#ifndef TOOLS_VARIANT_H
#define TOOLS_VARIANT_H

#include "common/survey.h"

/* What a stage2 knows: families of formats, and the key "trust". */
enum variant_family { VARIANT_MD = 1 << 0, VARIANT_LDM = 1 << 1, VARIANT_TRUST = 1 << 2 };

struct variant {
	const char *what; /* "all formats" */
	unsigned families;
	bool writes; /* can its drives be written? */
	const uint8_t *data;
	uint32_t n_bytes;
};

/* The best first: that for all formats. NULL: there are no more. */
const struct variant *variant_get(unsigned i);

/* Sectors of it, the last one padded; and its CRC-32, padding included. */
uint32_t variant_sectors(const struct variant *v);
uint32_t variant_crc(const struct variant *v);

/* The one of this CRC-32; NULL: it is none of this build's. */
const struct variant *variant_find(uint32_t crc);

/* What a stage2 for these disks must know (enum variant_family). */
unsigned variant_families(const struct survey *s);

/* The smallest of those that know all of these. */
const struct variant *variant_smallest(unsigned families);

#endif
