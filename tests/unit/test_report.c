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

static void sentences(void **state)
{
	static const struct {
		struct reason r;
		const char *text;
	} rows[] = {
		{{REASON_STALE, 19, 24}, "missed writes (events 19, newest 24)"},
		{{REASON_SPLIT_BRAIN, 7, 9}, "ran alone (events 7, the newest 9)"},
		{{REASON_REBUILDING, 2048, 4096}, "was being rebuilt: 1 MiB of 2 MiB done"},
		{{REASON_TRUNCATED, 2048, 4096}, "ends too early: has 1 MiB, needs 2 MiB"},
		{{REASON_BAD_BLOCKS, 3, 0}, "up to date; its 3 bad ranges are not read"},
		{{REASON_COUNT, 0, 0}, "?"},
		{{255, 0, 0}, "?"},
	};

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct text_buffer b;

		text_buffer_init(&b, out, sizeof(out));
		reason_text(&rows[i].r, &b.text);
		assert_string_equal(out, rows[i].text);
	}
}

/* All of it, as it stands on the screen. */
static void the_whole_text(void **state)
{
	struct member a = make_member(0, 3), b = make_member(1, 3);
	struct config c = defaults();

	start();
	s.disk_count = 2;
	b.roles[0] = ROLE_FAULTY;
	b.roles[2] = ROLE_FAULTY;
	b.events += 5;
	b.flags |= MEMBER_DIRTY;
	b.part = 2;
	survey_add(&s, &a, 0);
	survey_add(&s, &b, 1);
	assert_string_equal(
		judged(&c),
		"mirror host:boot  md-1.2  256 KiB  degraded, not closed\n"
		"  leg 0  disk 0         stale       missed writes (events 100, newest 105)\n"
		"* leg 1  disk 1 part 2  in-sync     array not closed; md reads this leg first\n"
		"  leg 2  -              missing     on none of these disks\n"
		"Mirror host:boot is degraded: leg 1 on disk 1 part 2 is read.\n");
}

/* The star is at the leg that is read, which need not be the one whose map decides. */
static void the_star_is_at_the_chosen_leg(void **state)
{
	struct member a = make_member(0, 2), b = make_member(1, 2);
	struct config c = defaults();

	start();
	a.flags |= MEMBER_WRITE_MOSTLY;
	survey_add(&s, &a, 0);
	survey_add(&s, &b, 1);
	judged(&c);
	assert_int_not_equal(s.mirror[0].newest, s.mirror[0].chosen);
	says("\n  leg 0  disk 0");
	says("\n* leg 1  disk 1");
}

static void long_name(const struct report_names *n, unsigned i, struct text *t)
{
	text_str(t, i ? "/dev/disk/by-id/a-very-long-name" : "/dev/sda");
}

static void long_names_stay_in_line(void **state)
{
	static const struct report_names longer = {long_name, NULL};
	struct member a = make_member(0, 2), b = make_member(1, 2);
	struct text_buffer t;

	start();
	survey_add(&s, &a, 0);
	survey_add(&s, &b, 1);
	mirror_assemble(&s);
	leg_judge(&s);
	text_buffer_init(&t, out, sizeof(out));
	report_mirror(&s, 0, &longer, &t.text);

	const char *first = strstr(out, "leg 0"), *second = strstr(out, "leg 1");

	assert_non_null(first);
	assert_non_null(second);
	assert_int_equal(strstr(first, "in-sync") - first, strstr(second, "in-sync") - second);
}

static void split_brain(void **state)
{
	static const struct {
		uint8_t policy;
		bool read, stopped;
	} rows[] = {{CONFIG_NEWEST, true, false},
		    {CONFIG_ASK, false, false},
		    {CONFIG_HALT, false, true}};

	for (unsigned i = 0; i < 3; i++) {
		struct member a = make_member(0, 2), b = make_member(1, 2);
		struct config c = defaults();

		start();
		a.roles[1] = b.roles[0] = ROLE_FAULTY;
		b.events += 3;
		survey_add(&s, &a, 0);
		survey_add(&s, &b, 1);
		c.split_brain = rows[i].policy;
		judged(&c);
		says("split-brain\n");
		says("conflict");
		says("is a split brain: leg 1 on disk 1");
		says("each may hold writes that the other lacks");
		assert_int_equal(strstr(out, "is read.") != NULL, rows[i].read);
		assert_int_equal(strstr(out, "is the newest.") != NULL, !rows[i].read);
		assert_int_equal(strstr(out, "Stopped") != NULL, rows[i].stopped);
	}
}

static void a_mirror_without_a_name(void **state)
{
	struct member a = make_member(0, 1);
	struct config c = defaults();

	start();
	memset(a.name, 0, sizeof(a.name));
	survey_add(&s, &a, 0);
	judged(&c);
	says("mirror (no name)  ");
	says("Mirror (no name) is healthy");
}

static void a_damaged_table(void **state)
{
	struct config c = defaults();

	start();
	s.found[1].status = ST_CORRUPT;
	judged(&c);
	says("disk 1: its partition table is damaged, and so is the backup");
	assert_null(strstr(out, "disk 0"));
}

/* "Left alone" is what belongs to no mirror: not a leg that is refused, which has its own line. */
static void what_is_left_alone(void **state)
{
	struct member a = make_member(0, 2), b = make_member(1, 2);
	struct config c = defaults();

	start();
	b.status = ST_CORRUPT;
	b.why = (struct reason){REASON_CHECKSUM, 0, 0};
	survey_add(&s, &a, 0);
	survey_add(&s, &b, 1);
	judged(&c);
	says("its superblock's checksum is wrong");
	assert_null(strstr(out, "left alone"));

	start();
	b.level = 10;
	b.part = 3;
	b.status = ST_UNSUPPORTED;
	b.why = (struct reason){REASON_NOT_A_MIRROR, 10, 0};
	survey_add(&s, &b, 1);
	judged(&c);
	says("disk 1 part 3: left alone: the array's level is 10, not 1");
}

/* Newer data were seen before: said of every mirror that it is true of, with both numbers. */
static void behind(void **state)
{
	struct member a = make_member(0, 2), b = make_member(1, 2);
	struct config c = defaults();
	struct text_buffer t;
	struct policy p;

	start();
	survey_add(&s, &a, 0);
	survey_add(&s, &b, 1);
	memset(&a.set_uuid, 7, sizeof(a.set_uuid));
	memcpy(a.name, "host:root", 10);
	a.start_lba = 4096;
	survey_add(&s, &a, 0);
	judged(&c);
	assert_null(strstr(out, "behind"));
	assert_null(strstr(out, "Generation"));

	s.mirror[1].seen = 120;
	s.mirror[1].behind = true;
	policy_decide(&s, &c, &p);
	text_buffer_init(&t, out, sizeof(out));
	report_survey(&s, &names, &t.text);
	report_policy(&s, &p, &names, &t.text);
	says("mirror host:boot  md-1.2  256 KiB  healthy\n");
	says("mirror host:root  md-1.2  256 KiB  degraded, behind\n");
	says("Mirror host:boot is healthy: leg 0 on disk 0 is read.\n"
	     "Generation 120 of mirror host:root was seen before; the newest here is 100:\n"
	     "the disk that has it is missing.\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(healthy),
		cmocka_unit_test(degraded),
		cmocka_unit_test(nothing_found),
		cmocka_unit_test(left_alone),
		cmocka_unit_test(unusable),
		cmocka_unit_test(the_named_mirror_is_absent),
		cmocka_unit_test(lines_fit),
		cmocka_unit_test(sentences),
		cmocka_unit_test(the_whole_text),
		cmocka_unit_test(the_star_is_at_the_chosen_leg),
		cmocka_unit_test(long_names_stay_in_line),
		cmocka_unit_test(split_brain),
		cmocka_unit_test(a_mirror_without_a_name),
		cmocka_unit_test(a_damaged_table),
		cmocka_unit_test(what_is_left_alone),
		cmocka_unit_test(behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
