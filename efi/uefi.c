/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "efi/uefi.h"

EFI_SYSTEM_TABLE *uefi_st;
EFI_BOOT_SERVICES *uefi_bs;
EFI_RUNTIME_SERVICES *uefi_rt;
EFI_HANDLE uefi_image;

const EFI_GUID uefi_block_io = EFI_BLOCK_IO_PROTOCOL_GUID;
const EFI_GUID uefi_block_io2 = EFI_BLOCK_IO2_PROTOCOL_GUID;
const EFI_GUID uefi_device_path = EFI_DEVICE_PATH_PROTOCOL_GUID;
const EFI_GUID uefi_file_system = EFI_SIMPLE_FILE_SYSTEM_PROTOCOL_GUID;
const EFI_GUID uefi_loaded_image = EFI_LOADED_IMAGE_PROTOCOL_GUID;
const EFI_GUID uefi_global_variable = EFI_GLOBAL_VARIABLE;
const EFI_GUID uefi_esp_type = {
	0xc12a7328, 0xf81f, 0x11d2, {0xba, 0x4b, 0x00, 0xa0, 0xc9, 0x3e, 0xc9, 0x3b}};

/* On our image handle while we run; it has no interface. */
static const EFI_GUID running_tag = {
	0x6f7a4bd1, 0x52c3, 0x4e0e, {0x9c, 0x1a, 0x77, 0x38, 0xd4, 0x0b, 0xe6, 0x25}};

/* gnu-efi 3.0.17 and later enter here, where their library would run constructors. */
EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *st);
EFI_STATUS _entry(EFI_HANDLE image, EFI_SYSTEM_TABLE *st);

EFI_STATUS _entry(EFI_HANDLE image, EFI_SYSTEM_TABLE *st)
{
	return efi_main(image, st);
}

void uefi_init(EFI_HANDLE image, EFI_SYSTEM_TABLE *st)
{
	uefi_image = image;
	uefi_st = st;
	uefi_bs = st->BootServices;
	uefi_rt = st->RuntimeServices;
}

bool uefi_is_entered(void)
{
	EFI_GUID tag = running_tag;
	void *interface;

	return uefi_bs->LocateProtocol(&tag, NULL, &interface) == EFI_SUCCESS;
}

bool uefi_enter(void)
{
	EFI_GUID tag = running_tag;
	EFI_HANDLE handle = uefi_image;

	if (uefi_is_entered())
		return false;
	uefi_bs->InstallProtocolInterface(&handle, &tag, EFI_NATIVE_INTERFACE, NULL);
	return true;
}

void uefi_leave(void)
{
	EFI_GUID tag = running_tag;

	uefi_bs->UninstallProtocolInterface(uefi_image, &tag, NULL);
}

void *uefi_protocol(EFI_HANDLE handle, const EFI_GUID *guid)
{
	EFI_GUID g = *guid;
	void *interface = NULL;

	if (handle == NULL || uefi_bs->HandleProtocol(handle, &g, &interface) != EFI_SUCCESS)
		return NULL;
	return interface;
}

EFI_HANDLE *uefi_handles(const EFI_GUID *guid, UINTN *count)
{
	EFI_HANDLE *handles = NULL;
	EFI_GUID g;
	EFI_STATUS status;

	*count = 0;
	if (guid)
		g = *guid;
	status = uefi_bs->LocateHandleBuffer(guid ? ByProtocol : AllHandles, guid ? &g : NULL, NULL,
					     count, &handles);
	if (status != EFI_SUCCESS) {
		*count = 0;
		return NULL;
	}
	return handles;
}

void *uefi_alloc(size_t bytes)
{
	void *p;

	if (uefi_bs->AllocatePool(EfiLoaderData, bytes, &p) != EFI_SUCCESS)
		return NULL;
	return memset(p, 0, bytes);
}

void *uefi_alloc_pages(size_t bytes)
{
	size_t pages = (bytes + 4095) >> 12;
	EFI_PHYSICAL_ADDRESS at;

	if (uefi_bs->AllocatePages(AllocateAnyPages, EfiLoaderData, pages, &at) != EFI_SUCCESS)
		return NULL;
	return memset((void *)(uintptr_t)at, 0, pages << 12);
}

void uefi_free(void *p)
{
	if (p)
		uefi_bs->FreePool(p);
}

void uefi_free_pages(void *p, size_t bytes)
{
	uefi_bs->FreePages((EFI_PHYSICAL_ADDRESS)(uintptr_t)p, (bytes + 4095) >> 12);
}

void uefi_services_changed(void)
{
	EFI_TPL old = uefi_bs->RaiseTPL(TPL_HIGH_LEVEL);

	uefi_bs->Hdr.CRC32 = 0;
	uefi_bs->CalculateCrc32(&uefi_bs->Hdr, uefi_bs->Hdr.HeaderSize, &uefi_bs->Hdr.CRC32);
	uefi_bs->RestoreTPL(old);
}
