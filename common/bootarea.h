/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * The boot area on a BIOS disk: the sectors, outside every partition or in the
 * tail of the BIOS boot partition, that hold stage2, its config and the boot
 * code that we replaced. The tool writes it, the MBR and stage2 read it.
 *
 *   sector 0        header
 *          1        the replaced LBA 0, whole
 *          2..5     config text, NUL-padded
 *          6        boot record: zeros until the first boot (common/record.h)
 *          7..      stage2
 */
#ifndef COMMON_BOOTAREA_H
#define COMMON_BOOTAREA_H

#include "common/disk.h"
#include "common/mbrtab.h"
#include "common/wire.h"

#define BOOTAREA_MAGIC        "MIRRBOOT"
#define BOOTAREA_VERSION      1
#define BOOTAREA_SAVED        1
#define BOOTAREA_CONFIG       2
#define BOOTAREA_CONFIG_COUNT 4
#define BOOTAREA_RECORD       6
#define BOOTAREA_STAGE2       7
#define BOOTAREA_STAGE2_MAX   80 /* sectors: what the MBR loads at most */

struct bootarea_header {
	uint8_t magic[8];
	le32 version;
	le32 area_sectors; /* all of it, this sector included */
	le32 stage2_sectors;
	le32 stage2_crc; /* CRC-32 of those sectors, padding included */
	le32 config_crc; /* of the four config sectors */
	le32 saved_crc;  /* of the saved LBA 0 */
	le64 area_lba;   /* where this sector believes it is */
	uint8_t pad[512 - 44];
	le32 header_crc; /* of the 508 bytes before */
};
_Static_assert(sizeof(struct bootarea_header) == 512, "one sector");

/*
 * Our 440 bytes of boot code end in this, so that the MBR code of any disk can
 * find stage2 on any other disk.
 */
struct bootarea_patch {
	le32 magic; /* BOOTAREA_PATCH_MAGIC */
	le64 stage2_lba;
	le16 stage2_sectors;
	le16 reserved;
	le32 stage2_crc;
};
#define BOOTAREA_PATCH_MAGIC 0x3242524du /* "MRB2" */
/*
 * "MRBT": its stage2 is for another address. The MBR passes by such disks; the tool upgrades
 * them, and takes them away, as its own.
 */
#define BOOTAREA_PATCH_MAGIC_1 0x5442524du
#define BOOTAREA_PATCH_OFF     420
_Static_assert(sizeof(struct bootarea_patch) == 20, "patch is 20 bytes");
_Static_assert(BOOTAREA_PATCH_OFF + 20 == MBR_CODE_BYTES, "patch ends the boot code");

/*
 * Is this LBA 0 ours? ST_OK: *area_lba is where its boot area starts. ST_ABSENT:
 * not ours. ST_CORRUPT: our magic with an impossible place.
 */
enum status bootarea_locate(const uint8_t *lba0, uint64_t disk_sectors, uint64_t *area_lba);

/*
 * Both of these, on a disk of 512-byte sectors: the header of its area, and where that
 * starts. sector: room for one. ST_ABSENT: it has none.
 */
enum status bootarea_open(const struct disk *d, uint8_t *sector, struct bootarea_header *h,
			  uint64_t *area_lba);

/* Check a header read from area_lba: magic, version, CRC, place, sizes. */
enum status bootarea_check(const struct bootarea_header *h, uint64_t area_lba,
			   uint64_t disk_sectors);

#endif
