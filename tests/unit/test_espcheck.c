/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tests/unit/help_md.h"

#include "common/espcheck.h"

#include <string.h>

static enum espcheck check(uint8_t verify, const char *path, const char *loader)
{
	return espcheck_file(verify, path, strlen(path), loader, strlen(loader));
}

#define GRUB    "\\EFI\\debian\\grubx64.efi"
#define SYSTEMD "\\EFI\\systemd\\systemd-bootx64.efi"
#define REPL    "\\EFI\\BOOT\\BOOTX64.REPLACED.EFI"

static void default_asks_for(void **state)
{
	static const struct {
		const char *path, *loader;
		enum espcheck want;
	} rows[] = {
		{GRUB, GRUB, ESPCHECK_MUST},
		{"\\efi\\Debian\\GRUBX64.EFI", GRUB, ESPCHECK_MUST},
		{"\\EFI\\debian\\grub.cfg", GRUB, ESPCHECK_MUST},
		{"\\EFI\\DEBIAN\\fonts\\unicode.pf2", GRUB, ESPCHECK_MUST},
		{"\\EFI\\debian2\\grub.cfg", GRUB, ESPCHECK_NO},
		{"\\EFI\\ubuntu\\grubx64.efi", GRUB, ESPCHECK_NO},
		{"\\EFI\\Linux\\vmlinuz", GRUB, ESPCHECK_NO},
		/* written by loaders, in place */
		{"\\EFI\\debian\\grubenv", GRUB, ESPCHECK_NO},
		{"\\EFI\\debian\\GRUBENV", GRUB, ESPCHECK_NO},
		{"\\EFI\\debian\\grubenv2", GRUB, ESPCHECK_MUST},
		{"\\loader\\random-seed", SYSTEMD, ESPCHECK_NO},
		{"\\EFI\\Microsoft\\Boot\\BCD", "\\EFI\\Microsoft\\Boot\\bootmgfw.efi",
		 ESPCHECK_NO},
		/* ourselves, and the fallbacks, which nobody reads */
		{"\\EFI\\mirrorboot\\mirrorboot.conf", GRUB, ESPCHECK_NO},
		{"\\EFI\\BOOT\\BOOTX64.EFI", REPL, ESPCHECK_NO},
		{"\\EFI\\BOOT\\bootia32.efi", REPL, ESPCHECK_NO},
		{"\\EFI\\BOOT\\grubx64.efi", REPL, ESPCHECK_MUST},
		{"\\EFI\\BOOT\\x\\BOOTX64.EFI", REPL, ESPCHECK_MUST},
		{REPL, REPL, ESPCHECK_MUST},
		{"\\EFI\\BOOT\\BOOTX64.EFI", "\\EFI\\BOOT\\BOOTX64.EFI", ESPCHECK_MUST},
		{"\\EFI\\BOOT\\BOOTX64.EFI.EFI", "\\EFI\\BOOT\\BOOTX64.EFI", ESPCHECK_NO},
		/* systemd-boot's, whatever it is called */
		{"\\loader\\loader.conf", GRUB, ESPCHECK_MUST},
		{"\\loader\\loader.txt", SYSTEMD, ESPCHECK_NO},
		{"\\loader\\keys\\x.conf", SYSTEMD, ESPCHECK_NO},
		{"\\loader\\entries\\linux.conf", SYSTEMD, ESPCHECK_IF_THERE},
		{"\\loader\\entries\\linux+3.conf", SYSTEMD, ESPCHECK_NO},
		/* a loader in the root folder does not have all the others below it */
		{"\\vmlinuz", "\\linux.efi", ESPCHECK_MUST},
		{"\\EFI\\Linux\\vmlinuz", "\\linux.efi", ESPCHECK_NO},
		{"", GRUB, ESPCHECK_NO},
	};

	for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (check(CONFIG_VERIFY_LOADER, rows[i].path, rows[i].loader) != rows[i].want)
			fail_msg("%s for %s", rows[i].path, rows[i].loader);
}

static void all_and_no(void **state)
{
	assert_int_equal(check(CONFIG_VERIFY_ALL, "\\EFI\\Linux\\vmlinuz", GRUB),
			 ESPCHECK_IF_THERE);
	assert_int_equal(check(CONFIG_VERIFY_ALL, "\\EFI\\debian\\grubenv", GRUB), ESPCHECK_NO);
	assert_int_equal(check(CONFIG_VERIFY_ALL, "\\EFI\\Linux\\a+2-1.efi", GRUB), ESPCHECK_NO);
	assert_int_equal(check(CONFIG_VERIFY_ALL, "\\EFI\\Lin+ux\\a.efi", GRUB), ESPCHECK_IF_THERE);
	assert_int_equal(check(CONFIG_VERIFY_ALL, "\\EFI\\mirrorboot\\x.efi", GRUB), ESPCHECK_NO);
	assert_int_equal(check(CONFIG_VERIFY_ALL, "\\EFI\\debian\\grub.cfg", GRUB), ESPCHECK_MUST);
	assert_int_equal(check(CONFIG_VERIFY_NO, GRUB, GRUB), ESPCHECK_NO);
}

static void times(void **state)
{
	assert_int_equal(espcheck_fat_time(1980, 1, 1, 0, 0, 0), 0x00210000);
	assert_int_equal(espcheck_fat_time(2024, 2, 29, 13, 37, 58), 0x585d6cbd);
	assert_int_equal(espcheck_fat_time(2024, 2, 29, 13, 37, 59), 0x585d6cbd);
	assert_int_equal(espcheck_fat_time(2107, 12, 31, 23, 59, 58), 0xff9fbf7d);
	/* what a table of zeroes says: FAT has a form of it, the calendar has not */
	assert_int_equal(espcheck_fat_time(1980, 0, 0, 0, 0, 0), 0);
	assert_int_equal(espcheck_fat_time(1979, 12, 31, 23, 59, 58), 0);
	assert_int_equal(espcheck_fat_time(2108, 1, 1, 0, 0, 0), 0);
	assert_int_equal(espcheck_fat_time(2024, 16, 1, 0, 0, 0), 0);
	assert_int_equal(espcheck_fat_time(2024, 1, 32, 0, 0, 0), 0);
	assert_int_equal(espcheck_fat_time(2024, 1, 1, 32, 0, 0), 0);
	assert_int_equal(espcheck_fat_time(2024, 1, 1, 0, 64, 0), 0);
	assert_int_equal(espcheck_fat_time(2024, 1, 1, 0, 0, 64), 0);
}

/* Of letters the case does not count, and of nothing else. */
static void letters(void **state)
{
	for (int k = 0x21; k < 0x7f; k++) {
		char a[] = "\\EFI\\?\\b", b[] = "\\EFI\\?\\c";
		bool letter = (k >= 'a' && k <= 'z') || (k >= 'A' && k <= 'Z');

		a[5] = (char)k;
		b[5] = (char)(k ^ 0x20);
		if (k != '|' && k != '\\') /* each other's other case: a folder */
			assert_int_equal(check(CONFIG_VERIFY_LOADER, a, b) == ESPCHECK_MUST,
					 letter);
	}
}

static void each_name_that_is_written(void **state)
{
	static const char *const names[] = {"grubenv", "random-seed", "bootstat.dat", "BCD",
					    "BCD.LOG", "BCD.LOG1",    "BCD.LOG2"};

	for (unsigned i = 0; i < sizeof(names) / sizeof(*names); i++) {
		char path[64] = "\\EFI\\debian\\";

		strcat(path, names[i]);
		assert_int_equal(check(CONFIG_VERIFY_ALL, path, GRUB), ESPCHECK_NO);
		strcat(path, "x");
		assert_int_equal(check(CONFIG_VERIFY_ALL, path, GRUB), ESPCHECK_MUST);
	}
	assert_int_equal(check(CONFIG_VERIFY_ALL, "\\EFI\\BOOT\\BOOTX64.TXT", GRUB),
			 ESPCHECK_IF_THERE);
	assert_int_equal(check(CONFIG_VERIFY_ALL, "\\EFI\\BOOT\\.EFI", GRUB), ESPCHECK_IF_THERE);
	/* ".conf" is all of its name */
	assert_int_equal(check(CONFIG_VERIFY_LOADER, "\\loader\\.conf", GRUB), ESPCHECK_MUST);
	assert_int_equal(check(CONFIG_VERIFY_LOADER, "conf", "\\loader\\x"), ESPCHECK_NO);
	/* one letter is a folder's name, too */
	assert_int_equal(check(CONFIG_VERIFY_LOADER, "\\x\\y\\b", "\\x\\a"), ESPCHECK_MUST);
	assert_int_equal(check(CONFIG_VERIFY_LOADER, "x\\b", "a"), ESPCHECK_NO);
	assert_int_equal(check(CONFIG_VERIFY_LOADER, "b", "a"), ESPCHECK_MUST);
}

/* A form that can be written, however odd, is one: the firmware's clock is the firmware's. */
static void largest_of_each_part(void **state)
{
	assert_int_equal(espcheck_fat_time(1980, 15, 0, 0, 0, 0), 15u << 21);
	assert_int_equal(espcheck_fat_time(1980, 0, 31, 0, 0, 0), 31u << 16);
	assert_int_equal(espcheck_fat_time(1980, 0, 0, 31, 0, 0), 31u << 11);
	assert_int_equal(espcheck_fat_time(1980, 0, 0, 0, 63, 0), 63u << 5);
	assert_int_equal(espcheck_fat_time(1980, 0, 0, 0, 0, 63), 31);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(default_asks_for),
		cmocka_unit_test(all_and_no),
		cmocka_unit_test(times),
		cmocka_unit_test(letters),
		cmocka_unit_test(each_name_that_is_written),
		cmocka_unit_test(largest_of_each_part),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
