/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* Both superblocks of md, as they are found on disks and partitions of any size. */
#include "common/md_probe.h"

#include "common/formats.h"
#include "common/md.h"

#include "tests/prove/prove.h"

static void on_disk(unsigned shift)
{
	struct disk d = prove_disk(shift);
	uint8_t buf[FORMAT_BUF_BYTES];
	struct member m;

	ANY_BYTES(buf);
	ANY_BYTES(m);
	switch (any_below(4)) {
	case 0: md_probe_0_90(&d, &m, buf); break;
	case 1: md_probe_1_0(&d, &m, buf); break;
	case 2: md_probe_1_1(&d, &m, buf); break;
	default: md_probe_1_2(&d, &m, buf); break;
	}
}

void prove_main(void)
{
	ON_EACH_SHIFT(on_disk);
}
