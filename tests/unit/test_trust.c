/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * trust: what a disk that nobody named can do to mirrors whose members are pinned. Each attack
 * is made without a pin, too: there it works, or the test would prove nothing.
 */
#include "tests/unit/help_md.h"

#include "common/policy.h"
#include "common/report.h"
#include "common/vdisk.h"
#include "common/view.h"

#include <stdio.h>
#include <string.h>

#define DISKS   4u
#define SECTORS 2048u
#define PART    64u /* the first partition, of PART_N sectors; the second follows */
#define PART_N  960u
#define SECOND  (PART + PART_N)

/* The device UUIDs of md1_spec(): 0x10 and 0x11 in every byte. The attacker's is another. */
#define EVIL 0xee

static struct memdisk mem[DISKS];
static struct disk disk[DISKS];
static struct survey s;
static struct config c;
static struct policy p;
static struct vdisk_set set;
static struct vdisk_tables tables;

static int setup(void **state)
{
	config_default(&c);
	view_init(&set, &tables);
	return 0;
}

static int teardown(void **state)
{
	for (unsigned i = 0; i < DISKS; i++)
		memdisk_close(&mem[i]);
	memset(mem, 0, sizeof(mem));
	return 0;
}

/* ---- scenes ---- */

static void open_disk(unsigned i)
{
	memdisk_open(&mem[i], SECTORS, 9);
	memdisk_fill(&mem[i], 0, SECTORS, (uint8_t)(0xa0 + i), 0);
	memset(mem[i].bytes, 0, 512);
	memdisk_mbr(&mem[i], 1, 0xfd, PART, PART_N);
	memdisk_mbr(&mem[i], 2, 0xfd, SECOND, PART_N);
}

/* Leg dev of the mirror, in the first partition of disk i. */
static struct md1_spec good(unsigned dev)
{
	return md1_spec(FORMAT_MD_1_2, dev);
}

static struct md1_spec evil(unsigned dev)
{
	struct md1_spec spec = good(dev);

	spec.device = EVIL;
	return spec;
}

static void put_leg(unsigned i, const struct md1_spec *spec)
{
	open_disk(i);
	md1_put(&mem[i], PART, PART_N, spec);
}

static struct guid device(unsigned byte)
{
	struct guid g;

	memset(&g, (int)byte, sizeof(g));
	return g;
}

static void trust_device(unsigned byte)
{
	c.trust.pinned = true;
	c.trust.device[c.trust.count++] = device(byte);
}

static void run(unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		disk[i] = mem[i].disk;
	survey_run_trusted(&s, disk, n, &c.trust);
	policy_decide(&s, &c, &p);
}

/* The device UUIDs that md1_spec() gives its legs. */
static void trust_both(void)
{
	for (unsigned dev = 0; dev < 2; dev++) {
		struct md1_spec spec = good(dev);

		trust_device(spec.device);
	}
}

static void chosen_on(unsigned mirror, unsigned d)
{
	assert_int_not_equal(s.mirror[mirror].chosen, NO_LEG);
	assert_int_equal(s.mirror[mirror].leg[s.mirror[mirror].chosen].disk, d);
}

static void is_refused(unsigned mirror, unsigned d)
{
	const struct leg *l = leg_on(&s, mirror, d);
	unsigned at = (unsigned)(l - s.mirror[mirror].leg);

	assert_int_equal(l->verdict, VERDICT_UNTRUSTED);
	assert_int_equal(l->why.code, REASON_NOT_TRUSTED);
	for (unsigned i = 0; i < s.mirror[mirror].order_count; i++)
		assert_int_not_equal(s.mirror[mirror].order[i], at);
	/* Nor does a person get it, confirmed or not. */
	assert_int_equal(policy_leg(&s, mirror, at), POLICY_LEG_NEVER);
	assert_false(policy_choose(&s, mirror, at, false));
	assert_false(policy_choose(&s, mirror, at, true));
	assert_false(trust_disk(&s, d));
}

/* ---- the list ---- */

#define A "10101010:10101010:10101010:10101010"
#define B "11111111-1111-1111-1111-111111111111"
#define C "22222222222222222222222222222222"

static enum status parse(const char *text)
{
	struct config_error err;

	config_default(&c);
	return config_parse(&c, text, strlen(text), &err);
}

static bool named(unsigned byte)
{
	struct guid g = device(byte);

	return trust_has(&c.trust, &g);
}

static void test_list(void **state)
{
	assert_int_equal(parse("timeout = 1\n"), ST_OK);
	assert_false(c.trust.pinned);
	assert_int_equal(parse("trust = " A "\n"), ST_OK);
	assert_true(c.trust.pinned && named(0x10) && !named(0x11));
	assert_int_equal(parse("trust=" A ", " B "\ntrust = \t" C " # root\r\n"), ST_OK);
	assert_int_equal(c.trust.count, 3);
	assert_true(named(0x10) && named(0x11) && named(0x22));
	assert_int_equal(parse("trust = " A "," B), ST_OK);
	assert_int_equal(c.trust.count, 2);
}

/* Whoever wrote it wants the others out: a mistake must not let them in. */
static void test_list_with_faults(void **state)
{
	static const char *const bad[] = {
		"trust =\n",
		"trust = ,\n",
		"trust = sda\n",
		"trust = " A "0\n",
		"trust = 00000000:00000000:00000000:00000000\n",
		"trust = 1010\n",
		"trust = " A "/" B "\n",
	};

	for (unsigned i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		assert_int_equal(parse(bad[i]), ST_CORRUPT);
		assert_true(c.trust.pinned);
		assert_int_equal(c.trust.count, 0);
	}
	assert_int_equal(parse("trust = " A " x " B "\n"), ST_CORRUPT);
	assert_true(named(0x10) && named(0x11));
	assert_int_equal(c.trust.count, 2);
	/* Zeros are what members of formats without such UUIDs have. */
	assert_false(named(0));
}

/* As many as a configuration has room for: none is left out. */
static void test_list_full(void **state)
{
	static char text[CONFIG_TEXT_BYTES + 1];
	unsigned n = 0, count = 0;

	n = (unsigned)sprintf(text, "trust=");
	while (n + 33 <= CONFIG_TEXT_BYTES)
		n += (unsigned)sprintf(text + n, "%032x,", ++count);
	assert_int_equal(parse(text), ST_OK);
	assert_int_equal(c.trust.count, count);
	assert_in_range(count, 60, TRUST_MAX);
}

static void test_list_hides(void **state)
{
	assert_int_equal(parse("hide-stale = no\n"), ST_OK);
	assert_false(c.hide_stale);
	assert_int_equal(parse("trust = " A "\nhide-stale = no\n"), ST_OK);
	assert_true(c.hide_stale);
}

static void test_list_equal(void **state)
{
	struct trust a, b;

	parse("trust = " A " " B "\n");
	a = c.trust;
	parse("trust = " B "\ntrust = " A "\n");
	b = c.trust;
	assert_true(trust_equal(&a, &b));
	b.count--;
	assert_false(trust_equal(&a, &b) || trust_equal(&b, &a));
	parse("");
	assert_false(trust_equal(&a, &c.trust));
}

/* ---- one of higher generation ---- */

/* Disk 0: the attacker's, in the place of leg 1, newer. Disk 1: leg 0. */
static void put_newer(uint64_t events)
{
	struct md1_spec spec = evil(1);

	spec.events = events;
	spec.roles[0] = ROLE_FAULTY;
	put_leg(0, &spec);
	spec = good(0);
	put_leg(1, &spec);
}

static void test_newer(void **state)
{
	put_newer(1000);
	run(2); /* the known risk: Linux, too, would take it */
	chosen_on(0, 0);
	assert_int_equal(leg_on(&s, 0, 1)->verdict, VERDICT_STALE);

	trust_both();
	run(2);
	assert_int_equal(s.mirror_count, 1);
	assert_int_equal(p.action, POLICY_BOOT);
	assert_int_equal(s.mirror[0].state, MIRROR_DEGRADED);
	assert_false(s.mirror[0].behind || s.full);
	chosen_on(0, 1);
	assert_int_equal(s.mirror[0].order_count, 1);
	assert_int_equal(leg_on(&s, 0, 1)->why.code, REASON_IN_SYNC);
	is_refused(0, 0);
	/* Beside it the leg that is trusted, and not here, is missed; it comes last. */
	assert_int_equal(s.mirror[0].leg_count, 3);
	assert_int_equal(s.mirror[0].leg[1].verdict, VERDICT_MISSING);
	assert_int_equal(s.mirror[0].leg[2].disk, 0);
}

/* As new as the others, or one event ahead; it does not change what they are. */
static void test_beside_both(void **state)
{
	for (unsigned i = 0; i < 4; i++) {
		static const uint64_t events[] = {99, 100, 101, UINT64_MAX};
		struct md1_spec spec = evil(i % 2);

		spec.events = events[i];
		spec.data_size = 256;
		spec.name = "evil:boot";
		put_leg(0, &spec);
		for (unsigned dev = 0; dev < 2; dev++) {
			spec = good(dev);
			put_leg(1 + dev, &spec);
		}
		c.trust = (struct trust){0};
		trust_both();
		run(3);
		assert_int_equal(s.mirror[0].state, MIRROR_HEALTHY);
		assert_int_equal(s.mirror[0].order_count, 2);
		assert_int_equal(s.mirror[0].size_s512, 512);
		assert_string_equal(s.mirror[0].name, "host:boot");
		assert_int_equal(p.action, POLICY_BOOT);
		chosen_on(0, 1);
		is_refused(0, 0);
		teardown(NULL);
	}
}

static void test_no_split_brain(void **state)
{
	struct md1_spec spec = evil(1);

	spec.roles[0] = ROLE_FAULTY;
	put_leg(0, &spec);
	spec = good(0);
	spec.roles[1] = ROLE_FAULTY;
	put_leg(1, &spec);
	run(2);
	assert_int_equal(s.mirror[0].state, MIRROR_SPLIT_BRAIN);
	c.split_brain = CONFIG_HALT;
	trust_both();
	run(2);
	assert_int_equal(s.mirror[0].state, MIRROR_DEGRADED);
	assert_int_equal(p.action, POLICY_BOOT);
	chosen_on(0, 1);
}

/* A disk that was replaced, and that nobody trusts yet: the rest goes on booting. */
static void test_replaced_and_forgotten(void **state)
{
	char text[2000];
	struct text_buffer b;
	struct report_names names = {0};
	struct md1_spec spec = good(0);

	put_leg(0, &spec);
	spec = evil(1);
	put_leg(1, &spec);
	trust_both();
	run(2);
	chosen_on(0, 0);
	assert_int_equal(p.action, POLICY_BOOT);
	is_refused(0, 1);
	(void)names;
	text_buffer_init(&b, text, sizeof(text));
	trust_report(&s, &b.text);
	assert_non_null(strstr(text, "mirrorboot install --trust"));
	/* The same disk alone, though the system was in sync on it, is not booted. */
	c.trust.count = 0;
	trust_device(0x77);
	run(2);
	assert_int_equal(p.action, POLICY_UNTRUSTED);
	assert_int_equal(p.mirror, SURVEY_MIRRORS);
	text_buffer_init(&b, text, sizeof(text));
	report_policy(&s, &p, &names, &b.text);
	assert_non_null(strstr(text, "install --trust"));
	assert_non_null(strstr(text, "--no-trust"));
}

/* Nothing to say when there is nobody else. */
static void test_all_trusted(void **state)
{
	char text[200] = "";
	struct text_buffer b;

	for (unsigned dev = 0; dev < 2; dev++) {
		struct md1_spec spec = good(dev);

		put_leg(dev, &spec);
	}
	trust_both();
	run(2);
	assert_int_equal(s.mirror[0].state, MIRROR_HEALTHY);
	assert_int_equal(s.untrusted_count, 0);
	text_buffer_init(&b, text, sizeof(text));
	trust_report(&s, &b.text);
	assert_int_equal(b.used, 0);
	assert_true(trust_disk(&s, 0) && trust_disk(&s, 1));
}

/* No mirror at all: without us a loader would look for one itself. */
static void test_none(void **state)
{
	open_disk(0);
	run(1);
	assert_int_equal(p.action, POLICY_NO_MIRROR);
	trust_both();
	run(1);
	assert_int_equal(p.action, POLICY_UNTRUSTED);
}

/* What pinning does not see: both have the UUID that is trusted. It is a copy, or the copy is. */
static void test_copied_uuid(void **state)
{
	struct md1_spec spec = good(0);

	spec.events = 1000;
	put_leg(0, &spec);
	spec.events = 100;
	put_leg(1, &spec);
	trust_both();
	run(2);
	chosen_on(0, 0);
	assert_int_equal(leg_on(&s, 0, 1)->verdict, VERDICT_STALE);
	spec.events = 1000;
	put_leg(1, &spec);
	run(2);
	assert_int_equal(leg_on(&s, 0, 1)->verdict, VERDICT_CONFLICT);
	assert_int_equal(leg_on(&s, 0, 1)->why.code, REASON_DUPLICATE);
}

/* ---- which mirror ---- */

/* Another array of the name that the configuration has: two of one name are asked for by UUID. */
static void test_same_name(void **state)
{
	struct md1_spec spec = evil(0);

	spec.uuid = 0x66;
	put_leg(0, &spec);
	spec = good(0);
	put_leg(1, &spec);
	strcpy(c.mirror, "boot");
	run(2);
	assert_true(p.named_absent);
	chosen_on(p.mirror, 0);

	trust_both();
	run(2);
	assert_false(p.named_absent);
	assert_int_equal(s.mirror_count, 2);
	chosen_on(p.mirror, 1);
	assert_int_equal(s.mirror[1 - p.mirror].state, MIRROR_UNTRUSTED);
	assert_int_equal(s.mirror[1 - p.mirror].chosen, NO_LEG);
	c.mirror[0] = '\0';
	run(2);
	chosen_on(p.mirror, 1);
}

/* Its leg of the second mirror lies before all others: that must not make it the first. */
static void test_first_mirror(void **state)
{
	struct md1_spec boot = good(0), root = good(1), other = evil(0);

	root.uuid = other.uuid = 0x77;
	root.dev = 0;
	put_leg(0, &other);
	put_leg(1, &boot);
	md1_put(&mem[1], SECOND, PART_N, &root);
	trust_both();
	run(2);
	assert_int_equal(s.mirror_count, 2);
	assert_int_equal(s.mirror[p.mirror].uuid.b[0], boot.uuid);
	c.trust = (struct trust){0};
	run(2);
	assert_int_equal(s.mirror[p.mirror].uuid.b[0], 0x77);
}

/* It can't fill the tables before the others' turn comes. */
static void test_room(void **state)
{
	struct member m = make_member(0, 2);
	unsigned added = 0;

	trust_both();
	survey_probe_trusted(&s, disk, 0, &c.trust);
	s.disk_count = 2;
	for (unsigned i = 0; i < 300; i++) {
		m = make_member(0, 2);
		m.device_uuid = device(EVIL);
		m.set_uuid = device(i % 30 + 1);
		if (i >= 30)
			m.set_uuid = device(0xa5);
		added += survey_add_member(&s, &m, 0, i, i, 1);
	}
	assert_int_equal(added, SURVEY_UNTRUSTED);
	assert_true(s.full);
	for (unsigned dev = 0; dev < 2; dev++) {
		struct md1_spec spec = good(dev);

		m = make_member(dev, 2);
		m.device_uuid = device(spec.device);
		assert_true(survey_add_member(&s, &m, 1, dev, 1000 + dev, 1));
	}
	mirror_assemble(&s);
	leg_judge(&s);
	assert_int_equal(s.mirror[0].uuid.b[0], 0xa5);
	assert_int_equal(s.mirror[0].state, MIRROR_HEALTHY);
	assert_int_equal(s.mirror[0].leg_count, MIRROR_LEGS);
	policy_decide(&s, &c, &p);
	assert_int_equal(p.mirror, 0);
}

/* ---- what a loader sees ---- */

static void view(unsigned d)
{
	unsigned v;

	view_init(&set, &tables);
	assert_int_equal(view_add_disk(&set, &s, d, &v), ST_OK);
	assert_int_equal(v, 0);
}

/* Sector lba of the view: of disk d at `at`, or (d is DISKS) of nobody. */
static void shows(uint64_t lba, unsigned d, uint64_t at)
{
	uint8_t buf[512];
	enum status st = vdisk_read(&set, 0, disk, lba, 1, buf);

	if (d == DISKS) {
		assert_int_equal(st, ST_IO);
		return;
	}
	assert_int_equal(st, ST_OK);
	assert_memory_equal(buf, mem[d].bytes + at * 512, 512);
}

static void test_view(void **state)
{
	put_newer(1000);
	trust_both();
	run(2);
	view(0);
	shows(0, 0, 0); /* its own partition table */
	shows(PART + 8, 1, PART + 8);
	shows(PART + 64, 1, PART + 64);
	shows(PART + 64 + 511, 1, PART + 64 + 511);
	shows(SECOND + 100, 0, SECOND + 100); /* no member: as it is */
}

/*
 * A loader that knows md looks for every version of its superblock: a second one at the end of
 * the range, where the trusted leg has nothing, would lead it to the attacker's data.
 */
static void test_view_second_superblock(void **state)
{
	struct md1_spec spec = evil(1);
	struct md1_spec old;

	spec.events = 1000;
	open_disk(0);
	memdisk_mbr(&mem[0], 1, 0xfd, PART, 1900);
	memdisk_mbr(&mem[0], 2, 0, 0, 0);
	md1_put(&mem[0], PART, 1900, &spec);
	old = md1_spec(FORMAT_MD_1_0, 1);
	old.device = EVIL;
	md1_put(&mem[0], PART, 1900, &old);
	spec = good(0);
	put_leg(1, &spec);
	trust_both();
	run(2);
	view(0);
	shows(PART + 100, 1, PART + 100);
	for (uint64_t at = PART + PART_N; at < PART + 1900; at += 7)
		shows(at, DISKS, 0);
	shows(PART + 1900, 0, PART + 1900);
}

/* Another version, another level: it says the array's UUID, and a loader may ask no more. */
static void test_view_claims(void **state)
{
	struct md1_spec spec = md1_spec(FORMAT_MD_1_0, 1);

	for (unsigned turn = 0; turn < 3; turn++) {
		if (turn == 1) {
			spec = evil(1);
			spec.level = 0;
		} else if (turn == 2) {
			spec = evil(1);
			spec.features = 0x8000; /* that we do not know */
		}
		spec.device = EVIL;
		spec.events = 1000;
		put_leg(0, &spec);
		spec = good(0);
		put_leg(1, &spec);
		c.trust = (struct trust){0};
		trust_both();
		run(2);
		assert_int_equal(s.mirror_count, 1);
		chosen_on(0, 1);
		is_refused(0, 0);
		view(0);
		for (unsigned at = PART; at < PART + PART_N; at += 5) {
			uint8_t buf[512];

			/* Of the trusted leg or of nobody: never its own. */
			if (vdisk_read(&set, 0, disk, at, 1, buf) == ST_OK)
				assert_memory_equal(buf, mem[1].bytes + at * 512, 512);
		}
		shows(SECOND + 9, 0, SECOND + 9);
		teardown(NULL);
	}
}

/* The trusted legs can't be read: then nobody reads that range. */
static void test_view_of_unusable(void **state)
{
	put_newer(1000);
	mem[1].bytes[(PART + 8) * 512 + 0x40] ^= 1; /* of its checksum, or of what it covers */
	trust_both();
	run(2);
	assert_int_equal(s.mirror[0].state, MIRROR_UNUSABLE);
	is_refused(0, 0);
	view(0);
	shows(PART + 8, DISKS, 0);
	shows(PART + 300, DISKS, 0);
	shows(SECOND, 0, SECOND);
}

/* An array that has nothing to do with ours stays as it is: it may be the owner's data. */
static void test_view_of_others(void **state)
{
	struct md1_spec spec = evil(0);

	spec.uuid = 0x66;
	put_leg(0, &spec);
	spec = good(0);
	put_leg(1, &spec);
	trust_both();
	run(2);
	view(0);
	shows(PART + 8, 0, PART + 8);
	shows(PART + 300, 0, PART + 300);
}

/* A superblock of the whole disk, over a partition table: nothing of it is shown. */
static void test_view_whole_disk(void **state)
{
	struct md1_spec spec = md1_spec(FORMAT_MD_1_0, 1);
	uint64_t at = md1_at(FORMAT_MD_1_0, SECTORS);

	open_disk(0);
	spec.device = EVIL;
	md1_put(&mem[0], 0, SECTORS, &spec);
	mem[0].bytes[at * 512 + 0x28] ^= 1; /* damaged: then the table counts */
	spec = good(0);
	put_leg(1, &spec);
	trust_both();
	run(2);
	assert_int_equal(s.found[0].table, PART_TABLE_MBR);
	is_refused(0, 0);
	view(0);
	shows(at, DISKS, 0);
	shows(0, DISKS, 0);
}

/* md 0.90 has no UUID of its own for a device: nothing of it can be named. */
static void test_md_0_90(void **state)
{
	for (unsigned dev = 0; dev < 2; dev++) {
		struct md0_spec spec = md0_spec(dev);

		open_disk(dev);
		md0_put(&mem[dev], PART, PART_N, &spec);
	}
	run(2);
	assert_int_equal(s.mirror[0].state, MIRROR_HEALTHY);
	trust_both();
	run(2);
	assert_int_equal(s.mirror[0].state, MIRROR_UNTRUSTED);
	assert_int_equal(p.action, POLICY_UNTRUSTED);
}

static void test_names(void **state)
{
	struct reason r = {REASON_NOT_TRUSTED, 0, 0};
	char text[100];
	struct text_buffer b;

	assert_string_equal(reason_name(REASON_NOT_TRUSTED), "not-trusted");
	assert_string_equal(verdict_name(VERDICT_UNTRUSTED), "untrusted");
	assert_string_equal(mirror_state_name(MIRROR_UNTRUSTED), "untrusted");
	text_buffer_init(&b, text, sizeof(text));
	reason_text(&r, &b.text);
	assert_string_equal(text, "not one of the disks trusted at install");
	/* They are kept on disks: what is new goes to the end. */
	assert_int_equal(REASON_NOT_TRUSTED, 40);
	assert_int_equal(VERDICT_UNTRUSTED, 9);
	assert_int_equal(MIRROR_UNTRUSTED, 4);
}

/* What is not ours to print goes to nobody's terminal: a configuration may be another's. */
static void test_config_error_is_printable(void **state)
{
	static const char text[] = "col\033[2Jour = 1\n";
	struct config_error err;

	assert_int_equal(config_parse(&c, text, sizeof(text) - 1, &err), ST_CORRUPT);
	assert_string_equal(err.word, "col?[2Jour");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_list),
		TEST(test_list_with_faults),
		TEST(test_list_full),
		TEST(test_list_hides),
		TEST(test_list_equal),
		TEST(test_newer),
		TEST(test_beside_both),
		TEST(test_no_split_brain),
		TEST(test_replaced_and_forgotten),
		TEST(test_all_trusted),
		TEST(test_none),
		TEST(test_copied_uuid),
		TEST(test_same_name),
		TEST(test_first_mirror),
		TEST(test_room),
		TEST(test_view),
		TEST(test_view_second_superblock),
		TEST(test_view_claims),
		TEST(test_view_of_unusable),
		TEST(test_view_of_others),
		TEST(test_view_whole_disk),
		TEST(test_md_0_90),
		TEST(test_names),
		TEST(test_config_error_is_printable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
