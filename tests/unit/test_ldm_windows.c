/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * Real dynamic disks, of two groups that Windows Server 2003 R2 and 2008 R2 wrote: read to the
 * last byte. What is expected is what ldmtool says. They are not part of the project (the
 * test data of libldm, without a licence): the 19 images are looked for in the folder that
 * MIRRORBOOT_WINDOWS_DISKS names, ldm-data.tar.xz there or in ../shared/fixtures/ldm.
 */
#include "tests/unit/help_ldm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define IMAGE_BYTES 52428800u

static struct memdisk m;
static struct ldm_probe p;

static const char *const volumes_2003[] = {
	"Volume1 simple 96256 ACTIVE E: [ Disk1+0+0+96256 ]",
	"Volume2 spanned 192512 ACTIVE F: [ Disk3+0+0+96256 Disk2+0+96256+96256 ]",
	"Volume3 mirror 96256 ACTIVE H: [ Disk6+0+0+96256 ] [ Disk7+0+0+96256 ]",
	"Volume4 spanned 69632 ACTIVE J: [ Disk4+61440+0+34816 Disk5+61440+34816+34816 ]",
	"Stripe1 striped 122880 ACTIVE G: [ Disk4+0+0+61440 Disk5+0+0+61440 ]",
	"Raid1 raid5 192512 ACTIVE I: [ Disk10+0+0+96256 Disk9+0+0+96256 Disk8+0+0+96256 ]",
	NULL,
};
static const char *const volumes_2008[] = {
	"Volume1 spanned 129024 ACTIVE E: [ Disk1+65+0+96256 Disk2+94+96256+32768 ]",
	"Volume2 striped 65536 ACTIVE F: [ Disk3+65+0+32768 Disk4+94+0+32768 ]",
	"Volume3 mirror 32768 ACTIVE G: [ Disk5+65+0+32768 ] [ Disk6+94+0+32768 ]",
	"Volume4 raid5 65536 ACTIVE H: [ Disk7+65+0+32768 Disk8+94+0+32768 Disk9+94+0+32768 ]",
	"Volume5 spanned 190464 ACTIVE I: [ Disk7+32833+0+63488 Disk3+32833+63488+63488 "
	"Disk5+32833+126976+63488 ]",
	NULL,
};

struct image {
	const char *name;
	unsigned group;
	const char *disk;
	uint32_t public_lba, public_sectors;
	unsigned members, others;
};

static const struct image images[] = {
	{"ldm-2003r2-mirrored-1.img", 0, "Disk6", 63, 96327, 1, 0},
	{"ldm-2003r2-mirrored-2.img", 0, "Disk7", 63, 96327, 1, 0},
	{"ldm-2003r2-raid5-1.img", 0, "Disk8", 63, 96327, 0, 1},
	{"ldm-2003r2-raid5-2.img", 0, "Disk9", 63, 96327, 0, 1},
	{"ldm-2003r2-raid5-3.img", 0, "Disk10", 63, 96327, 0, 1},
	{"ldm-2003r2-simple-1.img", 0, "Disk1", 63, 96327, 0, 1},
	{"ldm-2003r2-spanned-1.img", 0, "Disk2", 63, 96327, 0, 1},
	{"ldm-2003r2-spanned-2.img", 0, "Disk3", 63, 96327, 0, 1},
	{"ldm-2003r2-striped-1.img", 0, "Disk4", 63, 96327, 0, 2},
	{"ldm-2003r2-striped-2.img", 0, "Disk5", 63, 96327, 0, 2},
	{"ldm-2008r2-mirrored-1.img", 1, "Disk5", 63, 100289, 1, 1},
	{"ldm-2008r2-mirrored-2.img", 1, "Disk6", 65570, 36797, 1, 0},
	{"ldm-2008r2-raid5-1.img", 1, "Disk7", 63, 100289, 0, 2},
	{"ldm-2008r2-raid5-2.img", 1, "Disk8", 65570, 36797, 0, 1},
	{"ldm-2008r2-raid5-3.img", 1, "Disk9", 65570, 36797, 0, 1},
	{"ldm-2008r2-spanned-1.img", 1, "Disk1", 63, 100289, 0, 1},
	{"ldm-2008r2-spanned-2.img", 1, "Disk2", 65570, 36797, 0, 1},
	{"ldm-2008r2-striped-1.img", 1, "Disk3", 63, 100289, 0, 2},
	{"ldm-2008r2-striped-2.img", 1, "Disk4", 65570, 36797, 0, 1},
};
#define IMAGES (sizeof(images) / sizeof(images[0]))

static void add(char *text, size_t size, const char *format, const char *s, uint64_t a, uint64_t b,
		uint64_t c)
{
	size_t n = strlen(text);

	snprintf(text + n, size - n, format, s, (unsigned long long)a, (unsigned long long)b,
		 (unsigned long long)c);
}

static void describe(const struct ldm_volume *v, char *text, size_t size)
{
	const struct ldm_component *c = NULL;

	snprintf(text, size, "%s %s %llu %s %s", v->name,
		 ldm_kind_name((uint8_t)ldm_kind(&p.db, v)), (unsigned long long)v->size_s512,
		 v->state, v->hint);
	while ((c = ldm_next_component(&p.db, v, c)) != NULL) {
		const struct ldm_partition *q = NULL;

		assert_true(ldm_is_active(c->state));
		add(text, size, " [%s", "", 0, 0, 0);
		while ((q = ldm_next_partition(&p.db, c, q)) != NULL)
			add(text, size, " %s+%llu+%llu+%llu", ldm_db_disk(&p.db, q->disk)->name,
			    q->start_s512, q->offset_s512, q->size_s512);
		add(text, size, " ]%s", "", 0, 0, 0);
	}
	assert_int_equal(ldm_why_volume(&p.db, v), REASON_NONE);
}

/* Every VBLK, put together here: each record is consumed to its last byte, and we know all types.
 */
static void check_records(unsigned want)
{
	const uint8_t *config = memdisk_at(&m, p.head.config_lba);
	unsigned slots = (unsigned)(p.head.config_sectors * 4), n = 0;

	for (unsigned i = 4; i < slots; i++) {
		const uint8_t *b = config + 128 * i;
		uint8_t data[LDMT_RECORD_BYTES];
		struct ldm_record r;
		unsigned pieces = b[15], found = 0;

		if (b[14] || b[15] == 0 || b[12] || b[13])
			continue; /* free, or not the first piece */
		for (unsigned k = 4; k < slots; k++) {
			const uint8_t *q = config + 128 * k;

			if (memcmp(q + 8, b + 8, 4) != 0 || q[15] == 0)
				continue;
			memcpy(data + 112 * q[13], q + 16, 112);
			found++;
		}
		assert_int_equal(found, pieces);
		assert_int_equal(ldm_record_parse(&r, data, 112 * pieces), ST_OK);
		assert_false(r.odd);
		assert_int_equal(r.status, 0);
		n++;
	}
	assert_int_equal(n, want);
}

static void check_image(const struct image *im, uint32_t sums[2][2])
{
	const char *const *want = im->group ? volumes_2008 : volumes_2003;
	static struct part_list list;
	uint8_t buf[DISK_SECTOR_BYTES];
	const struct ldm_disk *own = NULL;
	struct member member;
	unsigned at = 0, n = 0;
	char text[400];

	assert_int_equal(part_read(&m.disk, &list, buf), ST_OK);
	m.requests = 0;
	assert_int_equal(ldm_probe(&p, &m.disk, &list, buf), ST_OK);
	assert_in_range(m.requests, 1, 8);
	assert_int_equal(p.head.copies_bad, 0);
	assert_int_equal(p.head.copies, list.table == PART_TABLE_MBR ? 3 : 2);
	assert_int_equal(p.head.public_lba, im->public_lba);
	assert_int_equal(p.head.public_sectors, im->public_sectors);
	assert_int_equal(p.db.status, LDM_DB_CLEAN);
	assert_int_equal(p.db.committed, im->group ? 39 : 1133);
	assert_int_equal(p.db.log, 0);
	assert_false(p.db.full);
	assert_int_equal(p.db.disk_count, im->group ? 9 : 10);
	for (unsigned i = 0; i < p.db.disk_count; i++)
		if (guid_equal(&p.db.disk[i].guid, &p.head.disk))
			own = &p.db.disk[i];
	assert_non_null(own);
	assert_string_equal(own->name, im->disk);

	for (; want[n]; n++) {
		bool found = false;

		for (unsigned i = 0; i < p.db.volume_count; i++) {
			describe(&p.db.volume[i], text, sizeof(text));
			found |= strcmp(text, want[n]) == 0;
		}
		if (!found)
			fail_msg("%s: no volume: %s", im->name, want[n]);
	}
	assert_int_equal(p.db.volume_count, n);
	check_records(im->group ? 33 : 36);

	n = 0;
	while (ldm_members(&p.db, &p.head.disk, &m.disk, &p.head, &at, &member)) {
		assert_int_equal(member.status, ST_OK);
		assert_string_equal(member.name, "Volume3");
		n++;
	}
	assert_int_equal(n, im->members);
	assert_int_equal(ldm_others(&p.db, &p.head.disk), im->others);

	/* Databases and logs of a healthy group are alike to the bit. */
	if (sums[im->group][0]) {
		assert_int_equal(p.db.raw, sums[im->group][0]);
		assert_int_equal(p.db.check, sums[im->group][1]);
	}
	sums[im->group][0] = p.db.raw;
	sums[im->group][1] = p.db.check;
}

static FILE *open_images(bool *is_archive, char *folder, size_t size)
{
	const char *given = getenv("MIRRORBOOT_WINDOWS_DISKS");
	char path[600];

	snprintf(folder, size, "%s", given ? given : "../shared/fixtures/ldm");
	snprintf(path, sizeof(path), "%s/%s", folder, images[0].name);
	*is_archive = access(path, R_OK) != 0;
	if (!*is_archive)
		return NULL;
	snprintf(path, sizeof(path), "%s/ldm-data.tar.xz", folder);
	if (access(path, R_OK) != 0)
		return NULL;
	snprintf(path, sizeof(path), "tar -xJOf '%s/ldm-data.tar.xz'", folder);
	return popen(path, "r");
}

static void test_windows_disks(void **state)
{
	uint32_t sums[2][2] = {{0}};
	char folder[500];
	bool is_archive;
	FILE *f = open_images(&is_archive, folder, sizeof(folder));

	if (is_archive && !f) {
		print_message("SKIPPED: no ldm-data.tar.xz and no images in %s; "
			      "MIRRORBOOT_WINDOWS_DISKS can name a folder that has them\n",
			      folder);
		skip();
	}
	memdisk_open(&m, IMAGE_BYTES / 512, 9);
	for (unsigned i = 0; i < IMAGES; i++) {
		char path[600];

		if (!is_archive) {
			snprintf(path, sizeof(path), "%s/%s", folder, images[i].name);
			f = fopen(path, "rb");
			assert_non_null(f);
		}
		assert_int_equal(fread(m.bytes, 1, IMAGE_BYTES, f), IMAGE_BYTES);
		if (!is_archive)
			fclose(f);
		check_image(&images[i], sums);
	}
	if (is_archive)
		assert_int_equal(pclose(f), 0);
	memdisk_close(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_windows_disks)};

	return cmocka_run_group_tests_name("ldm_windows", tests, NULL, NULL);
}
