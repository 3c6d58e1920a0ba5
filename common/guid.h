/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * 16 bytes that name something. GPT writes the first three groups little-endian
 * (mixed form), md and LVM write plain bytes: which one is said where a guid is
 * turned into text, not where it is stored.
 */
#ifndef COMMON_GUID_H
#define COMMON_GUID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct guid {
	uint8_t b[16];
};

#define GUID_TEXT_BYTES 37 /* 36 characters and the NUL */

bool guid_equal(const struct guid *a, const struct guid *b);
bool guid_is_zero(const struct guid *g);

/* Random bytes become a random GUID (version 4), in GPT's form. */
void guid_mark_random(struct guid *g);

/* "0fc63daf-8483-4772-8e79-3d69d8477de4": mixed endian, as EFI and GPT write it. */
void guid_text_gpt(const struct guid *g, char text[GUID_TEXT_BYTES]);

/* mdadm's form, four groups of eight hex digits: "3f2a9c11:0d4e8b77:5a6b7c8d:9e0f1a2b". */
void guid_text_md(const struct guid *g, char text[GUID_TEXT_BYTES]);

/* Back from GPT's form: exactly 36 characters, hex digits in either case. False: it is not one. */
bool guid_from_text_gpt(struct guid *g, const char *text, size_t chars);

/*
 * Compare a text that a person typed with g: hex digits in either case, any of
 * ":" "-" skipped, both byte orders accepted. Never matches an incomplete guid.
 */
bool guid_matches_text(const struct guid *g, const char *text);

/*
 * The 16 bytes in the order in which a text names them: 32 hex digits, ":" and "-" skipped, up
 * to a NUL or the end. False: not a guid.
 */
bool guid_from_text(struct guid *g, const char *text, size_t text_bytes);

#endif
