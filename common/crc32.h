/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* CRC-32 as GPT and zlib have it: polynomial 0xedb88320, reflected (UEFI spec 2.10, 5.3.2). */
#ifndef COMMON_CRC32_H
#define COMMON_CRC32_H

#include <stddef.h>
#include <stdint.h>

/* Start with crc 0; feed the result back in to go on. */
uint32_t crc32_update(uint32_t crc, const void *data, size_t n_bytes);

#endif
