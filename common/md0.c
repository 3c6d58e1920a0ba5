/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * md superblock, version 0.90: 4 KiB, 64 KiB-aligned near the member's end, in
 * the byte order of the machine that wrote it (we read little-endian ones).
 *
 * Layout: Linux include/uapi/linux/raid/md_p.h, struct mdp_superblock_s; rules:
 * drivers/md/md.c super_90_load() of 6.1.
 */
#include "common/md.h"

#include "common/mem.h"
#include "common/range.h"
#include "common/wire.h"

#define MD0_DISKS      27u
#define MD0_ALIGN_S512 128u

enum state_bit { STATE_CLEAN = 1 << 0, STATE_BITMAP = 1 << 8 };
enum disk_bit {
	DISK_FAULTY = 1 << 0,
	DISK_ACTIVE = 1 << 1,
	DISK_SYNC = 1 << 2,
	DISK_WRITE_MOSTLY = 1 << 9,
	DISK_FAILFAST = 1 << 10,
};

struct md0_disk {
	le32 number;
	le32 major, minor;
	le32 raid_disk;
	le32 state;
	uint8_t pad[108];
};

struct md0_sb {
	le32 magic;
	le32 major_version, minor_version;
	le32 patch_version;
	le32 valid_words;
	le32 uuid0;
	le32 ctime;
	le32 level; /* signed */
	le32 size_kib;
	le32 nr_disks;
	le32 raid_disks;
	le32 md_minor;
	le32 not_persistent;
	le32 uuid1, uuid2, uuid3;
	uint8_t pad1[64];
	le32 utime;
	le32 state;
	le32 active, working, failed, spare;
	le32 csum;
	le32 events_lo, events_hi;
	le32 cp_events_lo, cp_events_hi;
	le32 recovery_cp;
	uint8_t pad2[512 - 176];
	struct md0_disk disk[MD0_DISKS];
	struct md0_disk this_disk;
};

_Static_assert(sizeof(struct md0_disk) == 128, "descriptor is 32 words");
_Static_assert(sizeof(struct md0_sb) == MD_SB_BYTES, "superblock is 4 KiB");
_Static_assert(offsetof(struct md0_sb, utime) == 128, "state section at 128");
_Static_assert(offsetof(struct md0_sb, csum) == 152, "sb_csum at 152");
_Static_assert(offsetof(struct md0_sb, disk) == 512, "descriptors at 512");
_Static_assert(offsetof(struct md0_sb, this_disk) == 3968, "this_disk at 3968");

bool md0_place(uint64_t size_s512, uint64_t *sb_s512)
{
	if (size_s512 < 2 * MD0_ALIGN_S512)
		return false;
	*sb_s512 = (size_s512 & ~(uint64_t)(MD0_ALIGN_S512 - 1)) - MD0_ALIGN_S512;
	return true;
}

uint32_t md0_checksum(const uint8_t *sb)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < MD_SB_BYTES; i += 4)
		if (i != offsetof(struct md0_sb, csum))
			sum += le32_get(*(const le32 *)(sb + i));
	return (uint32_t)sum + (uint32_t)(sum >> 32);
}

/* Some architectures' kernels folded to 16 bits: the kernel compares what is left of both. */
static uint32_t fold(uint32_t csum)
{
	csum = (csum & 0xffff) + (csum >> 16);
	return (csum & 0xffff) + (csum >> 16);
}

/* As mdadm shows it: each word as a number, so most significant byte first. */
static void put_word(uint8_t *to, le32 word)
{
	uint32_t w = le32_get(word);

	to[0] = (uint8_t)(w >> 24);
	to[1] = (uint8_t)(w >> 16);
	to[2] = (uint8_t)(w >> 8);
	to[3] = (uint8_t)w;
}

/* A role that the array does not have makes a spare, as in the kernel's analyze_sbs(). */
static uint16_t role_of(const struct md0_disk *d, uint32_t raid_disks)
{
	uint32_t state = le32_get(d->state), role = le32_get(d->raid_disk);

	if (state & DISK_FAULTY)
		return ROLE_FAULTY;
	if ((state & DISK_ACTIVE) && (state & DISK_SYNC) && role < MD0_DISKS && role < raid_disks)
		return (uint16_t)role;
	return ROLE_SPARE;
}

static void refuse(struct member *m, enum status st, enum reason_code code, uint64_t a)
{
	m->status = (uint8_t)st;
	m->why = (struct reason){code, a, 0};
}

static void copy_identity(const struct md0_sb *h, uint64_t sb_s512, struct member *m)
{
	memset(m, 0, sizeof(*m));
	m->format = FORMAT_MD_0_90;
	put_word(&m->set_uuid.b[0], h->uuid0);
	put_word(&m->set_uuid.b[4], h->uuid1);
	put_word(&m->set_uuid.b[8], h->uuid2);
	put_word(&m->set_uuid.b[12], h->uuid3);
	/* The format has no name; the preferred minor is what people know: "md0". */
	memcpy(m->name, "md", 2);

	uint32_t minor = le32_get(h->md_minor);

	if (minor < 10) {
		m->name[2] = (char)('0' + minor);
	} else if (minor < 128) { /* mdadm's partitionable and automatic ones: md127 downwards */
		unsigned hundreds = minor >= 100, tens = 0, at = 2;

		minor -= 100 * hundreds;
		while (minor >= 10) {
			minor -= 10;
			tens++;
		}
		if (hundreds)
			m->name[at++] = '1';
		m->name[at++] = (char)('0' + tens);
		m->name[at] = (char)('0' + minor);
	}

	m->level = (int32_t)le32_get(h->level);
	m->raid_disks = le32_get(h->raid_disks);
	m->events = le32_get(h->events_lo) | (uint64_t)le32_get(h->events_hi) << 32;
	m->dev_number = le32_get(h->this_disk.number);
	m->role_count = MD0_DISKS;
	for (unsigned i = 0; i < MD0_DISKS; i++)
		m->roles[i] = role_of(&h->disk[i], m->raid_disks);
	m->role = m->dev_number < MD0_DISKS ? m->roles[m->dev_number] : ROLE_SPARE;

	m->sb_s512 = sb_s512;
	m->data_start_s512 = 0;
	m->data_s512 = (uint64_t)le32_get(h->size_kib) * 2;
	m->good_s512 = m->data_s512;

	uint32_t state = le32_get(h->state), own = le32_get(h->this_disk.state);

	if (!(state & STATE_CLEAN))
		m->flags |= MEMBER_DIRTY;
	if (state & STATE_BITMAP)
		m->flags |= MEMBER_BITMAP;
	if (own & DISK_WRITE_MOSTLY)
		m->flags |= MEMBER_WRITE_MOSTLY;
	if (own & DISK_FAILFAST)
		m->flags |= MEMBER_FAILFAST;
}

enum status md0_parse(const uint8_t *sb, uint64_t sb_s512, uint64_t size_s512, struct member *m)
{
	const struct md0_sb *h = (const struct md0_sb *)sb;
	uint32_t minor_version = le32_get(h->minor_version);

	if (le32_get(h->magic) != MD_MAGIC || le32_get(h->major_version) != 0 ||
	    !range_ok(sb_s512, MD_SB_BYTES / 512, size_s512))
		return ST_ABSENT;

	copy_identity(h, sb_s512, m);
	if (fold(md0_checksum(sb)) != fold(le32_get(h->csum))) {
		refuse(m, ST_CORRUPT, REASON_CHECKSUM, 0);
		return ST_OK;
	}
	/*
	 * The format does not say where its superblock should be: one of a whole disk
	 * is found through the last partition too. An array that is larger than the
	 * place it is seen in belongs to something larger.
	 */
	if (m->level >= 1 && m->data_s512 > sb_s512)
		return ST_ABSENT;

	if (minor_version != 90)
		refuse(m, ST_UNSUPPORTED, minor_version == 91 ? REASON_RESHAPE : REASON_FEATURE,
		       minor_version);
	else if (m->level != 1)
		refuse(m, ST_UNSUPPORTED, REASON_NOT_A_MIRROR,
		       (uint64_t)(m->level < 0 ? 0 : m->level));
	else if (m->raid_disks == 0 || m->raid_disks > MD0_DISKS || m->data_s512 == 0 ||
		 m->dev_number >= MD0_DISKS)
		refuse(m, ST_CORRUPT, REASON_BAD_FIELDS, 0);
	return ST_OK;
}
