/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * One disk's copy of an LDM database as it lies on the disk: the regions "config" (VMDB,
 * then slots of 128 bytes with the records) and "log" (KLOG), in memory, to be changed
 * there. What we do not understand of a record stays as it is, to the byte.
 */
#ifndef TOOLS_LDM_IMAGE_H
#define TOOLS_LDM_IMAGE_H

#include "common/ldm.h"

#include <stddef.h>

#define LDM_SLOT_BYTES 128
#define LDM_SLOT_FIRST 4 /* VMDB takes the numbers before */
#define LDM_RAW_PIECES 8
#define LDM_RAW_BYTES  (LDM_RAW_PIECES * 112)

/* Places in VMDB: see docs/formats/ldm.md. */
enum ldm_vmdb_at {
	LDM_AT_SLOTS = 0x04,
	LDM_AT_STATUS = 0x10, /* 2 bytes, enum ldm_db_status */
	LDM_AT_COMMITTED = 0x75,
	LDM_AT_PENDING = 0x7d,
	LDM_AT_COUNTS = 0x85, /* of 4 bytes: volumes, components, partitions, disks */
	LDM_AT_PENDING_COUNTS = 0xa1,
	LDM_AT_TIME = 0xbd,
};

/* A record's own state in a database. */
enum ldm_raw_status { LDM_RAW_ACTIVE, LDM_RAW_LEAVING, LDM_RAW_COMING };

struct ldm_image {
	uint8_t *config, *log;
	size_t config_bytes, log_bytes;
	uint32_t slots; /* that hold records can, and those of VMDB */
};

/* A record, with its bytes. */
struct ldm_raw {
	struct ldm_record rec;
	enum status parsed; /* of ldm_record_parse() */
	uint32_t group;
	unsigned pieces, found;
	uint32_t slot[LDM_RAW_PIECES]; /* 0: that piece is not there */
	uint32_t bytes;
	uint8_t data[LDM_RAW_BYTES];
};

struct ldm_raws {
	unsigned count, room;
	struct ldm_raw *raw;
};

/*
 * Read both regions. ST_CORRUPT: no VMDB of the kind that we know. The state that it says
 * it is in is not looked at.
 */
enum status ldm_image_read(struct ldm_image *img, const struct disk *d, const struct ldm_head *h);
void ldm_image_free(struct ldm_image *img);
/* to is empty, or an image of the same size. */
void ldm_image_assign(struct ldm_image *to, const struct ldm_image *from);

/* Big-endian fields of VMDB. */
uint64_t ldm_image_get(const struct ldm_image *img, unsigned at, unsigned bytes);
void ldm_image_put(struct ldm_image *img, unsigned at, unsigned bytes, uint64_t value);

/* Big-endian, anywhere. */
void ldm_put_be(uint8_t *to, unsigned bytes, uint64_t value);

/* Has the slot its own number? */
bool ldm_image_slot_is(const struct ldm_image *img, uint32_t slot);

/* All records, those with missing pieces too (found < pieces). Free with ldm_raws_free(). */
bool ldm_image_records(const struct ldm_image *img, struct ldm_raws *all);
void ldm_raws_free(struct ldm_raws *all);

/* Change a record's state in place. Its first piece must be there. */
void ldm_image_set_status(struct ldm_image *img, const struct ldm_raw *r, unsigned status);

/* Free the slots of a record: of its later pieces only, or all. */
void ldm_image_drop(struct ldm_image *img, const struct ldm_raw *r, bool later_only);

/*
 * Add a record in free slots. One that is in pieces gets slots of one sector: a cut then
 * leaves all of it or nothing. False: no room.
 */
bool ldm_image_add(struct ldm_image *img, const uint8_t *data, uint32_t bytes, unsigned status,
		   unsigned sector_bytes);

/* Count the records into VMDB: those that are active or in state also. */
void ldm_image_count(struct ldm_image *img, unsigned at, unsigned also);

/* KLOG: the transaction that is under way; what else is noted there stays. */
void ldm_image_log_commit(struct ldm_image *img, uint64_t committed, uint64_t pending);

/* The log of another copy, of the same size. */
void ldm_image_log_assign(struct ldm_image *to, const struct ldm_image *from);

/*
 * The update that was cut, undone or finished, as Windows would: everything but VMDB's own
 * state. forward: its pending transaction is the one that counts.
 */
void ldm_image_settle(struct ldm_image *img, bool forward);

/* VMDB of an update that is over. */
void ldm_image_clean(struct ldm_image *img, bool forward);

/*
 * Are two copies, both settled and clean, the same but for the time and for entries of KLOG
 * that say no more than that something was committed?
 */
bool ldm_image_same(const struct ldm_image *a, const struct ldm_image *b);

#endif
