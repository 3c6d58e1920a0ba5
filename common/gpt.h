/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * The GUID partition table (UEFI spec 2.10, chapter 5): header at LBA 1 with its
 * CRC, entries with theirs; the backup in the disk's last LBA.
 */
#ifndef COMMON_GPT_H
#define COMMON_GPT_H

#include "common/part.h"
#include "common/wire.h"

struct gpt_header {
	uint8_t signature[8]; /* "EFI PART" */
	le32 revision;
	le32 header_bytes; /* 92 to the sector size */
	le32 header_crc;   /* with this field 0 */
	le32 reserved;
	le64 my_lba;
	le64 alternate_lba;
	le64 first_usable_lba;
	le64 last_usable_lba; /* inclusive */
	struct guid disk_guid;
	le64 entries_lba;
	le32 entry_count;
	le32 entry_bytes; /* 128 * 2^n */
	le32 entries_crc;
};

struct gpt_entry {
	struct guid type;
	struct guid uuid;
	le64 first_lba;
	le64 last_lba; /* inclusive */
	le64 attributes;
	le16 name[36];
};

_Static_assert(sizeof(struct gpt_header) == 92, "GPT header is 92 bytes");
_Static_assert(sizeof(struct gpt_entry) == 128, "GPT entry is 128 bytes");

/* Bounds on what a header may claim: beyond them it is CORRUPT, never followed. */
#define GPT_ENTRY_BYTES_MAX 1024
#define GPT_ENTRIES_MAX     1024

extern const struct guid gpt_type_esp;          /* c12a7328-f81f-11d2-ba4b-00a0c93ec93b */
extern const struct guid gpt_type_bios_boot;    /* 21686148-6449-6e6f-744e-656564454649 */
extern const struct guid gpt_type_ldm_data;     /* af9b60a0-1431-4f62-bc68-3311714a69ad */
extern const struct guid gpt_type_ldm_metadata; /* 5808c8aa-7e8f-42e0-85d2-e1e90434cfb3 */
extern const struct guid gpt_type_raid;         /* a19d880f-05fc-4d3b-a006-743f0f84911e */

/*
 * Primary first; when it can't be read or trusted, the backup, and list->table
 * says so (PART_TABLE_GPT_BACKUP). buf: DISK_SECTOR_BYTES of scratch.
 * ST_ABSENT: neither place has a header. ST_CORRUPT: a header is there, none is
 * good. ST_IO: neither could be read.
 */
enum status gpt_read(const struct disk *d, struct part_list *list, void *buf);

#endif
