/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * A dynamic disk's head and database. The input is one byte of flags, then the disk: it ends
 * where the input does, as its private region. Or, with RECORD, one record.
 */
#include "common/ldm_list.h"
#include "common/ldm_wire.h"
#include "common/mem.h"
#include "tests/fuzz/one_disk.h"

/* FIX: checksums, and the magic and number of every slot. */
enum flag { FIX = 1, SECTORS_4K = 2, FAIL_READS = 4, RECORD = 8 };

static void put_be32(uint8_t *to, uint32_t x)
{
	for (unsigned i = 0; i < 4; i++)
		to[i] = (uint8_t)(x >> (24 - 8 * i));
}

static void fix(size_t size)
{
	uint32_t number = 0;

	for (size_t off = 0; off + 512 <= size; off += 512) {
		uint8_t *b = content + off;

		if (memcmp(b, "PRIVHEAD", 8) == 0 || memcmp(b, "TOCBLOCK", 8) == 0) {
			uint32_t sum = 0;

			memset(b + 8, 0, 4);
			for (unsigned i = 0; i < 512; i++)
				sum += b[i];
			put_be32(b + 8, sum);
		}
		if (memcmp(b, "VMDB", 4) == 0)
			number = 4;
		else if (memcmp(b, "KLOG", 4) == 0)
			number = 0;
		for (unsigned i = 0; number && memcmp(b, "VMDB", 4) != 0 && i < 4; i++) {
			memcpy(b + 128 * i, "VBLK", 4);
			put_be32(b + 128 * i + 4, number++);
		}
	}
}

static void check_text(const char *text, size_t size)
{
	size_t n = strnlen(text, size);

	check(n < size);
	for (size_t i = 0; i < n; i++)
		check(text[i] >= ' ' && text[i] < 0x7f);
}

static void check_record(const uint8_t *data, size_t n)
{
	uint8_t *copy = malloc(n + !n); /* of its own size, for the sanitizer */
	struct ldm_record r;
	enum status st;

	check(copy != NULL);
	memcpy(copy, data, n);
	st = ldm_record_parse(&r, copy, (uint32_t)n);
	check(st == ST_OK || st == ST_ABSENT || st == ST_CORRUPT);
	say_status("record", (int)st);
	if (st == ST_OK) {
		check(r.bytes >= 8 && r.bytes <= n && r.status <= 2);
		check(r.type >= LDM_VOLUME && r.type <= LDM_GROUP);
		check_text(r.name, sizeof(r.name));
		if (r.type == LDM_VOLUME) {
			check_text(r.volume.type, LDM_TEXT_BYTES);
			check_text(r.volume.state, LDM_TEXT_BYTES);
			check_text(r.volume.hint, LDM_TEXT_BYTES);
		}
	}
	free(copy);
}

/* Everything that a list of it asks for, and that each list ends. */
static void check_lists(const struct ldm_db *db)
{
	check(db->volume_count <= LDM_VOLUMES && db->component_count <= LDM_COMPONENTS);
	check(db->partition_count <= LDM_PARTITIONS && db->disk_count <= LDM_DISKS);
	check(ldm_compare(db, db) == LDM_SAME);
	for (unsigned i = 0; i < db->volume_count; i++) {
		const struct ldm_volume *v = &db->volume[i];
		const struct ldm_component *c = NULL;
		unsigned components = 0;

		check(ldm_db_volume(db, v->id) == v);
		check(ldm_kind(db, v) < LDM_KIND_COUNT && ldm_why_volume(db, v) < REASON_COUNT);
		say(reason_name(ldm_why_volume(db, v)));
		while ((c = ldm_next_component(db, v, c)) != NULL) {
			const struct ldm_partition *p = NULL;
			unsigned partitions = 0;

			check(++components <= LDM_COMPONENTS &&
			      ldm_why_component(db, v, c) < REASON_COUNT);
			while ((p = ldm_next_partition(db, c, p)) != NULL)
				check(++partitions <= LDM_PARTITIONS);
		}
	}
}

static void check_members(const struct ldm_probe *p, const struct disk *d)
{
	struct member m;
	unsigned at = 0, n = 0;

	while (ldm_members(&p->db, &p->head.disk, d, &p->head, &at, &m)) {
		uint64_t in_holes_s512 = 0;

		check(++n <= LDM_PARTITIONS && m.role_count <= MEMBER_ROLES);
		check_text(m.name, sizeof(m.name));
		check(range_ok(m.start_lba, m.sectors_lba, d->sectors));
		for (unsigned i = 0; i < m.hole_count; i++) {
			check(range_ok(m.hole[i].start_s512, m.hole[i].len_s512, m.data_s512));
			in_holes_s512 += m.hole[i].len_s512;
		}
		if (m.status != ST_OK)
			continue;
		/* What is no hole lies on the disk: where the piece begins, as much as it has. */
		check(m.data_s512 - in_holes_s512 <= disk_s512(d, m.sectors_lba));
		if (m.hole_count == 0)
			check(m.data_start_s512 == 0);
	}
	check(n + ldm_others(&p->db, &p->head.disk) <= p->db.partition_count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct part_list list;
	static struct ldm_probe p, again;
	static uint8_t buf[DISK_SECTOR_BYTES];
	struct disk d = {.read = fuzz_read};
	unsigned flags;
	enum status st;

	if (n < 1)
		return 0;
	flags = *data++;
	n--;
	if (flags & RECORD) {
		check_record(data, n);
		return 0;
	}
	if (n > DISK_BYTES)
		n = DISK_BYTES;
	memset(content, 0, sizeof(content));
	memcpy(content, data, n);
	if (flags & FIX)
		fix(n);
	d.shift = flags & SECTORS_4K ? 12 : 9;
	d.sectors = (n + ((size_t)1 << d.shift) - 1) >> d.shift;

	fail_every = flags & FAIL_READS ? 5 : 0;
	if (part_read(&d, &list, buf) != ST_OK)
		return 0;
	reads = 0;
	memset(&p, 0xa5, sizeof(p));
	st = ldm_probe(&p, &d, &list, buf);
	check(reads <= LDM_READS_MAX);
	say_status("disk", (int)st);
	if (st == ST_ABSENT)
		check(reads == 0);
	if (st != ST_OK)
		return 0;
	say_number("volumes", p.db.volume_count);
	check_lists(&p.db);
	check_members(&p, &d);
	if (fail_every)
		return 0;
	memset(&again, 0x5a, sizeof(again));
	check(ldm_probe(&again, &d, &list, buf) == ST_OK);
	check(memcmp(&p.db, &again.db, sizeof(p.db)) == 0);
	return 0;
}
