/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tests/sim/crashmd.h"
#include "tests/unit/help_md.h"

#include <stdlib.h>
#include <string.h>

#define CLEAN     UINT64_MAX
#define NO_LEG_AT 99u

void crashmd_make(struct crashgroup *g, unsigned here, unsigned of, bool bitmap)
{
	crashgroup_init(g);
	for (unsigned i = 0; i < here; i++) {
		struct md1_spec spec = md1_spec(FORMAT_MD_1_2, i);
		struct memdisk m;
		unsigned n = crashgroup_add(g, CRASHMD_SECTORS);

		memdisk_open(&m, CRASHMD_SECTORS, 9);
		spec.raid_disks = of;
		for (unsigned k = 0; k < of; k++)
			spec.roles[k] = (uint16_t)k;
		spec.features = bitmap;
		md1_put(&m, 0, CRASHMD_SECTORS, &spec);
		if (bitmap) {
			uint8_t *sb = m.bytes + CRASHMD_SB_LBA * 512;
			uint8_t *b = m.bytes + CRASHMD_BITMAP_LBA * 512;

			put32(sb + 96, CRASHMD_BITMAP_LBA - CRASHMD_SB_LBA);
			md1_resum(sb);
			put32(b, 0x6d746962);
			put32(b + 4, 4);
			memset(b + 8, spec.uuid, 16);
			put64(b + 24, spec.events);
			put32(b + 52, CRASHMD_CHUNK * 512);
		}
		memdisk_fill(&m, CRASHMD_DATA_LBA, CRASHMD_DATA, CRASHMD_OLD, 0);
		memcpy(g->disk[n].now, m.bytes, CRASHMD_SECTORS * 512);
		memdisk_close(&m);
	}
}

static uint8_t *sb_of(uint8_t *const *image, unsigned i)
{
	return image[i] + CRASHMD_SB_LBA * 512;
}

static uint64_t get64(const uint8_t *from)
{
	return get32(from) | (uint64_t)get32(from + 4) << 32;
}

static uint64_t events_of(uint8_t *const *image, unsigned i)
{
	return get64(sb_of(image, i) + 200);
}

static bool has_bit(uint8_t *const *image, unsigned leg, unsigned chunk)
{
	return image[leg][CRASHMD_BITMAP_LBA * 512 + 256 + chunk / 8] >> (chunk & 7) & 1;
}

static bool sum_is_right(uint8_t *const *image, unsigned i)
{
	uint8_t sb[4096];

	memcpy(sb, sb_of(image, i), sizeof(sb));
	md1_resum(sb);
	return !memcmp(sb, sb_of(image, i), sizeof(sb));
}

const char *crashmd_judge(uint8_t *const *image, unsigned legs, unsigned attached, bool bitmap)
{
	unsigned fresh = NO_LEG_AT;
	bool clean;

	for (unsigned i = 0; i < legs; i++) {
		if (!(attached & 1u << i))
			continue;
		if (!sum_is_right(image, i))
			return "a superblock's checksum is wrong";
		if (fresh == NO_LEG_AT || events_of(image, i) > events_of(image, fresh))
			fresh = i;
	}
	clean = get64(sb_of(image, fresh) + 208) == CLEAN;
	for (unsigned i = 0; i < legs; i++) {
		const uint8_t *role = sb_of(image, fresh) + 256 + (size_t)2 * i;

		/* One that is older by more than what md takes back, or faulty, is left out. */
		if (!(attached & 1u << i) || events_of(image, i) + 1 < events_of(image, fresh) ||
		    (role[0] | role[1] << 8) >= 0xff00)
			continue;
		for (unsigned lba = 0; lba < CRASHMD_DATA; lba++) {
			size_t at = (size_t)(CRASHMD_DATA_LBA + lba) * 512;
			unsigned chunk = lba / CRASHMD_CHUNK;

			if (!memcmp(image[i] + at, image[fresh] + at, 512))
				continue;
			if (clean)
				return "the legs differ, and the array is clean";
			if (bitmap && (!has_bit(image, i, chunk) || !has_bit(image, fresh, chunk)))
				return "the legs differ where no bit of the bitmap says so";
		}
	}
	return NULL;
}
