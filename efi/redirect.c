/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "efi/redirect.h"

#include "common/writeplan.h"
#include "efi/guard.h"
#include "efi/path.h"
#include "efi/request.h"

#define PROTECTED_MAX 64

/* Our functions get the disk's own interface: this is how they find what belongs to it. */
static struct {
	struct efidisks *disks;
	const struct survey *survey;
	struct vdisk_set *set;
	struct {
		bool on;
		uint8_t v;
	} disk[SURVEY_DISKS];
	/* Handles that say they are read-only, and did not before. */
	unsigned protected_count;
	struct {
		EFI_HANDLE handle;
		EFI_BLOCK_IO_MEDIA *media;
	} protected[PROTECTED_MAX];
} redirect;

static bool overlaps(uint64_t a, uint64_t a_len, uint64_t b, uint64_t b_len)
{
	return a < b ? b - a < a_len : a - b < b_len;
}

/* Is a sector here part of a member of a mirror that is served? open_too: that can be written. */
static bool touches_member_of(unsigned disk, uint64_t lba, uint64_t n, bool open_too)
{
	const struct survey *s = redirect.survey;

	for (unsigned i = 0; i < s->mirror_count; i++) {
		const struct mirror *m = &s->mirror[i];

		for (unsigned k = 0; k < m->leg_count && m->chosen != NO_LEG; k++) {
			const struct member *mem;

			if (m->leg[k].member == NO_MEMBER || m->leg[k].disk != disk)
				continue;
			if (!open_too && redirect.disk[disk].v != VDISK_NO_LEG &&
			    writeplan_open(redirect.set, i))
				break;
			mem = &s->member[m->leg[k].member];
			if (overlaps(lba, n, mem->start_lba, mem->sectors_lba))
				return true;
		}
	}
	return false;
}

static bool touches_member(unsigned disk, uint64_t lba, uint64_t n)
{
	return touches_member_of(disk, lba, n, true);
}

/* Is a sector here served by a mirror's leg (or by nobody), and not by the disk as it is? */
static bool touches_leg(unsigned v, uint64_t lba, uint64_t n)
{
	const struct vdisk_set *set = redirect.set;
	const struct vdisk_extent *e = &set->extent[set->vdisk[v].first_extent];

	for (unsigned i = 0; i < set->vdisk[v].extent_count; i++, e++)
		if (overlaps(lba, n, e->lba, e->sectors) &&
		    (e->leg[0] == VDISK_NO_LEG || set->leg[e->leg[0]].mirror != VDISK_NO_LEG))
			return true;
	return false;
}

/* Sectors that a request reaches into, whole or not. */
static uint64_t blocks_of(unsigned i, UINTN bytes)
{
	unsigned shift = redirect.disks->disk[i].shift;

	return (bytes >> shift) + ((bytes & (((UINTN)1 << shift) - 1)) != 0);
}

/*
 * Requests that reach no member are the firmware's own, mistakes in them too. One
 * that does never gets there: a driver that is lax with arguments would show old bytes.
 */
static bool redirect_reads(unsigned i, EFI_LBA lba, UINTN bytes)
{
	if (redirect.disk[i].v == VDISK_NO_LEG) /* no view: its members can't be read at all */
		return redirect.disk[i].on && (survey_dead(redirect.survey, i) ||
					       touches_member(i, lba, blocks_of(i, bytes)));
	return redirect.disk[i].on && touches_leg(redirect.disk[i].v, lba, blocks_of(i, bytes));
}

static bool redirect_writes(unsigned i, EFI_LBA lba, UINTN bytes)
{
	return redirect.disk[i].on && touches_member(i, lba, blocks_of(i, bytes));
}

static EFI_STATUS read(unsigned i, UINT32 media_id, EFI_LBA lba, EFI_BLOCK_IO2_TOKEN *token,
		       UINTN bytes, void *buf)
{
	const EFI_BLOCK_IO_MEDIA *media = redirect.disks->efi[i].bio->Media;
	EFI_STATUS status = request_check(media, false, media_id, lba, bytes, buf);

	if (status != EFI_SUCCESS)
		return status;
	if (redirect.disk[i].v == VDISK_NO_LEG)
		return EFI_DEVICE_ERROR;
	return request_read(redirect.disk[i].v, lba, bytes, buf, token);
}

/*
 * A member is never written on one disk alone. What of the request lies beside members goes
 * to the disk itself, in its turn, when all of it can be written.
 */
static EFI_STATUS write(unsigned i, UINT32 media_id, EFI_LBA lba, EFI_BLOCK_IO2_TOKEN *token,
			UINTN bytes, const void *buf)
{
	const EFI_BLOCK_IO_MEDIA *media = redirect.disks->efi[i].bio->Media;
	EFI_STATUS status = request_check(media, true, media_id, lba, bytes, buf);

	if (status != EFI_SUCCESS)
		return status;
	if (redirect.disk[i].v == VDISK_NO_LEG)
		return EFI_WRITE_PROTECTED;
	return request_write(redirect.disk[i].v, lba, bytes, buf, token);
}

static unsigned find_bio(const EFI_BLOCK_IO *this)
{
	unsigned i = 0;

	while (i + 1 < redirect.disks->count && redirect.disks->efi[i].bio != this)
		i++;
	return i;
}

static unsigned find_bio2(const EFI_BLOCK_IO2_PROTOCOL *this)
{
	unsigned i = 0;

	while (i + 1 < redirect.disks->count && redirect.disks->efi[i].bio2 != this)
		i++;
	return i;
}

static EFI_STATUS EFIAPI our_read(EFI_BLOCK_IO *this, UINT32 media_id, EFI_LBA lba, UINTN bytes,
				  VOID *buf)
{
	unsigned i = find_bio(this);

	if (!redirect_reads(i, lba, bytes))
		return redirect.disks->efi[i].read(this, media_id, lba, bytes, buf);
	return read(i, media_id, lba, NULL, bytes, buf);
}

static EFI_STATUS EFIAPI our_write(EFI_BLOCK_IO *this, UINT32 media_id, EFI_LBA lba, UINTN bytes,
				   VOID *buf)
{
	unsigned i = find_bio(this);

	if (!redirect_writes(i, lba, bytes))
		return redirect.disks->efi[i].write(this, media_id, lba, bytes, buf);
	return write(i, media_id, lba, NULL, bytes, buf);
}

static EFI_STATUS EFIAPI our_read_ex(EFI_BLOCK_IO2_PROTOCOL *this, UINT32 media_id, EFI_LBA lba,
				     EFI_BLOCK_IO2_TOKEN *token, UINTN bytes, VOID *buf)
{
	unsigned i = find_bio2(this);

	if (!redirect_reads(i, lba, bytes))
		return redirect.disks->efi[i].read_ex(this, media_id, lba, token, bytes, buf);
	return read(i, media_id, lba, token, bytes, buf);
}

static EFI_STATUS EFIAPI our_write_ex(EFI_BLOCK_IO2_PROTOCOL *this, UINT32 media_id, EFI_LBA lba,
				      EFI_BLOCK_IO2_TOKEN *token, UINTN bytes, VOID *buf)
{
	unsigned i = find_bio2(this);

	if (!redirect_writes(i, lba, bytes))
		return redirect.disks->efi[i].write_ex(this, media_id, lba, token, bytes, buf);
	return write(i, media_id, lba, token, bytes, buf);
}

/*
 * Have the firmware forget what it read through this handle's Block I/O: stop the
 * drivers that use it, and them only. (To disconnect the handle as a whole would,
 * for virtio-blk, stop the driver that makes the Block I/O.)
 */
static bool forget(EFI_HANDLE handle)
{
	EFI_GUID guid = uefi_block_io;
	EFI_OPEN_PROTOCOL_INFORMATION_ENTRY *users = NULL;
	UINTN count = 0;
	bool ok = true;

	if (uefi_bs->OpenProtocolInformation(handle, &guid, &users, &count) != EFI_SUCCESS)
		return false;
	for (UINTN i = 0; i < count; i++)
		if (users[i].Attributes & EFI_OPEN_PROTOCOL_BY_DRIVER &&
		    guard_disconnect(handle, users[i].AgentHandle) != EFI_SUCCESS)
			ok = false;
	uefi_free(users);
	return ok;
}

/*
 * A driver that takes a disk for writable may not get over it that it is not: EDK2's FAT
 * keeps what it could not write, and fails from then on.
 */
static void protect(EFI_HANDLE handle)
{
	EFI_BLOCK_IO *bio = uefi_protocol(handle, &uefi_block_io);

	if (bio == NULL || bio->Media == NULL || bio->Media->ReadOnly ||
	    redirect.protected_count == PROTECTED_MAX)
		return;
	redirect.protected[redirect.protected_count].handle = handle;
	redirect.protected[redirect.protected_count++].media = bio->Media;
	bio->Media->ReadOnly = TRUE;
}

static void unprotect_all(void)
{
	for (unsigned i = 0; i < redirect.protected_count; i++) {
		EFI_BLOCK_IO *bio = uefi_protocol(redirect.protected[i].handle, &uefi_block_io);

		if (bio && bio->Media == redirect.protected[i].media)
			bio->Media->ReadOnly = FALSE;
	}
	redirect.protected_count = 0;
}

enum action { FORGET, PROTECT, CONNECT };

/* lba, sectors: of the disk that the handle stands for. */
static bool act(EFI_HANDLE handle, enum action action, unsigned disk, uint64_t lba,
		uint64_t sectors)
{
	switch (action) {
	case FORGET: return forget(handle);
	case PROTECT:
		if (touches_member_of(disk, lba, sectors, false))
			protect(handle);
		return true;
	default: uefi_bs->ConnectController(handle, NULL, NULL, TRUE); return true;
	}
}

/*
 * For what the firmware made of the members of a disk: the disk itself when a
 * member is all of it, else each partition that touches one. The handle that we
 * were started from stays: a partition's handle outlives the file system on it,
 * but not a new start of its disk.
 */
static bool for_each_user(unsigned disk, EFI_HANDLE own_device, enum action action)
{
	const struct efidisk *e = &redirect.disks->efi[disk];
	const void *own = uefi_protocol(own_device, &uefi_device_path);
	bool own_below = own && path_after(own, e->path) != NULL;
	bool ok = true;
	UINTN count;
	EFI_HANDLE *handles;

	if (!own_below && touches_member(disk, 0, 1))
		return act(e->handle, action, disk, 0, 1);

	handles = uefi_handles(&uefi_block_io, &count);
	for (UINTN i = 0; i < count; i++) {
		const void *path = uefi_protocol(handles[i], &uefi_device_path);
		const void *rest = path ? path_after(path, e->path) : NULL;
		const struct path_hd *hd = rest ? path_last_hd(rest) : NULL;

		/* Direct partitions only: what is inside one goes and comes with it. */
		if (hd == NULL || (const void *)hd != rest || path_bytes(rest) != sizeof(*hd))
			continue;
		if (!touches_member(disk, le64_get(hd->start_lba), le64_get(hd->sectors)))
			continue;
		/* Our own ESP inside a partition inside a member: it has to stay as it is. */
		if (own && handles[i] != own_device && path_after(own, path))
			continue;
		ok &= act(handles[i], action, disk, le64_get(hd->start_lba), le64_get(hd->sectors));
	}
	uefi_free(handles);
	return ok;
}

bool redirect_start(struct efidisks *disks, unsigned disk, const struct survey *s,
		    struct vdisk_set *set, unsigned v, EFI_HANDLE own_device)
{
	struct efidisk *e = &disks->efi[disk];
	EFI_TPL old;
	bool ok;

	redirect.disks = disks;
	redirect.survey = s;
	redirect.set = set;
	ok = for_each_user(disk, own_device, FORGET);

	old = efidisk_lock();
	redirect.disk[disk].on = true;
	redirect.disk[disk].v = (uint8_t)v;
	e->bio->ReadBlocks = our_read;
	e->bio->WriteBlocks = our_write;
	if (e->bio2) {
		e->bio2->ReadBlocksEx = our_read_ex;
		e->bio2->WriteBlocksEx = our_write_ex;
	}
	efidisk_unlock(old);

	guard_disk(e);
	for_each_user(disk, own_device, PROTECT);
	for_each_user(disk, own_device, CONNECT);
	return ok;
}

void redirect_stop(EFI_HANDLE own_device)
{
	guard_stop();
	unprotect_all();
	for (unsigned i = 0; redirect.disks && i < redirect.disks->count; i++) {
		struct efidisk *e = &redirect.disks->efi[i];
		EFI_TPL old;

		if (!redirect.disk[i].on)
			continue;
		for_each_user(i, own_device, FORGET);
		old = efidisk_lock();
		redirect.disk[i].on = false;
		/* A loader may have had the driver make a new interface: then ours is gone. */
		if (uefi_protocol(e->handle, &uefi_block_io) == e->bio &&
		    e->bio->ReadBlocks == our_read) {
			e->bio->ReadBlocks = e->read;
			e->bio->WriteBlocks = e->write;
		}
		if (e->bio2 && uefi_protocol(e->handle, &uefi_block_io2) == e->bio2 &&
		    e->bio2->ReadBlocksEx == our_read_ex) {
			e->bio2->ReadBlocksEx = e->read_ex;
			e->bio2->WriteBlocksEx = e->write_ex;
		}
		efidisk_unlock(old);
		for_each_user(i, own_device, CONNECT);
	}
}
