/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* A disk that holds nothing becomes a dynamic disk. */
#ifndef TOOLS_LDM_INIT_H
#define TOOLS_LDM_INIT_H

#include "tools/ldm_group.h"

/* What Windows makes on disks with sectors of 512 bytes. */
#define LDM_PRIVATE_SECTORS 2048u /* 1 MiB */
#define LDM_MBR_PUBLIC_LBA  63u   /* XP and 2003 take this whatever PRIVHEAD says */
#define LDM_GPT_FIRST_LBA   34u
#define LDM_HEAD_MINOR      12u

/* What a disk is going to be. */
struct ldm_fresh {
	bool gpt;
	unsigned minor;   /* version of PRIVHEAD: 11 up to 2003, 12 from Vista on */
	struct guid disk; /* in the order of its text */
	char disk_text[GUID_TEXT_BYTES];
	uint64_t public_lba, public_sectors;
	uint64_t private_lba;
	uint64_t msr_lba, msr_sectors; /* GPT */
};

/*
 * May it be taken? Not when it holds anything (force: then it may), is mounted or in use.
 * False: why was said.
 */
bool ldm_fresh_plan(const struct ldm_groups *gs, unsigned disk, bool gpt, bool force,
		    struct ldm_fresh *f);

/*
 * Write the places of a dynamic disk, with a database that is empty and says that it is
 * not to be used, then the partition table. group_text: GUID. Gives the copy to be filled.
 */
bool ldm_fresh_write(struct ldm_groups *gs, unsigned disk, const struct ldm_fresh *f,
		     const struct guid *group, const char *group_name);

/* The version that a disk has, for another one that joins its group. */
unsigned ldm_head_minor(const struct ldm_copy *c);

/* A database of no records. */
void ldm_fresh_image(struct ldm_image *img, const char *group_name, const char *group_text);

/* A random GUID, and its text. */
bool ldm_random_guid(struct guid *g, char text[GUID_TEXT_BYTES]);
void ldm_guid_text(const struct guid *g, char text[GUID_TEXT_BYTES]);

/* Is a file system of it mounted, or does something else hold it? Says so. */
bool ldm_is_busy(const struct ldm_copy *c);

#endif
