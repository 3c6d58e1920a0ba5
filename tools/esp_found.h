/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* The GPT partitions of this machine's disks (sysfs, libblkid), and where the ESP is mounted. */
#ifndef TOOLS_ESP_FOUND_H
#define TOOLS_ESP_FOUND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct esp_found {
	char *disk; /* "/dev/sda" */
	char *arg;  /* "/dev/sda1", or DISK:GUID where the kernel has no such partition */
	char guid[40];
	unsigned number;
	bool is_esp; /* by its type */
	dev_t whole;
	uint64_t start_s512;
};

struct esp_found_list {
	unsigned count;
	struct esp_found *part;
};

/* Not those on loop devices, md or device-mapper. */
void esp_found_all(struct esp_found_list *l);
void esp_found_free(struct esp_found_list *l);

enum esp_found_what { ESP_FOUND, ESP_FOUND_MISSING, ESP_FOUND_TWICE };

/*
 * What a name in esp.conf ("PARTUUID=GUID", an image) is called on a command line today, to be
 * freed. TWICE: more than one partition has this GUID, a copy by dd most likely.
 */
enum esp_found_what esp_found_resolve(const struct esp_found_list *l, const char *id, char **arg);

/* The ESP that is mounted on /boot/efi, /efi or /boot; NULL: none is. */
const struct esp_found *esp_found_mounted(const struct esp_found_list *l);

#endif
