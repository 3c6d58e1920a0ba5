/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tests/unit/help_md.h"

#include "common/md.h"

#include <stdlib.h>
#include <string.h>

void put16(uint8_t *to, uint16_t x)
{
	to[0] = (uint8_t)x;
	to[1] = (uint8_t)(x >> 8);
}

void put32(uint8_t *to, uint32_t x)
{
	put16(to, (uint16_t)x);
	put16(to + 2, (uint16_t)(x >> 16));
}

void put64(uint8_t *to, uint64_t x)
{
	put32(to, (uint32_t)x);
	put32(to + 4, (uint32_t)(x >> 32));
}

uint32_t get32(const uint8_t *from)
{
	return from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16 | (uint32_t)from[3] << 24;
}

/* ---- a disk in memory ---- */

static enum status memdisk_read(const struct disk *d, uint64_t lba, uint32_t n, void *buf)
{
	struct memdisk *m = d->ctx;

	m->requests++;
	m->last_lba = lba;
	m->last_n = n;
	if (lba > d->sectors || n > d->sectors - lba)
		return ST_RANGE;

	bool bad = m->dead;

	for (unsigned i = 0; i < m->bad_count; i++)
		bad |= lba < m->bad[i].lba + m->bad[i].sectors && m->bad[i].lba < lba + n;
	if (bad) {
		memset(buf, 0xee, (size_t)n << d->shift);
		return ST_IO;
	}
	memcpy(buf, m->bytes + (lba << d->shift), (size_t)n << d->shift);
	return ST_OK;
}

void memdisk_open(struct memdisk *m, uint64_t sectors, unsigned shift)
{
	memset(m, 0, sizeof(*m));
	m->bytes = calloc(1, (size_t)(sectors << shift) + 1);
	assert_non_null(m->bytes);
	m->disk = (struct disk){
		.read = memdisk_read, .ctx = m, .sectors = sectors, .shift = (uint8_t)shift};
}

void memdisk_close(struct memdisk *m)
{
	free(m->bytes);
	m->bytes = NULL;
}

void memdisk_fail(struct memdisk *m, uint64_t lba, uint64_t sectors)
{
	assert_true(m->bad_count < MEMDISK_BAD);
	m->bad[m->bad_count].lba = lba;
	m->bad[m->bad_count++].sectors = sectors;
}

void memdisk_fill(struct memdisk *m, uint64_t from_s512, uint64_t n_s512, uint8_t tag,
		  uint64_t first)
{
	for (uint64_t i = 0; i < n_s512; i++) {
		uint8_t *to = m->bytes + (from_s512 + i) * 512;

		memset(to, tag, 504);
		put64(to + 504, first + i);
	}
}

bool sector_is(const uint8_t *sector, uint8_t tag, uint64_t number)
{
	uint8_t want[8];

	put64(want, number);
	for (unsigned i = 0; i < 504; i++)
		if (sector[i] != tag)
			return false;
	return memcmp(sector + 504, want, 8) == 0;
}

void memdisk_mbr(struct memdisk *m, unsigned number, uint8_t type, uint32_t start_lba,
		 uint32_t sectors)
{
	uint8_t *e = m->bytes + 446 + 16 * (number - 1);

	e[4] = type;
	put32(e + 8, start_lba);
	put32(e + 12, sectors);
	put16(m->bytes + 510, 0xaa55);
}

/* ---- md 1.x ---- */

uint64_t md1_at(enum format_id format, uint64_t size_s512)
{
	switch (format) {
	case FORMAT_MD_1_0: return (size_s512 - 16) / 8 * 8;
	case FORMAT_MD_1_1: return 0;
	default: return 8;
	}
}

struct md1_spec md1_spec(enum format_id format, unsigned dev)
{
	struct md1_spec s = {
		.format = format,
		.uuid = 0xa5,
		.device = (uint8_t)(0x10 + dev),
		.name = "host:boot",
		.level = 1,
		.raid_disks = 2,
		.size = 512,
		.data_offset = format == FORMAT_MD_1_0 ? 0 : 64,
		.data_size = 512,
		.resync_offset = UINT64_MAX,
		.dev = dev,
		.events = 100,
		.max_dev = TEST_ROLES,
	};

	for (unsigned i = 0; i < TEST_ROLES; i++)
		s.roles[i] = i < 2 ? (uint16_t)i : 0xffff;
	return s;
}

void md1_resum(uint8_t sb[4096])
{
	uint32_t max_dev = get32(sb + 220);
	uint64_t sum = 0;
	unsigned len = 256 + 2 * (max_dev > 1920 ? 1920 : max_dev), i;

	put32(sb + 216, 0);
	for (i = 0; len - i >= 4; i += 4)
		sum += get32(sb + i);
	if (len - i == 2)
		sum += sb[i] | (unsigned)sb[i + 1] << 8;
	put32(sb + 216, (uint32_t)((sum & 0xffffffff) + (sum >> 32)));
}

void md1_build(const struct md1_spec *s, uint64_t size_s512, uint8_t sb[4096])
{
	memset(sb, 0, 4096);
	put32(sb, 0xa92b4efc);
	put32(sb + 4, 1);
	put32(sb + 8, s->features);
	memset(sb + 16, s->uuid, 16);
	memcpy(sb + 32, s->name, strnlen(s->name, 32));
	put32(sb + 72, (uint32_t)s->level);
	put64(sb + 80, s->size);
	put32(sb + 92, s->raid_disks);
	put64(sb + 128, s->data_offset);
	put64(sb + 136, s->data_size);
	put64(sb + 144, md1_at(s->format, size_s512));
	put64(sb + 152, s->recovery_offset);
	put32(sb + 160, s->dev);
	memset(sb + 168, s->device, 16);
	sb[184] = s->devflags;
	sb[185] = s->bblog_shift;
	put16(sb + 186, s->bblog_size);
	put32(sb + 188, (uint32_t)s->bblog_offset);
	put64(sb + 200, s->events);
	put64(sb + 208, s->resync_offset);
	put32(sb + 220, s->max_dev);
	for (unsigned i = 0; i < TEST_ROLES && i < s->max_dev; i++)
		put16(sb + 256 + 2 * i, s->roles[i]);
	md1_resum(sb);
}

void md1_put(struct memdisk *m, uint64_t start_s512, uint64_t size_s512,
	     const struct md1_spec *spec)
{
	md1_build(spec, size_s512, m->bytes + (start_s512 + md1_at(spec->format, size_s512)) * 512);
}

/* ---- md 0.90 ---- */

uint64_t md0_at(uint64_t size_s512)
{
	return size_s512 / 128 * 128 - 128;
}

struct md0_spec md0_spec(unsigned dev)
{
	struct md0_spec s = {
		.uuid = 0xb7,
		.minor = 90,
		.level = 1,
		.raid_disks = 2,
		.size_kib = 256,
		.state = 1,
		.events = 100,
		.dev = dev,
	};

	s.disk_state[0] = s.disk_state[1] = MD0_ACTIVE_SYNC;
	return s;
}

void md0_resum(uint8_t sb[4096])
{
	uint64_t sum = 0;

	put32(sb + 152, 0);
	for (unsigned i = 0; i < 4096; i += 4)
		sum += get32(sb + i);
	put32(sb + 152, (uint32_t)((sum & 0xffffffff) + (sum >> 32)));
}

void md0_build(const struct md0_spec *s, uint8_t sb[4096])
{
	memset(sb, 0, 4096);
	put32(sb, 0xa92b4efc);
	put32(sb + 8, s->minor);
	memset(sb + 20, s->uuid, 4);
	put32(sb + 28, s->level);
	put32(sb + 32, s->size_kib);
	put32(sb + 40, s->raid_disks);
	put32(sb + 44, s->md_minor);
	memset(sb + 52, s->uuid, 12);
	put32(sb + 132, s->state);
	put64(sb + 156, s->events);
	for (unsigned i = 0; i < 27; i++) {
		put32(sb + 512 + 128 * i, i);
		put32(sb + 512 + 128 * i + 12, i);
		put32(sb + 512 + 128 * i + 16, s->disk_state[i]);
	}
	put32(sb + 3968, s->dev);
	put32(sb + 3968 + 12, s->dev);
	put32(sb + 3968 + 16, MD0_ACTIVE_SYNC | s->own_state);
	md0_resum(sb);
}

void md0_put(struct memdisk *m, uint64_t start_s512, uint64_t size_s512,
	     const struct md0_spec *spec)
{
	md0_build(spec, m->bytes + (start_s512 + md0_at(size_s512)) * 512);
}

/* ---- members without disks ---- */

struct member make_member(unsigned dev, unsigned raid_disks)
{
	struct member m = {
		.format = FORMAT_MD_1_2,
		.status = ST_OK,
		.level = 1,
		.raid_disks = raid_disks,
		.events = 100,
		.dev_number = dev,
		.role = (uint16_t)dev,
		.role_count = TEST_ROLES,
		.sb_s512 = 8,
		.data_start_s512 = 64,
		.data_s512 = 512,
		.good_s512 = 512,
		.start_lba = 0,
		.sectors_lba = 1024,
		.name = "host:boot",
	};

	memset(&m.set_uuid, 0xa5, sizeof(m.set_uuid));
	memset(&m.device_uuid, (int)(0x10 + dev), sizeof(m.device_uuid));
	for (unsigned i = 0; i < TEST_ROLES; i++)
		m.roles[i] = i < raid_disks ? (uint16_t)i : ROLE_SPARE;
	return m;
}

void survey_add(struct survey *s, const struct member *m, unsigned disk)
{
	assert_true(s->member_count < SURVEY_MEMBERS);
	s->member[s->member_count] = *m;
	s->member[s->member_count++].disk = (uint8_t)disk;
	if (s->disk_count <= disk)
		s->disk_count = (uint8_t)(disk + 1);
}

const struct leg *leg_on(const struct survey *s, unsigned mirror, unsigned disk)
{
	assert_true(mirror < s->mirror_count);
	for (unsigned i = 0; i < s->mirror[mirror].leg_count; i++)
		if (s->mirror[mirror].leg[i].disk == disk)
			return &s->mirror[mirror].leg[i];
	fail_msg("no leg on disk %u", disk);
	return NULL;
}
