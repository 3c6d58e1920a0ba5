/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/esppolicy.h"

static enum esp_policy of(const char *path)
{
	return esppolicy_of(path, strlen(path), NULL, 0);
}

static bool fits(const char *pattern, const char *path)
{
	const struct esppolicy_rule rule = {pattern, ESP_INCLUDED};

	return esppolicy_of(path, strlen(path), &rule, 1) == ESP_INCLUDED;
}

static void test_defaults(void **state)
{
	assert_int_equal(of("\\EFI\\BOOT\\BOOTX64.EFI"), ESP_CLONED);
	assert_int_equal(of("\\loader\\random-seed"), ESP_LEFT);
	assert_int_equal(of("\\LOADER\\Random-Seed"), ESP_LEFT);
	assert_int_equal(of("\\loader\\random-seed2"), ESP_CLONED);
	assert_int_equal(of("\\x\\loader\\random-seed"), ESP_CLONED);
	assert_int_equal(of("\\EFI\\mirrorboot\\manifest"), ESP_LEFT);
	assert_int_equal(of("\\EFI\\mirrorboot"), ESP_CLONED);
	assert_int_equal(of("\\System Volume Information"), ESP_LEFT);
	assert_int_equal(of("\\System Volume Information\\a\\b"), ESP_LEFT);
	assert_int_equal(of("\\EFI\\UpdateCapsule\\x.cap"), ESP_LEFT);
	assert_int_equal(of("\\EFI\\debian\\fw\\x.cap"), ESP_LEFT);
	assert_int_equal(of("\\EFI\\debian\\fwx"), ESP_CLONED);
	assert_int_equal(of("\\EFI\\fw"), ESP_CLONED);
	assert_int_equal(of("\\EFI\\a\\b\\fw"), ESP_CLONED);
	assert_int_equal(of("\\grub\\grubenv"), ESP_ONCE);
	assert_int_equal(of("\\grub\\grubenv.bak"), ESP_CLONED);
	assert_int_equal(of("\\EFI\\Microsoft\\Boot\\BOOTSTAT.DAT"), ESP_ONCE);
	assert_true(esppolicy_is_covered("\\a", 2));
	assert_false(esppolicy_is_covered("\\grubenv", 8));
}

static void test_patterns(void **state)
{
	assert_true(fits("/EFI/Microsoft", "\\EFI\\microsoft\\Boot\\x"));
	assert_false(fits("/EFI/Microsoft", "\\EFI\\Microsoft2"));
	assert_true(fits("*.bak", "\\a\\b.BAK"));
	assert_true(fits("*.bak", "\\a.bak\\in it"));
	assert_false(fits("*.bak", "\\a\\b.bakx"));
	assert_true(fits("/*/x", "\\any\\x"));
	assert_false(fits("/*/x", "\\any\\other\\x"));
	assert_true(fits("a*b*c", "\\aXbYbZc"));
	assert_false(fits("a*b*c", "\\aXbYbZ"));
	assert_true(fits("?.txt", "\\1.txt"));
	assert_false(fits("?.txt", "\\12.txt"));
	assert_false(fits("/a?b", "\\a\\b"));
	assert_true(fits("*", "\\x"));
	assert_true(fits("a**", "\\a"));
	assert_true(fits("[x]", "\\[x]")); /* not special */
	assert_false(fits("[x]", "\\x"));
	assert_false(fits("", "\\x"));
}

/* A person's rules come first, the last of them counts; but nothing opens what is each ESP's own.
 */
static void test_order(void **state)
{
	const struct esppolicy_rule rules[] = {{"*.cap", ESP_LEFT},
					       {"/EFI/UpdateCapsule", ESP_INCLUDED},
					       {"/loader/random-seed", ESP_INCLUDED}};

	assert_int_equal(esppolicy_of("\\x.cap", 6, rules, 3), ESP_LEFT);
	assert_int_equal(esppolicy_of("\\EFI\\UpdateCapsule\\x.cap", 24, rules, 3), ESP_INCLUDED);
	assert_int_equal(esppolicy_of("\\EFI\\UpdateCapsule\\x.cap", 24, rules, 1), ESP_LEFT);
	assert_int_equal(esppolicy_of("\\loader\\random-seed", 19, rules, 3), ESP_LEFT);
}

static void counter(const char *path, const char *what)
{
	size_t at, bytes;

	if (!what) {
		assert_false(esppolicy_counter(path, strlen(path), &at, &bytes));
		return;
	}
	assert_true(esppolicy_counter(path, strlen(path), &at, &bytes));
	assert_int_equal(bytes, strlen(what));
	assert_memory_equal(path + at, what, bytes);
}

static void test_counter(void **state)
{
	counter("\\loader\\entries\\a+3.conf", "+3");
	counter("\\loader\\entries\\a+2-1.CONF", "+2-1");
	counter("\\EFI\\Linux\\a+10-20.efi", "+10-20");
	counter("\\loader\\entries\\a+1+2.conf", "+2");
	counter("\\loader\\entries\\a.conf", NULL);
	counter("\\loader\\entries\\a+.conf", NULL);
	counter("\\loader\\entries\\a-1.conf", NULL);
	counter("\\loader\\entries\\a+1-.conf", NULL);
	counter("\\loader\\entries\\a+1-2-3.conf", NULL);
	counter("\\loader\\entries\\a+3.txt", NULL);
	counter("\\loader\\entries\\in\\a+3.conf", NULL);
	counter("\\EFI\\debian\\a+3.efi", NULL);
}

static struct manifest_file file(const char *path, uint64_t bytes, uint8_t hash)
{
	struct manifest_file f = {.path = path, .path_bytes = strlen(path), .bytes = bytes};

	memset(f.sha256, hash, sizeof(f.sha256));
	return f;
}

static bool keeps(const char *from, const char *to)
{
	struct manifest_file a = file(from, 9, 1), b = file(to, 9, 1);

	return esppolicy_keeps_counter(&a, &b);
}

static void test_keeps_counter(void **state)
{
	struct manifest_file a = file("\\EFI\\Linux\\k+3.efi", 9, 1);
	struct manifest_file other = file("\\EFI\\Linux\\k.efi", 9, 2);

	assert_true(keeps("\\EFI\\Linux\\k+3.efi", "\\efi\\linux\\K+2-1.EFI"));
	assert_true(keeps("\\EFI\\Linux\\k+3.efi", "\\EFI\\Linux\\k.efi"));
	assert_false(keeps("\\EFI\\Linux\\k.efi", "\\EFI\\Linux\\k+3.efi"));
	assert_false(keeps("\\EFI\\Linux\\k+3.efi", "\\EFI\\Linux\\kk.efi"));
	assert_false(keeps("\\EFI\\Linux\\k+3.efi", "\\EFI\\Linux\\l+3.efi"));
	assert_false(esppolicy_keeps_counter(&a, &other)); /* another kernel */
}

static bool same_number(const char *from, const char *to, uint64_t bytes)
{
	struct manifest_file a = file(from, 9, 1), b = file(to, bytes, 1);

	return esppolicy_keeps_counter(&a, &b);
}

static void test_letters(void **state)
{
	for (int k = 0x20; k < 0x7f; k++) {
		char a[] = {(char)k}, b[] = {(char)(k ^ 0x20)};
		bool letter = (k >= 'a' && k <= 'z') || (k >= 'A' && k <= 'Z');

		assert_true(esppolicy_same(a, a, 1));
		assert_int_equal(esppolicy_same(a, b, 1), letter);
	}
	assert_true(esppolicy_same("\\x", "/X", 2));
	assert_false(esppolicy_same("ax", "bx", 2));
	for (int k = 0x21; k < 0x7f; k++) {
		char path[] = "/EFI/Linux/k+1?.efi";

		path[14] = (char)k;
		counter(path, k >= '0' && k <= '9' ? (char[]){'+', '1', (char)k, 0} : NULL);
	}
	counter("/EFI/Linux/3.efi", NULL);
	counter("/EFI/Linux/+3.efi", "+3");
}

static void test_counters_between(void **state)
{
	assert_false(same_number("\\EFI\\Linux\\k+3.efi", "\\EFI\\Linux\\k+2.efi", 8));
	assert_true(same_number("\\EFI\\Linux\\k+3.efi", "\\EFI\\Linux\\k+2.efi", 9));
	/* the same name before it, or behind it, alone is another file */
	assert_false(same_number("\\EFI\\Linux\\k+3.efi", "\\loader\\entries\\k+3.conf", 9));
	assert_false(same_number("\\EFI\\Linux\\ab+3.efi", "\\EFI\\Linux\\a+3.efi", 9));
	assert_false(same_number("\\EFI\\Linux\\k+3.efi", "\\EFI\\Linux\\k.efx", 9));
	assert_false(same_number("\\EFI\\Linux\\k+33.efi", "\\EFI\\Linux\\kx.efi", 9));
	assert_false(same_number("\\EFI\\Linux\\k+3.efi", "\\EFI\\Linux\\kx+3.efi", 9));
}

static void test_each_of_ours(void **state)
{
	assert_true(esppolicy_is_ours("/EFI/BOOT/BOOTIA32.EFI", 22));
	assert_true(esppolicy_is_ours("/EFI/BOOT/BOOTX64.REPLACED.EFI", 30));
	assert_true(esppolicy_is_ours("/EFI/BOOT/BOOTIA32.REPLACED.EFI", 31));
}

static void test_ours(void **state)
{
	assert_true(esppolicy_is_ours("\\EFI\\mirrorboot\\mirrorboot.efi", 30));
	assert_true(esppolicy_is_ours("\\efi\\boot\\bootx64.efi", 21));
	assert_false(esppolicy_is_ours("\\EFI\\BOOT\\grubx64.efi", 21));
	assert_false(esppolicy_is_ours("\\EFI\\mirrorbootx", 16));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),      cmocka_unit_test(test_patterns),
		cmocka_unit_test(test_order),         cmocka_unit_test(test_counter),
		cmocka_unit_test(test_keeps_counter), cmocka_unit_test(test_ours),
		cmocka_unit_test(test_letters),       cmocka_unit_test(test_counters_between),
		cmocka_unit_test(test_each_of_ours),
	};

	return cmocka_run_group_tests_name("esppolicy", tests, NULL, NULL);
}
