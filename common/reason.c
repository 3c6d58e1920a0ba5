/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "common/reason.h"

/* %a and %b stand for the reason's numbers, %A and %B for them as sizes. */
struct row {
	const char *name;
	const char *text;
};

/* Short: on a boot screen of 80 columns about 44 are left for them. */
static const struct row rows[REASON_COUNT] = {
	[REASON_NONE] = {"none", "no reason given"},
	[REASON_IN_SYNC] = {"up-to-date", "up to date (events %a)"},
	[REASON_WITHIN_MARGIN] = {"one-event-behind", "up to date (events %a, newest %b)"},
	[REASON_WRITE_MOSTLY] = {"write-mostly", "up to date; write-mostly, so read last"},
	[REASON_BAD_BLOCKS] = {"bad-blocks", "up to date; its %a bad ranges are not read"},
	[REASON_DIRTY_LOWEST] = {"dirty-lowest", "array not closed; md reads this leg first"},
	[REASON_DIRTY_OTHER] = {"dirty-other", "array not closed; may differ from the first"},
	[REASON_STALE] = {"missed-writes", "missed writes (events %a, newest %b)"},
	[REASON_REPLACED] = {"replaced", "was replaced (events %a, newest %b)"},
	[REASON_FAILED_BY_NEWEST] = {"failed", "has failed, says the newest leg"},
	[REASON_SPARE] = {"spare", "a spare: holds no data of the mirror"},
	[REASON_JOURNAL] = {"journal", "a journal device, not a leg"},
	[REASON_REBUILDING] = {"rebuilding", "was being rebuilt: %A of %B done"},
	[REASON_SPLIT_BRAIN] = {"split-brain", "ran alone (events %a, the newest %b)"},
	[REASON_DUPLICATE] = {"duplicate", "a copy of leg %a: same device or same role"},
	[REASON_MISSING] = {"missing", "on none of these disks"},
	[REASON_MISSING_UNREADABLE] = {"disk-unreadable",
				       "may be on this disk, which can't be read"},
	[REASON_CHECKSUM] = {"checksum", "its superblock's checksum is wrong"},
	[REASON_BAD_FIELDS] = {"bad-fields", "its superblock says something impossible"},
	[REASON_TRUNCATED] = {"truncated", "ends too early: has %A, needs %B"},
	[REASON_FEATURE] = {"unknown-feature", "uses unknown features (feature map %a)"},
	[REASON_RESHAPE] = {"reshape", "is in the middle of a reshape"},
	[REASON_JOURNALED] = {"journaled", "the array has a journal or parity log"},
	[REASON_CLUSTERED] = {"clustered", "the array belongs to a cluster"},
	[REASON_DEV_NUMBER] = {"device-number", "device number %a is more than we keep"},
	[REASON_NOT_A_MIRROR] = {"not-a-mirror", "the array's level is %a, not 1"},
	[REASON_MISALIGNED] = {"misaligned", "data do not start on a sector of this disk"},
	[REASON_LOG_UNREADABLE] = {"bad-block-log", "its list of bad blocks can't be read"},
	[REASON_SIZE_DIFFERS] = {"size-differs", "its size is %A, the newest's %B"},
};

void reason_text(const struct reason *r, struct text *out)
{
	const char *s = r->code < REASON_COUNT ? rows[r->code].text : "?";

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

const char *reason_name(uint8_t code)
{
	return code < REASON_COUNT ? rows[code].name : "?";
}
