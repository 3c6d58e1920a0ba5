/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* A BIOS disk for the crash tests of install: what may be on it after a cut, and what not. */
#ifndef TESTS_SIM_CRASHBOOT_H
#define TESTS_SIM_CRASHBOOT_H

#include "tests/sim/crashdisk.h"
#include "tools/bootwrite.h"

#include <setjmp.h>

#define CRASHBOOT_SECTORS 400u
#define OLD_CONFIG        "timeout = 3\n"
#define NEW_CONFIG        "timeout = 7\nvolumes = no\n"

/* An earlier mirrorboot that is there before: none, this build's, or one of another build. */
struct crashboot_older {
	uint32_t stage2_sectors;
	uint32_t area_lba;
	bool first_magic; /* its boot code has the mark of the first version */
};

struct crashboot {
	const char *name;
	uint32_t part_lba;                   /* where the partition starts */
	uint32_t core_sectors;               /* of a GRUB from LBA 1 on; 0: none */
	const char *first;                   /* config of this build's install before; NULL: none */
	const struct crashboot_older *older; /* or this one is there */
	const char *config;                  /* what is installed; NULL: it is removed */
	bool has_backup; /* LBA 0 leads nowhere: it is of the first install, the second one is there
			  */

	uint8_t *pristine; /* before any install */
	uint8_t backup[SECTOR];
	bool saw_old, saw_new, saw_older;
	unsigned flushes, needed; /* of these, something is found wrong without so many */
	unsigned run_on;          /* the command is run again on every nth state */
	unsigned states;
	bool looking; /* something wrong is expected: found is where that leads */
	jmp_buf found;
};

/* The command of the scene, cut at every moment. */
void crashboot_play(struct crashboot *s);

#endif
