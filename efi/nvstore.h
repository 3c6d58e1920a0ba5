/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* The firmware's own variables, read and written from within it. */
#ifndef EFI_NVSTORE_H
#define EFI_NVSTORE_H

#include "common/nvwrite.h"
#include "common/text.h"

extern const struct nvstore nvstore;

/* False: they could not be read, which was said. Give back with nvstore_forget() in either case. */
bool nvstore_read(struct nvram *all, struct text *out);
void nvstore_forget(struct nvram *all);

#endif
