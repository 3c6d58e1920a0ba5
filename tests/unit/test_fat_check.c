/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* FAT file systems that are damaged, one way at a time, in all three types: what is said of each.
 */
#include "tests/unit/help_fat.h"

#include "common/fat_check.h"
#include "common/fat_plan.h"

#include <stdlib.h>
#include <string.h>

/* Clusters of 1 KiB: \A of two, \DIR with two files of one and none, \DIR\SUB. */
enum { A = 4, DIR = 6, B = 8, SUB = 9, BAD = 12, FREE = 20 };

static struct fatimage im;
static struct fat fat;
static struct fat_tree tree;
static struct fat_walk walk;
static uint8_t *memory;
static unsigned type;
static size_t memory_bytes = 65536;

static uint32_t mark(uint32_t low) /* 0xff7 and so on, for the type */
{
	return type == 12 ? 0xf00 | low : type == 16 ? 0xff00 | low : 0x0fffff00 | low;
}

static void make(void)
{
	if (im.m.bytes)
		fatimage_close(&im);
	fatimage_open(&im, type, 512, 2);
	fatimage_entry(&im, 0, 0, "A          ", FAT_ARCHIVE, A, 1025);
	fatimage_chain(&im, A, A + 1);
	fatimage_folder(&im, 0, 1, "DIR        ", DIR);
	fatimage_entry(&im, DIR, 2, "B          ", FAT_ARCHIVE, B, 1024);
	fatimage_chain(&im, B, B);
	fatimage_entry(&im, DIR, 3, "C          ", FAT_ARCHIVE, 0, 0);
	fatimage_folder(&im, DIR, 4, "SUB        ", SUB);
	fatimage_link(&im, BAD, mark(0xf7));
	if (type == 32) {
		uint8_t *info = fatimage_at(&im, 1);

		put32(info, FAT_INFO_SIGN1);
		put32(info + 484, FAT_INFO_SIGN2);
		put32(info + 488, im.clusters - 7); /* A's two, two folders, B, bad, the root */
		fatimage_link(&im, 1, 0x0fffffff);
	}
}

static enum status check(unsigned flags)
{
	struct fat_arena arena;

	free(memory);
	memory = malloc(memory_bytes);
	arena = (struct fat_arena){.base = memory, .high = memory_bytes};
	assert_int_equal(fat_open(&fat, &im.m.disk, im.start_lba, im.sectors), ST_OK);
	memset(&tree, 0xee, sizeof(tree));
	return fat_check(&tree, &fat, flags, &arena, &walk);
}

static void fine(unsigned flags, unsigned lost, unsigned orphans, bool differ, bool dirty)
{
	assert_int_equal(check(flags), ST_OK);
	assert_int_equal(tree.why, FAT_FINE);
	assert_int_equal(tree.lost, lost);
	assert_int_equal(tree.orphans, orphans);
	assert_int_equal(tree.copies_differ, differ);
	assert_int_equal(tree.dirty, dirty);
	assert_int_equal(tree.used, type == 32 ? 7 : 6);
}

static void refused(unsigned flags, enum fat_why why, const char *path)
{
	enum status st = check(flags);

	assert_int_equal(tree.why, why);
	assert_int_equal(st, why == FAT_UNREADABLE                         ? ST_IO
			     : why == FAT_NO_MEMORY || why == FAT_TOO_DEEP ? ST_FULL
									   : ST_CORRUPT);
	assert_string_equal(walk.path, path);
}

/* A byte of the second copy of the FAT. */
static uint8_t *copy(uint32_t at)
{
	return fatimage_at(&im, im.reserved + im.fat_sectors) + at;
}

static uint32_t fat_at(uint32_t cluster)
{
	return type == 12 ? cluster * 3 / 2 : cluster * (type / 8);
}

static int close_image(void **state)
{
	if (im.m.bytes)
		fatimage_close(&im);
	memset(&im, 0, sizeof(im));
	free(memory);
	memory = NULL;
	return 0;
}

#define EACH_TYPE for (type = 12; type <= 32; type += type == 12 ? 4 : 16)

static void whole(void **state)
{
	EACH_TYPE
	{
		make();
		fine(0, 0, 0, false, false);
		assert_false(tree.bad_count);
		assert_int_equal(tree.count, 6);
		assert_int_equal(tree.node[0].end, 6);
		assert_int_equal(tree.node[1].end, 2);
		assert_int_equal(tree.node[2].end, 6);
		assert_int_equal(tree.node[2].parent, 0);
		assert_int_equal(tree.node[3].parent, 2);
		assert_int_equal(tree.node[3].cluster, B);
		assert_int_equal(tree.node[3].slot, 2);
		assert_int_equal(tree.node[5].parent, 2);
		assert_int_equal(tree.node[5].end, 6);
		assert_int_equal(tree.node[5].match, FAT_NO_NODE);
		assert_memory_equal(tree.names + tree.node[2].name, "DIR", 3);
		assert_int_equal(tree.node[2].name_bytes, 3);
		for (uint32_t c = 2; c < 30; c++)
			assert_int_equal(fat_map_get(tree.used_map, c),
					 c == A || c == A + 1 || c == DIR || c == B || c == SUB ||
						 c == BAD || (type == 32 && c == 2));
	}
}

static void chains(void **state)
{
	EACH_TYPE
	{
		make();
		fatimage_link(&im, A + 1, 0); /* into nothing */
		refused(0, FAT_BAD_CHAIN, "\\A");
		make();
		fatimage_link(&im, A, mark(0xff)); /* too short */
		refused(0, FAT_BAD_CHAIN, "\\A");
		make();
		fatimage_chain(&im, A + 1, A + 1);
		fatimage_link(&im, A + 1, FREE); /* too long */
		fatimage_chain(&im, FREE, FREE);
		refused(0, FAT_BAD_CHAIN, "\\A");
		make();
		fatimage_link(&im, A, im.clusters + 2); /* out of range */
		refused(0, FAT_BAD_CHAIN, "\\A");
		make();
		fatimage_link(&im, A, 1);
		refused(0, FAT_BAD_CHAIN, "\\A");
		make();
		fatimage_link(&im, A, A); /* round */
		refused(0, FAT_CROSSED, "\\A");
		make();
		fatimage_link(&im, A, B); /* into another's, which comes later */
		refused(0, FAT_CROSSED, "\\DIR\\B");
		make();
		put16(fatimage_slot(&im, 0, 0) + 26, 0); /* of some bytes and no cluster */
		refused(0, FAT_BAD_CHAIN, "\\A");
		make();
		put16(fatimage_slot(&im, DIR, 3) + 26, FREE); /* of no bytes and one */
		fatimage_chain(&im, FREE, FREE);
		refused(0, FAT_BAD_CHAIN, "\\DIR\\C");
		make();
		put32(fatimage_slot(&im, 0, 0) + 28, 1024); /* as many bytes as one has */
		refused(0, FAT_BAD_CHAIN, "\\A");
		put32(fatimage_slot(&im, 0, 0) + 28, 2048);
		fine(0, 0, 0, false, false);
		put32(fatimage_slot(&im, 0, 0) + 28, 2049);
		refused(0, FAT_BAD_CHAIN, "\\A");
		make();
		put16(fatimage_slot(&im, DIR, 4) + 26, DIR); /* a folder in itself */
		assert_int_not_equal(check(0), ST_OK);
		assert_true(tree.why == FAT_CROSSED || tree.why == FAT_BAD_FOLDER);
	}
}

static void lost_clusters(void **state)
{
	EACH_TYPE
	{
		make();
		fatimage_chain(&im, FREE, FREE + 2);
		fine(0, 3, 0, false, false);
		make();
		fatimage_link(&im, im.clusters + 1, mark(0xff)); /* the last that there is */
		fine(0, 1, 0, false, false);
		fatimage_link(&im, FREE, mark(0xf6)); /* not the mark of a bad one */
		fine(0, 2, 0, false, false);
	}
}

static void copies(void **state)
{
	EACH_TYPE
	{
		make();
		*copy(fat_at(A)) ^= 1;
		refused(0, FAT_COPIES_DIFFER, "");
		refused(FAT_CHECK_TO_READ, FAT_COPIES_DIFFER, "");
		fine(FAT_CHECK_DIRTY_OK, 0, 0, true, false);
		make();
		*copy(fat_at(A + 1) + 1) ^= 0x80;
		if (type != 12)
			refused(0, FAT_COPIES_DIFFER, "");
		make();
		*copy(fat_at(FREE) + (type == 12 ? 0 : 1)) ^=
			1; /* nobody's: put right by whoever writes */
		fine(0, 0, 0, true, false);
		if (type == 32) { /* bits that are nobody's, of one in use */
			make();
			*copy(fat_at(A) + 3) ^= 0x40;
			fine(0, 0, 0, true, false);
			*copy(fat_at(A) + 3) ^= 0x08;
			refused(0, FAT_COPIES_DIFFER, "");
		}
		make();
		memdisk_fail(&im.m, im.start_lba + im.reserved + im.fat_sectors, 1);
		refused(0, FAT_UNREADABLE, "");
		fine(FAT_CHECK_TO_READ, 0, 0, false, false);
	}
}

/* FAT12: three bytes are two entries, and the one between is half of each. */
static void copies_of_fat12(void **state)
{
	type = 12;
	for (uint32_t c = 2; c < 30; c++)
		for (unsigned bit = 0; bit < 12; bit++) {
			bool in_use =
				c == A || c == A + 1 || c == DIR || c == B || c == SUB || c == BAD;
			unsigned at = c % 2 * 4 + bit;

			make();
			copy(fat_at(c))[at / 8] ^= (uint8_t)(1u << at % 8);
			assert_int_equal(check(0), in_use ? ST_CORRUPT : ST_OK);
			assert_int_equal(tree.why, in_use ? FAT_COPIES_DIFFER : FAT_FINE);
			assert_true(tree.copies_differ);
		}
}

static void dirty(void **state)
{
	EACH_TYPE
	{
		make();
		fatimage_at(&im, 0)[type == 32 ? 65 : 37] |= 1;
		refused(0, FAT_DIRTY, "");
		fine(FAT_CHECK_DIRTY_OK, 0, 0, false, true);
		for (unsigned bit = 0; bit < 2 && type != 12; bit++) {
			make();
			fatimage_link(&im, 1, mark(0xff) & ~(1u << (type == 32 ? 26 : 14) << bit));
			refused(0, FAT_DIRTY, "");
			fine(FAT_CHECK_DIRTY_OK, 0, 0, false, true);
		}
		make();
		memdisk_fail(&im.m, im.start_lba + im.reserved, 1);
		assert_int_equal(check(0), ST_IO);
		assert_int_equal(tree.why, FAT_UNREADABLE);
	}
}

static void counts(void **state)
{
	type = 32;
	make();
	put32(fatimage_at(&im, 1) + 488, 5);
	fine(0, 0, 0, false, false);
	assert_true(tree.bad_count);
	fatimage_at(&im, 1)[0] ^= 1; /* no FSInfo */
	fine(0, 0, 0, false, false);
	assert_false(tree.bad_count);
	fatimage_at(&im, 1)[0] ^= 1;
	fatimage_at(&im, 1)[484] ^= 1;
	fine(0, 0, 0, false, false);
	assert_false(tree.bad_count);
	make();
	put32(fatimage_at(&im, 1) + 488, 5);
	fine(FAT_CHECK_TO_READ, 0, 0, false, false); /* nobody who reads cares */
	assert_false(tree.bad_count);
	memdisk_fail(&im.m, im.start_lba + 1, 1);
	fine(FAT_CHECK_TO_READ, 0, 0, false, false);
	refused(0, FAT_UNREADABLE, "");
	make();
	put16(fatimage_at(&im, 0) + 48, 0); /* there is none */
	put32(fatimage_at(&im, 1) + 488, 5);
	fine(0, 0, 0, false, false);
	assert_false(tree.bad_count);
}

/* Pieces of long names that are no entry's, and entries behind a folder's end. */
static void orphans(void **state)
{
	EACH_TYPE
	{
		make();
		fatimage_long(&im, DIR, 5, 0x41, "X          ", "piece");
		fine(0, 0, 1, false, false);
		fatimage_entry(&im, DIR, 6, "Y          ", FAT_ARCHIVE, 0, 0); /* not of it */
		assert_int_equal(check(0), ST_OK);
		assert_int_equal(tree.orphans, 1);
		make();
		fatimage_entry(&im, DIR, 6, "Y          ", FAT_ARCHIVE, 0, 0); /* behind the end */
		refused(0, FAT_BAD_FOLDER, "");
		fatimage_at(&im, 0)[type == 32 ? 65 : 37] |= 1; /* of a run that was cut */
		fine(FAT_CHECK_DIRTY_OK, 0, 1, false, true);
		make();
		fatimage_entry(&im, 0, 4, "Y          ", FAT_ARCHIVE, 0, 0);
		fine(FAT_CHECK_TO_READ, 0, 0, false, false);
		fatimage_slot(&im, 0, 4)[0] = 0xe5; /* deleted: nothing */
		fine(0, 0, 0, false, false);
	}
}

static void unreadable(void **state)
{
	EACH_TYPE
	{
		make();
		memdisk_fail(&im.m,
			     im.start_lba +
				     (uint64_t)(fatimage_cluster(&im, SUB) - fatimage_at(&im, 0)) /
					     512,
			     1);
		assert_int_equal(check(0), ST_IO);
		assert_int_equal(tree.why, FAT_UNREADABLE);
	}
}

static void memory_that_is_given(void **state)
{
	unsigned full = 0;

	EACH_TYPE
	{
		make();
		for (memory_bytes = 0; check(0) != ST_OK; memory_bytes += 4) {
			assert_int_equal(tree.why, FAT_NO_MEMORY);
			full++;
		}
		assert_true(memory_bytes >= im.clusters / 8 + 6 * sizeof(struct fat_node));
		assert_true(memory_bytes <=
			    im.clusters / 8 + 6 * (sizeof(struct fat_node) + 8) + 16);
		memory_bytes = 65536;
	}
	assert_true(full > 100);
}

/* A sentence for each, of its own. */
static void sentences(void **state)
{
	for (unsigned i = 0; i < FAT_WHYS; i++) {
		assert_true(strlen(fat_why_text(i)) > 3);
		for (unsigned k = 0; k < i; k++)
			assert_string_not_equal(fat_why_text(i), fat_why_text(k));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_teardown(f, close_image)
		TEST(whole),           TEST(chains),
		TEST(lost_clusters),   TEST(copies),
		TEST(copies_of_fat12), TEST(dirty),
		TEST(counts),          TEST(orphans),
		TEST(unreadable),      TEST(memory_that_is_given),
		TEST(sentences),
	};

	return cmocka_run_group_tests_name("fat: check", tests, NULL, NULL);
}
