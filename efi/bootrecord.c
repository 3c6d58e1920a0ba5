/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "efi/bootrecord.h"

#include "common/bootarea.h"

#define ATTRIBUTES                                                                                 \
	(EFI_VARIABLE_NON_VOLATILE | EFI_VARIABLE_BOOTSERVICE_ACCESS | EFI_VARIABLE_RUNTIME_ACCESS)

/* Some firmware does not start any more when its variables have no room: Linux leaves as much. */
#define RESERVE_BYTES 5120

#define UEFI_2_0 (2u << 16) /* QueryVariableInfo() came with it */

static const CHAR16 variable_name[] = L"MirrorbootRecord";
static const EFI_GUID vendor_guid = {
	0xe0ba060e, 0x72b2, 0x4292, {0x97, 0x96, 0xcd, 0xa8, 0x5b, 0x24, 0x3c, 0x89}};

/* Block I/O finds us by this. */
static struct bootrecord *watching;

static EFI_STATUS get(void *to, UINTN *bytes, UINT32 *attributes)
{
	EFI_GUID guid = vendor_guid;

	return uefi_rt->GetVariable((CHAR16 *)variable_name, &guid, attributes, bytes, to);
}

static EFI_STATUS set(UINT32 attributes, UINTN bytes, void *from)
{
	EFI_GUID guid = vendor_guid;

	return uefi_rt->SetVariable((CHAR16 *)variable_name, &guid, attributes, bytes, from);
}

/* The variable is anybody's to write: nothing of it is believed before it is checked. */
static bool read_variable(struct record *r)
{
	uint8_t bytes[sizeof(*r)];
	UINTN n = sizeof(bytes);

	return get(bytes, &n, NULL) == EFI_SUCCESS && record_take(r, bytes, n) == ST_OK;
}

static bool has_room(UINTN bytes)
{
	UINT64 all, left, largest;

	if (uefi_rt->Hdr.Revision < UEFI_2_0 ||
	    uefi_rt->QueryVariableInfo(ATTRIBUTES, &all, &left, &largest) != EFI_SUCCESS)
		return true;
	return left >= bytes + RESERVE_BYTES;
}

static EFI_STATUS write_variable(struct record *r)
{
	static uint8_t back[sizeof(*r)];
	UINTN bytes = record_bytes(r), n = 0;
	UINT32 attributes = 0;
	EFI_STATUS status;

	if (!has_room(bytes))
		return EFI_OUT_OF_RESOURCES;
	/* One of other attributes is not ours, and would stay in the way. */
	if (get(NULL, &n, &attributes) == EFI_BUFFER_TOO_SMALL && attributes != ATTRIBUTES)
		set(attributes, 0, NULL);
	status = set(ATTRIBUTES, bytes, r);
	if (status != EFI_SUCCESS)
		return status;
	n = sizeof(back);
	status = get(back, &n, NULL);
	if (status == EFI_SUCCESS && (n != bytes || memcmp(back, r, bytes) != 0))
		status = EFI_DEVICE_ERROR;
	return status;
}

/* The record that a BIOS boot left on this disk, when it has a boot area of ours. */
static bool read_disk(const struct disk *d, struct record *r)
{
	struct bootarea_header h;
	uint8_t sector[DISK_SECTOR_BYTES];
	uint64_t lba;

	return bootarea_open(d, sector, &h, &lba) == ST_OK &&
	       disk_read(d, lba + BOOTAREA_RECORD, 1, r) == ST_OK && record_check(r) == ST_OK;
}

void bootrecord_read(struct bootrecord *b, struct survey *s, const struct disk *disk)
{
	*b = (struct bootrecord){.survey = s};
	if (read_variable(&b->there)) {
		record_merge(&b->known, &b->there);
		record_merge(&b->seen, &b->there);
	}
	for (unsigned i = 0; i < s->disk_count; i++)
		if (s->found[i].answered && trust_disk(s, i) && read_disk(&disk[i], &b->now))
			record_merge(&b->seen, &b->now);
	record_prefer(&b->seen, &b->known, s);
	record_judge(s, &b->seen);
}

/* Bit i: disk i has failed a read in this boot, of metadata or of a leg. */
static uint32_t failed_disks(const struct bootrecord *b)
{
	uint32_t failed = 0;

	for (unsigned i = 0; i < b->survey->disk_count; i++)
		failed |= (uint32_t)b->survey->found[i].io_error << i;
	for (unsigned i = 0; i < b->set->leg_count; i++)
		if (b->set->leg[i].latched)
			failed |= (uint32_t)1 << b->set->leg[i].disk;
	return failed;
}

static void note_failed(struct bootrecord *b)
{
	b->failovers = b->set->failovers;
	b->failed = failed_disks(b);
	b->now.failovers = le32_of(b->failovers);
	b->now.failed_disks = le32_of(b->failed);
	record_seal(&b->now, RECORD_NONE);
}

/* Flash wears: one more write for each disk that fails, and not for each leg on it. */
static VOID EFIAPI on_change(EFI_EVENT event, VOID *context)
{
	struct bootrecord *b = context;

	if (failed_disks(b) == b->failed)
		return;
	note_failed(b);
	write_variable(&b->now); /* nobody is there to be told that it failed */
}

void bootrecord_write(struct bootrecord *b, unsigned boot_mirror, const struct vdisk_set *vdisks,
		      struct text *out)
{
	EFI_STATUS status;

	b->set = vdisks;
	record_make(&b->now, &b->seen, b->survey, boot_mirror);
	note_failed(b);
	/* A later boot that only disks know of is to have happened before this one. */
	if (!b->known.any || record_later(b->seen.sequence, b->known.sequence) ||
	    !record_same_news(&b->now, &b->there)) {
		status = write_variable(&b->now);
		if (status != EFI_SUCCESS) {
			text_str(out, "Warning: the firmware can't keep the boot record (EFI "
				      "status ");
			text_u64(out, status & ~EFI_ERROR_MASK);
			text_str(out, ").\n");
		}
	}
	if (uefi_bs->CreateEvent(EVT_NOTIFY_SIGNAL, TPL_CALLBACK, on_change, b, &b->changed) !=
	    EFI_SUCCESS)
		b->changed = NULL;
	watching = b;
}

void bootrecord_watch(const struct vdisk_set *vdisks)
{
	struct bootrecord *b = watching;

	if (b == NULL || b->set != vdisks || b->failovers == vdisks->failovers)
		return;
	b->failovers = vdisks->failovers;
	if (b->changed)
		uefi_bs->SignalEvent(b->changed);
}

void bootrecord_close(struct bootrecord *b)
{
	watching = NULL;
	if (b->changed)
		uefi_bs->CloseEvent(b->changed);
	b->changed = NULL;
}
