/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * Which files of an EFI system partition are checked against its manifest before a
 * loader is started, and the FAT form of times.
 */
#ifndef COMMON_ESPCHECK_H
#define COMMON_ESPCHECK_H

#include "common/config.h"

enum espcheck {
	ESPCHECK_NO,
	ESPCHECK_IF_THERE, /* whole, or deleted by somebody since */
	ESPCHECK_MUST,     /* there, and whole */
};

/*
 * What is to be asked of a listed file before this loader starts; verify: enum
 * config_verify. Paths are those of manifests.
 */
enum espcheck espcheck_file(uint8_t verify, const char *path, size_t path_bytes, const char *loader,
			    size_t loader_bytes);

/* FAT date << 16 | FAT time; 0 for a time that FAT has no form of. */
uint32_t espcheck_fat_time(unsigned year, unsigned month, unsigned day, unsigned hour,
			   unsigned minute, unsigned second);

#endif
