/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* Which EFI system partitions `esp enable` is about. */
#ifndef TOOLS_ESP_CHOOSE_H
#define TOOLS_ESP_CHOOSE_H

#include "tools/esp_conf.h"

/*
 * As named: the first is the source. They must be FAT, apart from each other, and no legs of a
 * mirror. False: said. *new_targets: some were not cloned from this source yet.
 */
bool esp_choose_named(struct esp_conf *c, char **arg, int count, unsigned sector_bytes,
		      unsigned *new_targets);

/*
 * None named: the source is what is mounted on /boot/efi, /efi or /boot, the targets are the ESPs
 * of other disks with a manifest of its set, or else those of the other disks of the mirrors that
 * its disk is in. False: said.
 */
bool esp_choose_found(struct esp_conf *c, unsigned *new_targets);

#endif
