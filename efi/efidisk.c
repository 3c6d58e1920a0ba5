/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "efi/efidisk.h"

#include "common/range.h"
#include "efi/path.h"

void efidisk_connect_all(void)
{
	UINTN count;
	EFI_HANDLE *handles = uefi_handles(NULL, &count);

	for (UINTN i = 0; i < count; i++)
		uefi_bs->ConnectController(handles[i], NULL, NULL, TRUE);
	uefi_free(handles);
}

EFI_TPL efidisk_lock(void)
{
	/* The only way to ask for the level; to "raise" it to a lower one is undefined. */
	EFI_TPL level = uefi_bs->RaiseTPL(TPL_HIGH_LEVEL);

	uefi_bs->RestoreTPL(level);
	return level < TPL_CALLBACK ? uefi_bs->RaiseTPL(TPL_CALLBACK) : level;
}

void efidisk_unlock(EFI_TPL old)
{
	uefi_bs->RestoreTPL(old);
}

static enum status efidisk_read(const struct disk *d, uint64_t lba, uint32_t n, void *buf)
{
	const struct efidisk *e = d->ctx;
	uint8_t *to = buf;

	if (!range_ok(lba, n, d->sectors))
		return ST_RANGE;
	while (n > 0) {
		bool aligned = ((uintptr_t)to & e->align_mask) == 0;
		uint32_t max = (aligned ? EFIDISK_CHUNK_BYTES : EFIDISK_BOUNCE_BYTES) >> d->shift;
		uint32_t part = n < max ? n : max;
		size_t bytes = (size_t)part << d->shift;

		if (e->read(e->bio, e->media_id, lba, bytes, aligned ? to : e->bounce) !=
		    EFI_SUCCESS)
			return ST_IO;
		if (!aligned)
			memcpy(to, e->bounce, bytes);
		lba += part;
		n -= part;
		to += bytes;
	}
	return ST_OK;
}

static enum status efidisk_write(const struct disk *d, uint64_t lba, uint32_t n, const void *buf)
{
	const struct efidisk *e = d->ctx;
	const uint8_t *from = buf;

	if (!range_ok(lba, n, d->sectors))
		return ST_RANGE;
	while (n > 0) {
		bool aligned = ((uintptr_t)from & e->align_mask) == 0;
		uint32_t max = (aligned ? EFIDISK_CHUNK_BYTES : EFIDISK_BOUNCE_BYTES) >> d->shift;
		uint32_t part = n < max ? n : max;
		size_t bytes = (size_t)part << d->shift;

		if (!aligned)
			memcpy(e->bounce, from, bytes);
		if (e->write(e->bio, e->media_id, lba, bytes,
			     aligned ? (void *)(uintptr_t)from : e->bounce) != EFI_SUCCESS)
			return ST_IO;
		lba += part;
		n -= part;
		from += bytes;
	}
	return ST_OK;
}

/* A disk that knows of no flush has nothing to flush, as far as anybody can tell. */
static enum status efidisk_flush(const struct disk *d)
{
	const struct efidisk *e = d->ctx;
	EFI_STATUS status = e->flush ? e->flush(e->bio) : EFI_SUCCESS;

	return status == EFI_SUCCESS || status == EFI_UNSUPPORTED ? ST_OK : ST_IO;
}

static bool sector_shift(uint32_t bytes, uint8_t *shift)
{
	for (*shift = DISK_SHIFT_MIN; *shift <= DISK_SHIFT_MAX; (*shift)++)
		if (bytes == 1u << *shift)
			return true;
	return false;
}

/* Fill *e and *d from a Block I/O handle. False: not a whole disk that we can use. */
static bool open_disk(EFI_HANDLE handle, struct efidisk *e, struct disk *d)
{
	EFI_BLOCK_IO *bio = uefi_protocol(handle, &uefi_block_io);
	EFI_DEVICE_PATH *path = uefi_protocol(handle, &uefi_device_path);
	const EFI_BLOCK_IO_MEDIA *media = bio ? bio->Media : NULL;
	uint32_t align;
	uint8_t shift;

	if (media == NULL || path == NULL || media->LogicalPartition || !media->MediaPresent)
		return false;
	if (!sector_shift(media->BlockSize, &shift))
		return false;
	if (media->LastBlock == 0 || media->LastBlock == UINT64_MAX)
		return false;
	align = media->IoAlign ? media->IoAlign : 1;
	if ((align & (align - 1)) != 0 || align > EFIDISK_ALIGN_MAX)
		return false;
	if (media->RemovableMedia && media->BlockSize == 2048)
		return false; /* a CD: slow to ask, and never a leg */

	memset(e, 0, sizeof(*e));
	e->handle = handle;
	e->path = path;
	e->bio = bio;
	e->bio2 = uefi_protocol(handle, &uefi_block_io2);
	e->read = bio->ReadBlocks;
	e->write = bio->WriteBlocks;
	e->flush = bio->FlushBlocks;
	if (e->bio2) {
		e->read_ex = e->bio2->ReadBlocksEx;
		e->write_ex = e->bio2->WriteBlocksEx;
	}
	e->media_id = media->MediaId;
	e->align_mask = align - 1;
	e->removable = media->RemovableMedia;
	*d = (struct disk){.read = efidisk_read,
			   .write = media->ReadOnly ? NULL : efidisk_write,
			   .flush = efidisk_flush,
			   .sectors = media->LastBlock + 1,
			   .shift = shift};
	return true;
}

void efidisk_find(struct efidisks *disks, const void *device)
{
	UINTN count;
	EFI_HANDLE *handles = uefi_handles(&uefi_block_io, &count);

	memset(disks, 0, sizeof(*disks));
	/* Two turns: ours, then the others. */
	for (UINTN i = 0; i < 2 * count; i++) {
		struct efidisk e;
		struct disk d;

		if (!open_disk(handles[i % count], &e, &d))
			continue;
		if ((device && path_after(device, e.path)) != (i < count))
			continue;
		if (disks->count == SURVEY_DISKS) {
			disks->full = true;
			break;
		}
		e.bounce = disks->bounce;
		disks->efi[disks->count] = e;
		disks->disk[disks->count++] = d;
	}
	for (unsigned i = 0; i < disks->count; i++)
		disks->disk[i].ctx = &disks->efi[i];
	uefi_free(handles);
}

void efidisk_name(const struct report_names *n, unsigned disk, struct text *out)
{
	text_str(out, "disk ");
	text_u64(out, disk);
}

void efidisk_list(const struct efidisks *disks, struct text *out)
{
	text_str(out, "disks:");
	for (unsigned i = 0; i < disks->count; i++) {
		text_str(out, i ? ", " : " ");
		text_u64(out, i);
		text_str(out, " = ");
		path_short(disks->efi[i].path, out);
		text_char(out, ' ');
		text_size(out, disk_s512(&disks->disk[i], disks->disk[i].sectors));
	}
	text_str(out, disks->count ? "\n" : " none\n");
}
