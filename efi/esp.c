/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "efi/esp.h"

static const CHAR16 config_file[] = L"\\EFI\\mirrorboot\\mirrorboot.conf";

static bool esp_open(EFI_HANDLE handle, struct esp *esp)
{
	*esp = (struct esp){.handle = handle,
			    .path = uefi_protocol(handle, &uefi_device_path),
			    .disk = NO_DISK};
	if (esp->path == NULL || uefi_protocol(handle, &uefi_file_system) == NULL)
		return false;
	esp->hd = path_last_hd(esp->path);
	return true;
}

void esp_self(struct esps *all)
{
	EFI_LOADED_IMAGE *image = uefi_protocol(uefi_image, &uefi_loaded_image);

	memset(all, 0, sizeof(*all));
	if (image == NULL)
		return;
	all->device = image->DeviceHandle;
	all->device_path = uefi_protocol(all->device, &uefi_device_path);
	all->options = image->LoadOptions;
	all->options_bytes = image->LoadOptionsSize;
	if (image->FilePath == NULL || !path_file(image->FilePath, all->self))
		all->self[0] = 0;
	if (all->device && esp_open(all->device, &all->esp[0])) {
		all->own = true;
		all->count = 1;
	}
}

static unsigned disk_of(const struct esp *esp, const struct efidisks *disks)
{
	for (unsigned i = 0; i < disks->count; i++)
		if (path_after(esp->path, disks->efi[i].path))
			return i;
	return NO_DISK;
}

void esp_find_others(struct esps *all, const struct efidisks *disks, bool volumes_first)
{
	UINTN count;
	EFI_HANDLE *handles = uefi_handles(&uefi_esp_type, &count);
	unsigned before = 0;

	if (all->own)
		all->esp[0].disk = disk_of(&all->esp[0], disks);
	for (UINTN i = 0; i < count && all->count < ESP_MAX; i++) {
		struct esp esp;

		if ((all->own && handles[i] == all->device) || !esp_open(handles[i], &esp))
			continue;
		esp.disk = disk_of(&esp, disks);
		if (esp.hd == NULL || (esp.disk != NO_DISK && disks->efi[esp.disk].removable))
			continue;
		if (esp.disk == NO_DISK && volumes_first) {
			for (unsigned k = all->count; k > before; k--)
				all->esp[k] = all->esp[k - 1];
			all->esp[before++] = esp;
			all->count++;
		} else {
			all->esp[all->count++] = esp;
		}
	}
	uefi_free(handles);
}

static EFI_FILE_HANDLE open_file(const struct esp *esp, const CHAR16 *file)
{
	EFI_FILE_IO_INTERFACE *fs = uefi_protocol(esp->handle, &uefi_file_system);
	EFI_FILE_HANDLE root, f = NULL;
	CHAR16 name[PATH_CHARS];
	size_t i;

	if (fs == NULL || fs->OpenVolume(fs, &root) != EFI_SUCCESS)
		return NULL;
	/* The firmware's function does not promise to leave the name alone. */
	for (i = 0; i + 1 < PATH_CHARS && file[i]; i++)
		name[i] = file[i];
	name[i] = 0;
	if (root->Open(root, &f, name, EFI_FILE_MODE_READ, 0) != EFI_SUCCESS)
		f = NULL;
	root->Close(root);
	return f;
}

bool esp_has_file(const struct esp *esp, const CHAR16 *file)
{
	EFI_FILE_HANDLE f = open_file(esp, file);

	if (f == NULL)
		return false;
	f->Close(f);
	return true;
}

enum status esp_read_config(const struct esps *all, struct config *c, struct config_error *err)
{
	char text[CONFIG_TEXT_BYTES + 1]; /* one more, so that a longer text is seen to be */
	UINTN bytes = sizeof(text);
	EFI_FILE_HANDLE f;
	EFI_STATUS status;

	config_default(c);
	/*
	 * On UEFI a further disk takes no other's number, and a loader that knows nothing
	 * of mirrors finds its files there: a volume for each mirror, unless told not to.
	 */
	c->volumes = true;
	*err = (struct config_error){0};
	if (!all->own)
		return ST_ABSENT;
	f = open_file(&all->esp[0], config_file);
	if (f == NULL)
		return ST_ABSENT;
	status = f->Read(f, &bytes, text);
	f->Close(f);
	if (status != EFI_SUCCESS)
		return ST_IO;
	return config_parse(c, text, bytes, err);
}
