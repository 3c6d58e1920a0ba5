/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * What every file of efi/ needs: gnu-efi's types, and the tables and the handle
 * that the firmware gave us. Nothing of gnu-efi's library is used: its helpers
 * changed their meaning between versions.
 */
#ifndef EFI_UEFI_H
#define EFI_UEFI_H

#include <efi.h>

#include "common/mem.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

extern EFI_SYSTEM_TABLE *uefi_st;
extern EFI_BOOT_SERVICES *uefi_bs;
extern EFI_RUNTIME_SERVICES *uefi_rt;
extern EFI_HANDLE uefi_image;

void uefi_init(EFI_HANDLE image, EFI_SYSTEM_TABLE *st);

/*
 * Say that we run. False when another instance below us does already: it has
 * started us as its next loader, and must go on to a better one.
 */
bool uefi_enter(void);
void uefi_leave(void);

/* Does another one run below us? The disks are then as it shows them. */
bool uefi_is_entered(void);

/* The interface of a protocol on a handle, or NULL. */
void *uefi_protocol(EFI_HANDLE handle, const EFI_GUID *guid);

/* All handles with a protocol (any at all when guid is NULL); free with uefi_free. */
EFI_HANDLE *uefi_handles(const EFI_GUID *guid, UINTN *count);

/* Zeroed memory that outlives a chain-load, or NULL. */
void *uefi_alloc(size_t bytes);
void *uefi_alloc_pages(size_t bytes);
void uefi_free(void *p); /* of uefi_alloc() and of the firmware's pool */
void uefi_free_pages(void *p, size_t bytes);

/* A boot service was replaced, or put back: the table's checksum is made right again. */
void uefi_services_changed(void);

extern const EFI_GUID uefi_block_io;
extern const EFI_GUID uefi_block_io2;
extern const EFI_GUID uefi_device_path;
extern const EFI_GUID uefi_file_system;
extern const EFI_GUID uefi_loaded_image;
extern const EFI_GUID uefi_global_variable;
extern const EFI_GUID uefi_esp_type; /* also a tag on the handles of ESPs */

/* As in BOOTX64.EFI and grubx64.efi. */
#if defined(__x86_64__)
#define UEFI_ARCH_UPPER "X64"
#define UEFI_ARCH_LOWER "x64"
#elif defined(__aarch64__)
#define UEFI_ARCH_UPPER "AA64"
#define UEFI_ARCH_LOWER "aa64"
#elif defined(__i386__)
#define UEFI_ARCH_UPPER "IA32"
#define UEFI_ARCH_LOWER "ia32"
#endif

#endif
