/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* LDM's records: every type with every optional field, cut anywhere, and with more than we know. */
#include "tests/unit/help_ldm.h"

#include <string.h>

static struct ldmt_record r;
static struct ldm_record got;

static struct ldm_volume a_volume(void)
{
	struct ldmt_group g;

	ldmt_mirror(&g);
	return g.volume[0];
}

/* Whole; then cut at every byte, in its data and in its own length; then with a byte more. */
static void parse(unsigned type, unsigned status)
{
	uint8_t cut[LDMT_RECORD_BYTES];

	assert_int_equal(ldm_record_parse(&got, r.b, r.n), ST_OK);
	for (unsigned n = 0; n < r.n; n++) {
		assert_int_equal(ldm_record_parse(&got, r.b, n), ST_CORRUPT);
		memcpy(cut, r.b, sizeof(cut));
		if (n >= 8) {
			ldmt_be(cut + 4, n - 8, 4);
			assert_int_equal(ldm_record_parse(&got, cut, sizeof(cut)), ST_CORRUPT);
		}
	}
	memcpy(cut, r.b, sizeof(cut));
	ldmt_be(cut + 4, r.n - 8 + 1, 4);
	assert_int_equal(ldm_record_parse(&got, cut, sizeof(cut)), ST_OK);
	assert_true(got.object.odd);

	assert_int_equal(ldm_record_parse(&got, r.b, sizeof(r.b)), ST_OK);
	assert_int_equal(got.type, type);
	assert_int_equal(got.status, status);
	assert_int_equal(got.bytes, r.n);
	assert_false(got.object.odd);
}

static void test_volume(void **state)
{
	struct ldm_volume v = a_volume();

	v.size_s512 = 0x123456789abc;
	ldmt_volume(&r, 2, &v);
	parse(LDM_VOLUME, 2);
	assert_int_equal(got.volume.id, 4);
	assert_string_equal(got.name, "Volume1");
	assert_string_equal(got.volume.type, "gen");
	assert_string_equal(got.volume.state, "ACTIVE");
	assert_string_equal(got.volume.hint, "C:");
	assert_int_equal(got.volume.read_policy, 3);
	assert_int_equal(got.volume.part_type, 7);
	assert_int_equal(got.volume.flags, 0x11);
	assert_int_equal(got.volume.components, 2);
	assert_int_equal(got.volume.size_s512, 0x123456789abc);
	assert_memory_equal(&got.volume.guid, &v.guid, 16);
}

/* Each with its flag, alone and with all others. */
static void test_volume_options(void **state)
{
	static const uint8_t flag[] = {0x08, 0x20, 0x80, 0x02};
	struct ldm_volume v = a_volume();

	v.hint[0] = '\0';
	for (unsigned mask = 0; mask < 16; mask++) {
		unsigned flags = 0;

		ldmt_volume(&r, 0, &v);
		for (unsigned i = 0; i < 4; i++) {
			if (!(mask >> i & 1))
				continue;
			flags |= flag[i];
			if (i < 3)
				ldmt_var(&r, 0x1234567890 + i);
			else
				ldmt_text(&r, "H:");
		}
		r.b[2] = (uint8_t)flags;
		ldmt_end(&r);
		parse(LDM_VOLUME, 0);
		assert_string_equal(got.volume.hint, mask & 8 ? "H:" : "");
	}
}

static void test_component(void **state)
{
	struct ldm_component c = {.id = 5,
				  .name = "Volume1-01",
				  .state = "STALE",
				  .layout = LDM_STRIPED,
				  .volume = 4,
				  .flags = 0x0a0b0c0d,
				  .partitions = 3,
				  .columns = 300,
				  .stripe_s512 = 128};

	ldmt_component(&r, 1, &c);
	parse(LDM_COMPONENT, 1);
	assert_int_equal(got.component.id, 5);
	assert_string_equal(got.component.name, "Volume1-01");
	assert_string_equal(got.component.state, "STALE");
	assert_int_equal(got.component.layout, LDM_STRIPED);
	assert_int_equal(got.component.volume, 4);
	assert_int_equal(got.component.flags, 0x0a0b0c0d);
	assert_int_equal(got.component.partitions, 3);
	assert_int_equal(got.component.columns, 300);
	assert_int_equal(got.component.stripe_s512, 128);
	c.columns = 0;
	ldmt_component(&r, 0, &c);
	parse(LDM_COMPONENT, 0);
	assert_int_equal(got.component.columns, 0);
}

static void test_partition(void **state)
{
	static const uint8_t flag[] = {0x08, 0x20, 0x40, 0x02};

	for (unsigned mask = 0; mask < 16; mask++) {
		unsigned flags = 0;

		ldmt_start(&r, 0, 0, 0x33, 70000, "Disk1-01");
		ldmt_fixed(&r, 0x18, 4);
		ldmt_fixed(&r, 7, 8);
		ldmt_fixed(&r, 0x1122334455, 8);
		ldmt_fixed(&r, 0x66, 8);
		ldmt_var(&r, 0x7788);
		ldmt_var(&r, 5);
		ldmt_var(&r, 2);
		for (unsigned i = 0; i < 4; i++) {
			if (!(mask >> i & 1))
				continue;
			flags |= flag[i];
			if (i == 1)
				ldmt_fixed(&r, 9, 8);
			else
				ldmt_var(&r, 6 + i);
		}
		r.b[2] = (uint8_t)flags;
		ldmt_end(&r);
		parse(LDM_PARTITION, 0);
		assert_int_equal(got.partition.id, 70000);
		assert_int_equal(got.partition.flags, 0x18);
		assert_int_equal(got.partition.start_s512, 0x1122334455);
		assert_int_equal(got.partition.offset_s512, 0x66);
		assert_int_equal(got.partition.size_s512, 0x7788);
		assert_int_equal(got.partition.component, 5);
		assert_int_equal(got.partition.disk, 2);
		assert_int_equal(got.partition.column, mask & 1 ? 6 : 0);
	}
}

static void test_disk(void **state)
{
	struct ldmt_group g;

	ldmt_mirror(&g);
	g.disk[0].flags = 0x204;
	memcpy(g.disk[0].device, "Harddisk0", 10);
	g.disk[0].guid.b[0] = 0xfe;
	ldmt_disk(&r, 0, &g.disk[0]);
	parse(LDM_DISK, 0);
	assert_int_equal(got.disk.flags, 0x204);
	assert_string_equal(got.disk.device, "Harddisk0");
	assert_memory_equal(&got.disk.guid, &g.disk[0].guid, 16);

	/* Revision 4: its GUID and the disk set's, as bytes. */
	ldmt_start(&r, 0, 0, 0x44, 11, "Disk1");
	for (unsigned i = 0; i < 32; i++)
		ldmt_fixed(&r, i, 1);
	ldmt_text(&r, "");
	ldmt_fixed(&r, 0x100, 4);
	ldmt_fixed(&r, 7, 8);
	ldmt_end(&r);
	parse(LDM_DISK, 0);
	assert_int_equal(got.disk.flags, 0x100);
	assert_int_equal(got.disk.guid.b[15], 15);
}

static void test_disk_without_guid(void **state)
{
	ldmt_start(&r, 0, 0, 0x34, 11, "Disk1");
	ldmt_text(&r, "not a guid");
	ldmt_text(&r, "");
	ldmt_fixed(&r, 0, 4);
	ldmt_fixed(&r, 7, 8);
	ldmt_end(&r);
	assert_int_equal(ldm_record_parse(&got, r.b, sizeof(r.b)), ST_CORRUPT);
}

static void test_group(void **state)
{
	for (unsigned i = 0; i < 8; i++) {
		ldmt_group(&r, i & 1, (i & 2 ? 0x08u : 0) | (i & 4 ? 0x10u : 0));
		parse(LDM_GROUP, 0);
		assert_string_equal(got.name, "TestDg0");
	}
}

static void test_numbers(void **state)
{
	static const struct {
		uint8_t bytes[10];
		bool good;
	} ids[] = {
		{{0}, true},                            /* of no bytes: 0 */
		{{1, 7}, true},                         /* */
		{{5, 0, 0xff, 0xff, 0xff, 0xff}, true}, /* */
		{{8, 0, 0, 0, 0, 0, 0, 0, 9}, true},    /* */
		{{5, 1, 0, 0, 0, 0}, false},            /* 2^32 is no id */
		{{9, 0, 0, 0, 0, 0, 0, 0, 0, 9}, false},
	};
	static const uint32_t want[] = {0, 7, 0xffffffff, 9};

	for (unsigned i = 0; i < 6; i++) {
		struct ldmt_record id = {.n = 0};

		ldmt_group(&r, false, 0);
		memcpy(id.b, r.b, 8);
		memcpy(id.b + 8, ids[i].bytes, 10);
		memcpy(id.b + 9 + ids[i].bytes[0], r.b + 10, 300);
		id.n = r.n + ids[i].bytes[0] - 1;
		ldmt_end(&id);
		assert_int_equal(ldm_record_parse(&got, id.b, sizeof(id.b)),
				 ids[i].good ? ST_OK : ST_CORRUPT);
		if (ids[i].good)
			assert_int_equal(got.object.id, want[i]);
	}
}

/* Of an unknown type or revision; of an unknown flag; in a state that there is none of. */
static void test_unknown(void **state)
{
	static const uint8_t kinds[] = {0x41, 0x50, 0x31, 0x43, 0x54, 0x24, 0x36, 0x00, 0xff};
	struct ldm_volume v = a_volume();

	for (unsigned i = 0; i < sizeof(kinds); i++) {
		ldmt_volume(&r, 0, &v);
		r.b[3] = kinds[i];
		assert_int_equal(ldm_record_parse(&got, r.b, sizeof(r.b)), ST_ABSENT);
	}
	for (unsigned bit = 0; bit < 8; bit++) {
		ldmt_group(&r, false, 0);
		r.b[2] = (uint8_t)(1u << bit);
		if (bit == 3 || bit == 4)
			continue;
		assert_int_equal(ldm_record_parse(&got, r.b, sizeof(r.b)), ST_OK);
		assert_true(got.object.odd);
	}
	for (unsigned status = 3; status < 0x10000; status += 0x7ff) {
		ldmt_volume(&r, status, &v);
		assert_int_equal(ldm_record_parse(&got, r.b, sizeof(r.b)), ST_CORRUPT);
	}
	ldmt_volume(&r, 0x100, &v);
	assert_int_equal(ldm_record_parse(&got, r.b, sizeof(r.b)), ST_CORRUPT);
}

static void test_names(void **state)
{
	char long_name[] = "0123456789012345678901234567890123456789";

	ldmt_start(&r, 0, 0, 0x35, 1, "a\x01\xff~ b");
	ldmt_text(&r, "d0d0d0d0-d0d0-d0d0-d0d0-d0d0d0d0d0d0");
	ldmt_fixed(&r, 0, 12);
	ldmt_end(&r);
	assert_int_equal(ldm_record_parse(&got, r.b, sizeof(r.b)), ST_OK);
	assert_string_equal(got.name, "a??~ b");

	struct ldm_volume v = a_volume();

	ldmt_volume(&r, 0, &v);
	memset(r.b, 0, sizeof(r.b));
	ldmt_start(&r, 0, 0, 0x35, 1, long_name);
	ldmt_text(&r, "d0d0d0d0-d0d0-d0d0-d0d0-d0d0d0d0d0d0");
	ldmt_fixed(&r, 0, 12);
	ldmt_end(&r);
	assert_int_equal(ldm_record_parse(&got, r.b, sizeof(r.b)), ST_OK);
	long_name[LDM_NAME_BYTES - 1] = '\0';
	assert_string_equal(got.name, long_name);
}

static void test_states(void **state)
{
	static const char *const other[] = {"", "ACTIV", "ACTIVE2", "active", "STALE", "ACTIVE "};

	assert_true(ldm_is_active("ACTIVE"));
	for (unsigned i = 0; i < 6; i++) {
		char text[LDM_TEXT_BYTES] = "";

		memcpy(text, other[i], strlen(other[i]));
		assert_false(ldm_is_active(text));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_volume),    cmocka_unit_test(test_volume_options),
		cmocka_unit_test(test_component), cmocka_unit_test(test_partition),
		cmocka_unit_test(test_disk),      cmocka_unit_test(test_disk_without_guid),
		cmocka_unit_test(test_group),     cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_unknown),   cmocka_unit_test(test_names),
		cmocka_unit_test(test_states),
	};

	return cmocka_run_group_tests_name("ldm_record", tests, NULL, NULL);
}
