/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "efi/spread.h"

#include "common/range.h"

/*
 * Firmware ends a request that a disk does not answer after some seconds; where its
 * driver does not, for a request of this kind, we do.
 */
#define POLL_US    20
#define TIMEOUT_US (30u * 1000 * 1000)

/* In memory of its own, which a request that never ended keeps. */
struct flights {
	EFI_BLOCK_IO2_TOKEN token[VDISK_EXTENT_LEGS];
	bool pending[VDISK_EXTENT_LEGS];
};

static struct {
	struct flights *flights; /* NULL: nothing is spread */
	const struct efidisks *disks;
	const struct share *share;
	struct share_pace pace;
	bool refused; /* a driver took no such request: no more of them */
} spread;

void spread_start(const struct share *sh, const struct efidisks *disks)
{
	spread.share = sh;
	spread.refused = false;
	share_pace_init(&spread.pace);
	spread.disks = disks;
	spread.flights = uefi_alloc(sizeof(*spread.flights));
	for (unsigned i = 0; spread.flights && i < VDISK_EXTENT_LEGS; i++)
		if (uefi_bs->CreateEvent(0, 0, NULL, NULL, &spread.flights->token[i].Event) !=
		    EFI_SUCCESS)
			spread_stop();
}

void spread_stop(void)
{
	for (unsigned i = 0; spread.flights && i < VDISK_EXTENT_LEGS; i++)
		if (spread.flights->token[i].Event)
			uefi_bs->CloseEvent(spread.flights->token[i].Event);
	uefi_free(spread.flights);
	spread.flights = NULL;
}

/* Only ever compared with itself. */
static uint64_t ticks(void)
{
#if defined(__x86_64__) || defined(__i386__)
	return __builtin_ia32_rdtsc() >> 10; /* some tenths of a microsecond */
#else
	uint64_t t;

	__asm__ volatile("mrs %0, cntvct_el0" : "=r"(t));
	return t;
#endif
}

static bool can_read(const struct efidisk *e, const void *buf)
{
	return e->read_ex && ((uintptr_t)buf & e->align_mask) == 0;
}

/* False: a part has not ended, and nobody knows when it will. */
static bool wait(struct flights *f, unsigned count)
{
	for (uint32_t us = 0; us < TIMEOUT_US; us += POLL_US) {
		bool all = true;

		for (unsigned i = 0; i < count; i++) {
			if (f->pending[i] && uefi_bs->CheckEvent(f->token[i].Event) == EFI_SUCCESS)
				f->pending[i] = false;
			all &= !f->pending[i];
		}
		if (all)
			return true;
		uefi_bs->Stall(POLL_US);
	}
	return false;
}

/* Legs that fail are latched. */
static bool read_parts(const struct share_part *part, unsigned count, unsigned shift, uint8_t *buf)
{
	struct flights *f = spread.flights;
	struct vdisk_set *set = spread.share->set;
	bool ok = true;

	for (unsigned i = 0; i < count; i++) {
		const struct efidisk *e = &spread.disks->efi[set->leg[part[i].leg].disk];

		f->token[i].TransactionStatus = EFI_NOT_READY;
		f->pending[i] = !spread.refused &&
				e->read_ex(e->bio2, e->media_id, part[i].lba, &f->token[i],
					   (UINTN)part[i].n << shift,
					   buf + ((size_t)part[i].at << shift)) == EFI_SUCCESS;
		if (f->pending[i])
			continue;
		f->token[i].TransactionStatus = EFI_SUCCESS; /* the leg did nothing wrong */
		spread.refused = true;
	}
	/* The driver would still know of the events, and of the buffer: no more of that. */
	if (!wait(f, count))
		spread.flights = NULL;
	for (unsigned i = 0; i < count; i++) {
		if (!f->pending[i] && f->token[i].TransactionStatus == EFI_SUCCESS)
			continue;
		vdisk_latch(set, &set->leg[part[i].leg]);
		ok = false;
	}
	return ok && !spread.refused;
}

/* In rounds, because parts have to be small enough for any driver. */
static bool read_shared(unsigned v, uint64_t lba, uint32_t n, uint8_t *buf)
{
	const struct vdisk_set *set = spread.share->set;
	unsigned shift = set->vdisk[v].shift;
	uint32_t min = 2 * SHARE_UNIT_BYTES >> shift, round = 2 * (EFIDISK_CHUNK_BYTES >> shift);
	struct share_part part[VDISK_EXTENT_LEGS];

	if (share_cut(spread.share, v, lba, n, min, part) == 0)
		return false;
	while (n > 0) {
		uint32_t now = n < round + min ? n : round;
		unsigned count = share_cut(spread.share, v, lba, now, min, part);

		if (count == 0)
			return false;
		for (unsigned i = 0; i < count; i++)
			if (!can_read(&spread.disks->efi[set->leg[part[i].leg].disk],
				      buf + ((size_t)part[i].at << shift)))
				return false;
		if (!read_parts(part, count, shift, buf))
			return false;
		lba += now;
		n -= now;
		buf += (size_t)now << shift;
	}
	return true;
}

enum status spread_read(unsigned v, uint64_t lba, uint32_t n, void *buf, bool at_once)
{
	struct vdisk_set *set = spread.share->set;
	uint64_t units = ((uint64_t)n << set->vdisk[v].shift) / SHARE_UNIT_BYTES, start = ticks();
	enum status st;

	if (at_once && spread.flights && !spread.refused && share_pays(&spread.pace, units) &&
	    read_shared(v, lba, n, buf)) {
		share_learn(&spread.pace, units, ticks() - start);
		return ST_OK;
	}
	start = ticks();
	st = vdisk_read(set, v, spread.disks->disk, lba, n, buf);
	if (st == ST_OK)
		share_plain(&spread.pace, units, ticks() - start);
	return st;
}
