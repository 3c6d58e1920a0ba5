/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "efi/stub.h"

#define PAGE_BYTES   4096u
#define ATTRIBUTE_XP 0x4000ull
#define ATTRIBUTE_RO 0x20000ull

/* UEFI 2.10, 37.7: there where memory is either written or run. gnu-efi 3 does not know it. */
struct memory_attribute {
	void *get;
	EFI_STATUS(EFIAPI *set)
	(struct memory_attribute *this, EFI_PHYSICAL_ADDRESS base, UINT64 bytes, UINT64 attributes);
	EFI_STATUS(EFIAPI *clear)
	(struct memory_attribute *this, EFI_PHYSICAL_ADDRESS base, UINT64 bytes, UINT64 attributes);
};

static const EFI_GUID memory_attribute_guid = {
	0xf4560cf6, 0x40ec, 0x4b4a, {0xa1, 0x92, 0xbf, 0x1d, 0x57, 0xd0, 0xb1, 0x89}};

static bool make_runnable(EFI_PHYSICAL_ADDRESS at)
{
	struct memory_attribute *attribute = NULL;
	EFI_GUID guid = memory_attribute_guid;

	/* Without it, memory for loaders' code can be run: GRUB's modules are. */
	if (uefi_bs->LocateProtocol(&guid, NULL, (VOID **)&attribute) != EFI_SUCCESS)
		return true;
	return attribute->set(attribute, at, PAGE_BYTES, ATTRIBUTE_RO) == EFI_SUCCESS &&
	       attribute->clear(attribute, at, PAGE_BYTES, ATTRIBUTE_XP) == EFI_SUCCESS;
}

const void *stub_returns(EFI_STATUS status)
{
#if defined(__x86_64__) || defined(__i386__)
	EFI_PHYSICAL_ADDRESS at;
	uint8_t *code;

	if (uefi_bs->AllocatePages(AllocateAnyPages, EfiLoaderCode, 1, &at) != EFI_SUCCESS)
		return NULL;
	code = (uint8_t *)(uintptr_t)at;
#if defined(__x86_64__)
	*code++ = 0x48; /* mov rax, */
#endif
	*code++ = 0xb8; /* mov eax, */
	for (unsigned i = 0; i < sizeof(status); i++)
		*code++ = (uint8_t)((uint64_t)status >> 8 * i);
	*code = 0xc3; /* ret */
	return make_runnable(at) ? (const void *)(uintptr_t)at : NULL;
#else
	return NULL;
#endif
}
