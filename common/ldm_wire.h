/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* What the files of LDM share: its names, and walking through a record's bytes. */
#ifndef COMMON_LDM_WIRE_H
#define COMMON_LDM_WIRE_H

#include "common/ldm.h"
#include "common/wire.h"

#include <stddef.h>

/* A walk over bytes: what would leave them gives 0, and bad is set. */
struct ldm_cursor {
	const uint8_t *data;
	uint32_t at, end;
	bool bad;
};

/*
 * A big-endian field's value. One function for all widths: stage2 has no room for one at
 * every place, as the getters of wire.h would be.
 */
uint64_t ldm_be(const uint8_t *bytes, unsigned n);
#define ldm_get(field) ldm_be((field).b, sizeof((field).b))

const uint8_t *ldm_raw(struct ldm_cursor *c, uint32_t bytes); /* NULL: not there */
uint64_t ldm_fixed(struct ldm_cursor *c, unsigned bytes);     /* 1 to 8, big-endian */
uint64_t ldm_var(struct ldm_cursor *c);                       /* a length byte first */
uint32_t ldm_var32(struct ldm_cursor *c);                     /* a larger one is bad */
void ldm_var_text(struct ldm_cursor *c, char *to, size_t to_bytes);

/* Printable ASCII, '?' for all else, up to a NUL or the end; cut to fit, always terminated. */
void ldm_text(char *to, size_t to_bytes, const void *from, size_t from_bytes);

#endif
