/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "stage2/bootrecord.h"

#include "common/mem.h"
#include "common/range.h"
#include "stage2/chain.h"

/* Too large for the stack. */
static struct record_seen seen;
static struct record record, there;

/* The place of this disk's record. False: it has no boot area of ours, as it is now. */
static bool find_place(const struct survey *s, const struct disk *d, unsigned disk, uint64_t *lba)
{
	struct bootarea_header h;

	if (!s->found[disk].answered || !trust_disk(s, disk) ||
	    chain_open_area(d, &h, lba) != ST_OK)
		return false;
	*lba += BOOTAREA_RECORD;
	return true;
}

void bootrecord_read(struct survey *s, const struct biosdisks *disks)
{
	uint64_t lba;

	for (unsigned i = 0; i < s->disk_count; i++) {
		const struct disk *d = &disks->disk[i];

		if (find_place(s, d, i, &lba) && disk_read(d, lba, 1, &there) == ST_OK &&
		    record_check(&there) == ST_OK)
			record_merge(&seen, &there);
	}
	record_judge(s, &seen);
}

/*
 * A whole disk may be a member that holds the partition table, and so our area, in its
 * data: the records of two legs differ, and legs must not.
 */
static bool is_in_member(const struct survey *s, unsigned disk, uint64_t lba)
{
	for (unsigned i = 0; i < s->member_count; i++)
		if (s->member[i].disk == disk &&
		    range_ok(lba - s->member[i].start_lba, 1, s->member[i].sectors_lba))
			return true;
	return false;
}

static bool write_one(const struct disk *d, uint64_t lba)
{
	return d->write && d->write(d, lba, 1, &record) == ST_OK &&
	       disk_read(d, lba, 1, &there) == ST_OK && memcmp(&there, &record, sizeof(there)) == 0;
}

/* Bit i: disk i has failed a read in this boot, of metadata or of a leg. */
static uint32_t failed_disks(const struct survey *s, const struct vdisk_set *set)
{
	uint32_t failed = 0;

	for (unsigned i = 0; i < s->disk_count; i++)
		failed |= (uint32_t)s->found[i].io_error << i;
	for (unsigned i = 0; i < set->leg_count; i++)
		if (set->leg[i].latched)
			failed |= (uint32_t)1 << set->leg[i].disk;
	return failed;
}

void bootrecord_write(const struct survey *s, const struct biosdisks *disks, unsigned boot_mirror,
		      const struct vdisk_set *set, struct bootrecord_places *places,
		      struct text *out)
{
	uint64_t lba;

	record_make(&record, &seen, s, boot_mirror);
	record.failovers = le32_of(set->failovers);
	record.failed_disks = le32_of(failed_disks(s, set));
	places->sequence = le32_get(record.sequence);
	for (unsigned i = 0; i < s->disk_count; i++) {
		const struct disk *d = &disks->disk[i];

		if (s->found[i].io_error || !find_place(s, d, i, &lba) || is_in_member(s, i, lba))
			continue;
		record_seal(&record, i);
		if (!write_one(d, lba)) {
			text_str(out, "Warning: the boot record of ");
			biosdisk_name(NULL, i, out);
			text_str(out, " can't be written.\n");
		} else if (places->count < BOOTRECORD_PLACES) {
			places->place[places->count++] = (struct bootrecord_place){
				.lba = lba, .drive = (uint8_t)(BIOSDISK_FIRST + i)};
		}
	}
}
