/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "efi/blockio.h"

#include "common/writeplan.h"
#include "efi/path.h"
#include "efi/request.h"
#include "efi/stub.h"

_Static_assert(sizeof(struct blockio_path) == 40, "VenMedia node of 36 bytes, and the end");

#define MEDIA_TYPE      4
#define MEDIA_VENDOR    3
#define VOLUME_MEDIA_ID 1

static const EFI_GUID volume_guid = {
	0x3b52e5a2, 0x7f3d, 0x4a0c, {0x8d, 0x55, 0x1c, 0x92, 0x6e, 0x4f, 0xd0, 0x33}};

bool blockio_is_volume(const void *path)
{
	const struct blockio_path *p = path;

	return p->type == MEDIA_TYPE && p->subtype == MEDIA_VENDOR &&
	       path_bytes(path) >= offsetof(struct blockio_path, end) &&
	       memcmp(&p->vendor, &volume_guid, sizeof(volume_guid)) == 0;
}

static struct blockio *from_bio(EFI_BLOCK_IO *this)
{
	return (struct blockio *)this;
}

static struct blockio *from_bio2(EFI_BLOCK_IO2_PROTOCOL *this)
{
	return (struct blockio *)((uint8_t *)this - offsetof(struct blockio, bio2));
}

static EFI_STATUS read(struct blockio *b, UINT32 media_id, EFI_LBA lba, EFI_BLOCK_IO2_TOKEN *token,
		       UINTN bytes, void *buf)
{
	EFI_STATUS status = request_check(&b->media, false, media_id, lba, bytes, buf);

	return status == EFI_SUCCESS ? request_read(b->v, lba, bytes, buf, token) : status;
}

static EFI_STATUS write(struct blockio *b, UINT32 media_id, EFI_LBA lba, EFI_BLOCK_IO2_TOKEN *token,
			UINTN bytes, const void *buf)
{
	EFI_STATUS status = request_check(&b->media, true, media_id, lba, bytes, buf);

	if (status != EFI_SUCCESS)
		return status;
	status = request_write(b->v, lba, bytes, buf, token);
	/* When a write has failed on all its legs, there are no more. */
	b->media.ReadOnly = !writeplan_open(b->set, b->set->vdisk[b->v].mirror);
	return status;
}

static EFI_STATUS EFIAPI bio_reset(EFI_BLOCK_IO *this, BOOLEAN extended)
{
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI bio_read(EFI_BLOCK_IO *this, UINT32 media_id, EFI_LBA lba, UINTN bytes,
				  VOID *buf)
{
	return read(from_bio(this), media_id, lba, NULL, bytes, buf);
}

static EFI_STATUS EFIAPI bio_write(EFI_BLOCK_IO *this, UINT32 media_id, EFI_LBA lba, UINTN bytes,
				   VOID *buf)
{
	return write(from_bio(this), media_id, lba, NULL, bytes, buf);
}

static EFI_STATUS EFIAPI bio_flush(EFI_BLOCK_IO *this)
{
	struct blockio *b = from_bio(this);

	return b->media.ReadOnly ? EFI_SUCCESS : request_flush(b->v, NULL);
}

/* What is under way ends, as if there had been no reset. */
static EFI_STATUS EFIAPI bio2_reset(EFI_BLOCK_IO2_PROTOCOL *this, BOOLEAN extended)
{
	return request_drain() ? EFI_SUCCESS : EFI_DEVICE_ERROR;
}

static EFI_STATUS EFIAPI bio2_read(EFI_BLOCK_IO2_PROTOCOL *this, UINT32 media_id, EFI_LBA lba,
				   EFI_BLOCK_IO2_TOKEN *token, UINTN bytes, VOID *buf)
{
	return read(from_bio2(this), media_id, lba, token, bytes, buf);
}

static EFI_STATUS EFIAPI bio2_write(EFI_BLOCK_IO2_PROTOCOL *this, UINT32 media_id, EFI_LBA lba,
				    EFI_BLOCK_IO2_TOKEN *token, UINTN bytes, VOID *buf)
{
	return write(from_bio2(this), media_id, lba, token, bytes, buf);
}

/* Unlike Block I/O's, this one is to say that there is nothing to flush (UEFI 2.10, 13.10). */
static EFI_STATUS EFIAPI bio2_flush(EFI_BLOCK_IO2_PROTOCOL *this, EFI_BLOCK_IO2_TOKEN *token)
{
	struct blockio *b = from_bio2(this);

	return b->media.ReadOnly ? EFI_WRITE_PROTECTED : request_flush(b->v, token);
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

/* Physical blocks, as the disk of the best leg has them, counted from where the volume begins. */
static void set_physical(EFI_BLOCK_IO_MEDIA *media, const struct vdisk_set *set,
			 const struct vdisk *vd, const struct efidisks *disks)
{
	const struct vdisk_leg *leg = &set->leg[set->extent[vd->first_extent].leg[0]];
	const EFI_BLOCK_IO *bio = disks->efi[leg->disk].bio;
	uint32_t per = 1;

	media->LogicalBlocksPerPhysicalBlock = 1;
	if (bio->Revision < EFI_BLOCK_IO_PROTOCOL_REVISION2)
		return;
	per = bio->Media->LogicalBlocksPerPhysicalBlock;
	if (per > 1 && (per & (per - 1)) == 0) {
		media->LogicalBlocksPerPhysicalBlock = per;
		media->LowestAlignedLba =
			(bio->Media->LowestAlignedLba - leg->start_lba) & (per - 1);
	}
	if (bio->Revision >= EFI_BLOCK_IO_PROTOCOL_REVISION3)
		media->OptimalTransferLengthGranularity =
			bio->Media->OptimalTransferLengthGranularity;
}

static void fill(struct blockio *b, const struct vdisk_set *set, unsigned v, const struct mirror *m,
		 const struct efidisks *disks)
{
	const struct vdisk *vd = &set->vdisk[v];

	*b = (struct blockio){
		.bio = {.Revision = EFI_BLOCK_IO_PROTOCOL_REVISION3,
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
			  .ReadOnly = !writeplan_open(set, vd->mirror),
			  .BlockSize = 1u << vd->shift,
			  .IoAlign = strictest_align(disks),
			  .LastBlock = vd->sectors - 1},
		.path = {.type = MEDIA_TYPE,
			 .subtype = MEDIA_VENDOR,
			 .bytes = {36, 0},
			 .vendor = volume_guid,
			 .mirror = m->uuid,
			 .end = {0x7f, 0xff, 4, 0}},
		.set = set,
		.v = v,
	};
	set_physical(&b->media, set, vd, disks);
}

bool blockio_publish(struct blockios *all, const struct vdisk_set *set, unsigned v,
		     const struct mirror *m, const struct efidisks *disks)
{
	EFI_GUID bio_guid = uefi_block_io, bio2_guid = uefi_block_io2, path_guid = uefi_device_path;
	struct blockio *b;

	if (all->count == VDISK_MAX || set->vdisk[v].sectors == 0)
		return false;
	b = uefi_alloc_pages(sizeof(*b));
	if (!b)
		return false;
	fill(b, set, v, m, disks);
	/* Refuses a device path that is there already: two mirrors of one UUID. */
	if (uefi_bs->InstallMultipleProtocolInterfaces(&b->handle, &path_guid, &b->path, &bio_guid,
						       &b->bio, &bio2_guid, &b->bio2,
						       NULL) != EFI_SUCCESS) {
		uefi_free_pages(b, sizeof(*b));
		return false;
	}
	all->volume[all->count++] = b;
	uefi_bs->ConnectController(b->handle, NULL, NULL, TRUE);
	return true;
}

/* For whoever keeps it: a drive without a medium, whose functions are not in our image. */
static bool nullify(struct blockio *b)
{
	const void *no_media = stub_returns(EFI_NO_MEDIA);
	EFI_TPL old;

	if (!no_media)
		return false;
	old = efidisk_lock();
	b->media.MediaPresent = FALSE;
	b->media.ReadOnly = TRUE;
	b->bio.Reset = (EFI_BLOCK_RESET)(uintptr_t)no_media;
	b->bio.ReadBlocks = (EFI_BLOCK_READ)(uintptr_t)no_media;
	b->bio.WriteBlocks = (EFI_BLOCK_WRITE)(uintptr_t)no_media;
	b->bio.FlushBlocks = (EFI_BLOCK_FLUSH)(uintptr_t)no_media;
	b->bio2.Reset = (EFI_BLOCK_RESET_EX)(uintptr_t)no_media;
	b->bio2.ReadBlocksEx = (EFI_BLOCK_READ_EX)(uintptr_t)no_media;
	b->bio2.WriteBlocksEx = (EFI_BLOCK_WRITE_EX)(uintptr_t)no_media;
	b->bio2.FlushBlocksEx = (EFI_BLOCK_FLUSH_EX)(uintptr_t)no_media;
	efidisk_unlock(old);
	return true;
}

enum blockio_gone blockio_unpublish(struct blockios *all)
{
	EFI_GUID bio_guid = uefi_block_io, bio2_guid = uefi_block_io2, path_guid = uefi_device_path;
	enum blockio_gone gone = BLOCKIO_GONE;

	for (; all->count > 0; all->count--) {
		struct blockio *b = all->volume[all->count - 1];

		uefi_bs->DisconnectController(b->handle, NULL, NULL);
		if (uefi_bs->UninstallMultipleProtocolInterfaces(b->handle, &path_guid, &b->path,
								 &bio_guid, &b->bio, &bio2_guid,
								 &b->bio2, NULL) == EFI_SUCCESS) {
			uefi_free_pages(b, sizeof(*b));
			continue;
		}
		if (!nullify(b))
			return BLOCKIO_STUCK;
		gone = BLOCKIO_LEFT;
	}
	return gone;
}
