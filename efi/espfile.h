/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* Files on an EFI system partition, through the firmware's Simple File System: only read. */
#ifndef EFI_ESPFILE_H
#define EFI_ESPFILE_H

#include "common/sha256.h"
#include "common/status.h"
#include "efi/path.h"

struct espfile {
	EFI_FILE_HANDLE handle;
	uint64_t bytes;
	uint32_t fat_time; /* of its last write: FAT date << 16 | FAT time */
};

/* ST_ABSENT: there is no such file. ST_IO: whether there is can't be told. */
enum status espfile_open(EFI_HANDLE esp, const CHAR16 *file, struct espfile *f);
void espfile_close(struct espfile *f);

/* The next bytes of it, all of them or none: fewer are an error, too. */
enum status espfile_read(struct espfile *f, void *buf, size_t bytes);

/* A sign of life: a dot for each second that a check takes. */
struct espfile_sign {
	EFI_EVENT timer; /* NULL: there is none to be had */
	struct text *out;
	bool shown;
};

void espfile_sign_start(struct espfile_sign *s, struct text *out);
void espfile_sign_end(struct espfile_sign *s);

/*
 * All of it, into new memory (uefi_free_pages) when *data is asked for, and its hash when
 * sha256 is. ST_FULL: it is larger than bytes_max, or no memory is left for it. Of an
 * empty file there is no memory. sign: NULL for none.
 */
enum status espfile_read_all(struct espfile *f, uint64_t bytes_max, void **data,
			     uint8_t sha256[SHA256_BYTES], struct espfile_sign *sign);

#endif
