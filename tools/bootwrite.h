/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * The only writer of LBA 0 and the boot area. Over struct disk: tests/sim cuts it
 * at every write.
 *
 * At each moment LBA 0 is either the replaced boot code or ours, and ours always
 * points to an area that is whole and flushed. So:
 *   install  area marked unfinished | its body | its header | LBA 0 | old area cleared
 *   remove   LBA 0 put back | area marked unfinished | its body zeroed | its header
 * with a flush at each bar. LBA 0 is one sector, which a disk writes whole or not.
 * An upgrade goes beside the old area where there is room; else it is remove, then
 * install, and the disk boots without us in between.
 */
#ifndef TOOLS_BOOTWRITE_H
#define TOOLS_BOOTWRITE_H

#include "tools/bootplan.h"

/* Where a run stopped. */
struct bootwrite_error {
	const char *doing; /* "writing the boot area" */
	uint64_t lba;
	bool mismatch; /* what was read back differs from what was written */
	bool lba0_old; /* LBA 0 is as it was before */
};

enum status bootwrite_install(const struct disk *d, const struct bootplan *p,
			      struct bootwrite_error *err);

/* p: from bootplan_look(); its lba0 is put back, all areas are zeroed. */
enum status bootwrite_remove(const struct disk *d, const struct bootplan *p,
			     struct bootwrite_error *err);

#endif
