/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* menu: which keys open it, what each means in it, and what is said. */
#include "tests/unit/help_md.h"

#include "common/menu.h"

#include <string.h>

enum { TAB = 9, ENTER = 13, ESCAPE = 27 };

static struct survey s;
static struct policy policy;
static struct menu menu;
static char out[8192];
static struct text_buffer buffer;

static void disk_name(const struct report_names *n, unsigned disk, struct text *to)
{
	text_str(to, "disk ");
	text_u64(to, disk);
}

static const struct report_names names = {.disk_name = disk_name};

static const struct menu_more *more;

static int setup(void **state)
{
	more = NULL;
	memset(&s, 0, sizeof(s));
	policy = (struct policy){.action = POLICY_BOOT};
	return 0;
}

static const struct menu_more clones = {.key = 'c', .text = "c: clone\n"};

static void forget(void)
{
	text_buffer_init(&buffer, out, sizeof(out));
}

static void says(const char *words)
{
	if (!strstr(out, words))
		fail_msg("\"%s\" is not in:\n%s", words, out);
}

static void judge(void)
{
	assert_int_equal(mirror_assemble(&s), ST_OK);
	leg_judge(&s);
}

static void open_menu(void)
{
	forget();
	menu_init(&menu, &s, &policy, &names, more, &buffer.text);
}

static void add_in_sync(unsigned legs)
{
	for (unsigned dev = 0; dev < legs; dev++) {
		struct member m = make_member(dev, legs);

		survey_add(&s, &m, dev);
	}
	judge();
}

/* Leg 0 is stale, leg 1 in sync. */
static void add_stale(void)
{
	for (unsigned dev = 0; dev < 2; dev++) {
		struct member m = make_member(dev, 2);

		m.events += 5 * dev;
		survey_add(&s, &m, dev);
	}
	judge();
}

/* A key, and what is to come of it. */
static void press(char key, enum menu_answer answer)
{
	forget();
	assert_int_equal(menu_key(&menu, key), answer);
}

static void test_opens(void **state)
{
	static const char yes[] = {'m', 'M', ' ', TAB, ESCAPE, '0', '5', '9'};
	static const char no[] = {0, 1, ENTER, '\n', '\b', 'a', 'x', 'y', 'n', '/', ':', '~', -1};

	for (unsigned i = 0; i < sizeof(yes); i++)
		assert_true(menu_opens(yes[i]));
	for (unsigned i = 0; i < sizeof(no); i++)
		assert_false(menu_opens(no[i]));
}

static void test_shows(void **state)
{
	add_stale();
	open_menu();
	says("  leg 0  disk 0         stale       missed writes (events 100, newest 105)");
	says("* leg 1  disk 1");
	says("Enter, or 60 s without a key: leg 1. x: this disk as it is");
	assert_null(strstr(out, "type a"));
	assert_non_null(strstr(out, "number: "));
}

static void test_default(void **state)
{
	static const char keys[] = {ENTER, '\n', 0};

	for (unsigned i = 0; i < sizeof(keys); i++) {
		setup(NULL);
		policy.action = i ? POLICY_PAUSE : POLICY_BOOT;
		add_stale();
		open_menu();
		press(keys[i], MENU_GOES_ON);
		says("Going on with leg 1.");
		assert_int_equal(s.mirror[0].chosen, 1);
		assert_false(s.mirror[0].read_only);
	}
}

/* Where a person has to choose, no key stands for "as you like", nor does a time. */
static void test_no_default(void **state)
{
	static const enum policy_action actions[] = {POLICY_ASK, POLICY_UNUSABLE};

	for (unsigned i = 0; i < 2; i++) {
		setup(NULL);
		policy.action = (uint8_t)actions[i];
		add_stale();
		open_menu();
		assert_null(strstr(out, "Enter"));
		assert_false(menu.has_default);
		press(ENTER, MENU_IGNORED);
		press(0, MENU_IGNORED);
	}
}

static void test_second_in_sync(void **state)
{
	add_in_sync(2);
	open_menu();
	press('1', MENU_GOES_ON);
	says("1\n");
	says("Mirror host:boot is healthy: leg 1 on disk 1 is read, because a person chose it.");
	assert_null(strstr(out, "write-protected"));
	assert_int_equal(s.mirror[0].chosen, 1);
	assert_int_equal(s.mirror[0].order_count, 2);
}

static void test_stale_needs_y(void **state)
{
	static const char others[] = {'n', ENTER, ' ', '0', '1', 'x', ESCAPE, 1};

	add_stale();
	open_menu();
	for (unsigned i = 0; i < sizeof(others); i++) {
		press('0', MENU_WAITS);
		says("Leg 0 is out of date: missed writes (events 100, newest 105).\n"
		     "Type y to boot from it all the same: ");
		press(others[i], MENU_WAITS);
		says("Which leg");
		assert_int_equal(s.mirror[0].chosen, 1);
	}
	press('y', MENU_IGNORED); /* it was asked before, not now */
	press('0', MENU_WAITS);
	press('Y', MENU_GOES_ON);
	says("Mirror host:boot is degraded: leg 0 on disk 0 is read, because a person chose it.");
	says("It is write-protected");
	assert_int_equal(s.mirror[0].chosen, 0);
	assert_true(s.mirror[0].read_only);
}

/* Nobody answers: then it is the default that is booted, never what was to be confirmed. */
static void test_idle_at_confirmation(void **state)
{
	add_stale();
	open_menu();
	press('0', MENU_WAITS);
	press(0, MENU_GOES_ON);
	assert_int_equal(s.mirror[0].chosen, 1);
	open_menu();
	press('x', MENU_WAITS);
	press(0, MENU_GOES_ON);
}

static void test_raw(void **state)
{
	add_in_sync(2);
	open_menu();
	press('x', MENU_WAITS);
	says("Type y to start it: ");
	press('n', MENU_WAITS);
	press('X', MENU_WAITS);
	press('y', MENU_GOES_RAW);
}

static void test_refused(void **state)
{
	struct member m = make_member(0, 2);

	m.status = ST_CORRUPT;
	m.why.code = REASON_CHECKSUM;
	survey_add(&s, &m, 0);
	m = make_member(1, 2);
	survey_add(&s, &m, 1);
	judge();
	open_menu();
	press('0', MENU_WAITS);
	says("Leg 0 can't be booted from: its superblock's checksum is wrong.");
	says("Which leg");
	press('7', MENU_WAITS);
	says("There is no leg 7.");
	assert_int_equal(s.mirror[0].chosen, 1);
}

static void test_missing_refused(void **state)
{
	struct member m = make_member(0, 2);

	survey_add(&s, &m, 0);
	judge();
	open_menu();
	press('1', MENU_WAITS);
	says("Leg 1 can't be booted from: on none of these disks.");
}

static void test_ignored(void **state)
{
	static const char keys[] = {'m', 'a', 'v', 'w', 'y', 'n', ' ', ESCAPE, TAB, 1, -1, '~'};

	add_in_sync(10);
	open_menu();
	for (unsigned i = 0; i < sizeof(keys); i++) {
		press(keys[i], MENU_IGNORED);
		assert_string_equal(out, "");
	}
}

static void test_many_legs(void **state)
{
	add_in_sync(32);
	open_menu();
	says("For leg 10 type a, for leg 11 b, and so on.");
	press('w', MENU_IGNORED);
	press('v', MENU_GOES_ON);
	assert_int_equal(s.mirror[0].chosen, 31);
	open_menu();
	press('a', MENU_GOES_ON);
	assert_int_equal(s.mirror[0].chosen, 10);
	open_menu();
	press('9', MENU_GOES_ON);
	assert_int_equal(s.mirror[0].chosen, 9);

	setup(NULL);
	add_in_sync(11);
	open_menu();
	press('b', MENU_WAITS);
	says("There is no leg 11.");
}

/* A line that sends the same useless character for ever does not hold up the machine. */
static void test_noise(void **state)
{
	unsigned waits = 0;

	add_stale();
	open_menu();
	while (waits < 1000) {
		forget();
		if (menu_key(&menu, '5') != MENU_WAITS)
			break;
		waits++;
	}
	assert_in_range(waits, 5, 100);
	press('1', MENU_GOES_ON); /* and a person is still heard */
}

static void test_split_brain(void **state)
{
	for (unsigned dev = 0; dev < 2; dev++) {
		struct member m = make_member(dev, 2);

		m.events -= dev;
		m.roles[1 - dev] = ROLE_FAULTY;
		survey_add(&s, &m, dev);
	}
	judge();
	policy.action = POLICY_ASK;
	open_menu();
	press('1', MENU_GOES_ON);
	says("Mirror host:boot is a split brain: leg 1 on disk 1 is read");
	says("It is write-protected");
	assert_int_equal(s.mirror[0].order_count, 1);
}

static void test_has_choice(void **state)
{
	add_stale();
	assert_true(menu_has_choice(&s, 0));
	s.mirror[0].leg[1].verdict = VERDICT_REBUILDING;
	assert_true(menu_has_choice(&s, 0));
	s.mirror[0].leg[0].verdict = VERDICT_SPARE;
	assert_false(menu_has_choice(&s, 0));
}

static void test_more(void **state)
{
	add_in_sync(2);
	judge();
	open_menu();
	assert_null(strstr(out, "c: clone"));
	press('c', MENU_IGNORED);
	more = &clones;
	open_menu();
	says("c: clone\n");
	press('c', MENU_MORE);
	press('C', MENU_MORE);
	press('x', MENU_WAITS);
	press('c', MENU_WAITS); /* no y, and no wish */
}

/* There c is a leg. */
static void test_more_with_many_legs(void **state)
{
	add_in_sync(13);
	judge();
	more = &clones;
	open_menu();
	assert_null(strstr(out, "c: clone"));
	press('c', MENU_GOES_ON);
}

#define TEST(f) cmocka_unit_test_setup(f, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_opens),
		TEST(test_shows),
		TEST(test_default),
		TEST(test_no_default),
		TEST(test_second_in_sync),
		TEST(test_stale_needs_y),
		TEST(test_idle_at_confirmation),
		TEST(test_raw),
		TEST(test_refused),
		TEST(test_missing_refused),
		TEST(test_ignored),
		TEST(test_many_legs),
		TEST(test_noise),
		TEST(test_split_brain),
		TEST(test_has_choice),
		TEST(test_more),
		TEST(test_more_with_many_legs),
	};

	return cmocka_run_group_tests_name("menu", tests, NULL, NULL);
}
