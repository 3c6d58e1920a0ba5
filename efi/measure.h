/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * Measured boot. One thing is measured here: the config, because it decides what
 * is started and how. Never a disk, a leg, or what was found on one: what is
 * sealed to the TPM must still open when a disk is gone.
 */
#ifndef EFI_MEASURE_H
#define EFI_MEASURE_H

#include "efi/uefi.h"

#define MEASURE_PCR 5           /* "boot manager configuration and data" */
#define MEASURE_TAG 0x6d62e3c5u /* our tagged event's id; docs/secure-boot.md tells it */

/*
 * Extend PCR 5 with a config, as read, when the firmware has a TPM. False: it has
 * one, and did not take it.
 */
bool measure_config(const char *text, size_t bytes);

#endif
