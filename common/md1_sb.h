/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * The md superblock 1.x as it lies on disk, for those who read it (md1.c) and those
 * who mark a write in it (md1_mark.c). Source: Linux include/uapi/linux/raid/md_p.h.
 */
#ifndef COMMON_MD1_SB_H
#define COMMON_MD1_SB_H

#include "common/guid.h"
#include "common/wire.h"

#include <stddef.h>

#define MD1_MAX_DEV 1920u /* (4096 - 256) / 2 */

struct md1_sb {
	le32 magic;
	le32 major_version;
	le32 feature_map;
	le32 pad0;
	struct guid set_uuid;
	char set_name[32];
	le64 ctime;
	le32 level; /* signed */
	le32 layout;
	le64 size_s512; /* of a component, as used */
	le32 chunk_s512;
	le32 raid_disks;
	le32 bitmap_offset; /* signed; also PPL */
	le32 new_level;
	le64 reshape_position;
	le32 delta_disks;
	le32 new_layout;
	le32 new_chunk;
	le32 new_offset;
	le64 data_offset;
	le64 data_size;
	le64 super_offset;
	le64 recovery_offset; /* also the journal's tail */
	le32 dev_number;
	le32 corrected_reads;
	struct guid device_uuid;
	uint8_t devflags;
	uint8_t bblog_shift;
	le16 bblog_size;
	le32 bblog_offset; /* signed, from the superblock */
	le64 utime;        /* never used: it says who was alone last, not who is right */
	le64 events;
	le64 resync_offset; /* CLEAN, or how far a resync has come */
	le32 csum;
	le32 max_dev;
	le32 logical_block_size; /* newer kernels; pad before */
	uint8_t pad[28];
	/* le16 dev_roles[max_dev] */
};

_Static_assert(sizeof(struct md1_sb) == 256, "roles start at 256");
_Static_assert(offsetof(struct md1_sb, data_offset) == 128, "data_offset at 128");
_Static_assert(offsetof(struct md1_sb, device_uuid) == 168, "device_uuid at 168");
_Static_assert(offsetof(struct md1_sb, events) == 200, "events at 200");
_Static_assert(offsetof(struct md1_sb, csum) == 216, "sb_csum at 216");

static inline uint16_t md1_role_at(const uint8_t *sb, uint32_t i)
{
	return le16_get(*(const le16 *)(sb + sizeof(struct md1_sb) + 2 * (size_t)i));
}

#endif
