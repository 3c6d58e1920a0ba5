/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * What a function that can fail returns. Four of these must never be merged:
 *   ABSENT       nothing of ours here: keep looking
 *   CORRUPT      ours, and not to be trusted
 *   UNSUPPORTED  ours, whole, and beyond what we know how to use
 *   IO           unknown: the disk did not answer
 */
#ifndef COMMON_STATUS_H
#define COMMON_STATUS_H

enum status {
	ST_OK,
	ST_ABSENT,
	ST_CORRUPT,
	ST_UNSUPPORTED,
	ST_IO,
	ST_RANGE,    /* the request leaves the disk */
	ST_FULL,     /* a fixed capacity is used up; what is there is still right */
	ST_READONLY, /* no write possible or allowed */
};

#endif
