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

struct format {
	const char *name; /* as in JSON: "md-1.2" */
	/*
	 * Probe one place (a whole disk or a partition slice) for this format.
	 *   ST_OK      *m is filled, but for the "where" fields
	 *   ST_ABSENT  nothing of this format here
	 *   ST_IO      the place could not be read
	 * buf: FORMAT_BUF_BYTES of scratch.
	 */
	enum status (*probe)(const struct disk *slice, struct member *m, uint8_t *buf);
};

#define FORMAT_BUF_BYTES 8192

/* Indexed by enum format_id. */
extern const struct format formats[FORMAT_COUNT];

#endif
