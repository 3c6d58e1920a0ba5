/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* VMDB, VBLKs and KLOG of one disk: what is read, what is refused, and how much it may cost. */
#include "tests/unit/help_ldm.h"

#include <string.h>

static struct memdisk m;
static struct ldmt_group g;
static struct ldmt_place at;
static struct ldm_probe p;
static bool is_gpt;
static unsigned shift = 9;

static int teardown(void **state)
{
	memdisk_close(&m);
	return 0;
}

static enum status probe(void)
{
	static struct part_list list;
	uint8_t buf[DISK_SECTOR_BYTES];
	enum status st;

	assert_int_equal(part_read(&m.disk, &list, buf), ST_OK);
	m.requests = 0;
	st = ldm_probe(&p, &m.disk, &list, buf);
	assert_in_range(m.requests, 1, LDM_READS_MAX);
	return st;
}

/* g.db as it is, on a new disk. */
static enum status read_db(void)
{
	memdisk_close(&m);
	ldmt_disk_open(&m, &g.db, 0x11, is_gpt, shift);
	at = ldmt_place(&m, is_gpt);
	return probe();
}

static void make(void)
{
	ldmt_mirror(&g);
	ldmt_make(&g);
}

static uint8_t *config(void)
{
	return memdisk_at(&m, at.private_lba + at.config);
}

static void test_all_tables(void **state)
{
	for (unsigned i = 0; i < 4; i++) {
		is_gpt = i & 1;
		shift = i & 2 ? 12 : 9;
		make();
		assert_int_equal(read_db(), ST_OK);
		assert_in_range(m.requests, 1, 8);
		assert_int_equal(p.db.status, LDM_DB_CLEAN);
		assert_int_equal(p.db.committed, 100);
		assert_int_equal(p.db.log, 0);
		assert_false(p.db.full);
		assert_string_equal(p.db.group_name, "TestDg0");
		assert_int_equal(p.db.volume_count, 1);
		assert_int_equal(p.db.component_count, 2);
		assert_int_equal(p.db.partition_count, 2);
		assert_int_equal(p.db.disk_count, 2);
		/* These structs are all zero where nothing is: names and texts too. */
		assert_memory_equal(&p.db.volume[0], &g.volume[0], sizeof(g.volume[0]));
		assert_memory_equal(p.db.component, g.component, 2 * sizeof(g.component[0]));
		assert_memory_equal(p.db.partition, g.partition, 2 * sizeof(g.partition[0]));
		assert_memory_equal(p.db.disk, g.disk, 2 * sizeof(g.disk[0]));
		assert_ptr_equal(ldm_db_volume(&p.db, 4), &p.db.volume[0]);
		assert_ptr_equal(ldm_db_component(&p.db, 21), &p.db.component[1]);
		assert_ptr_equal(ldm_db_disk(&p.db, 12), &p.db.disk[1]);
		assert_null(ldm_db_disk(&p.db, 4));
	}
	is_gpt = false;
	shift = 9;
}

/* Pieces of two records, far apart, back to front, and in among each other. */
static void test_pieces(void **state)
{
	static const unsigned slots[2][4] = {{900, 40, 41, 300}, {39, 899, 5000, 42}};
	struct ldmt_record r[2];

	make();
	for (unsigned i = 0; i < 2; i++) {
		memset(g.disk[2 + i].device, 'd' + (int)i, LDM_NAME_BYTES - 1);
		g.disk[2 + i].id = 13 + i;
		ldmt_disk(&r[i], 0, &g.disk[2 + i]);
		/* A record as long as any: optional fields that nobody knows. */
		r[i].n = 430;
		ldmt_end(&r[i]);
		for (unsigned k = 0; k < 4; k++)
			ldmt_put(&g.db, slots[i][k], 500 + i, (k + 1) % 4, 4,
				 r[i].b + 112 * ((k + 1) % 4));
		g.db.count[3]++;
		g.db.pending_count[3]++;
	}
	assert_int_equal(read_db(), ST_OK);
	assert_int_equal(p.db.disk_count, 4);
	assert_false(p.db.full);
	for (unsigned i = 2; i < 4; i++) {
		const struct ldm_disk *d = ldm_db_disk(&p.db, 11 + i);

		assert_true(d->odd);
		assert_int_equal(d->device[31], 'd' + i - 2);
	}
	assert_in_range(m.requests, 70, LDM_READS_MAX);
}

static void test_bad_pieces(void **state)
{
	struct ldmt_record r;

	for (unsigned i = 0; i < 9; i++) {
		make();
		ldmt_disk(&r, 0, &g.disk[0]);
		r.n = 300;
		ldmt_be(r.b + 8, 0x0163, 2); /* id 0x63 */
		ldmt_end(&r);
		g.db.count[3]++;
		for (unsigned k = 0; k < 3; k++)
			ldmt_put(&g.db, 50 + k, 500, k, 3, r.b + 112 * k);
		switch (i) {
		case 0: break;
		case 1: ldmt_put(&g.db, 52, 500, 1, 3, r.b); break; /* one twice, one not at all */
		case 2: ldmt_put(&g.db, 52, 500, 2, 4, r.b); break; /* of 3 and of 4 */
		case 3: ldmt_put(&g.db, 52, 500, 3, 3, r.b); break; /* beyond its own count */
		case 4: ldmt_put(&g.db, 60, 600, 0, 5, r.b); break; /* more than any record has */
		case 5: ldmt_put(&g.db, 52, 501, 2, 3, r.b); break; /* of another record */
		case 6: ldmt_put(&g.db, 60, 600, 3, 3, r.b); break; /* beyond, of none else */
		case 7:                                             /* the first one twice */
			ldmt_put(&g.db, 53, 500, 2, 3, r.b + 224);
			ldmt_put(&g.db, 52, 500, 1, 3, r.b + 112);
			ldmt_put(&g.db, 51, 500, 0, 3, r.b);
			break;
		case 8: ldmt_put(&g.db, 50, 500, 0, 4, r.b); break; /* of 4 and of 3 */
		}
		assert_int_equal(read_db(), i == 0 ? ST_OK : ST_CORRUPT);
	}
	/* One piece that is not the first. */
	make();
	ldmt_put(&g.db, 4, 2, 1, 1, g.db.config + 128 * 4 + 16);
	assert_int_equal(read_db(), ST_CORRUPT);
}

static void test_vmdb_fields(void **state)
{
	static const struct {
		unsigned at, bytes;
		uint64_t value;
		enum status st;
	} cases[] = {
		{0, 1, 'v', ST_CORRUPT},
		{4, 4, LDMT_SLOTS + 1, ST_CORRUPT}, /* more than the region has */
		{4, 4, 11, ST_CORRUPT},             /* the last record is not one of them */
		{4, 4, 12, ST_OK},
		{8, 4, 256, ST_CORRUPT},
		{12, 4, 1024, ST_CORRUPT},
		{0x10, 2, 0, ST_UNSUPPORTED},
		{0x10, 2, 4, ST_UNSUPPORTED},
		{0x10, 2, 5, ST_UNSUPPORTED},
		{0x10, 2, 6, ST_UNSUPPORTED},
		{0x10, 2, 8, ST_UNSUPPORTED},
		{0x10, 2, 0x101, ST_UNSUPPORTED},
		{0x35, 1, 'x', ST_CORRUPT},
		{0x35, 1, 'e', ST_CORRUPT}, /* another group's */
		{0x75, 8, 101, ST_CORRUPT}, /* clean, with a transaction on its way */
		{0x7d, 8, 101, ST_CORRUPT},
		{0x85, 4, 0, ST_CORRUPT}, /* counts, one too many and too few */
		{0x85, 4, 2, ST_CORRUPT},
		{0x89, 4, 1, ST_CORRUPT},
		{0x89, 4, 3, ST_CORRUPT},
		{0x8d, 4, 1, ST_CORRUPT},
		{0x8d, 4, 3, ST_CORRUPT},
		{0x91, 4, 1, ST_CORRUPT},
		{0x91, 4, 3, ST_CORRUPT},
		{0x91, 4, 0x80000002, ST_CORRUPT},
	};

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		make();
		read_db();
		ldmt_be(config() + cases[i].at, cases[i].value, cases[i].bytes);
		assert_int_equal(probe(), cases[i].st);
	}
}

static void test_vblk_fields(void **state)
{
	make();
	read_db();
	config()[128 * 6] = 'v';
	assert_int_equal(probe(), ST_CORRUPT);
	read_db();
	ldmt_be(config() + 128 * 6 + 4, 7, 4);
	assert_int_equal(probe(), ST_CORRUPT);
	/* A record that is none. */
	read_db();
	config()[128 * 6 + 16] = 9;
	assert_int_equal(probe(), ST_CORRUPT);
	/* Two of one identity. */
	make();
	g.disk[1].id = 11;
	ldmt_make(&g);
	assert_int_equal(read_db(), ST_CORRUPT);
	/* Of different types: that is another matter. */
	make();
	g.disk[1].id = 4;
	ldmt_make(&g);
	assert_int_equal(read_db(), ST_OK);
}

/* An update from one disk to two volumes: the old disk record goes, a new one and a volume come. */
static void change(unsigned status)
{
	struct ldmt_record r;

	ldmt_mirror(&g);
	g.disks = 1;
	ldmt_make(&g);
	g.db.status = status;
	g.db.pending = 101;
	ldmt_disk(&r, 1, &g.disk[1]);
	ldmt_add(&g.db, &r);
	g.disk[1].flags = LDM_DISK_FAILING;
	ldmt_disk(&r, 2, &g.disk[1]);
	ldmt_add(&g.db, &r);
	g.volume[1] = g.volume[0];
	g.volume[1].id = 50;
	ldmt_volume(&r, 2, &g.volume[1]);
	ldmt_add(&g.db, &r);
}

static void test_update_on_its_way(void **state)
{
	uint32_t old, new;

	/* Before: as if nothing had been done. */
	change(LDM_DB_CHANGE);
	assert_int_equal(read_db(), ST_OK);
	assert_int_equal(p.db.committed, 100);
	assert_int_equal(p.db.volume_count, 1);
	assert_int_equal(p.db.disk[1].flags, 0);
	assert_int_equal(p.db.log, LDM_LOG_CUT);
	assert_int_equal(p.db.raw, 0);
	old = p.db.check;

	/* After: as if it were done. */
	change(LDM_DB_COMMIT);
	assert_int_equal(read_db(), ST_OK);
	assert_int_equal(p.db.committed, 101);
	assert_int_equal(p.db.volume_count, 2);
	assert_int_equal(p.db.disk[1].flags, LDM_DISK_FAILING);
	assert_int_equal(p.db.log, LDM_LOG_CUT);
	assert_int_equal(p.db.raw, 0);
	new = p.db.check;
	assert_int_not_equal(old, new);

	/* New records were written, the header not yet. */
	change(LDM_DB_CLEAN);
	g.db.pending = 100;
	assert_int_equal(read_db(), ST_OK);
	assert_int_equal(p.db.committed, 100);
	assert_int_equal(p.db.volume_count, 1);
	assert_int_equal(p.db.log, LDM_LOG_CUT);
	assert_int_equal(p.db.raw, 0);
	assert_int_equal(p.db.check, old);

	/* The same, finished: another disk of the group may be as far as that. */
	ldmt_mirror(&g);
	g.disk[1].flags = LDM_DISK_FAILING;
	g.volume[1] = g.volume[0];
	g.volume[1].id = 50;
	g.volumes = 2;
	ldmt_make(&g);
	g.db.committed = g.db.pending = 101;
	assert_int_equal(read_db(), ST_OK);
	assert_int_equal(p.db.log, 0);
	assert_int_not_equal(p.db.raw, 0);
	assert_int_equal(p.db.check, new);
	ldmt_mirror(&g);
	ldmt_make(&g);
	assert_int_equal(read_db(), ST_OK);
	assert_int_equal(p.db.check, old);

	/* Counts are those of the view. */
	change(LDM_DB_CHANGE);
	g.db.count[0] = 2;
	assert_int_equal(read_db(), ST_CORRUPT);
	change(LDM_DB_COMMIT);
	g.db.pending_count[0] = 1;
	assert_int_equal(read_db(), ST_CORRUPT);
}

/* A new record of two pieces, of which one was written: nothing is known to be wrong, but it was
 * cut. */
static void test_half_a_record(void **state)
{
	struct ldmt_record r;

	make();
	ldmt_disk(&r, 2, &g.disk[0]);
	ldmt_put(&g.db, g.db.slot, 500, 0, 2, r.b);
	assert_int_equal(read_db(), ST_OK);
	assert_int_equal(p.db.log, LDM_LOG_CUT);
	assert_int_equal(p.db.raw, 0);
}

static void test_log(void **state)
{
	static const struct {
		unsigned page, entry, status, log;
	} cases[] = {
		{0, 1, 3, 0},
		{0, 1, 1, LDM_LOG_DETACH},
		{0, 19, 1, 0}, /* behind the end */
		{0, 1, 4, LDM_LOG_DETACH},
		{0, 1, 2, LDM_LOG_DIRTY},
		{0, 1, 5, LDM_LOG_DIRTY},
		{0, 1, 77, LDM_LOG_DIRTY}, /* what it is, nobody knows */
		{1, 0, 1, LDM_LOG_DETACH},
	};
	uint32_t raw;

	make();
	assert_int_equal(read_db(), ST_OK);
	raw = p.db.raw;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		make();
		ldmt_log(&g.db, cases[i].page, cases[i].entry, cases[i].status);
		assert_int_equal(read_db(), ST_OK);
		assert_int_equal(p.db.log, cases[i].log);
		assert_int_not_equal(p.db.raw, raw);
	}
	make();
	for (unsigned i = 0; i < 20; i++)
		ldmt_log(&g.db, 1, i, i == 19 ? 1 : 3);
	assert_int_equal(read_db(), ST_OK);
	assert_int_equal(p.db.log, LDM_LOG_DETACH);
}

static void test_log_of_no_use(void **state)
{
	for (unsigned i = 0; i < 7; i++) {
		make();
		read_db();
		uint8_t *log = memdisk_at(&m, at.private_lba + at.log);

		switch (i) {
		case 0: memdisk_fail(&m, at.private_lba + at.log, 1); break;
		case 1: log[0] = 'k'; break;
		case 2: log[512] = 'k'; break;
		case 3: ldmt_be(log + 16, 17, 4); break; /* pages */
		case 4: ldmt_be(log + 16, 0, 4); break;
		case 5: ldmt_be(log + 512 + 20, 0, 4); break; /* which of them it is */
		case 6: ldmt_be(log + 16, 1, 4); break;
		}
		assert_int_equal(probe(), ST_OK);
		assert_int_equal(p.db.log, i == 6 ? 0 : LDM_LOG_UNREAD);
		assert_int_equal(p.db.raw == 0, i != 6);
	}
}

/* Every bit of what is read shows in the sums: of the records in both. */
static void test_sums(void **state)
{
	uint32_t raw, check;

	make();
	assert_int_equal(read_db(), ST_OK);
	raw = p.db.raw;
	check = p.db.check;
	assert_int_equal(probe(), ST_OK);
	assert_int_equal(p.db.raw, raw);
	assert_int_equal(p.db.check, check);

	config()[0xc4]++; /* when it was last changed */
	assert_int_equal(probe(), ST_OK);
	assert_int_not_equal(p.db.raw, raw);
	assert_int_equal(p.db.check, check);

	read_db();
	memdisk_at(&m, at.private_lba + at.log)[6]++;
	assert_int_equal(probe(), ST_OK);
	assert_int_not_equal(p.db.raw, raw);
	assert_int_equal(p.db.check, check);

	make();
	g.partition[1].start_s512++;
	ldmt_make(&g);
	assert_int_equal(read_db(), ST_OK);
	assert_int_not_equal(p.db.raw, raw);
	assert_int_not_equal(p.db.check, check);

	/* In other slots. */
	make();
	ldmt_open(&g.db);
	g.db.slot = 9;
	for (unsigned i = 0; i < 2; i++) {
		struct ldmt_record r;

		ldmt_component(&r, 0, &g.component[1 - i]);
		ldmt_add(&g.db, &r);
		ldmt_partition(&r, 0, &g.partition[1 - i]);
		ldmt_add(&g.db, &r);
		ldmt_disk(&r, 0, &g.disk[1 - i]);
		ldmt_add(&g.db, &r);
		if (i)
			continue;
		ldmt_volume(&r, 0, &g.volume[0]);
		ldmt_add(&g.db, &r);
		ldmt_group(&r, false, 0);
		ldmt_add(&g.db, &r);
	}
	assert_int_equal(read_db(), ST_OK);
	assert_int_equal(p.db.check, check);
}

static void test_unreadable(void **state)
{
	make();
	read_db();
	memdisk_fail(&m, at.private_lba + at.config, 1);
	assert_int_equal(probe(), ST_IO);
	/* Behind the last record nothing is read. */
	read_db();
	memdisk_fail(&m, at.private_lba + at.config + 16, 1000);
	assert_int_equal(probe(), ST_OK);
}

/* Each table one too full: the rest is left out, and that is said. */
static void test_full(void **state)
{
	static const unsigned max[] = {LDM_VOLUMES, LDM_COMPONENTS, LDM_PARTITIONS, LDM_DISKS};
	struct ldmt_record r;

	for (unsigned t = 0; t < 4; t++) {
		for (unsigned over = 0; over < 2; over++) {
			make();
			ldmt_open(&g.db);
			for (unsigned i = 0; i < max[t] + over; i++) {
				g.volume[0].id = g.component[0].id = 1000 + i;
				g.partition[0].id = g.disk[0].id = 1000 + i;
				switch (t) {
				case 0: ldmt_volume(&r, 0, &g.volume[0]); break;
				case 1: ldmt_component(&r, 0, &g.component[0]); break;
				case 2: ldmt_partition(&r, 0, &g.partition[0]); break;
				case 3: ldmt_disk(&r, 0, &g.disk[0]); break;
				}
				ldmt_add(&g.db, &r);
			}
			assert_int_equal(read_db(), ST_OK);
			assert_int_equal(p.db.full, over);
			assert_int_equal(p.db.count[t], max[t]);
		}
	}
}

/* Beginnings of more records than are kept at a time. */
static void test_full_of_pieces(void **state)
{
	struct ldmt_record r;

	make();
	ldmt_disk(&r, 0, &g.disk[0]);
	for (unsigned i = 0; i < LDM_PIECES + 1; i++)
		ldmt_put(&g.db, 4 + i, 100 + i, 0, 2, r.b);
	assert_int_equal(read_db(), ST_OK);
	assert_true(p.db.full);
	assert_in_range(m.requests, 90, LDM_READS_MAX);
}

/* A region of the whole disk, and a header that counts on records for ever. */
static void test_costs_are_bounded(void **state)
{
	for (unsigned i = 0; i < 2; i++) {
		static const unsigned large = 1 << 16;
		struct ldmt_place was;
		struct memdisk all;

		make();
		g.db.count[0] = g.db.pending_count[0] = 0xffffffff;
		read_db();
		was = at;
		memdisk_open(&all, large, 9);
		memcpy(all.bytes, m.bytes, (size_t)LDMT_SECTORS << 9);
		for (unsigned k = 0; k < 7; k++) {
			uint64_t lba[7] = {6,
					   was.private_lba + was.primary,
					   was.private_lba + was.second,
					   was.private_lba + 1,
					   was.private_lba + 2,
					   was.private_lba + 2045,
					   was.private_lba + 2046};
			uint8_t *b = all.bytes + (lba[k] << 9);

			if (k < 3)
				ldmt_be(b + 0x133, large - was.private_lba, 8);
			else
				ldmt_be(b + 0x24 + 18, large - was.private_lba - 17, 8);
			ldmt_resum(b);
		}
		uint8_t *c = all.bytes + ((was.private_lba + was.config) << 9);

		ldmt_be(c + 4, i ? (LDM_DB_READS_MAX - 1) * LDM_CHUNK_BYTES / 128 : 0xffffffff, 4);
		for (unsigned slot = LDMT_SLOTS; slot < 4 * (large - was.private_lba - 17);
		     slot++) {
			memcpy(c + 128 * slot, "VBLK", 4);
			ldmt_be(c + 128 * slot + 4, slot, 4);
			ldmt_be(c + 128 * slot + 14, 0, 2);
		}
		memdisk_close(&m);
		m = all;
		m.disk.ctx = &m;
		assert_int_equal(probe(), ST_CORRUPT);
		if (i)
			assert_in_range(m.requests, LDM_DB_READS_MAX - 1, LDM_READS_MAX);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_tables),     cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_bad_pieces),     cmocka_unit_test(test_vmdb_fields),
		cmocka_unit_test(test_vblk_fields),    cmocka_unit_test(test_update_on_its_way),
		cmocka_unit_test(test_half_a_record),  cmocka_unit_test(test_log),
		cmocka_unit_test(test_log_of_no_use),  cmocka_unit_test(test_sums),
		cmocka_unit_test(test_unreadable),     cmocka_unit_test(test_full),
		cmocka_unit_test(test_full_of_pieces), cmocka_unit_test(test_costs_are_bounded),
	};

	return cmocka_run_group_tests_name("ldm_db", tests, NULL, teardown);
}
