/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "efi/guard.h"

#include "efi/path.h"

static struct {
	EFI_DISCONNECT_CONTROLLER disconnect; /* the firmware's; NULL: it is in its place */
	unsigned count;
	const void *path[SURVEY_DISKS];
} guard;

/* Is it one of the disks, or between it and the processor? */
static bool is_guarded(EFI_HANDLE controller)
{
	const void *path = uefi_protocol(controller, &uefi_device_path);

	for (unsigned i = 0; path && i < guard.count; i++)
		if (path_after(guard.path[i], path))
			return true;
	return false;
}

static EFI_STATUS EFIAPI our_disconnect(EFI_HANDLE controller, EFI_HANDLE driver, EFI_HANDLE child)
{
	return is_guarded(controller) ? EFI_DEVICE_ERROR
				      : guard.disconnect(controller, driver, child);
}

static void put(EFI_DISCONNECT_CONTROLLER disconnect)
{
	uefi_bs->DisconnectController = disconnect;
	uefi_services_changed();
}

void guard_disk(const struct efidisk *e)
{
	if (guard.count == SURVEY_DISKS)
		return;
	guard.path[guard.count++] = e->path;
	if (guard.disconnect)
		return;
	guard.disconnect = uefi_bs->DisconnectController;
	put(our_disconnect);
}

void guard_stop(void)
{
	guard.count = 0;
	/* Who has put another in front of ours goes on calling it: without disks it passes all on.
	 */
	if (guard.disconnect == NULL || uefi_bs->DisconnectController != our_disconnect)
		return;
	put(guard.disconnect);
	guard.disconnect = NULL;
}

EFI_STATUS guard_disconnect(EFI_HANDLE controller, EFI_HANDLE driver)
{
	return guard.disconnect ? guard.disconnect(controller, driver, NULL)
				: uefi_bs->DisconnectController(controller, driver, NULL);
}
