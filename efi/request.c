/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "efi/request.h"

#include "common/range.h"
#include "efi/bootrecord.h"
#include "efi/queue.h"
#include "efi/spread.h"

#define MAX_BLOCKS (1u << 19) /* a request to vdisk_read() or vdisk_write() */

static struct {
	struct vdisk_set *set;
	const struct efidisks *disks;
	struct share share;
} request;

void request_start(struct vdisk_set *set, const struct survey *s, const struct efidisks *disks)
{
	request.set = set;
	request.disks = disks;
	share_init(&request.share, set, s);
	spread_start(&request.share, disks);
	queue_start(&request.share, disks);
}

bool request_stop(void)
{
	if (!queue_stop())
		return false;
	spread_stop();
	return true;
}

EFI_STATUS request_check(const EFI_BLOCK_IO_MEDIA *media, bool write, UINT32 media_id, EFI_LBA lba,
			 UINTN bytes, const void *buf)
{
	uint32_t in_block = media->BlockSize - 1; /* a power of two */
	uint64_t blocks;
	unsigned shift = DISK_SHIFT_MIN;

	if (!media->MediaPresent)
		return EFI_NO_MEDIA;
	if (media_id != media->MediaId)
		return EFI_MEDIA_CHANGED;
	if (bytes == 0)
		return EFI_SUCCESS;
	if (write && media->ReadOnly)
		return EFI_WRITE_PROTECTED;
	if (buf == NULL)
		return EFI_INVALID_PARAMETER;
	if (bytes & in_block)
		return EFI_BAD_BUFFER_SIZE;
	while (shift < DISK_SHIFT_MAX && in_block >> shift)
		shift++;
	blocks = (uint64_t)bytes >> shift;
	if (lba > media->LastBlock || blocks - 1 > media->LastBlock - lba)
		return EFI_INVALID_PARAMETER;
	if (media->IoAlign > 1 && ((uintptr_t)buf & (media->IoAlign - 1)) != 0)
		return EFI_INVALID_PARAMETER;
	return EFI_SUCCESS;
}

static EFI_STATUS efi_status(enum status st)
{
	switch (st) {
	case ST_OK: return EFI_SUCCESS;
	case ST_RANGE: return EFI_INVALID_PARAMETER;
	case ST_READONLY: return EFI_WRITE_PROTECTED;
	default: return EFI_DEVICE_ERROR;
	}
}

static bool has_event(const EFI_BLOCK_IO2_TOKEN *token)
{
	return token && token->Event;
}

/* What was done at once is told, to whoever did not want to wait, as if it had taken a while. */
static EFI_STATUS end(EFI_BLOCK_IO2_TOKEN *token, EFI_STATUS status)
{
	if (!has_event(token) || (status != EFI_SUCCESS && status != EFI_DEVICE_ERROR))
		return status;
	queue_finish(token, status);
	return EFI_SUCCESS;
}

static EFI_STATUS read(unsigned v, EFI_LBA lba, UINTN bytes, uint8_t *to)
{
	unsigned shift = request.set->vdisk[v].shift;
	EFI_STATUS status = EFI_SUCCESS;

	while (status == EFI_SUCCESS && bytes > 0) {
		/* A count is 32 bits wide; buffers may be larger. */
		uint32_t n = (uint32_t)min_u64(bytes >> shift, MAX_BLOCKS);
		EFI_TPL level = efidisk_lock();

		status = efi_status(spread_read(v, lba, n, to, level <= TPL_CALLBACK));
		efidisk_unlock(level);
		bootrecord_watch(request.set);
		lba += n;
		to += (size_t)n << shift;
		bytes -= (size_t)n << shift;
	}
	return status;
}

EFI_STATUS request_read(unsigned v, EFI_LBA lba, UINTN bytes, void *buf, EFI_BLOCK_IO2_TOKEN *token)
{
	uint64_t n = (uint64_t)bytes >> request.set->vdisk[v].shift;

	if (has_event(token) && n > 0 && n <= MAX_BLOCKS &&
	    queue_read(v, lba, (uint32_t)n, buf, token))
		return EFI_SUCCESS;
	return end(token, read(v, lba, bytes, buf));
}

EFI_STATUS request_write(unsigned v, EFI_LBA lba, UINTN bytes, const void *buf,
			 EFI_BLOCK_IO2_TOKEN *token)
{
	uint64_t n = (uint64_t)bytes >> request.set->vdisk[v].shift;
	EFI_STATUS status;
	EFI_TPL level;

	if (n == 0)
		return end(token, EFI_SUCCESS);
	/* Cut in two, the second half could be refused when the first is written. */
	if (n > MAX_BLOCKS)
		return EFI_BAD_BUFFER_SIZE;
	level = efidisk_lock();
	status =
		efi_status(vdisk_write(request.set, v, request.disks->disk, lba, (uint32_t)n, buf));
	efidisk_unlock(level);
	bootrecord_watch(request.set);
	return end(token, status);
}

bool request_drain(void)
{
	return queue_drain();
}

EFI_STATUS request_flush(unsigned v, EFI_BLOCK_IO2_TOKEN *token)
{
	const struct vdisk_set *set = request.set;
	EFI_STATUS status = queue_drain() ? EFI_SUCCESS : EFI_DEVICE_ERROR;
	uint32_t done = 0;

	_Static_assert(SURVEY_DISKS <= 32, "a bit for each disk");
	for (unsigned i = 0; i < set->leg_count; i++) {
		const struct vdisk_leg *l = &set->leg[i];
		const struct disk *d = &request.disks->disk[l->disk];
		EFI_TPL level;

		if (l->mirror != set->vdisk[v].mirror || l->latched == VDISK_EXPELLED ||
		    done & (uint32_t)1 << l->disk)
			continue;
		done |= (uint32_t)1 << l->disk;
		level = efidisk_lock();
		if (d->flush(d) != ST_OK)
			status = EFI_DEVICE_ERROR;
		efidisk_unlock(level);
	}
	return end(token, status);
}
