/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "common/gpt.h"

#include "tests/prove/prove.h"

static void on_disk(unsigned shift)
{
	struct part_list list;
	uint8_t buf[DISK_SECTOR_BYTES];
	struct disk d = prove_disk(shift);

	ANY_BYTES(list);
	ANY_BYTES(buf);
	gpt_read(&d, &list, buf);
}

void prove_main(void)
{
	ON_EACH_SHIFT(on_disk);
}
