/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * The MBR partition table: four entries at byte 446, the signature 55 AA, and
 * chains of extended partitions. A chain is followed by a bounded loop: an
 * attacker's EBR may point to itself.
 */
#ifndef COMMON_MBRTAB_H
#define COMMON_MBRTAB_H

#include "common/part.h"
#include "common/wire.h"

#define MBR_CODE_BYTES 440 /* boot code; the disk signature follows at 440 */
#define MBR_TABLE_OFF  446
#define MBR_SIG_OFF    510

struct mbr_entry {
	uint8_t status; /* 0x80 active, 0 not */
	uint8_t chs_first[3];
	uint8_t type;
	uint8_t chs_last[3];
	le32 start_lba;
	le32 sectors;
};

struct mbr_sector {
	uint8_t code[MBR_CODE_BYTES];
	le32 disk_signature;
	uint8_t pad[2];
	struct mbr_entry entry[4];
	le16 signature; /* 0xaa55 */
};

_Static_assert(sizeof(struct mbr_entry) == 16, "MBR entry is 16 bytes");
_Static_assert(sizeof(struct mbr_sector) == 512, "MBR is 512 bytes");

#define MBR_SIGNATURE   0xaa55
#define MBR_PROTECTIVE  0xee
#define MBR_CHAIN_LIMIT 128 /* links of an extended chain that we follow */

/* Has this sector the signature and only entries that a table can have (status 0 or 80h)? */
bool mbrtab_plausible(const struct mbr_sector *m);

/* Is one of the four entries the protective type EEh? */
bool mbrtab_is_protective(const struct mbr_sector *m);

/*
 * Fill list (table, parts) from the MBR of d. buf: DISK_SECTOR_BYTES of scratch.
 * ST_ABSENT: no table, or none of its partitions is on this disk. ST_IO: sector 0 could not be
 * read; an unreadable EBR only ends its chain.
 */
enum status mbrtab_read(const struct disk *d, struct part_list *list, void *buf);

#endif
