/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * Drivers that must go on. A disk that answers for us does so through functions of its
 * driver; started anew (the shell's "reconnect -r"), the driver would show the disk
 * as it is, and we would call what is no longer there. So its firmware is told that it
 * can't be stopped while we run, as any device may say (UEFI 2.10, 7.3.13).
 */
#ifndef EFI_GUARD_H
#define EFI_GUARD_H

#include "efi/efidisk.h"

/* From now on no driver is stopped on this disk, or on what it is connected to. */
void guard_disk(const struct efidisk *e);

/* All may be stopped again. */
void guard_stop(void);

/* For ourselves. */
EFI_STATUS guard_disconnect(EFI_HANDLE controller, EFI_HANDLE driver);

#endif
