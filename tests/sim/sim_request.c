/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * UEFI's writes and flushes, as a loader asks for them: efi/request.c and efi/efidisk.c over disks
 * of a made-up firmware. What was written before a flush that has returned is there, on every leg,
 * in each state in which something is there that the loader wrote elsewhere afterwards.
 */
#include "tests/sim/crashcount.h"
#include "tests/sim/crashgroup.h"
#include "tests/unit/help_md.h"
#include "common/config.h"
#include "common/view.h"
#include "common/writeplan.h"
#include "efi/bootrecord.h"
#include "efi/path.h"
#include "efi/queue.h"
#include "efi/request.h"
#include "efi/spread.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECTORS  800u
#define PART_LBA 100u
#define DATA_LBA (PART_LBA + 64u)
#define OWN_LBA  20u /* on no member */
#define LEGS     2u
#define NOTE     2u /* the disk that the loader writes to afterwards */

/* ---- the firmware ---- */

const EFI_GUID uefi_block_io = {1, 0, 0, {0}}, uefi_block_io2 = {2, 0, 0, {0}},
	       uefi_device_path = {3, 0, 0, {0}};
EFI_BOOT_SERVICES *uefi_bs;

static struct crashgroup g;
static struct firmware_disk {
	EFI_BLOCK_IO bio;
	EFI_BLOCK_IO_MEDIA media;
	EFI_DEVICE_PATH path;
	unsigned number;
} firmware[LEGS];

static EFI_STATUS EFIAPI bio_read(EFI_BLOCK_IO *bio, UINT32 media, EFI_LBA lba, UINTN bytes,
				  void *buf)
{
	struct disk d = crashgroup_disk(&g, ((struct firmware_disk *)bio)->number);

	return d.read(&d, lba, (uint32_t)(bytes / 512), buf) == ST_OK ? EFI_SUCCESS
								      : EFI_DEVICE_ERROR;
}

static EFI_STATUS EFIAPI bio_write(EFI_BLOCK_IO *bio, UINT32 media, EFI_LBA lba, UINTN bytes,
				   void *buf)
{
	struct disk d = crashgroup_disk(&g, ((struct firmware_disk *)bio)->number);

	return d.write(&d, lba, (uint32_t)(bytes / 512), buf) == ST_OK ? EFI_SUCCESS
								       : EFI_DEVICE_ERROR;
}

static EFI_STATUS EFIAPI bio_flush(EFI_BLOCK_IO *bio)
{
	struct disk d = crashgroup_disk(&g, ((struct firmware_disk *)bio)->number);

	return d.flush(&d) == ST_OK ? EFI_SUCCESS : EFI_DEVICE_ERROR;
}

static EFI_TPL EFIAPI raise_level(EFI_TPL to)
{
	return TPL_APPLICATION;
}

static void EFIAPI restore_level(EFI_TPL to)
{
}

void *uefi_protocol(EFI_HANDLE handle, const EFI_GUID *guid)
{
	struct firmware_disk *d = handle;

	return guid == &uefi_block_io      ? (void *)&d->bio
	       : guid == &uefi_device_path ? (void *)&d->path
					   : NULL;
}

EFI_HANDLE *uefi_handles(const EFI_GUID *guid, UINTN *count)
{
	EFI_HANDLE *all = calloc(LEGS, sizeof(*all));

	assert_non_null(all);
	for (*count = 0; *count < LEGS; ++*count)
		all[*count] = &firmware[*count];
	return all;
}

void uefi_free(void *p)
{
	free(p);
}

/* What these two files call of others, and what has no part in writing. */
const void *path_after(const void *prefix, const void *path)
{
	return NULL;
}

void path_short(const void *path, struct text *out)
{
}

void bootrecord_watch(const struct vdisk_set *set)
{
}

void queue_start(const struct share *sh, const struct efidisks *disks)
{
}

bool queue_stop(void)
{
	return true;
}

bool queue_read(unsigned v, uint64_t lba, uint32_t n, void *buf, EFI_BLOCK_IO2_TOKEN *token)
{
	return false;
}

bool queue_drain(void)
{
	return true;
}

void queue_finish(EFI_BLOCK_IO2_TOKEN *token, EFI_STATUS status)
{
}

void spread_start(const struct share *sh, const struct efidisks *disks)
{
}

void spread_stop(void)
{
}

enum status spread_read(unsigned v, uint64_t lba, uint32_t n, void *buf, bool at_once)
{
	return ST_IO;
}

/* ---- the scene ---- */

static struct efidisks disks;
static struct survey survey;
static struct vdisk_set set;
static struct vdisk_tables tables;
static uint8_t data[8 * 512], own[2 * 512], note[512];

static void make(void)
{
	static EFI_BOOT_SERVICES services;

	services.RaiseTPL = raise_level;
	services.RestoreTPL = restore_level;
	uefi_bs = &services;
	crashgroup_init(&g);
	for (unsigned i = 0; i < LEGS; i++) {
		struct md1_spec spec = md1_spec(FORMAT_MD_1_2, i);
		struct memdisk m;

		memdisk_open(&m, SECTORS, 9);
		memdisk_mbr(&m, 1, 0xfd, PART_LBA, SECTORS - PART_LBA);
		md1_put(&m, PART_LBA, SECTORS - PART_LBA, &spec);
		memcpy(g.disk[crashgroup_add(&g, SECTORS)].now, m.bytes, SECTORS * 512);
		memdisk_close(&m);
		firmware[i] = (struct firmware_disk){
			.bio = {.Media = &firmware[i].media,
				.ReadBlocks = bio_read,
				.WriteBlocks = bio_write,
				.FlushBlocks = bio_flush},
			.media = {.MediaPresent = TRUE, .BlockSize = 512, .LastBlock = SECTORS - 1},
			.number = i};
	}
	assert_int_equal(crashgroup_add(&g, 8), NOTE);
	memset(data, 0x11, sizeof(data));
	memset(own, 0x22, sizeof(own));
	memset(note, 0x33, sizeof(note));
}

/* A volume's write is flushed by itself; one beside the members only by the loader. */
static void check_cut(uint8_t *const *image, const char *what, void *ctx)
{
	if (memcmp(image[NOTE], note, sizeof(note)))
		return;
	for (unsigned i = 0; i < LEGS; i++)
		if (memcmp(image[i] + (DATA_LBA + 5) * 512, data, sizeof(data)))
			fail_msg("%s: leg %u has not what was flushed", what, i);
	if (memcmp(image[0] + OWN_LBA * 512, own, sizeof(own)))
		fail_msg("%s: the disk has not what was flushed", what);
}

static void write_and_flush(void **state)
{
	unsigned volume, disk, cuts;
	struct disk d;

	make();
	efidisk_find(&disks, NULL);
	assert_int_equal(disks.count, LEGS);
	survey_run(&survey, disks.disk, disks.count);
	assert_int_equal(survey.mirror_count, 1);
	view_init(&set, &tables);
	assert_int_equal(view_add_disk(&set, &survey, 0, &disk), ST_OK);
	assert_int_equal(view_add_volume(&set, &survey, 0, &volume), ST_OK);
	writeplan_make(&set, &survey, CONFIG_WRITES_AUTO, disks.scratch, 12);
	assert_int_equal(set.mirror_count, 1);
	request_start(&set, &survey, &disks);
	crashgroup_start(&g);
	assert_int_equal(request_write(volume, 5, sizeof(data), data, NULL), EFI_SUCCESS);
	assert_int_equal(request_write(disk, OWN_LBA, sizeof(own), own, NULL), EFI_SUCCESS);
	assert_int_equal(request_flush(volume, NULL), EFI_SUCCESS);
	assert_int_equal(request_flush(disk, NULL), EFI_SUCCESS);
	d = crashgroup_disk(&g, NOTE);
	assert_int_equal(d.write(&d, 0, 1, note), ST_OK);
	assert_int_equal(d.flush(&d), ST_OK);
	crashcount_scene("a loader's write and flush (UEFI)", 1);
	cuts = crashgroup_each_cut(&g, 8, check_cut, NULL);
	printf("  %u operations, %u states\n", g.op_count, cuts);
	crashgroup_free(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(write_and_flush)};

	return crashcount_end(
		cmocka_run_group_tests_name("UEFI's writes under power cuts", tests, NULL, NULL));
}
