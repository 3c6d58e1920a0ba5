/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* The boot files of this build, and units and hooks: they are part of the tool (blobs.S). */
#ifndef TOOLS_BLOBS_H
#define TOOLS_BLOBS_H

#include <stdint.h>

extern const uint8_t blob_mbr[], blob_efi[], blob_efi32[];
/* variant.h */
extern const uint8_t blob_stage2[], blob_stage2_md[], blob_stage2_ldm[], blob_stage2_small[];
extern const uint32_t blob_mbr_bytes, blob_efi_bytes;
extern const uint32_t blob_stage2_bytes, blob_stage2_md_bytes, blob_stage2_ldm_bytes,
	blob_stage2_small_bytes;
extern const uint32_t blob_efi32_bytes; /* 0: built without */
extern const uint8_t blob_esp_service[], blob_esp_timer[], blob_esp_path[], blob_esp_hook[];
extern const uint32_t blob_esp_service_bytes, blob_esp_timer_bytes, blob_esp_path_bytes;
extern const uint32_t blob_esp_hook_bytes;

#endif
