/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "common/gpt.h"
#include "common/ldm.h"
#include "common/ldm_wire.h"
#include "common/mem.h"
#include "common/range.h"

#define HEAD_LBA        6    /* a copy, on MBR disks */
#define PRIVATE_SECTORS 2048 /* what Windows makes: 1 MiB of 512-byte sectors */
#define SECOND_COPY     1856 /* in it */
#define TOC_COPIES      2

struct privhead {
	uint8_t magic[8]; /* "PRIVHEAD" */
	be32 sum;
	be16 major, minor;
	be64 filetime;
	be64 sequence;
	be64 primary, secondary; /* copies of this, from private_start */
	char disk[64], host[64], group[64];
	char group_name[31];
	be32 sector_bytes;
	be32 flags;
	be16 public_slice, private_slice;
	be64 public_start, public_sectors;
	be64 private_start, private_sectors;
	be64 toc[TOC_COPIES]; /* from private_start */
	be32 configs, logs;
	be64 config_sectors, log_sectors;
	be32 signature;
	uint8_t set_guid[16], set_guid_again[16];
	uint8_t pad[512 - 0x187];
};
_Static_assert(offsetof(struct privhead, sector_bytes) == 0x10f, "PRIVHEAD as seen");
_Static_assert(offsetof(struct privhead, public_start) == 0x11b, "PRIVHEAD as seen");
_Static_assert(offsetof(struct privhead, toc) == 0x13b, "PRIVHEAD as seen");
_Static_assert(sizeof(struct privhead) == 512, "PRIVHEAD is 512 bytes");

struct toc_region {
	char name[8]; /* "config", "log" */
	be16 flags;
	be64 start, sectors; /* from private_start */
	be16 unknown, copy;
	be32 zero;
};

struct tocblock {
	uint8_t magic[8]; /* "TOCBLOCK" */
	be32 sum;
	be64 sequence;
	uint8_t zero[16];
	struct toc_region region[2];
	uint8_t more[512 - 0x24 - 2 * 34];
};
_Static_assert(sizeof(struct toc_region) == 34, "a region is 34 bytes");
_Static_assert(sizeof(struct tocblock) == 512, "TOCBLOCK is 512 bytes");

#define TOC_UNUSABLE (1u | 4u | 8u) /* not there, to be deleted, disabled */

/* Do these 8 characters begin a block whose sum is right? It lies behind them in both kinds. */
static bool is_block(const uint8_t *block, const char *magic)
{
	uint32_t sum = 0;

	for (unsigned i = 0; i < 512; i++)
		if (i < 8 || i >= 12)
			sum += block[i];
	return memcmp(block, magic, 8) == 0 && sum == (uint32_t)ldm_be(block + 8, 4);
}

/* Where numbers of 8 bytes go from a PRIVHEAD. */
#define FIELD(from, to)                                                                            \
	{                                                                                          \
		offsetof(struct privhead, from), offsetof(struct ldm_head, to)                     \
	}
static const struct field {
	uint16_t from, to;
} fields[] = {
	FIELD(sequence, sequence),
	FIELD(public_start, public_lba),
	FIELD(public_sectors, public_sectors),
	FIELD(private_start, private_lba),
	FIELD(private_sectors, private_sectors),
	FIELD(secondary, second_lba),
	FIELD(toc[0], toc_lba[0]),
	FIELD(toc[1], toc_lba[1]),
};

static bool parse_head(const struct disk *d, const uint8_t *block, struct ldm_head *h)
{
	const struct privhead *p = (const void *)block;

	if (!is_block(block, "PRIVHEAD") || ldm_get(p->major) != 2 ||
	    ldm_get(p->sector_bytes) != 1u << d->shift)
		return false;
	for (unsigned i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		*(uint64_t *)((uint8_t *)h + fields[i].to) = ldm_be(block + fields[i].from, 8);
	h->second_lba += h->private_lba;
	ldm_text(h->group_name, sizeof(h->group_name), p->group_name, sizeof(p->group_name));
	return range_ok(h->private_lba, h->private_sectors, d->sectors) &&
	       guid_from_text(&h->disk, p->disk, sizeof(p->disk)) &&
	       guid_from_text(&h->group, p->group, sizeof(p->group));
}

/* Look at one place; the newest copy stays. */
static void try_head(const struct disk *d, uint64_t lba, struct ldm_head *h, bool *io_error,
		     uint8_t *buf)
{
	struct ldm_head found;
	enum status st = disk_read(d, lba, 1, buf);

	memset(&found, 0, sizeof(found));
	*io_error |= st == ST_IO;
	if (st != ST_OK || !parse_head(d, buf, &found)) {
		h->copies_bad++;
		return;
	}
	found.copies = h->copies;
	found.copies_bad = h->copies_bad;
	/* What an earlier group left at the disk's end says nothing, however new it was then. */
	if (h->copies > 0 && !guid_equal(&found.disk, &h->disk)) {
		h->copies_bad++;
		return;
	}
	if (h->copies == 0 || found.sequence > h->sequence)
		*h = found;
	h->copies++;
}

/* Nothing is changed when it is of no use. */
static bool region(const struct ldm_head *h, const struct toc_region *r, uint64_t *lba,
		   uint64_t *sectors)
{
	uint64_t start = ldm_get(r->start), n = ldm_get(r->sectors);

	if ((ldm_get(r->flags) & TOC_UNUSABLE) || n == 0 || !range_ok(start, n, h->private_sectors))
		return false;
	*lba = h->private_lba + start;
	*sectors = n;
	return true;
}

/*
 * There are two places for each copy, used in turn: the PRIVHEAD names the one in use, and has
 * its sequence number. What lies there with another number is what an update left that
 * was cut, and taken only when the other place has nothing better.
 */
static enum status read_toc(const struct disk *d, struct ldm_head *h, uint8_t *buf)
{
	const struct tocblock *t = (const void *)buf;
	enum status st = ST_CORRUPT;
	uint64_t best = 0;

	for (unsigned i = 0; i < 2 * TOC_COPIES; i++) {
		uint64_t lba = h->toc_lba[i % TOC_COPIES], sequence;
		enum status read;

		/* 1 and 2, 2045 and 2046; 0 and 1 where sectors are larger. */
		if (i >= TOC_COPIES)
			lba ^= d->shift == DISK_SHIFT_MIN ? 3 : 1;
		if (lba >= h->private_sectors)
			continue;
		read = disk_read(d, h->private_lba + lba, 1, buf);
		if (read != ST_OK) {
			if (st != ST_OK)
				st = read;
			continue;
		}
		sequence = ldm_get(t->sequence);
		if (st == ST_OK && sequence != h->sequence && sequence <= best)
			continue;
		if (!is_block(buf, "TOCBLOCK") || memcmp(t->region[0].name, "config\0", 7) != 0 ||
		    memcmp(t->region[1].name, "log\0", 4) != 0 ||
		    !region(h, &t->region[0], &h->config_lba, &h->config_sectors))
			continue;
		if (!region(h, &t->region[1], &h->log_lba, &h->log_sectors))
			h->log_sectors = 0;
		st = ST_OK;
		best = sequence;
		if (sequence == h->sequence)
			break;
	}
	return st;
}

enum status ldm_head_read(const struct disk *d, const struct part_list *list, struct ldm_head *h,
			  uint8_t *buf)
{
	uint64_t start_lba = d->sectors - PRIVATE_SECTORS, last_lba = d->sectors - 1;
	bool io_error = false, is_mbr = false, is_gpt = false;

	memset(h, 0, sizeof(*h));
	for (unsigned i = 0; i < list->count; i++) {
		const struct part *p = &list->part[i];

		if (list->table == PART_TABLE_MBR) {
			is_mbr |= p->mbr_type == LDM_MBR_TYPE;
		} else if (guid_equal(&p->type, &gpt_type_ldm_metadata)) {
			is_gpt = true;
			start_lba = p->start_lba;
			last_lba = start_lba + p->sectors - 1;
		}
	}
	if (!is_mbr && !is_gpt)
		return ST_ABSENT;
	if (is_mbr)
		try_head(d, HEAD_LBA, h, &io_error, buf);
	try_head(d, last_lba, h, &io_error, buf);
	/* Where nothing says better, what Windows makes. */
	if (h->copies == 0)
		h->second_lba = start_lba + SECOND_COPY;
	try_head(d, h->second_lba, h, &io_error, buf);
	if (h->copies == 0)
		return io_error ? ST_IO : ST_CORRUPT;
	return read_toc(d, h, buf);
}
