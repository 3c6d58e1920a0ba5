/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* menu_offer: when a person gets the menu, with a console whose keys come at set times. */
#include "tests/unit/help_md.h"

#include "common/console.h"
#include "common/menu.h"

#include <string.h>

enum { TAB = 9, ENTER = 13, NEVER = 1 << 30 };

/* Keys, each with the tick at which it is pressed; time passes only while somebody waits. */
static struct {
	unsigned now, next, count;
	unsigned shift_from, shift_to;
	unsigned noise_now;
	char noise; /* comes with each tick, without end */
	struct {
		unsigned at;
		char key;
	} key[40];
} console;

static struct survey s;
static struct policy policy;
static char out[16384];
static struct text_buffer buffer;

char console_key_in(unsigned *ticks)
{
	for (;;) {
		if (console.next < console.count && console.key[console.next].at <= console.now)
			return console.key[console.next++].key;
		if (console.noise && console.noise_now != console.now) {
			console.noise_now = console.now;
			return console.noise;
		}
		if (*ticks == 0)
			return 0;
		console.now++;
		--*ticks;
		assert_true(console.now < NEVER);
	}
}

char console_key(unsigned seconds)
{
	unsigned ticks = seconds == CONSOLE_FOREVER ? NEVER : CONSOLE_TICKS(seconds);

	return console_key_in(&ticks);
}

bool console_shift(void)
{
	return console.now >= console.shift_from && console.now < console.shift_to;
}

static void press(unsigned at_s, char key)
{
	console.key[console.count].at = CONSOLE_TICKS(at_s);
	console.key[console.count++].key = key;
}

static void disk_name(const struct report_names *n, unsigned disk, struct text *to)
{
	text_str(to, "disk ");
	text_u64(to, disk);
}

/* Leg 0 is stale, leg 1 in sync. */
static const struct menu_more *more;

static int setup(void **state)
{
	more = NULL;
	memset(&s, 0, sizeof(s));
	memset(&console, 0, sizeof(console));
	policy = (struct policy){.action = POLICY_BOOT};
	for (unsigned dev = 0; dev < 2; dev++) {
		struct member m = make_member(dev, 2);

		m.events += 5 * dev;
		survey_add(&s, &m, dev);
	}
	assert_int_equal(mirror_assemble(&s), ST_OK);
	leg_judge(&s);
	return 0;
}

static bool offer(void)
{
	static const struct report_names names = {.disk_name = disk_name};

	text_buffer_init(&buffer, out, sizeof(out));
	return menu_offer(&s, &policy, &names, more, &buffer.text);
}

static bool said(const char *words)
{
	return strstr(out, words) != NULL;
}

static bool opened(void)
{
	return said("Type its number");
}

static void pause_for(unsigned seconds)
{
	policy = (struct policy){.action = POLICY_PAUSE, .pause_s = (uint8_t)seconds};
}

static void test_nobody(void **state)
{
	assert_true(offer());
	assert_string_equal(out, "");
	assert_int_equal(console.now, 0);
}

static void test_leftovers(void **state)
{
	press(0, ENTER);
	press(0, 1);
	press(0, 'x');
	press(1, 'm'); /* later: nobody waits for it */
	assert_true(offer());
	assert_string_equal(out, "");
	assert_int_equal(console.next, 3);
}

static void test_wish(void **state)
{
	static const char keys[] = {'m', 'M', ' ', TAB, 27, '0', '9'};

	for (unsigned i = 0; i < sizeof(keys); i++) {
		setup(NULL);
		press(0, ENTER);
		press(0, keys[i]);
		press(0, 1);
		press(1, ENTER);
		assert_true(offer());
		assert_true(opened() && said("Going on with leg 1."));
		assert_false(said("There is no leg") ||
			     said("out of date: missed")); /* not an answer */
	}
}

static void test_shift(void **state)
{
	console.shift_to = 1;
	press(1, ENTER);
	assert_true(offer() && opened());

	setup(NULL);
	console.shift_from = 1;
	console.shift_to = 9;
	assert_true(offer() && !opened());
}

static void test_pause_passes(void **state)
{
	pause_for(7);
	press(0, ENTER); /* from before: not somebody who wants to go on */
	assert_true(offer());
	assert_string_equal(
		out, "Going on in 7 s. Press m to choose a leg, another key to go on at once.\n");
	assert_int_equal(console.now, CONSOLE_TICKS(7));
}

static void test_pause_key(void **state)
{
	pause_for(7);
	press(3, ENTER);
	assert_true(offer() && !opened());
	assert_int_equal(console.now, CONSOLE_TICKS(3));

	setup(NULL);
	pause_for(7);
	press(3, 'm');
	press(4, '0');
	press(5, 'y');
	assert_true(offer() && opened());
	assert_int_equal(s.mirror[0].chosen, 0);
	assert_true(s.mirror[0].read_only);

	setup(NULL);
	pause_for(7);
	console.shift_from = 20;
	console.shift_to = 30;
	press(3, ENTER);
	assert_true(offer() && opened());

	setup(NULL); /* it is open at once: the pause has no purpose */
	pause_for(7);
	press(0, 'm');
	press(1, ENTER);
	assert_true(offer() && opened() && !said("Going on in"));
}

/* So long after the last answer, not after the first; keys that mean nothing do not count. */
static void test_idle(void **state)
{
	press(0, 'm');
	press(30, '7');
	press(80, 'q');
	assert_true(offer());
	assert_true(said("There is no leg 7.") && said("Going on with leg 1."));
	assert_int_equal(console.now, CONSOLE_TICKS(30) + CONSOLE_TICKS(MENU_IDLE_S));
}

static void test_noise(void **state)
{
	static const char keys[] = {'q', 1, '5', ' '};

	for (unsigned i = 0; i < sizeof(keys); i++) {
		setup(NULL);
		console.noise = keys[i];
		console.shift_to = 1; /* also where the noise itself opens nothing */
		assert_true(offer());
		assert_int_equal(s.mirror[0].chosen, 1);
		assert_true(console.now < CONSOLE_TICKS(100 * MENU_IDLE_S));
	}
}

static void test_raw(void **state)
{
	press(0, 'm');
	press(1, 'x');
	press(2, 'y');
	assert_false(offer());
}

/* No answer was given before the question; and it waits. */
static void test_ask(void **state)
{
	policy.action = POLICY_ASK;
	press(0, '1');
	press(0, ENTER);
	press(500, ENTER);
	press(501, '1');
	assert_true(offer());
	assert_int_equal(console.now, CONSOLE_TICKS(501));
	assert_true(opened() && said("leg 1 on disk 1 is read, because a person chose it."));
}

static void test_unusable(void **state)
{
	policy.action = POLICY_UNUSABLE;
	press(0, ENTER);
	press(500, 'q');
	assert_false(offer());
	assert_true(said("Press a key to start this disk as it is") && said("Press m to choose"));
	assert_false(opened());
	assert_int_equal(console.now, CONSOLE_TICKS(500));

	setup(NULL);
	policy.action = POLICY_UNUSABLE;
	press(1, 'm');
	press(500, '0');
	press(501, 'y');
	assert_true(offer());
	assert_int_equal(s.mirror[0].chosen, 0);
}

static void test_unusable_without_choice(void **state)
{
	policy.action = POLICY_UNUSABLE;
	for (unsigned i = 0; i < 2; i++)
		s.mirror[0].leg[i].verdict = VERDICT_SPARE;
	press(0, 'm');
	press(1, 'm');
	assert_false(offer());
	assert_false(opened() || said("Press m"));
}

#define TEST(f) cmocka_unit_test_setup(f, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_nobody), TEST(test_leftovers),    TEST(test_wish),
		TEST(test_shift),  TEST(test_pause_passes), TEST(test_pause_key),
		TEST(test_idle),   TEST(test_noise),        TEST(test_raw),
		TEST(test_ask),    TEST(test_unusable),     TEST(test_unusable_without_choice),
	};

	return cmocka_run_group_tests_name("menu_offer", tests, NULL, NULL);
}
