/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * One disk's copy of its group's database, as tables. Which of the records count is
 * the database's own state to say: an update that was cut is seen as before it (until
 * it was committed) or as after it (from then on), as Windows would.
 */
#ifndef COMMON_LDM_DB_H
#define COMMON_LDM_DB_H

#include "common/ldm.h"

#define LDM_DISKS      32
#define LDM_VOLUMES    48
#define LDM_COMPONENTS 96
#define LDM_PARTITIONS 160
#define LDM_TABLES     4

/* VMDB's own states. */
enum ldm_db_status {
	LDM_DB_CLEAN = 1,
	LDM_DB_CHANGE = 2, /* being prepared: what was before counts */
	LDM_DB_COMMIT = 3, /* committed: what is to come counts */
	LDM_DB_ABORT = 4,
	LDM_DB_NEW = 5,
	LDM_DB_STALE = 6,
	LDM_DB_OFFLINE = 8,
};

/* Why copies of the data may differ although the records say that they are healthy. */
enum ldm_log_flag {
	LDM_LOG_DETACH = 1 << 0,
	LDM_LOG_DIRTY = 1 << 1,
	LDM_LOG_UNREAD = 1 << 2, /* it could not be read, or is none */
	LDM_LOG_CUT = 1 << 3,    /* not of the log: an update of the database was on its way */
};

/*
 * The tables are in the order of the database's slots. Components refer to their
 * volume, partitions to their component and disk, by id.
 */
struct ldm_db {
	struct guid group;
	char group_name[LDM_NAME_BYTES];
	uint8_t status;     /* enum ldm_db_status */
	uint8_t log;        /* enum ldm_log_flag */
	bool full;          /* more records than there is room for */
	uint64_t committed; /* transaction that this view is of */
	uint64_t prepared;  /* being changed: the one that was on its way; else 0 */
	uint32_t check;     /* of the records that count: copies of one transaction are alike */
	uint32_t raw;       /* of all that was read, log included; 0: of no use for that */
	union {
		uint16_t count[LDM_TABLES];
		struct {
			uint16_t volume_count, component_count, partition_count, disk_count;
		};
	};
	struct ldm_volume volume[LDM_VOLUMES];
	struct ldm_component component[LDM_COMPONENTS];
	struct ldm_partition partition[LDM_PARTITIONS];
	struct ldm_disk disk[LDM_DISKS];
};

/* Scratch for reading: a chunk of the disk, and records that are in pieces. */
#define LDM_CHUNK_BYTES  8192
#define LDM_PIECES       8 /* records whose pieces have not all come, at a time */
#define LDM_RECORD_BYTES 448

struct ldm_scratch {
	uint8_t chunk[LDM_CHUNK_BYTES];
	struct ldm_pieces {
		uint32_t group;
		uint16_t count, seen; /* 0: free */
		uint8_t data[LDM_RECORD_BYTES];
	} pieces[LDM_PIECES];
};

/*
 * Reads that this takes at most, whatever the disk says: a region of 1 MiB, and the log.
 * What Windows makes takes 2 or 3.
 */
#define LDM_DB_READS_MAX 129

/*
 * Read it, as far as it holds records.
 *   ST_CORRUPT      what it says of itself does not hold together: not to be used
 *   ST_UNSUPPORTED  a state in which Windows would not use it either
 */
enum status ldm_db_read(const struct disk *d, const struct ldm_head *h, struct ldm_db *db,
			struct ldm_scratch *scratch);

const struct ldm_disk *ldm_db_disk(const struct ldm_db *db, uint32_t id);
const struct ldm_component *ldm_db_component(const struct ldm_db *db, uint32_t id);
const struct ldm_volume *ldm_db_volume(const struct ldm_db *db, uint32_t id);

#endif
