/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* Partition tables on disks in memory, made from the offsets in UEFI 2.10 chapter 5. */
#ifndef TESTS_UNIT_HELP_PART_H
#define TESTS_UNIT_HELP_PART_H

#include "tests/unit/help_md.h"

#include "common/gpt.h"
#include "common/mbrtab.h"

uint8_t *memdisk_at(struct memdisk *m, uint64_t lba);

/* Entry 0 or 1 of the EBR at this sector. */
void put_ebr(struct memdisk *m, uint64_t ebr_lba, unsigned entry, uint8_t type, uint32_t start,
	     uint32_t sectors);

struct gpt_spec {
	uint64_t my, alternate, entries, first_usable, last_usable;
	uint32_t count, bytes;
};

/* 128 entries of 128 bytes: the primary at 1 and 2, the backup in the last sectors. */
struct gpt_spec gpt_spec(const struct memdisk *m, bool backup);
void put_gpt_entry(struct memdisk *m, const struct gpt_spec *s, unsigned i, const struct guid *type,
		   uint64_t first, uint64_t last);
/* With both checksums, over what is on the disk. */
void put_gpt_header(struct memdisk *m, const struct gpt_spec *s);
/* The header's own checksum, after a change to it; it says its length itself. */
void gpt_resum(struct memdisk *m, uint64_t lba);

/* Protective MBR and both copies, with an ESP (1), a member (3) and a BIOS boot partition (128). */
void put_gpt(struct memdisk *m);
/* Are those three what was read? */
void check_put_gpt(const struct memdisk *m, const struct part_list *list, enum part_table table);

#endif
