/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* The next loader: finding it, and starting it through the firmware. */
#ifndef EFI_CHAIN_H
#define EFI_CHAIN_H

#include "common/config.h"
#include "efi/esp.h"

/*
 * Try, on each ESP in turn, the loaders that loaders.h names. Each is checked before it
 * runs (verify.h): damage leads to the next ESP, not to a lesser loader of this one. What
 * is not there or is no program: the next loader. What the firmware refuses for security's
 * sake ends the search. When no ESP is whole, what is there is tried after all, and said.
 *
 * Returns only when a loader came back, was refused, or none was found (then
 * EFI_NOT_FOUND).
 */
EFI_STATUS chain_start(const struct config *c, const struct esps *esps, struct text *out);

#endif
