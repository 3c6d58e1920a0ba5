/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * Trust: "trust = UUID" in the configuration pins the members of the mirrors by their device
 * UUIDs. A member that is not named is shown and not used: whatever it says of itself, it decides
 * nothing about the others, and is not read.
 *
 * It names, and proves nothing: who can read a trusted disk can copy its UUID, too.
 * docs/threat-model.md says what that is good for.
 */
#ifndef COMMON_TRUST_H
#define COMMON_TRUST_H

#include "common/guid.h"
#include "common/text.h"

/* More than a configuration has room for: see config.c. */
#define TRUST_MAX 64

struct trust {
	bool pinned; /* the configuration has the key, whatever its value: nobody else is trusted */
	uint8_t count;
	struct guid device[TRUST_MAX]; /* none is zero */
};

/*
 * Add the UUIDs of a value: in md's form or any other, with blanks or commas between them. False:
 * one of them is none; the others count, and so does the key.
 */
bool trust_add(struct trust *t, const char *text, size_t text_bytes);

/* Is it named? Zeros, which formats without such a UUID have, never are. */
bool trust_has(const struct trust *t, const struct guid *device);

bool trust_equal(const struct trust *a, const struct trust *b);

struct member;
struct mirror;
struct survey;

/*
 * The step between probe and assemble, done for each member as it is found, so that those of
 * others take no room from those that are named: one that is not gets its reason. False: there
 * are too many of these.
 */
bool trust_admit(struct survey *s, struct member *m, unsigned disk);

/* Was this member found not to be trusted? */
bool trust_refused(const struct member *m);

/* Is this device, the disk itself in formats that name disks, trusted? Then the disk is. */
bool trust_names_disk(struct survey *s, unsigned disk, const struct guid *device);

/* Does this disk hold anything that is trusted? Without a configuration that says, all do. */
bool trust_disk(const struct survey *s, unsigned disk);

/* After judge: has this mirror any leg that is trusted? */
bool trust_has_leg(const struct survey *s, const struct mirror *m);

/* Is nothing of where this member lies to be shown as it is, as nothing on its disk is trusted? */
bool trust_blocks(const struct survey *s, const struct member *m);

/* The sentence of REASON_NOT_TRUSTED. */
extern const char trust_text[];

/* What a person is to do about members that are not named; nothing when there are none. */
void trust_report(const struct survey *s, struct text *out);

/* And when no mirror has a member that is. */
void trust_report_none(struct text *out);

#endif
