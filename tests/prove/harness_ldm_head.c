/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "common/ldm.h"

#include "tests/prove/prove.h"

static void on_disk(unsigned shift)
{
	struct disk d = prove_disk(shift);
	uint8_t buf[DISK_SECTOR_BYTES];
	struct part_list list;
	struct ldm_head head;

	ANY_BYTES(buf);
	ANY_BYTES(list);
	list.count = (uint16_t)any_below(PART_MAX + 1);
	ldm_head_read(&d, &list, &head, buf);
}

void prove_main(void)
{
	ON_EACH_SHIFT(on_disk);
}
