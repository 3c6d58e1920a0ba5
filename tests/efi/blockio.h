/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* The parts of blockio_cases.efi: the disks that it asks, the cases, and its lines. */
#ifndef TESTS_EFI_BLOCKIO_H
#define TESTS_EFI_BLOCKIO_H

#include "efi/path.h"
#include "efi/uefi.h"

/* A disk to ask. */
struct target {
	const char *name; /* "volume", "disk" */
	EFI_HANDLE handle;
	EFI_BLOCK_IO *bio;
	EFI_BLOCK_IO2_PROTOCOL *bio2; /* NULL: none */
	EFI_BLOCK_IO_MEDIA *media;
	bool read_only;      /* the mirror is */
	uint64_t lba;        /* where the mirror's data are, and so what the cases read */
	uint64_t end_lba;    /* of them */
	uint64_t free_lba;   /* in their last part, which nobody needs: 256 KiB */
	uint64_t member_lba; /* disk: where the member begins */
};

bool find_volume(struct target *t);
bool find_disk(struct target *t);

/* A line each: what is not right is shown as a number. */
void said(const char *name, bool good, uint64_t what);
void expect(const char *name, EFI_STATUS is, EFI_STATUS should);
void total(void);
void print(const char *s);

void run_cases(const struct target *t);
/* One of the cases by itself: a disk may fail at it. */
void run_many(const struct target *t);
void run_long(const struct target *t);
/* Ends boot services with reads under way, and does not return. */
void run_exit(const struct target *t, EFI_HANDLE image);
void run_both(const struct target *volume, const struct target *disk);

#endif
