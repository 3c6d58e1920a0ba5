/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* Reasons that only dynamic disks' legs are given; reason.c says what the texts are like. */
#include "common/reason.h"

const char *const reason_ldm[REASON_COUNT] = {
	[REASON_COMPONENT_STATE] = "Windows has marked it as out of date",
	[REASON_PARTITION_STATE] = "Windows has marked a part to be rebuilt",
	[REASON_DISK_STATE] = "Windows has marked its disk as failed",
	[REASON_VOLUME_STATE] = "Windows has marked the volume as unhealthy",
	[REASON_STRIPED] = "is striped, which is not read",
	[REASON_DATABASE] = "this disk's LDM database can't be trusted",
	[REASON_DATABASES_DIFFER] = "its LDM database differs (transaction %a)",
	[REASON_RECORDS] = "its LDM records can't be understood",
	[REASON_LOG_OPEN] = "up to date, but legs may differ (LDM log)",
	[REASON_PIECE] = "up to date; a part: %B at %A",
	[REASON_PIECE_MISSING] = "of this leg only %A of %B are here",
};
