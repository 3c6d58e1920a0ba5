/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tests/sim/crashfat.h"

#include "common/fat_format.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- disks in memory that are not cut ---- */

static enum status memory_read(const struct disk *d, uint64_t lba, uint32_t n, void *buf)
{
	memcpy(buf, (uint8_t *)d->ctx + lba * 512, (size_t)n * 512);
	return ST_OK;
}

static enum status memory_write(const struct disk *d, uint64_t lba, uint32_t n, const void *buf)
{
	memcpy((uint8_t *)d->ctx + lba * 512, buf, (size_t)n * 512);
	return ST_OK;
}

static enum status memory_flush(const struct disk *d)
{
	return ST_OK;
}

struct disk crashfat_disk(uint8_t *image, uint32_t sectors)
{
	return (struct disk){.read = memory_read,
			     .write = memory_write,
			     .flush = memory_flush,
			     .ctx = image,
			     .sectors = sectors,
			     .shift = 9};
}

/* ---- trees ---- */

void crashfat_content(uint8_t *to, int bytes, int seed)
{
	uint32_t x = (uint32_t)seed * 2654435761u + 1;

	for (int i = 0; i < bytes; i++) {
		x = x * 1664525u + 1013904223u;
		to[i] = (uint8_t)(x >> 24);
	}
}

void crashfat_format(const struct disk *d, unsigned type, uint32_t cluster_bytes)
{
	static uint8_t buf[65536];
	struct fat_format how = {.sectors = d->sectors,
				 .type = (uint8_t)type,
				 .serial = 0x1234,
				 .cluster_bytes = cluster_bytes};

	if (type != 32) {
		if (fat_format(d, &how, buf, sizeof(buf)) != ST_OK)
			abort();
		return;
	}
	/* Fewer clusters than fat_format() would make: a small disk does for what is tested. */
	memset(d->ctx, 0, d->sectors * 512);
	uint8_t *b = d->ctx, *fat = b + 32 * 512;

	memcpy(b, "\xeb\x58\x90mkfs.sim\x00\x02\x01\x20\x00\x02", 17);
	b[21] = 0xf8;
	memcpy(b + 32, &(uint32_t){(uint32_t)d->sectors}, 4);
	b[36] = (uint8_t)(d->sectors / 128 + 1);
	b[44] = 2;
	b[48] = 1;
	for (unsigned i = 0; i < 2; i++, fat += (size_t)b[36] * 512)
		memcpy(fat, "\xf8\xff\xff\x0f\xff\xff\xff\x0f\xff\xff\xff\x0f", 12);
	b[50] = 6;
	memcpy(b + 512, "RRaA", 4);
	memcpy(b + 66, "\x29\x01\x02\x03\x04NO NAME    FAT32   ", 24);
	b[510] = b[512 + 510] = 0x55;
	b[511] = b[512 + 511] = 0xaa;
	memcpy(b + 512 + 484, "rrAa\xff\xff\xff\xff\xff\xff\xff\xff", 12);
	memcpy(b + 6 * 512, b, 512);
}

/*
 * Linux mounts a file system of which no more than this is said; nothing of it is lost by that.
 * A number out of range is half of a FAT12 entry, in a chain that is nobody's yet.
 */
static const char harmless[] =
	"^fsck.fat |files, [0-9]*/[0-9]* clusters$|^$|Leaving filesystem unchanged|"
	"Dirty bit is set|Fs was not properly unmounted|Automatically removing dirty bit|"
	"^  *Reclaim|^Reclaimed [0-9]* unused cluster|"
	"FATs differ but appear to be intact|Using first FAT|"
	"Free cluster summary (wrong|uninitialized)|^ *Auto-(setting|correct)|"
	"Cluster [0-9]* out of range .* Setting to EOF|"
	"Warning: Filesystem is FAT32 according|but has only [0-9]* clusters|This may lead to|"
	"Orphaned long file name part|^ *Auto-deleting|^There are differences between|"
	"^This is mostly harmless|^  65:|Not automatically fixing this";

bool crashfat_fsck(const uint8_t *image, uint32_t sectors, bool cut)
{
	char path[40] = "/tmp/mirrorboot-sim-XXXXXX", command[1200];
	int fd = mkstemp(path), rc;

	if (fd < 0 || write(fd, image, (size_t)sectors * 512) != (ssize_t)sectors * 512)
		abort();
	close(fd);
	snprintf(command, sizeof(command),
		 "PATH=$PATH:/sbin:/usr/sbin LC_ALL=C fsck.fat -n %s >%s.out 2>&1; rc=$?; "
		 "if [ %d = 1 ] && [ $rc -le 1 ]; then ! grep -qvE '%s' %s.out; else [ $rc = 0 ]; "
		 "fi",
		 path, path, cut, harmless, path);
	rc = system(command);
	if (rc) {
		snprintf(command, sizeof(command), "cat %s.out", path);
		if (system(command))
			printf("no words of it\n");
		printf("image: %s\n", path);
	} else {
		unlink(path);
	}
	strcat(path, ".out");
	unlink(path);
	return !rc;
}
