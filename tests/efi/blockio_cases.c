/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * A next loader for tests: what EDK2's Self Certification Tests ask of a Block I/O and
 * a Block I/O 2, asked of the volume and of a disk that answers in place. A line for
 * each case, "BIO <name> ok" or "BIO <name> NOT <what>", and a total. What it does is
 * a word that a test writes over the dots:
 *
 *   (none) the table; writes, when the volume can be written
 *   write  one write to the volume
 *   many   many reads at once
 *   long   a long read
 *   hold   open the volume and never close it
 *   exit   end boot services while reads are under way
 *   begin  start mirrorboot, and look at what is left when it has returned
 */
#include "tests/efi/blockio.h"

#define MODE_CHARS 8
static const volatile char mode_word[] = "BLOCKIO-MODE:........";

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *st);

static bool mode_is(const char *word)
{
	for (unsigned i = 0; i < MODE_CHARS; i++) {
		char c = mode_word[sizeof(mode_word) - 1 - MODE_CHARS + i];

		if (c != (*word ? *word : '.'))
			return false;
		word += *word != 0;
	}
	return true;
}

/* The volume, when it is still there, is a drive without a medium. */
static void ask_what_stayed(const struct target *t)
{
	UINT32 id = t->media->MediaId, bytes = t->media->BlockSize;
	uint8_t *buf = uefi_alloc_pages(4096);

	said("volume-has-no-medium", !t->media->MediaPresent, 0);
	expect("volume-reset", t->bio->Reset(t->bio, FALSE), EFI_NO_MEDIA);
	expect("volume-read", t->bio->ReadBlocks(t->bio, id, 0, bytes, buf), EFI_NO_MEDIA);
	expect("volume-write", t->bio->WriteBlocks(t->bio, id, 0, bytes, buf), EFI_NO_MEDIA);
	expect("volume-flush", t->bio->FlushBlocks(t->bio), EFI_NO_MEDIA);
	expect("volume-reset-ex", t->bio2->Reset(t->bio2, FALSE), EFI_NO_MEDIA);
	expect("volume-read-ex", t->bio2->ReadBlocksEx(t->bio2, id, 0, NULL, bytes, buf),
	       EFI_NO_MEDIA);
	expect("volume-write-ex", t->bio2->WriteBlocksEx(t->bio2, id, 0, NULL, bytes, buf),
	       EFI_NO_MEDIA);
	expect("volume-flush-ex", t->bio2->FlushBlocksEx(t->bio2, NULL), EFI_NO_MEDIA);
}

/* What the firmware has of a disk's functions. */
struct functions {
	uintptr_t read, write, read_ex, write_ex;
};

static struct functions functions_of(const struct target *t)
{
	struct functions f = {(uintptr_t)t->bio->ReadBlocks, (uintptr_t)t->bio->WriteBlocks, 0, 0};

	if (t->bio2) {
		f.read_ex = (uintptr_t)t->bio2->ReadBlocksEx;
		f.write_ex = (uintptr_t)t->bio2->WriteBlocksEx;
	}
	return f;
}

/* Be the loader that starts mirrorboot, and look around before and after. */
static void run_begin(EFI_HANDLE image)
{
	EFI_LOADED_IMAGE *self = uefi_protocol(image, &uefi_loaded_image);
	CHAR16 app[] = L"\\EFI\\mirrorboot\\app.efi";
	void *path = path_with_file(uefi_protocol(self->DeviceHandle, &uefi_device_path), app);
	struct functions before, after;
	struct target volume, disk;
	EFI_HANDLE child = NULL;
	UINTN count;
	EFI_HANDLE *handles = uefi_handles(NULL, &count);

	for (UINTN i = 0; i < count; i++)
		uefi_bs->ConnectController(handles[i], NULL, NULL, TRUE);
	said("disk before", find_disk(&disk), 0);
	before = functions_of(&disk);
	expect("load", uefi_bs->LoadImage(FALSE, image, path, NULL, 0, &child), EFI_SUCCESS);
	expect("start", uefi_bs->StartImage(child, NULL, NULL), EFI_SUCCESS);
	if (find_volume(&volume))
		ask_what_stayed(&volume);
	else
		said("volume-gone", true, 0);
	said("disk after", find_disk(&disk), 0);
	after = functions_of(&disk);
	said("functions restored", memcmp(&before, &after, sizeof(before)) == 0, after.read);
	said("over", true, 0);
}

/* As a driver that was there before us and will be there when we are gone. */
static void run_hold(const struct target *volume)
{
	EFI_GUID guid = uefi_block_io, sfs = uefi_file_system;
	UINTN count;
	EFI_HANDLE *users = uefi_handles(&sfs, &count);
	VOID *interface;
	EFI_STATUS status = EFI_NOT_FOUND;

	uefi_bs->DisconnectController(volume->handle, NULL, NULL);
	/* Any handle that stays will do for an agent: it has nothing that could let go. */
	for (UINTN i = 0; status != EFI_SUCCESS && i < count; i++)
		status = uefi_bs->OpenProtocol(volume->handle, &guid, &interface, users[i],
					       volume->handle, EFI_OPEN_PROTOCOL_BY_DRIVER);
	expect("hold", status, EFI_SUCCESS);
	uefi_free(users);
}

static void run_write(const struct target *volume)
{
	UINTN bytes = 16 * 1024;
	uint8_t *buf = uefi_alloc_pages(bytes);

	memset(buf, 0xa7, bytes);
	expect("write",
	       volume->bio->WriteBlocks(volume->bio, volume->media->MediaId, volume->free_lba,
					bytes, buf),
	       EFI_SUCCESS);
	expect("flush", volume->bio->FlushBlocks(volume->bio), EFI_SUCCESS);
	memset(buf, 0, bytes);
	expect("read back",
	       volume->bio->ReadBlocks(volume->bio, volume->media->MediaId, volume->free_lba, bytes,
				       buf),
	       EFI_SUCCESS);
	said("same", buf[0] == 0xa7 && buf[bytes - 1] == 0xa7, 0);
}

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *st)
{
	struct target volume, disk;

	uefi_init(image, st);
	if (mode_is("begin")) {
		run_begin(image);
	} else if (!find_volume(&volume) || !find_disk(&disk)) {
		said("find", false, 0);
	} else {
		volume.read_only = disk.read_only = volume.media->ReadOnly;
		if (mode_is("hold")) {
			run_hold(&volume);
		} else if (mode_is("exit")) {
			run_exit(&volume, image);
		} else if (mode_is("write")) {
			run_write(&volume);
		} else if (mode_is("many")) {
			run_many(&volume);
		} else if (mode_is("long")) {
			run_long(&volume);
		} else {
			run_cases(&volume);
			run_cases(&disk);
			run_both(&volume, &disk);
		}
	}
	total();
	return EFI_SUCCESS;
}
