/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tools/ldm_copy.h"

#include "common/range.h"
#include "tools/say.h"
#include "tools/stop.h"

#include <stdlib.h>
#include <string.h>

#define CHUNK_S512 2048u /* 1 MiB */
#define USED_MAX   256

bool ldm_extents(const struct ldm_groups *gs, const struct ldm_group *g,
		 const struct ldm_raw *component, uint64_t size_s512, struct ldm_extents *e)
{
	const struct ldm_raw *piece[LDM_EXTENTS];
	unsigned n = ldm_pieces(g, component, piece, LDM_EXTENTS);
	uint64_t at_s512 = 0;

	e->count = 0;
	if (component->rec.component.layout != LDM_CONCATENATED ||
	    n != component->rec.component.partitions)
		return false;
	for (unsigned i = 0; i < n; i++) {
		const struct ldm_partition *p = &piece[i]->rec.partition;
		int disk = ldm_disk_index(gs, g, p->disk);
		const struct ldm_copy *c = disk < 0 ? NULL : &gs->copy[disk];

		if (!c || p->offset_s512 != at_s512 || p->size_s512 > UINT64_MAX - at_s512 ||
		    !range_ok(p->start_s512, p->size_s512,
			      disk_s512(c->disk, c->head.public_sectors)) ||
		    !range_ok(c->head.public_lba, c->head.public_sectors, c->disk->sectors) ||
		    !disk_s512_aligned(c->disk, p->start_s512 | p->size_s512))
			return false;
		e->extent[e->count++] = (struct ldm_extent){
			.disk = (unsigned)disk,
			.start_s512 = disk_s512(c->disk, c->head.public_lba) + p->start_s512,
			.size_s512 = p->size_s512,
		};
		at_s512 += p->size_s512;
	}
	return at_s512 >= size_s512;
}

/* One request to each disk that has a part of it. */
static bool transfer(struct ldm_groups *gs, const struct ldm_extents *e, uint64_t at_s512,
		     uint32_t n_s512, uint8_t *buf, bool write)
{
	for (unsigned i = 0; i < e->count && n_s512; i++) {
		const struct ldm_extent *x = &e->extent[i];
		const struct disk *d = gs->copy[x->disk].disk;
		unsigned shift = d->shift - 9u;
		uint32_t n;
		enum status st;

		if (at_s512 >= x->size_s512) {
			at_s512 -= x->size_s512;
			continue;
		}
		n = (uint32_t)min_u64(n_s512, x->size_s512 - at_s512);
		st = write ? d->write(d, (x->start_s512 + at_s512) >> shift, n >> shift, buf)
			   : disk_read_s512(d, x->start_s512 + at_s512, n, buf);
		if (st != ST_OK) {
			say_about(gs->copy[x->disk].host->path, "could not be %s at LBA %llu",
				  write ? "written" : "read",
				  (unsigned long long)((x->start_s512 + at_s512) >> shift));
			return false;
		}
		buf += (size_t)n << 9;
		n_s512 -= n;
		at_s512 = 0;
	}
	return n_s512 == 0;
}

/*
 * So that the comparison reads the disk. The transaction that names the leg flushes once more
 * before it does: without this one no state would be wrong.
 */
static bool flush(struct ldm_groups *gs, const struct ldm_extents *e)
{
	for (unsigned i = 0; i < e->count; i++) {
		const struct ldm_copy *c = &gs->copy[e->extent[i].disk];

		if (c->disk->flush(c->disk) == ST_OK)
			continue;
		say_about(c->host->path, "could not be flushed");
		return false;
	}
	return true;
}

/* One pass over all of it. write: mend what differs, else it is an error. */
static bool pass(struct ldm_groups *gs, const struct ldm_extents *from,
		 const struct ldm_extents *to, uint64_t size_s512, uint8_t *buf, bool write)
{
	uint8_t *have = buf, *is = buf + ((size_t)CHUNK_S512 << 9);
	struct say_progress progress;
	uint32_t n;
	bool fine = true;

	say_progress_start(&progress, write ? "copy" : "verify", size_s512);
	for (uint64_t at = 0; fine && at < size_s512 && !stop_asked(); at += n) {
		n = (uint32_t)min_u64(CHUNK_S512, size_s512 - at);
		say_progress_at(&progress, at);
		fine = transfer(gs, from, at, n, have, false) && transfer(gs, to, at, n, is, false);
		if (!fine || !memcmp(have, is, (size_t)n << 9))
			continue;
		if (write) {
			fine = transfer(gs, to, at, n, have, true);
		} else {
			say_about(gs->copy[to->extent[0].disk].host->path,
				  "what was read back is not what was written");
			fine = false;
		}
	}
	say_progress_end(&progress);
	return fine;
}

bool ldm_copy_data(struct ldm_groups *gs, const struct ldm_extents *from,
		   const struct ldm_extents *to, uint64_t size_s512)
{
	uint8_t *buf = malloc((size_t)CHUNK_S512 << 10);
	bool fine;

	if (!buf)
		abort();
	fine = pass(gs, from, to, size_s512, buf, true) && flush(gs, to) &&
	       pass(gs, from, to, size_s512, buf, false);
	free(buf);
	if (fine && stop_asked()) {
		say_note("interrupted; run this again, it goes on");
		fine = false;
	}
	return fine;
}

/* ---- room ---- */

struct used {
	unsigned count;
	struct ldm_extent range[USED_MAX]; /* from the start of the disk */
	bool full;
};

static void add_used(struct used *u, uint64_t start_s512, uint64_t size_s512)
{
	unsigned at;

	if (u->count == USED_MAX) {
		u->full = true;
		return;
	}
	for (at = u->count++; at > 0 && u->range[at - 1].start_s512 > start_s512; at--)
		u->range[at] = u->range[at - 1];
	u->range[at] = (struct ldm_extent){.start_s512 = start_s512, .size_s512 = size_s512};
}

/* Volumes' partitions; what the partition table has beside the dynamic disk's own. */
static void list_used(const struct ldm_copy *c, const struct ldm_group *g,
		      const struct ldm_raw *disk, struct used *u)
{
	static struct part_list list;
	uint8_t buf[DISK_SECTOR_BYTES];

	u->count = 0;
	u->full = false;
	for (unsigned i = 0; disk && i < g->raws.count; i++) {
		const struct ldm_record *r = &g->raws.raw[i].rec;

		if (r->type != LDM_PARTITION || r->partition.disk != disk->rec.disk.id)
			continue;
		if (!range_ok(r->partition.start_s512, r->partition.size_s512,
			      disk_s512(c->disk, c->head.public_sectors)))
			u->full = true;
		else
			add_used(u,
				 disk_s512(c->disk, c->head.public_lba) + r->partition.start_s512,
				 r->partition.size_s512);
	}
	add_used(u, disk_s512(c->disk, c->head.private_lba),
		 disk_s512(c->disk, c->head.private_sectors));
	if (part_read(c->disk, &list, buf) != ST_OK)
		u->full = true;
	for (unsigned i = 0; i < list.count && !u->full; i++)
		if (!ldm_owns(&list, &list.part[i]) && list.part[i].kind != PART_EXTENDED)
			add_used(u, disk_s512(c->disk, list.part[i].start_lba),
				 disk_s512(c->disk, list.part[i].sectors));
}

/* Aligned as well as there is room for: 1 MiB, 64 KiB, 4 KiB, or not at all. */
static bool fits(uint64_t from, uint64_t to, uint64_t need, uint64_t *start)
{
	static const uint64_t aligns[] = {2048, 128, 8, 1};

	for (unsigned i = 0; i < 4; i++) {
		uint64_t at = (from + aligns[i] - 1) / aligns[i] * aligns[i];

		if (at <= to && need <= to - at) {
			*start = at;
			return true;
		}
	}
	return false;
}

bool ldm_find_room(struct ldm_groups *gs, const struct ldm_group *g, unsigned disk,
		   uint64_t need_s512, uint64_t *start_s512, uint64_t *longest_s512)
{
	const struct ldm_copy *c = &gs->copy[disk];
	uint64_t first = disk_s512(c->disk, c->head.public_lba), at = first;
	uint64_t end = first + disk_s512(c->disk, c->head.public_sectors), found;
	static struct used u;
	bool have = false;

	*longest_s512 = 0;
	list_used(c, g, ldm_disk_record(gs, g, disk), &u);
	if (u.full || !range_ok(c->head.public_lba, c->head.public_sectors, c->disk->sectors))
		return false;
	for (unsigned i = 0; i <= u.count; i++) {
		uint64_t to = i < u.count ? min_u64(u.range[i].start_s512, end) : end;

		if (to > at) {
			if (to - at > *longest_s512)
				*longest_s512 = to - at;
			if (!have && need_s512 && fits(at, to, need_s512, &found)) {
				*start_s512 = found - first;
				have = true;
			}
		}
		if (i < u.count && u.range[i].start_s512 + u.range[i].size_s512 > at)
			at = u.range[i].start_s512 + u.range[i].size_s512;
	}
	return have;
}
