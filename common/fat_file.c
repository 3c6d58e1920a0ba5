/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* FAT: what is in a file. */
#include "common/fat.h"

#include "common/range.h"

#define PIECE_BYTES_MAX (1u << 30) /* more at once is cut to it: sums of 32 bits are enough */

enum status fat_file_open(const struct fat *f, const struct fat_entry *e, struct fat_file *file)
{
	*file = (struct fat_file){.bytes = e->bytes, .cluster = e->first_cluster};
	if (fat_is_folder(e))
		return ST_ABSENT;
	if (!e->bytes)
		return ST_OK;
	/* More than all clusters hold: a chain that goes round would be read for long. */
	if (e->bytes > (uint64_t)f->clusters << f->cluster_shift)
		return ST_CORRUPT;
	return fat_cluster_ok(f, e->first_cluster) ? ST_OK : ST_CORRUPT;
}

/* At the end of a cluster: go on to the next. */
static enum status next_cluster(struct fat *f, struct fat_file *file)
{
	uint32_t next;
	enum status st;

	if (!file->at || file->at & ((1u << f->cluster_shift) - 1))
		return ST_OK;
	st = fat_follow(f, file->cluster, &next);
	if (st == ST_OK && !next)
		st = ST_CORRUPT; /* shorter than the folder says */
	if (st == ST_OK)
		file->cluster = next;
	return st;
}

/*
 * How many bytes from here on lie in a row, up to want; file moves to the last cluster of them.
 */
static enum status run(struct fat *f, struct fat_file *file, uint32_t want, uint32_t *bytes)
{
	uint32_t cluster_bytes = 1u << f->cluster_shift;
	uint32_t next;

	*bytes = cluster_bytes - (file->at & (cluster_bytes - 1));
	while (*bytes < want) {
		enum status st = fat_follow(f, file->cluster, &next);

		if (st != ST_OK)
			return st;
		if (next != file->cluster + 1)
			break;
		file->cluster = next;
		*bytes += cluster_bytes;
	}
	if (*bytes > want)
		*bytes = want;
	return ST_OK;
}

enum status fat_file_read(struct fat *f, struct fat_file *file, void *buf, uint32_t room,
			  uint32_t *got)
{
	uint32_t left = file->bytes - file->at, mask = (1u << f->sector_shift) - 1;
	uint8_t *to = buf;

	*got = 0;
	if (!room || room & (DISK_SECTOR_BYTES - 1))
		return ST_RANGE;
	room = (uint32_t)min_u64(min_u64(room, left), PIECE_BYTES_MAX);
	while (*got < room) {
		uint32_t sector, n;
		enum status st = next_cluster(f, file);

		if (st != ST_OK)
			return st;
		sector = fat_cluster_sector(f, file->cluster) +
			 ((file->at & ((1u << f->cluster_shift) - 1)) >> f->sector_shift);
		st = run(f, file, room - *got, &n);
		if (st == ST_OK)
			st = fat_read_sectors(f, sector, (n >> f->sector_shift) + ((n & mask) != 0),
					      to + *got);
		if (st != ST_OK)
			return st;
		file->at += n;
		*got += n;
	}
	return ST_OK;
}
