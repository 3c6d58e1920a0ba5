/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * The table of metadata formats: one row a format, so that a new one is a new
 * file and a new row.
 */
#ifndef COMMON_FORMATS_H
#define COMMON_FORMATS_H

#include "common/disk.h"
#include "common/member.h"
#include "common/part.h"

struct format {
	const char *name; /* as in JSON: "md-1.2" */
	/*
	 * Probe one place (a whole disk or a partition slice) for this format.
	 *   ST_OK      *m is filled, but for the "where" fields
	 *   ST_ABSENT  nothing of this format here
	 *   ST_IO      the place could not be read
	 * buf: FORMAT_BUF_BYTES of scratch. NULL: not to be found in one place, or not known
	 * to this program.
	 */
	enum status (*probe)(const struct disk *slice, struct member *m, uint8_t *buf);
};

#define FORMAT_BUF_BYTES 8192

/* Indexed by enum format_id. */
extern const struct format formats[FORMAT_COUNT];

struct survey;
struct mirror;

/* Metadata of a whole disk with all its partitions: that of dynamic disks. */
struct format_dynamic {
	/* Members of this disk into the survey; d is the same disk, as probe reads it. */
	void (*probe)(struct survey *s, unsigned disk, const struct disk *d);
	/* Of one whose own database is of no use, once all others have been probed. */
	void (*probe_broken)(struct survey *s, unsigned disk);
	/* Is this partition a part of it? */
	bool (*owns)(const struct part_list *list, const struct part *part);
	/* Of a mirror whose legs have their verdicts, as a mirror of md would: what else there is.
	 */
	void (*judge)(const struct survey *s, struct mirror *m, const struct member *newest);
};

/* NULL: not known to this program. */
extern const struct format_dynamic *const format_dynamic;

/* Their texts (reason_md, reason_ldm); NULL ends the list. */
extern const char *const *const format_reasons[];

#endif
