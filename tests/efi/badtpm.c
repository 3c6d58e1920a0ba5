/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * Starts \EFI\next\mirrorboot.efi on a firmware whose TPM fails each measurement;
 * or, where \EFI\next\absent has contents, says that there is no TPM.
 */
#include "common/wire.h"
#include "efi/path.h"
#include "efi/uefi.h"

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *st);

struct capability { /* EFI_TCG2_BOOT_SERVICE_CAPABILITY */
	UINT8 bytes, versions[4];
	UINT32 hashes, log_formats;
	BOOLEAN tpm_present;
	UINT16 command_bytes_max, response_bytes_max;
	UINT32 rest[3];
};

static bool present;

static EFI_STATUS EFIAPI get_capability(void *this, struct capability *c)
{
	memset(c, 0, sizeof(*c));
	c->bytes = sizeof(*c);
	c->tpm_present = present;
	return EFI_SUCCESS;
}

/* The firmware measures what it loads by this, too, and must succeed. */
#define TYPE_OFFSET 14 /* in EFI_TCG2_EVENT */

static EFI_STATUS EFIAPI measure(void *this, UINT64 flags, EFI_PHYSICAL_ADDRESS data, UINT64 bytes,
				 const uint8_t *event)
{
	return le32_get(*(const le32 *)(event + TYPE_OFFSET)) == 6 ? EFI_DEVICE_ERROR : EFI_SUCCESS;
}

static EFI_STATUS EFIAPI fail(void)
{
	return EFI_DEVICE_ERROR;
}

static struct {
	void *get_capability, *get_event_log, *measure, *others[4];
} tcg2 = {(void *)get_capability,
	  (void *)fail,
	  (void *)measure,
	  {(void *)fail, (void *)fail, (void *)fail, (void *)fail}};

static bool has_contents(EFI_HANDLE device, CHAR16 *name)
{
	EFI_FILE_IO_INTERFACE *fs = uefi_protocol(device, &uefi_file_system);
	EFI_FILE_HANDLE root, f;
	UINT8 byte;
	UINTN bytes = 1;

	return fs && fs->OpenVolume(fs, &root) == EFI_SUCCESS &&
	       root->Open(root, &f, name, EFI_FILE_MODE_READ, 0) == EFI_SUCCESS &&
	       f->Read(f, &bytes, &byte) == EFI_SUCCESS && bytes == 1;
}

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *st)
{
	EFI_GUID guid = {
		0x607f766c, 0x7455, 0x42be, {0x93, 0x0b, 0xe4, 0xd7, 0x6d, 0xb2, 0x72, 0x0f}};
	CHAR16 here[] = L"BADTPM: here\r\n", absent[] = L"\\EFI\\next\\absent";
	EFI_LOADED_IMAGE *own;
	EFI_HANDLE handle = NULL, child = NULL;
	EFI_STATUS status;

	uefi_init(image, st);
	own = uefi_protocol(image, &uefi_loaded_image);
	present = !has_contents(own->DeviceHandle, absent);
	st->ConOut->OutputString(st->ConOut, here);
	status = uefi_bs->InstallProtocolInterface(&handle, &guid, EFI_NATIVE_INTERFACE, &tcg2);
	if (status == EFI_SUCCESS)
		status = uefi_bs->LoadImage(
			FALSE, image,
			path_with_file(uefi_protocol(own->DeviceHandle, &uefi_device_path),
				       L"\\EFI\\next\\mirrorboot.efi"),
			NULL, 0, &child);
	return status == EFI_SUCCESS ? uefi_bs->StartImage(child, NULL, NULL) : status;
}
