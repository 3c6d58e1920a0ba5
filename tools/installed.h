/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * What is installed on a BIOS disk: LBA 0, and the boot area it points to. Over
 * struct disk, so that the crash tests run the same code.
 */
#ifndef TOOLS_INSTALLED_H
#define TOOLS_INSTALLED_H

#include "common/bootarea.h"
#include "common/config.h"
#include "common/disk.h"
#include "common/record.h"
#include "tools/variant.h"

#define SECTOR 512

struct installed {
	bool ours; /* LBA 0 is our boot code */
	uint8_t lba0[SECTOR];
	enum status area; /* OK, ABSENT (LBA 0 is not ours), CORRUPT, IO */
	uint64_t area_lba;
	uint32_t area_sectors; /* 0 when the header can't be trusted */
	struct bootarea_header header;
	bool saved_good;       /* saved[] is what the header says was saved */
	uint8_t saved[SECTOR]; /* the replaced LBA 0 */
	bool config_good;
	char config[CONFIG_TEXT_BYTES + 1];
	enum status record_status; /* OK: record[] is a boot record; ABSENT: no boot wrote one */
	struct record record;
	uint32_t stage2_crc; /* computed over what is there; with stage2_read only */
	bool stage2_good;    /* as its header and LBA 0 say */
};

/* ST_OK: i is filled, whatever it says. ST_IO: LBA 0 could not be read. 512-byte sectors only. */
enum status installed_read(const struct disk *d, struct installed *i);

/* Has an LBA 0 any boot code in its 440 bytes? */
bool installed_has_code(const uint8_t *lba0);

/*
 * Build the area that belongs at area_lba, in room for its area_sectors:
 * config: CONFIG_TEXT_BYTES, NUL-padded. saved: the LBA 0 that we replace. record: the
 * boot record to keep, NULL for none.
 */
void installed_build(uint8_t *area, uint64_t area_lba, const struct variant *v,
		     const uint8_t *saved, const char *config, const struct record *record);

/* Sectors that an area with this stage2 takes. */
uint32_t installed_area_sectors(const struct variant *v);

/* Our LBA 0 for an area at area_lba: our code, with the table and signature bytes of lba0. */
void installed_build_lba0(uint8_t *out, const uint8_t *lba0, uint64_t area_lba,
			  const struct variant *v);

/* Is LBA 0's code this build's, but for the patch? */
bool installed_code_is_current(const uint8_t *lba0);

#endif
