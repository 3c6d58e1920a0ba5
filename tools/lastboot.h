/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* What the boot records on the disks tell of the last boots. */
#ifndef TOOLS_LASTBOOT_H
#define TOOLS_LASTBOOT_H

#include "common/record.h"
#include "tools/hostdisk.h"

#include <json-c/json.h>

struct lastboot {
	struct record_seen seen; /* for record_judge() */
	unsigned newest;         /* the disk with the last boot's record; SURVEY_DISKS: none */
	enum status status[SURVEY_DISKS];
	struct record record[SURVEY_DISKS]; /* where status is OK */
};

void lastboot_read(const struct hostset *set, struct lastboot *b);

/* Disks that failed reads in the last boot: bit i is the disk that was number i then. */
uint32_t lastboot_failed(const struct hostset *set, const struct lastboot *b);

/* The disk of the set that had this number in the boot that disk's record tells of; or -1. */
int lastboot_find(const struct hostset *set, const struct lastboot *b, unsigned disk,
		  unsigned number);

/* "Last boot (no. 3, recorded on a, b):" and what there was to say of it. */
void lastboot_text(const struct hostset *set, const struct lastboot *b, struct text *out);

/* The record of one disk; NULL when it has none. */
struct json_object *lastboot_json(const struct hostset *set, const struct lastboot *b,
				  unsigned disk);

#endif
