/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "common/part.h"

#include "tests/prove/prove.h"

void prove_main(void)
{
	struct part_list list;
	uint8_t buf[DISK_SECTOR_BYTES];
	struct disk d = prove_disk(any_bool() ? DISK_SHIFT_MIN : DISK_SHIFT_MAX);

	ANY_BYTES(buf);
	part_read(&d, &list, buf);
}
