/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "common/formats.h"
#include "common/trust.h"

/*
 * Those that every format may give: reason_md.c and reason_ldm.c have the others. %a and %b stand
 * for the reason's numbers, %A and %B for them as sizes. Short: on a boot screen of 80 columns
 * about 44 are left for them.
 */
static const char *const texts[REASON_COUNT] = {
	[REASON_NONE] = "no reason",
	[REASON_IN_SYNC] = "up to date (events %a)",
	[REASON_STALE] = "missed writes (events %a, newest %b)",
	[REASON_REPLACED] = "was replaced (events %a, newest %b)",
	[REASON_FAILED_BY_NEWEST] = "has failed, says the newest leg",
	[REASON_SPARE] = "a spare: holds no data of the mirror",
	[REASON_SPLIT_BRAIN] = "ran alone (events %a, the newest %b)",
	[REASON_DUPLICATE] = "a copy of leg %a: same device or same role",
	[REASON_MISSING] = "on none of these disks",
	[REASON_MISSING_UNREADABLE] = "may be on this disk, which can't be read",
	[REASON_TRUNCATED] = "ends too early: has %A, needs %B",
	[REASON_NOT_TRUSTED] = trust_text,
	[REASON_MISALIGNED] = "data do not start on a sector of this disk",
};

static const char *text_of(uint8_t code)
{
	const char *text = code < REASON_COUNT ? texts[code] : "?";

	for (unsigned i = 0; !text && format_reasons[i]; i++)
		text = format_reasons[i][code];
	return text ? text : "?";
}

void reason_text(const struct reason *r, struct text *out)
{
	const char *s = text_of(r->code);

	for (; *s; s++) {
		if (*s != '%') {
			text_char(out, *s);
			continue;
		}
		s++;
		switch (*s) {
		case 'a': text_u64(out, r->a); break;
		case 'b': text_u64(out, r->b); break;
		case 'A': text_size(out, r->a); break;
		default: text_size(out, r->b); break;
		}
	}
}
