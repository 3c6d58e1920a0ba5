/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tests/unit/help_md.h"

#include "common/report.h"

#include <string.h>

static struct survey s;
static struct disk disk[3];
static char out[4096];

static void name(const struct report_names *n, unsigned i, struct text *t)
{
	text_str(t, "disk ");
	text_u64(t, i);
}

static const struct report_names names = {name, NULL};

static void start(void)
{
	memset(&s, 0, sizeof(s));
	memset(disk, 0, sizeof(disk));
	for (unsigned i = 0; i < 3; i++)
		disk[i] = (struct disk){.sectors = 100000, .shift = 9};
	s.disk = disk;
	s.disk_count = 3;
}

static const char *judged(const struct config *c)
{
	struct text_buffer b;
	struct policy p;

	mirror_assemble(&s);
	leg_judge(&s);
	policy_decide(&s, c, &p);
	text_buffer_init(&b, out, sizeof(out));
	report_survey(&s, &names, &b.text);
	report_policy(&s, &p, &names, &b.text);
	return out;
}

static void says(const char *what)
{
	if (!strstr(out, what))
		fail_msg("\"%s\" is not said in:\n%s", what, out);
}

static struct config defaults(void)
{
	struct config c;

	config_default(&c);
	return c;
}

static void healthy(void **state)
{
	struct member a = make_member(0, 2), b = make_member(1, 2);
	struct config c = defaults();

	start();
	survey_add(&s, &a, 0);
	survey_add(&s, &b, 1);
	judged(&c);
	says("healthy");
	says("* leg 0  disk 0");
	says("  leg 1  disk 1");
	assert_null(strstr(out, "degraded"));
}

static void degraded(void **state)
{
	struct member a = make_member(0, 2), b = make_member(1, 2);
	struct config c = defaults();

	start();
	b.roles[0] = ROLE_SPARE;
	b.events += 5;
	survey_add(&s, &a, 0);
	survey_add(&s, &b, 1);
	judged(&c);
	says("degraded");
	says("stale");
	says("missed writes (events 100, newest 105)");
	says("* leg 1  disk 1");
	says("is degraded: leg 1 on disk 1");
}

static void nothing_found(void **state)
{
	struct config c = defaults();

	start();
	s.found[1].io_error = true;
	s.found[2].table = PART_TABLE_GPT_BACKUP;
	judged(&c);
	says("disk 1: some sectors could not be read");
	says("disk 2: the primary GPT is damaged; the backup was used");
	says("No mirror was found");
}

static void left_alone(void **state)
{
	struct member a = make_member(0, 2);
	struct config c = defaults();

	start();
	a.level = 5;
	a.status = ST_UNSUPPORTED;
	a.why = (struct reason){REASON_NOT_A_MIRROR, 5, 0};
	survey_add(&s, &a, 1);
	s.full = true;
	judged(&c);
	says("disk 1: left alone: the array's level is 5, not 1");
	says("left out");
}

static void unusable(void **state)
{
	struct member a = make_member(0, 2);
	struct config c = defaults();

	start();
	a.flags |= MEMBER_PARTIAL;
	a.good_s512 = 100;
	survey_add(&s, &a, 0);
	judged(&c);
	says("unusable");
	says("rebuilding");
}

static void the_named_mirror_is_absent(void **state)
{
	struct member a = make_member(0, 2), b = make_member(1, 2);
	struct config c = defaults();

	start();
	memcpy(c.mirror, "elsewhere", 10);
	survey_add(&s, &a, 0);
	survey_add(&s, &b, 1);
	judged(&c);
	says("that the configuration names was not found");
}

/* On a boot screen every line of a leg fits, whatever the numbers. */
static void lines_fit(void **state)
{
	for (unsigned code = 0; code < REASON_COUNT; code++) {
		struct reason r = {(uint8_t)code, 9999, 9999};
		struct text_buffer b;

		text_buffer_init(&b, out, sizeof(out));
		reason_text(&r, &b.text);
		if (strlen(out) > 44)
			fail_msg("%zu columns: %s", strlen(out), out);
		assert_true(strlen(out) > 5);
		assert_null(strchr(out, '%'));
		assert_true(strlen(reason_name((uint8_t)code)) > 3);
		for (unsigned other = 0; other < code; other++)
			assert_string_not_equal(reason_name((uint8_t)code),
						reason_name((uint8_t)other));
	}
	assert_string_equal(reason_name(REASON_COUNT), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(healthy),       cmocka_unit_test(degraded),
		cmocka_unit_test(nothing_found), cmocka_unit_test(left_alone),
		cmocka_unit_test(unusable),      cmocka_unit_test(the_named_mirror_is_absent),
		cmocka_unit_test(lines_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
