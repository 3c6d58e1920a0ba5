/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tools/variant.h"
#include "tools/blobs.h"
#include "common/crc32.h"

#include <string.h>

#define SECTOR 512

static struct variant variants[] = {
	{"all formats", VARIANT_MD | VARIANT_LDM | VARIANT_TRUST, true, blob_stage2, 0},
	{"md only", VARIANT_MD | VARIANT_TRUST, true, blob_stage2_md, 0},
	{"LDM only", VARIANT_LDM | VARIANT_TRUST, false, blob_stage2_ldm, 0},
	{"md only, without the leg menu", VARIANT_MD, false, blob_stage2_small, 0},
};

const struct variant *variant_get(unsigned i)
{
	/* Sizes are numbers that only the linker knows. */
	variants[0].n_bytes = blob_stage2_bytes;
	variants[1].n_bytes = blob_stage2_md_bytes;
	variants[2].n_bytes = blob_stage2_ldm_bytes;
	variants[3].n_bytes = blob_stage2_small_bytes;
	return i < sizeof(variants) / sizeof(variants[0]) ? &variants[i] : NULL;
}

uint32_t variant_sectors(const struct variant *v)
{
	return (v->n_bytes + SECTOR - 1) / SECTOR;
}

uint32_t variant_crc(const struct variant *v)
{
	uint32_t whole = v->n_bytes / SECTOR * SECTOR, crc = crc32_update(0, v->data, whole);
	uint8_t last[SECTOR] = {0};

	if (whole == v->n_bytes)
		return crc;
	memcpy(last, v->data + whole, v->n_bytes - whole);
	return crc32_update(crc, last, SECTOR);
}

const struct variant *variant_find(uint32_t crc)
{
	const struct variant *v;

	for (unsigned i = 0; (v = variant_get(i)); i++)
		if (variant_crc(v) == crc)
			return v;
	return NULL;
}

unsigned variant_families(const struct survey *s)
{
	unsigned families = 0;

	for (unsigned i = 0; i < s->member_count; i++)
		families |= s->member[i].format == FORMAT_LDM ? VARIANT_LDM : VARIANT_MD;
	/* A dynamic disk counts, too, when nothing on it is a mirror yet, or can be read. */
	for (unsigned i = 0; i < s->disk_count; i++)
		if (s->found[i].dynamic)
			families |= VARIANT_LDM;
	return families;
}

const struct variant *variant_smallest(unsigned families)
{
	const struct variant *v, *best = variant_get(0);

	for (unsigned i = 0; (v = variant_get(i)); i++)
		if ((v->families & families) == families && v->n_bytes < best->n_bytes)
			best = v;
	return best;
}
