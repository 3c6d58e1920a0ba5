/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "efi/blockio.h"

#include "common/range.h"

_Static_assert(sizeof(struct blockio_path) == 40, "VenMedia node of 36 bytes, and the end");

#define MEDIA_TYPE      4
#define MEDIA_VENDOR    3
#define VOLUME_MEDIA_ID 1
#define MAX_BLOCKS      (1u << 20) /* a request to vdisk_read() */

static const EFI_GUID volume_guid = {
	0x3b52e5a2, 0x7f3d, 0x4a0c, {0x8d, 0x55, 0x1c, 0x92, 0x6e, 0x4f, 0xd0, 0x33}};

static EFI_STATUS efi_status(enum status st)
{
	switch (st) {
	case ST_OK: return EFI_SUCCESS;
	case ST_RANGE: return EFI_INVALID_PARAMETER;
	case ST_READONLY: return EFI_WRITE_PROTECTED;
	default: return EFI_DEVICE_ERROR;
	}
}

EFI_STATUS blockio_finish(EFI_BLOCK_IO2_TOKEN *token, EFI_STATUS status)
{
	/* An error is told at once, and then the event stays quiet. */
	if (status == EFI_SUCCESS && token && token->Event) {
		token->TransactionStatus = EFI_SUCCESS;
		uefi_bs->SignalEvent(token->Event);
	}
	return status;
}

EFI_STATUS blockio_check(const EFI_BLOCK_IO_MEDIA *media, UINT32 media_id, EFI_LBA lba, UINTN bytes,
			 const void *buf)
{
	uint64_t blocks = bytes / media->BlockSize;

	if (media_id != media->MediaId)
		return EFI_MEDIA_CHANGED;
	if (bytes == 0)
		return EFI_SUCCESS;
	if (buf == NULL)
		return EFI_INVALID_PARAMETER;
	if (bytes % media->BlockSize != 0)
		return EFI_BAD_BUFFER_SIZE;
	if (lba > media->LastBlock || blocks - 1 > media->LastBlock - lba)
		return EFI_INVALID_PARAMETER;
	return EFI_SUCCESS;
}

EFI_STATUS blockio_read(struct vdisk_set *set, unsigned v, const struct disk *disk, EFI_LBA lba,
			UINTN bytes, void *buf)
{
	unsigned shift = set->vdisk[v].shift;
	EFI_STATUS status = EFI_SUCCESS;
	uint8_t *to = buf;

	while (status == EFI_SUCCESS && bytes > 0) {
		/* A count is 32 bits wide; buffers may be larger. */
		uint32_t n = (uint32_t)min_u64(bytes >> shift, MAX_BLOCKS);
		EFI_TPL old = efidisk_lock();

		status = efi_status(vdisk_read(set, v, disk, lba, n, to));
		efidisk_unlock(old);
		lba += n;
		to += (size_t)n << shift;
		bytes -= (size_t)n << shift;
	}
	return status;
}

static EFI_STATUS check(const struct blockio *b, UINT32 media_id, EFI_LBA lba, UINTN bytes,
			const void *buf)
{
	EFI_STATUS status = blockio_check(&b->media, media_id, lba, bytes, buf);

	if (status == EFI_SUCCESS && bytes > 0 && ((uintptr_t)buf & (b->media.IoAlign - 1)) != 0)
		return EFI_INVALID_PARAMETER;
	return status;
}

static EFI_STATUS read(struct blockio *b, UINT32 media_id, EFI_LBA lba, UINTN bytes, void *buf)
{
	EFI_STATUS status = check(b, media_id, lba, bytes, buf);

	return status == EFI_SUCCESS ? blockio_read(b->set, b->v, b->disk, lba, bytes, buf)
				     : status;
}

static EFI_STATUS write(struct blockio *b, UINT32 media_id, EFI_LBA lba, UINTN bytes,
			const void *buf)
{
	EFI_STATUS status = check(b, media_id, lba, bytes, buf);

	return status == EFI_SUCCESS && bytes > 0 ? EFI_WRITE_PROTECTED : status;
}

static struct blockio *from_bio(EFI_BLOCK_IO *this)
{
	return (struct blockio *)this;
}

static struct blockio *from_bio2(EFI_BLOCK_IO2_PROTOCOL *this)
{
	return (struct blockio *)((uint8_t *)this - offsetof(struct blockio, bio2));
}

static EFI_STATUS EFIAPI bio_reset(EFI_BLOCK_IO *this, BOOLEAN extended)
{
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI bio_read(EFI_BLOCK_IO *this, UINT32 media_id, EFI_LBA lba, UINTN bytes,
				  VOID *buf)
{
	return read(from_bio(this), media_id, lba, bytes, buf);
}

static EFI_STATUS EFIAPI bio_write(EFI_BLOCK_IO *this, UINT32 media_id, EFI_LBA lba, UINTN bytes,
				   VOID *buf)
{
	return write(from_bio(this), media_id, lba, bytes, buf);
}

static EFI_STATUS EFIAPI bio_flush(EFI_BLOCK_IO *this)
{
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI bio2_reset(EFI_BLOCK_IO2_PROTOCOL *this, BOOLEAN extended)
{
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI bio2_read(EFI_BLOCK_IO2_PROTOCOL *this, UINT32 media_id, EFI_LBA lba,
				   EFI_BLOCK_IO2_TOKEN *token, UINTN bytes, VOID *buf)
{
	return blockio_finish(token, read(from_bio2(this), media_id, lba, bytes, buf));
}

static EFI_STATUS EFIAPI bio2_write(EFI_BLOCK_IO2_PROTOCOL *this, UINT32 media_id, EFI_LBA lba,
				    EFI_BLOCK_IO2_TOKEN *token, UINTN bytes, VOID *buf)
{
	return blockio_finish(token, write(from_bio2(this), media_id, lba, bytes, buf));
}

static EFI_STATUS EFIAPI bio2_flush(EFI_BLOCK_IO2_PROTOCOL *this, EFI_BLOCK_IO2_TOKEN *token)
{
	return blockio_finish(token, EFI_SUCCESS);
}

/* As strict as the strictest leg, so that no read needs a bounce buffer. */
static uint32_t strictest_align(const struct efidisks *disks)
{
	uint32_t align = 1;

	for (unsigned i = 0; i < disks->count; i++)
		if (disks->efi[i].align_mask + 1 > align)
			align = disks->efi[i].align_mask + 1;
	return align;
}

bool blockio_publish(struct blockios *all, struct vdisk_set *set, unsigned v,
		     const struct mirror *m, const struct efidisks *disks)
{
	const struct vdisk *vd = &set->vdisk[v];
	EFI_GUID bio_guid = uefi_block_io, bio2_guid = uefi_block_io2, path_guid = uefi_device_path;
	struct blockio *b;

	if (all->count == VDISK_MAX || vd->sectors == 0)
		return false;
	b = &all->volume[all->count];
	*b = (struct blockio){
		.bio = {.Revision = EFI_BLOCK_IO_INTERFACE_REVISION2,
			.Media = &b->media,
			.Reset = bio_reset,
			.ReadBlocks = bio_read,
			.WriteBlocks = bio_write,
			.FlushBlocks = bio_flush},
		.bio2 = {.Media = &b->media,
			 .Reset = bio2_reset,
			 .ReadBlocksEx = bio2_read,
			 .WriteBlocksEx = bio2_write,
			 .FlushBlocksEx = bio2_flush},
		.media = {.MediaId = VOLUME_MEDIA_ID,
			  .MediaPresent = TRUE,
			  .ReadOnly = TRUE,
			  .BlockSize = 1u << vd->shift,
			  .IoAlign = strictest_align(disks),
			  .LastBlock = vd->sectors - 1,
			  .LogicalBlocksPerPhysicalBlock = 1},
		.path = {.type = MEDIA_TYPE,
			 .subtype = MEDIA_VENDOR,
			 .bytes = {36, 0},
			 .vendor = volume_guid,
			 .mirror = m->uuid,
			 .end = {0x7f, 0xff, 4, 0}},
		.set = set,
		.disk = disks->disk,
		.v = v,
	};
	/* Refuses a device path that is there already: two mirrors of one UUID. */
	if (uefi_bs->InstallMultipleProtocolInterfaces(&b->handle, &path_guid, &b->path, &bio_guid,
						       &b->bio, &bio2_guid, &b->bio2,
						       NULL) != EFI_SUCCESS)
		return false;
	all->count++;
	uefi_bs->ConnectController(b->handle, NULL, NULL, TRUE);
	return true;
}

bool blockio_unpublish(struct blockios *all)
{
	EFI_GUID bio_guid = uefi_block_io, bio2_guid = uefi_block_io2, path_guid = uefi_device_path;

	while (all->count > 0) {
		struct blockio *b = &all->volume[all->count - 1];

		uefi_bs->DisconnectController(b->handle, NULL, NULL);
		if (uefi_bs->UninstallMultipleProtocolInterfaces(b->handle, &path_guid, &b->path,
								 &bio_guid, &b->bio, &bio2_guid,
								 &b->bio2, NULL) != EFI_SUCCESS)
			return false;
		all->count--;
	}
	return true;
}
