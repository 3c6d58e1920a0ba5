/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* A function that outlives us: for interfaces that the firmware does not let go of. */
#ifndef EFI_STUB_H
#define EFI_STUB_H

#include "efi/uefi.h"

/*
 * Code that takes any arguments and returns this, in memory that is never freed. NULL:
 * there is no memory, or none that may be run.
 */
const void *stub_returns(EFI_STATUS status);

#endif
