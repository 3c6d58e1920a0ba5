/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* Reasons that only md's legs are given; reason.c says what the texts are like. */
#include "common/reason.h"

const char *const reason_md[REASON_COUNT] = {
	[REASON_WITHIN_MARGIN] = "up to date (events %a, newest %b)",
	[REASON_WRITE_MOSTLY] = "up to date; write-mostly, so read last",
	[REASON_BAD_BLOCKS] = "up to date; its %a bad ranges are not read",
	[REASON_DIRTY_LOWEST] = "array not closed; md reads this leg first",
	[REASON_DIRTY_OTHER] = "array not closed; may differ from the first",
	[REASON_JOURNAL] = "a journal device, not a leg",
	[REASON_REBUILDING] = "was being rebuilt: %A of %B done",
	[REASON_CHECKSUM] = "its superblock's checksum is wrong",
	[REASON_BAD_FIELDS] = "its superblock says something impossible",
	[REASON_FEATURE] = "uses unknown features (feature map %a)",
	[REASON_RESHAPE] = "is in the middle of a reshape",
	[REASON_JOURNALED] = "the array has a journal or parity log",
	[REASON_CLUSTERED] = "the array belongs to a cluster",
	[REASON_DEV_NUMBER] = "device number %a is more than we keep",
	[REASON_NOT_A_MIRROR] = "the array's level is %a, not 1",
	[REASON_LOG_UNREADABLE] = "its list of bad blocks can't be read",
	[REASON_SIZE_DIFFERS] = "its size is %A, the newest's %B",
};
