/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tests/unit/help_fat.h"

#include <string.h>

static uint32_t end_mark(const struct fatimage *f)
{
	return f->type == 12 ? 0xfff : f->type == 16 ? 0xffff : 0x0fffffff;
}

static void put_boot_sector(struct fatimage *f)
{
	uint8_t *b = fatimage_at(f, 0), *tail = b + (f->type == 32 ? 64 : 36);

	memcpy(b, "\xeb\x3c\x90MSWIN4.1", 11);
	put16(b + 11, (uint16_t)f->sector_bytes);
	b[13] = (uint8_t)f->cluster_sectors;
	put16(b + 14, (uint16_t)f->reserved);
	b[16] = (uint8_t)f->fats;
	put16(b + 17, (uint16_t)f->root_entries);
	put16(b + 19, f->sectors < 65536 ? (uint16_t)f->sectors : 0);
	put32(b + 32, f->sectors < 65536 ? 0 : f->sectors);
	b[21] = 0xf8;
	if (f->type != 32) {
		put16(b + 22, (uint16_t)f->fat_sectors);
	} else {
		put32(b + 36, f->fat_sectors);
		put32(b + 44, f->root_cluster);
		put16(b + 48, 1); /* FSInfo */
		put16(b + 50, 6);
	}
	tail[2] = 0x29;
	put32(tail + 3, 0x1234abcd);
	memcpy(tail + 7, "OUR LABEL  ", 11);
	put16(b + 510, 0xaa55);
}

void fatimage_open(struct fatimage *f, unsigned type, unsigned sector_bytes,
		   unsigned cluster_sectors)
{
	unsigned shift = sector_bytes == 512 ? 9 : sector_bytes == 4096 ? 12 : 10;
	uint64_t fat_bytes;

	memset(f, 0, sizeof(*f));
	f->type = type;
	f->sector_bytes = sector_bytes;
	f->cluster_sectors = cluster_sectors;
	f->fats = 2;
	f->start_lba = 3;
	f->clusters = type == 12 ? 100 : type == 16 ? 4085 : 65525;
	f->reserved = type == 32 ? 32 : 1;
	f->root_entries = type == 32 ? 0 : 512;
	f->root_cluster = type == 32 ? 2 : 0;
	fat_bytes = (f->clusters + 2) * (uint64_t)type / 8 + 2;
	f->fat_sectors = (unsigned)((fat_bytes + sector_bytes - 1) / sector_bytes);
	f->sectors = f->reserved + f->fats * f->fat_sectors + f->root_entries * 32 / sector_bytes +
		     f->clusters * cluster_sectors;
	memdisk_open(&f->m, f->start_lba + f->sectors, shift);
	put_boot_sector(f);
	fatimage_link(f, 0, end_mark(f) - 7);
	fatimage_link(f, 1, end_mark(f));
	if (type == 32)
		fatimage_chain(f, 2, 2);
}

void fatimage_close(struct fatimage *f)
{
	memdisk_close(&f->m);
}

uint8_t *fatimage_at(struct fatimage *f, uint32_t sector)
{
	return f->m.bytes + (f->start_lba + sector) * f->sector_bytes;
}

static uint32_t root_sector(const struct fatimage *f)
{
	return f->reserved + f->fats * f->fat_sectors;
}

uint8_t *fatimage_cluster(struct fatimage *f, uint32_t cluster)
{
	return fatimage_at(f, root_sector(f) + f->root_entries * 32 / f->sector_bytes +
				      (cluster - 2) * f->cluster_sectors);
}

void fatimage_link(struct fatimage *f, uint32_t cluster, uint32_t value)
{
	for (unsigned i = 0; i < f->fats; i++) {
		uint8_t *fat = fatimage_at(f, f->reserved + i * f->fat_sectors);
		uint8_t *at = fat + cluster * 3 / 2;

		if (f->type == 16) {
			put16(fat + cluster * 2, (uint16_t)value);
		} else if (f->type == 32) {
			put32(fat + cluster * 4, value | 0xa0000000); /* not to be looked at */
		} else if (cluster % 2) {
			at[0] = (uint8_t)((at[0] & 0x0f) | value << 4);
			at[1] = (uint8_t)(value >> 4);
		} else {
			at[0] = (uint8_t)value;
			at[1] = (uint8_t)((at[1] & 0xf0) | value >> 8);
		}
	}
}

void fatimage_chain(struct fatimage *f, uint32_t first, uint32_t last)
{
	for (; first < last; first++)
		fatimage_link(f, first, first + 1);
	fatimage_link(f, last, end_mark(f));
}

uint8_t *fatimage_slot(struct fatimage *f, uint32_t folder, unsigned n)
{
	if (!folder && f->type == 32)
		folder = f->root_cluster;
	return (folder ? fatimage_cluster(f, folder) : fatimage_at(f, root_sector(f))) + n * 32;
}

void fatimage_entry(struct fatimage *f, uint32_t folder, unsigned n, const char *name11,
		    uint8_t attributes, uint32_t cluster, uint32_t bytes)
{
	uint8_t *s = fatimage_slot(f, folder, n);

	memset(s, 0, 32);
	memcpy(s, name11, 11);
	s[11] = attributes;
	put16(s + 20, (uint16_t)(cluster >> 16));
	put16(s + 22, 0x6000); /* 12:00:00 */
	put16(s + 24, 0x5bb1); /* 2025-13-17: a number like any other */
	put16(s + 26, (uint16_t)cluster);
	put32(s + 28, bytes);
}

static uint8_t sum(const char *name11)
{
	uint8_t s = 0;

	for (unsigned i = 0; i < 11; i++)
		s = (uint8_t)(((s & 1) ? 0x80 : 0) + (s >> 1) + (uint8_t)name11[i]);
	return s;
}

void fatimage_long(struct fatimage *f, uint32_t folder, unsigned n, uint8_t number,
		   const char *name11, const char *text)
{
	static const uint8_t place[13] = {1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30};
	uint8_t *s = fatimage_slot(f, folder, n);
	size_t length = strlen(text);

	memset(s, 0, 32);
	s[0] = number;
	s[11] = 0x0f;
	s[13] = sum(name11);
	for (unsigned i = 0; i < 13; i++)
		put16(s + place[i], i < length ? (uint8_t)text[i] : i == length ? 0 : 0xffff);
}

unsigned fatimage_long_entry(struct fatimage *f, uint32_t folder, unsigned n, const char *text,
			     const char *name11, uint8_t attributes, uint32_t cluster,
			     uint32_t bytes)
{
	unsigned slots = (unsigned)(strlen(text) + 12) / 13;

	for (unsigned i = slots; i > 0; i--)
		fatimage_long(f, folder, n++, (uint8_t)(i | (i == slots ? 0x40 : 0)), name11,
			      text + (i - 1) * 13);
	fatimage_entry(f, folder, n++, name11, attributes, cluster, bytes);
	return n;
}

void fatimage_folder(struct fatimage *f, uint32_t folder, unsigned n, const char *name11,
		     uint32_t cluster)
{
	fatimage_entry(f, folder, n, name11, 0x10, cluster, 0);
	fatimage_entry(f, cluster, 0, ".          ", 0x10, cluster, 0);
	fatimage_entry(f, cluster, 1, "..         ", 0x10, folder, 0);
	fatimage_chain(f, cluster, cluster);
}
