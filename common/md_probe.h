/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* The rows of md in the table of formats: struct format's probe (common/formats.h). */
#ifndef COMMON_MD_PROBE_H
#define COMMON_MD_PROBE_H

#include "common/disk.h"
#include "common/member.h"

enum status md_probe_0_90(const struct disk *slice, struct member *m, uint8_t *buf);
enum status md_probe_1_0(const struct disk *slice, struct member *m, uint8_t *buf);
enum status md_probe_1_1(const struct disk *slice, struct member *m, uint8_t *buf);
enum status md_probe_1_2(const struct disk *slice, struct member *m, uint8_t *buf);

#endif
