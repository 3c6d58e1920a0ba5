/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* What is said of boot entries: every sentence that there is, as it is read. */
#include "help_nv.h"

#include "common/nvlist.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static struct help_nv h;
static struct text_buffer b;

static const char *why(const struct nvstore *s, int error)
{
	return error == 5 ? "the store is broken" : "another reason";
}

static const struct nvstore store = {.why = why};

static struct text *said(void)
{
	memset(h.text, 0, sizeof(h.text));
	text_buffer_init(&b, h.text, sizeof(h.text));
	return &b.text;
}

/* "GUID" in the wanted text stands for the GUID of a partition. */
static void check(const char *want, unsigned part)
{
	char text[2048] = "", guid[GUID_TEXT_BYTES];
	struct guid g = help_nv_guid(part);

	guid_text_gpt(&g, guid);
	for (const char *p = want; *p;) {
		size_t n = strlen(text);

		if (!strncmp(p, "GUID", 4) && strncmp(p, "GUIDs", 5) != 0) {
			strcpy(text + n, guid);
			p += 4;
		} else {
			text[n] = *p++;
		}
	}
	assert_string_equal(h.text, text);
}

static void fails(void **state)
{
	static const struct {
		enum nvwhy why;
		bool given;
		const char *text;
	} rows[] = {
		{NVWHY_NO_PARTITION, true, "partition GUID is on none of these disks"},
		{NVWHY_NO_PARTITION, false,
		 "partition GUID was not found; name the disk that has it"},
		{NVWHY_TWICE, true,
		 "partition GUID is there twice: a disk was copied with its GUIDs. Give one of the "
		 "two a new one (sgdisk --partition-guid)"},
		{NVWHY_NO_SOURCE, true, "no boot entry is on partition GUID"},
		{NVWHY_NUMBERS, true, "all 65536 numbers of boot entries are taken"},
		{NVWHY_NO_CURRENT, true, "no boot entry says which loader is in use"},
		{NVWHY_SAME, true, "Boot00A7, which is in use, is on that partition itself"},
		{NVWHY_NO_ENTRY, true, "there is no Boot00A7"},
		{NVWHY_NONE_ON, true, "no boot entry is on that partition"},
		{NVWHY_EMPTY_ORDER, true,
		 "nothing would be left in the boot order that can be started, and what the "
		 "firmware starts then is its own choice: --force does it all the same"},
		{NVWHY_FULL, true, "there are more boot entries than there is room for"},
	};

	help_nv_start(&h, 2);
	help_nv_order(&h, -1);
	help_nv_plan(&h, 0, 0, SIZE_MAX);
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct nvfail f = {rows[i].why, 0xa7, help_nv_guid(1)};
		char want[512] = "mirrorboot: ";

		h.parts.given = rows[i].given;
		nvsay_fail(&h.plan, &f, said());
		strcat(strcat(want, rows[i].text), "; nothing was written\n");
		check(want, 1);
	}
}

static void faults(void **state)
{
	struct nvfault f = {.variable = "Boot0007", .left = "BootOrder"};

	nvsay_fault(&f, &store, said());
	check("mirrorboot: Boot0007 was written, and does not read back\n"
	      "mirrorboot: taking back what had been written failed at BootOrder; "
	      "\"mirrorboot entries list\" shows what there is\n",
	      0);
	f.error = 5;
	f.restored = true;
	nvsay_fault(&f, &store, said());
	check("mirrorboot: Boot0007 could not be written: the store is broken\n"
	      "mirrorboot: what had been added was taken back: the boot order and what it "
	      "names are as they were\n",
	      0);
	f.removing = true;
	nvsay_fault(&f, &store, said());
	check("mirrorboot: Boot0007 could not be removed: the store is broken. "
	      "It is no longer in the boot order\n",
	      0);
	f.error = 0;
	nvsay_fault(&f, &store, said());
	check("mirrorboot: Boot0007 could not be removed: it is still there. "
	      "It is no longer in the boot order\n",
	      0);
}

static void notes(void **state)
{
	static const struct {
		enum nvnote_kind kind;
		const char *text;
	} rows[] = {
		{NVNOTE_AUTOMATIC, "Boot0009 is left out: the firmware made it by itself"},
		{NVNOTE_NOT_ESP, "partition 2 of b is not marked as an EFI system partition"},
		{NVNOTE_NO_LOADER, "\\l is not on partition 2 of b yet: \"mirrorboot esp clone\" "
				   "copies what is on an EFI system partition"},
		{NVNOTE_LOADER_UNKNOWN, "whether \\l is on partition 2 of b can't be told"},
		{NVNOTE_NEXT, "Boot0009 is what the next start was to try first"},
		{NVNOTE_CURRENT, "Boot0009 is what this system was started by"},
		{NVNOTE_GONE, "\"name\" can't be brought back now: its partition GUID is on no "
			      "disk here"},
		{NVNOTE_TWICE, "\"name\" can't be brought back: partition GUID is there twice"},
	};
	char all[4096] = "";

	help_nv_start(&h, 2);
	help_nv_entry(&h, 9, "name", 1, 'l', "");
	help_nv_order(&h, -1);
	help_nv_plan(&h, 0, 0, SIZE_MAX);
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct nvnote n = {rows[i].kind, 9, &h.entry[0].e, &h.part[1]};

		nvsay_note(&h.plan, &n, said());
		check(rows[i].text, 1);
		if (i < 2)
			nvplan_note(&h.plan, n);
		if (i < 2)
			strcat(strcat(strcat(all, "note: "), rows[i].text), "\n");
	}
	nvsay_notes(&h.plan, said());
	check(all, 1);
}

static void plans(void **state)
{
	struct bootentry_hd hd;

	help_nv_start(&h, 2);
	help_nv_entry(&h, 1, "one", 0, 'l', "");
	help_nv_entry(&h, 2, "dev", -1, 0, "");
	help_nv_entry(&h, 3, "bad", -1, 0, "");
	h.entry[2].status = ST_CORRUPT;
	help_nv_order(&h, 1, 2, 3, -1);
	help_nv_plan(&h, 0, 0, SIZE_MAX);
	hd = nvpart_hd(&h.part[1]);
	nvsay_plan(&h.plan, said());
	check("", 0);
	nvplan_add(&h.plan, NVPLAN_ADD, 4, 1, &h.entry[0].e, &hd, NULL, NULL);
	nvplan_add(&h.plan, NVPLAN_ADD, 5, NVRAM_NONE, &h.entry[0].e, &hd, NULL, NULL);
	nvplan_add(&h.plan, NVPLAN_UPDATE, 1, NVRAM_NONE, &h.entry[0].e, &hd, NULL, NULL);
	nvsay_plan(&h.plan, said());
	check("  + Boot0004 \"one\", a copy of Boot0001\n"
	      "      \\l\n"
	      "      on partition 2, GUID\n"
	      "  + Boot0005 \"one\"\n"
	      "      \\l\n"
	      "      on partition 2, GUID\n"
	      "  ~ Boot0001 \"one\", for where the partition is now\n"
	      "      \\l\n"
	      "      on partition 2, GUID\n",
	      1);
	nvsay_done(&h.plan, said());
	check("Boot0001 was cloned: Boot0004\n"
	      "Boot0005 was brought back\n"
	      "Boot0001 was brought up to date\n",
	      0);

	help_nv_plan(&h, 0, 0, SIZE_MAX);
	nvplan_remove(&h.plan, &h.entry[1]);
	nvplan_remove(&h.plan, &h.entry[2]);
	nvsay_plan(&h.plan, said());
	check("  - Boot0002 \"dev\"\n"
	      "      a device, not a file on a partition\n"
	      "  - Boot0003 (damaged)\n"
	      "  boot order now:  0001 0002 0003\n"
	      "  boot order then: 0001\n",
	      0);
	nvsay_done(&h.plan, said());
	check("Boot0002 was removed\nBoot0003 was removed\nThe boot order was written\n", 0);
	help_nv_order(&h, 2, -1);
	help_nv_plan(&h, 0, 0, SIZE_MAX);
	nvplan_remove(&h.plan, &h.entry[1]);
	nvsay_plan(&h.plan, said());
	assert_non_null(strstr(h.text, "  boot order then: (none)\n"));

	nvsay_title("Clone boot entries", &h.part[1], said());
	check("Clone boot entries for partition 2 of b (GUID):\n", 1);
}

/* What is started, when it is no file: by the type of the path's first node. */
static void targets(void **state)
{
	static const char *const words[] = {"not a file on a partition",
					    "a device, not a file on a partition",
					    "a device, not a file on a partition",
					    "a device, not a file on a partition",
					    "a part of the firmware",
					    "a device, by way of the BIOS",
					    "not a file on a partition"};

	for (unsigned type = 0; type < 7; type++) {
		uint8_t *path;

		help_nv_start(&h, 1);
		help_nv_entry(&h, 1, "x", -1, 0, "");
		path = (uint8_t *)(uintptr_t)h.entry[0].e.path;
		path[0] = (uint8_t)type;
		path[1] = 9;
		assert_false(nvsay_target(&h.entry[0].e, said()));
		check(words[type], 0);
	}
	help_nv_start(&h, 1);
	help_nv_entry(&h, 1, "x", 0, 0, ""); /* on a partition, "\" and no more */
	assert_false(nvsay_target(&h.entry[0].e, said()));
	check("the partition's fallback loader", 0);
	help_nv_start(&h, 1);
	help_nv_entry(&h, 1, "x", 0, 'y', "");
	assert_true(nvsay_target(&h.entry[0].e, said()));
	check("\\y", 0);
}

/* ---- the list ---- */

static struct nvlist l;

static void look(unsigned i)
{
	memset(&l, 0xee, sizeof(l));
	nvlist_look(&h.entry[i], &h.parts, &l);
	assert_ptr_equal(l.e, &h.entry[i]);
	assert_false(l.recorded);
}

static void scene(void)
{
	help_nv_start(&h, 2);
	help_nv_entry(&h, 1, "one", 0, 'l', "");
	help_nv_entry(&h, 2, "dev", -1, 0, "");
	help_nv_order(&h, 2, 7, 1, -1);
}

static void list_entry(const char *want)
{
	nvlist_entry(&h.all, &l, &h.parts, &store, said());
	check(want, 0);
}

static void listed(void **state)
{
	scene();
	look(0);
	assert_int_equal(l.fault, NVLIST_FINE);
	assert_false(nvlist_matters(&l));
	list_entry("Boot0001  one\n"
		   "          active, place 3 in the boot order\n"
		   "          \\l\n"
		   "          partition GUID: 1 of a\n");
	h.all.current = 1;
	h.all.next = 1;
	l.recorded = true;
	list_entry("Boot0001  one\n"
		   "          active, place 3 in the boot order, started this system, "
		   "tried first at the next start, recorded\n"
		   "          \\l\n"
		   "          partition GUID: 1 of a\n");
	look(1);
	assert_int_equal(l.fault, NVLIST_FINE);
	assert_null(l.part);
	h.entry[1].place = -1;
	h.entry[1].e.attributes = 0;
	list_entry("Boot0002  dev\n"
		   "          not active, not in the boot order\n"
		   "          a device, not a file on a partition\n");
}

static void listed_with_faults(void **state)
{
	scene();
	h.loader = ST_ABSENT;
	look(0);
	assert_int_equal(l.fault, NVLIST_FILE_MISSING);
	assert_true(nvlist_matters(&l));
	list_entry("Boot0001  one\n"
		   "          active, place 3 in the boot order\n"
		   "          \\l\n"
		   "          partition GUID: 1 of a, which has no such file\n");
	h.entry[0].e.attributes = 0; /* nobody tries it */
	assert_false(nvlist_matters(&l));
	h.entry[0].e.attributes = BOOTENTRY_ACTIVE;
	h.entry[0].place = -1;
	assert_false(nvlist_matters(&l));
	h.loader = ST_IO; /* can't be told */
	look(0);
	assert_int_equal(l.fault, NVLIST_FINE);
	h.loader = ST_ABSENT;
	h.part[0].part.start_lba++;
	look(0);
	assert_int_equal(l.fault, NVLIST_PARTITION_MOVED);
	list_entry("Boot0001  one\n"
		   "          active, not in the boot order\n"
		   "          \\l\n"
		   "          partition GUID: 1 of a, elsewhere than the entry says "
		   "(\"repair\" and \"clone\" mend that)\n");
	h.part[1] = h.part[0];
	look(0);
	assert_int_equal(l.fault, NVLIST_PARTITION_TWICE);
	list_entry("Boot0001  one\n"
		   "          active, not in the boot order\n"
		   "          \\l\n"
		   "          partition GUID: 1 of a, and there twice\n");
	h.part_count = 0;
	look(0);
	assert_int_equal(l.fault, NVLIST_PARTITION_MISSING);
	list_entry("Boot0001  one\n"
		   "          active, not in the boot order\n"
		   "          \\l\n"
		   "          partition GUID: on none of these disks\n");
	h.parts.given = false;
	list_entry("Boot0001  one\n"
		   "          active, not in the boot order\n"
		   "          \\l\n"
		   "          partition GUID: not found\n");
}

static void listed_and_damaged(void **state)
{
	scene();
	h.entry[0].status = ST_CORRUPT;
	look(0);
	assert_int_equal(l.fault, NVLIST_DAMAGED);
	assert_true(nvlist_matters(&l));
	list_entry("Boot0001  (damaged)\n"
		   "          place 3 in the boot order\n"
		   "          what it holds is no boot entry: its lengths can't be\n");
	h.entry[0].error = 5;
	look(0);
	assert_int_equal(l.fault, NVLIST_UNREADABLE);
	list_entry("Boot0001  (damaged)\n"
		   "          place 3 in the boot order\n"
		   "          the store is broken\n");
}

static void order_and_parts(void **state)
{
	static const struct disk disk = {.shift = 12};

	scene();
	nvlist_order(&h.all, said());
	check("boot order: 0002 0007 (not there) 0001\n", 0);
	h.all.timeout = 0;
	nvlist_order(&h.all, said());
	check("boot order: 0002 0007 (not there) 0001\ntimeout: 0 s\n", 0);
	h.all.order_count = 0;
	h.all.timeout = 12;
	nvlist_order(&h.all, said());
	check("boot order: (none)\ntimeout: 12 s\n", 0);

	h.part[0].disk = &disk;
	nvlist_part(&h.part[0], said());
	check("  1  GUID  offset 8388608, 16777216 bytes, EFI system partition\n", 0);
	h.part[0].part.kind = PART_OTHER;
	h.part[0].part.type = help_nv_guid(0);
	nvlist_part(&h.part[0], said());
	check("  1  GUID  offset 8388608, 16777216 bytes, type GUID\n", 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fails),
		cmocka_unit_test(faults),
		cmocka_unit_test(notes),
		cmocka_unit_test(plans),
		cmocka_unit_test(targets),
		cmocka_unit_test(listed),
		cmocka_unit_test(listed_with_faults),
		cmocka_unit_test(listed_and_damaged),
		cmocka_unit_test(order_and_parts),
	};

	return cmocka_run_group_tests_name("nvsay", tests, NULL, NULL);
}
