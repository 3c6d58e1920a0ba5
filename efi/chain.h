/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* The next loader: finding it, and starting it through the firmware. */
#ifndef EFI_CHAIN_H
#define EFI_CHAIN_H

#include "common/config.h"
#include "efi/entries.h"

/*
 * Try, on each ESP in turn: the config's next, the first boot entry of that ESP,
 * the fallback loader that ours replaced, the paths of well-known loaders; never
 * ourselves. What can't be found, read or understood: the next one. What the
 * firmware refuses for security's sake ends the search.
 *
 * Returns only when a loader came back, was refused, or none was found (then
 * EFI_NOT_FOUND).
 */
EFI_STATUS chain_start(const struct config *c, const struct esps *esps, struct text *out);

#endif
