/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "stage2/volume.h"

#include "common/mem.h"
#include "stage2/biosdisk.h"
#include "stage2/tabledoor.h"

#define ENTRIES 4 /* of a partition table */

/* What a boot sector says of itself; bytes of it. */
#define JUMP_SHORT    0xeb
#define JUMP_NEAR     0xe9
#define BPB_BYTES     0x0b /* le16: bytes in a sector */
#define BPB_HIDDEN    0x1c /* le32: LBA of its volume's first sector */
#define NTFS_NAME_AT  0x03
#define FAT16_NAME_AT 0x36
#define FAT32_NAME_AT 0x52

static bool has(const struct mbr_sector *s, unsigned at, const char *text)
{
	return memcmp(s->code + at, text, 5) == 0;
}

/* The type of partition that its file system is for. */
static uint8_t type_of(const struct mbr_sector *s)
{
	if (has(s, FAT32_NAME_AT, "FAT32"))
		return 0x0c;
	if (has(s, FAT16_NAME_AT, "FAT16"))
		return 0x0e;
	return has(s, FAT16_NAME_AT, "FAT12") ? 0x01 : 0x07;
}

/* The boot sector of a mirror, when it has one; the LBA that it believes in. */
static bool read_boot_sector(struct drives *d, unsigned mirror, struct mbr_sector *sector,
			     uint32_t *lba)
{
	struct vdisk_set before = d->int13.set;
	struct vdisk_handle h = {.set = &d->int13.set, .disk = d->disks->disk};
	const uint8_t *s = sector->code;
	struct disk volume;
	bool found = false;

	if (view_add_volume(&d->int13.set, d->survey, mirror, &h.v) == ST_OK) {
		volume = vdisk_as_disk(&h);
		found = volume.shift == DISK_SHIFT_MIN && chain_read_boot_sector(&volume, sector);
	}
	d->int13.set = before;
	memcpy(lba, s + BPB_HIDDEN, sizeof(*lba));
	return found && (s[0] == JUMP_SHORT || s[0] == JUMP_NEAR) && s[BPB_BYTES] == 0 &&
	       s[BPB_BYTES + 1] == 2 && *lba != 0;
}

/* Has this disk an active partition there, so that what starts it finds the leg? */
static bool is_active(const struct disk *d, uint64_t start_lba)
{
	struct mbr_sector lba0;

	if (!chain_read_boot_sector(d, &lba0) || mbrtab_is_protective(&lba0))
		return false;
	for (unsigned i = 0; i < ENTRIES; i++)
		if (lba0.entry[i].status == 0x80 && le32_get(lba0.entry[i].start_lba) == start_lba)
			return true;
	return false;
}

/* A disk that can be started as it is: the volume's leg on it lies where it believes to. */
static bool find_disk(struct drives *d, uint32_t lba)
{
	const struct mirror *m = &d->survey->mirror[d->mirror];

	for (unsigned i = 0; i < m->order_count; i++) {
		const struct leg *l = &m->leg[m->order[i]];

		if (d->survey->member[l->member].start_lba != lba ||
		    !is_active(&d->disks->disk[l->disk], lba))
			continue;
		d->base = l->disk;
		return true;
	}
	return false;
}

/* Room for one more volume at lba, in order; the boot mirror's own is placed first and stays. */
static void add_place(struct drives *d, struct view_place *place, unsigned *count, unsigned mirror,
		      uint32_t lba, uint8_t type)
{
	uint64_t sectors = d->survey->mirror[mirror].size_s512;
	unsigned at = *count;

	if (*count == ENTRIES || sectors > UINT32_MAX - lba)
		return;
	for (unsigned i = 0; i < *count; i++) {
		uint64_t other = d->survey->mirror[place[i].mirror].size_s512;

		if (lba < place[i].lba + other && place[i].lba < lba + sectors)
			return;
	}
	while (at > 0 && place[at - 1].lba > lba) {
		place[at] = place[at - 1];
		d->table.entry[at] = d->table.entry[at - 1];
		at--;
	}
	place[at] = (struct view_place){.lba = lba, .mirror = (uint8_t)mirror};
	d->table.entry[at] = (struct mbr_entry){.status = mirror == d->mirror ? 0x80 : 0,
						.chs_first = {0xfe, 0xff, 0xff},
						.type = type,
						.chs_last = {0xfe, 0xff, 0xff},
						.start_lba = le32_of(lba),
						.sectors = le32_of((uint32_t)sectors)};
	++*count;
}

static bool has_leg_on(const struct mirror *m, unsigned disk)
{
	for (unsigned i = 0; i < m->order_count; i++)
		if (m->leg[m->order[i]].disk == disk)
			return true;
	return false;
}

/* A disk with a table that says what the volumes of the base disk believe of themselves. */
static bool make_disk(struct drives *d, uint32_t lba)
{
	const struct survey *s = d->survey;
	struct view_place place[ENTRIES];
	struct mbr_sector sector;
	unsigned count = 0, v;
	uint32_t other;

	/* Windows knows a disk by its signature. */
	if (!chain_read_boot_sector(&d->disks->disk[d->base], &d->table))
		return false;
	memset(d->table.code, 0, sizeof(d->table.code));
	memset(d->table.entry, 0, sizeof(d->table.entry));
	add_place(d, place, &count, d->mirror, lba, type_of(&d->code.sector));
	for (unsigned i = 0; i < s->mirror_count; i++)
		if (i != d->mirror && s->mirror[i].chosen != NO_LEG &&
		    s->mirror[i].format == FORMAT_LDM && has_leg_on(&s->mirror[i], d->base) &&
		    read_boot_sector(d, i, &sector, &other))
			add_place(d, place, &count, i, other, type_of(&sector));
	if (count == 0 || d->disks->count == SURVEY_DISKS)
		return false;
	d->disks->disk[d->disks->count] = tabledoor_disk(&d->table, UINT32_MAX);
	return view_add_volumes(&d->int13.set, s, d->disks->count, place, count, &v) == ST_OK;
}

bool volume_plan(struct drives *d, struct text *out)
{
	const struct mirror *m = &d->survey->mirror[d->mirror];
	struct chain_code mbr;
	uint32_t lba;

	d->table_made = false;
	if (m->format != FORMAT_LDM || d->config->boot_disk == CONFIG_DISK ||
	    !read_boot_sector(d, d->mirror, &d->code.sector, &lba))
		return false;
	d->code.found = d->code.is_volume = true;
	if (d->config->boot_disk == CONFIG_VIEW_AUTO && find_disk(d, lba)) {
		/* What a person put into the disk's boot code goes before the volume's own. */
		chain_find(&d->disks->disk[d->base], &mbr);
		if (mbr.found)
			d->code = mbr;
		return true;
	}
	d->base = m->leg[m->chosen].disk;
	d->table_made = make_disk(d, lba);
	if (!d->table_made)
		return false;
	text_str(out, "Its volume is shown where its boot sector says, at LBA ");
	text_u64(out, lba);
	text_str(out, ".\n");
	return true;
}
