/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* Apart from the texts: what boots has no room for names that it does not use. */
#include "common/reason.h"

static const char *const names[REASON_COUNT] = {
	[REASON_NONE] = "none",
	[REASON_IN_SYNC] = "up-to-date",
	[REASON_WITHIN_MARGIN] = "one-event-behind",
	[REASON_WRITE_MOSTLY] = "write-mostly",
	[REASON_BAD_BLOCKS] = "bad-blocks",
	[REASON_DIRTY_LOWEST] = "dirty-lowest",
	[REASON_DIRTY_OTHER] = "dirty-other",
	[REASON_STALE] = "missed-writes",
	[REASON_REPLACED] = "replaced",
	[REASON_FAILED_BY_NEWEST] = "failed",
	[REASON_SPARE] = "spare",
	[REASON_JOURNAL] = "journal",
	[REASON_REBUILDING] = "rebuilding",
	[REASON_SPLIT_BRAIN] = "split-brain",
	[REASON_DUPLICATE] = "duplicate",
	[REASON_MISSING] = "missing",
	[REASON_MISSING_UNREADABLE] = "disk-unreadable",
	[REASON_CHECKSUM] = "checksum",
	[REASON_BAD_FIELDS] = "bad-fields",
	[REASON_TRUNCATED] = "truncated",
	[REASON_FEATURE] = "unknown-feature",
	[REASON_RESHAPE] = "reshape",
	[REASON_JOURNALED] = "journaled",
	[REASON_CLUSTERED] = "clustered",
	[REASON_DEV_NUMBER] = "device-number",
	[REASON_NOT_A_MIRROR] = "not-a-mirror",
	[REASON_MISALIGNED] = "misaligned",
	[REASON_LOG_UNREADABLE] = "bad-block-log",
	[REASON_SIZE_DIFFERS] = "size-differs",
	[REASON_COMPONENT_STATE] = "component-state",
	[REASON_PARTITION_STATE] = "partition-state",
	[REASON_DISK_STATE] = "disk-state",
	[REASON_VOLUME_STATE] = "volume-state",
	[REASON_STRIPED] = "striped",
	[REASON_DATABASE] = "database",
	[REASON_DATABASES_DIFFER] = "databases-differ",
	[REASON_RECORDS] = "records",
	[REASON_LOG_OPEN] = "log-open",
	[REASON_PIECE] = "piece",
	[REASON_PIECE_MISSING] = "piece-missing",
	[REASON_NOT_TRUSTED] = "not-trusted",
};

const char *reason_name(uint8_t code)
{
	return code < REASON_COUNT ? names[code] : "?";
}
