/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * Dynamic disks made here, byte by byte from the offsets in docs/formats/ldm.md, without the
 * code under test. A database is built once and written to each disk of its group.
 */
#ifndef TESTS_UNIT_HELP_LDM_H
#define TESTS_UNIT_HELP_LDM_H

#include "tests/unit/help_part.h"

#include "common/ldm_list.h"

#define LDMT_SECTORS      10240u /* of 512 bytes, of a whole disk: 5 MiB */
#define LDMT_CONFIG_BYTES (1481u * 512)
#define LDMT_SLOTS        5924u
#define LDMT_RECORD_BYTES 448
#define LDMT_PUBLIC_S512  64u /* on MBR disks; 1 MiB further on GPT disks */

/* ---- records ---- */

struct ldmt_record {
	uint8_t b[LDMT_RECORD_BYTES];
	unsigned n;
};

void ldmt_start(struct ldmt_record *r, unsigned status, unsigned flags, unsigned kind, uint64_t id,
		const char *name);
void ldmt_fixed(struct ldmt_record *r, uint64_t value, unsigned bytes);
void ldmt_var(struct ldmt_record *r, uint64_t value);
void ldmt_text(struct ldmt_record *r, const char *text);
/* Sets the length. */
void ldmt_end(struct ldmt_record *r);

/* What a reader should find in them is in the same structs. */
void ldmt_volume(struct ldmt_record *r, unsigned status, const struct ldm_volume *v);
void ldmt_component(struct ldmt_record *r, unsigned status, const struct ldm_component *c);
void ldmt_partition(struct ldmt_record *r, unsigned status, const struct ldm_partition *p);
void ldmt_disk(struct ldmt_record *r, unsigned status, const struct ldm_disk *d);
void ldmt_group(struct ldmt_record *r, bool raw, unsigned flags);

/* ---- a database ---- */

struct ldmt_db {
	uint8_t group;      /* every byte of its GUID */
	uint64_t committed; /* as they go to VMDB; status 1 */
	uint64_t pending;
	unsigned status;
	uint32_t count[4], pending_count[4]; /* volumes, components, partitions, disks */
	unsigned slot;                       /* the next that ldmt_add() takes */
	uint32_t piece_group;                /* the last given */
	uint8_t config[LDMT_CONFIG_BYTES];
	uint8_t log[1024];
};

void ldmt_open(struct ldmt_db *db);
/* Put a piece of a record into a slot; all of it in the next slots, counted by its type. */
void ldmt_put(struct ldmt_db *db, unsigned slot, uint32_t group, unsigned piece, unsigned pieces,
	      const uint8_t *payload);
void ldmt_add(struct ldmt_db *db, const struct ldmt_record *r);
void ldmt_log(struct ldmt_db *db, unsigned page, unsigned entry, unsigned status);

/*
 * Disks 1 and 2 (GUIDs of 0x11 and 0x12, ids 11 and 12), Volume1 of two components of 4096
 * sectors each: at 128 on disk 1, at 256 on disk 2. Before it is written, change what
 * is to be another way: the structs are the ones of which ldmt_make() makes records.
 */
struct ldmt_group {
	struct ldmt_db db;
	unsigned volumes, components, partitions, disks;
	struct ldm_volume volume[4];
	struct ldm_component component[6];
	struct ldm_partition partition[8];
	struct ldm_disk disk[5];
};

void ldmt_mirror(struct ldmt_group *g);
/* Records of all that is in g->volume and so on, into a new g->db. */
void ldmt_make(struct ldmt_group *g);

/* ---- a disk ---- */

/* Where things are, in sectors of the disk, from the start of the private region. */
struct ldmt_place {
	uint64_t private_lba, private_sectors, public_lba;
	uint32_t config, config_sectors, log, log_sectors;
	uint32_t toc[2], second, primary;
};

struct ldmt_place ldmt_place(const struct memdisk *m, bool gpt);
/* The table, PRIVHEADs, both TOCBLOCKs in use (and two old ones), database and log. */
void ldmt_write(struct memdisk *m, const struct ldmt_db *db, uint8_t disk_guid, bool gpt);
/* A new disk of LDMT_SECTORS (fewer, larger ones when shift is), with it. */
void ldmt_disk_open(struct memdisk *m, const struct ldmt_db *db, uint8_t disk_guid, bool gpt,
		    unsigned shift);
/* The checksum of a PRIVHEAD or TOCBLOCK, after a change. */
void ldmt_resum(uint8_t *block);
void ldmt_be(uint8_t *to, uint64_t value, unsigned bytes);

#endif
