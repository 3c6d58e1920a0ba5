/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * Hostile boot records before a survey of two mirrors: one byte of flags, then
 * sectors, or one variable of a UEFI firmware. They may cause a warning and a pause; they must
 * never change a leg.
 */
#include "common/mem.h"
#include "common/policy.h"
#include "common/range.h"
#include "common/record.h"
#include "common/report.h"
#include "tests/fuzz/fuzz.h"

enum flag { FIX_SUM = 1, AS_VARIABLE = 2 };

static struct survey survey, before;

/* Mirror i, of the UUIDs that the seeds name: leg 0 is here, and leg 1 of the first. */
static void add_mirror(unsigned i)
{
	struct mirror *m = &survey.mirror[survey.mirror_count++];

	memset(m->uuid.b, 0xa1 + (int)i, sizeof(m->uuid.b));
	m->format = FORMAT_MD_1_2;
	m->state = i ? MIRROR_DEGRADED : MIRROR_HEALTHY;
	m->expected = m->leg_count = 2;
	m->order_count = 1;
	m->leg[0].generation = 22;
	m->leg[1] = (struct leg){.member = NO_MEMBER, .disk = NO_DISK, .verdict = VERDICT_MISSING};
	if (!i)
		m->leg[1] = m->leg[0];
}

static void drop(struct text *t, char c)
{
	check((c >= ' ' && c < 0x7f) || c == '\n');
}

static void disk_name(const struct report_names *n, unsigned disk, struct text *out)
{
	check(disk < survey.disk_count);
	text_u64(out, disk);
}

static void check_survey(const struct policy *with, const struct policy *without)
{
	static const struct report_names names = {disk_name, NULL};
	struct text out = {.put = drop};

	for (unsigned i = 0; i < survey.mirror_count; i++) {
		struct mirror m = survey.mirror[i], o = before.mirror[i];

		check(m.behind == (m.seen > 23));
		check(m.state == o.state || (m.behind && m.state == MIRROR_DEGRADED));
		m.seen = o.seen;
		m.behind = o.behind;
		m.state = o.state;
		check(memcmp(&m, &o, sizeof(m)) == 0);
	}
	check(with->mirror == without->mirror);
	check(with->action == POLICY_BOOT || with->action == POLICY_PAUSE);
	check(with->pause_s <= POLICY_PAUSE_S);
	report_survey(&survey, &names, &out);
	report_policy(&survey, with, &names, &out);
}

/* What is written in the end can be read again, and forgets nothing of what is here. */
static void check_made(const struct record_seen *seen)
{
	static struct record r;
	struct record_seen again = {0};

	record_make(&r, seen, &survey, 0);
	record_seal(&r, 1);
	check(record_check(&r) == ST_OK && r.count >= 2 && r.count <= RECORD_MIRRORS);
	check(record_failover(&r, le32_get(r.sequence), 31) && record_check(&r) == ST_OK);
	check(!seen->any || record_later(le32_get(r.sequence), seen->sequence));
	record_merge(&again, &r);
	check(again.count == r.count); /* no mirror twice */
	check(le64_get(r.mirror[0].seen) == 22);
	check(le64_get(r.mirror[1].seen) >= survey.mirror[1].seen);
}

static void take_variable(struct record_seen *seen, const uint8_t *data, size_t n, bool fix_sum)
{
	static struct record r, fixed;
	enum status st;

	if (fix_sum && n >= RECORD_BYTES_MIN && n <= sizeof(fixed)) {
		memset(&fixed, 0, sizeof(fixed));
		memcpy(&fixed, data, n);
		record_seal(&fixed, fixed.this_disk);
		data = (const uint8_t *)&fixed;
	}
	st = record_take(&r, data, n);
	say_status("variable", (int)st);
	check(st != ST_OK || (n >= record_bytes(&r) && r.count <= RECORD_MIRRORS));
	if (st == ST_OK)
		record_merge(seen, &r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct policy with, without;
	struct record_seen seen;
	struct config config;
	static struct record r;
	unsigned flags;

	if (n < 1)
		return 0;
	flags = data[0];
	memset(&survey, 0, sizeof(survey));
	memset(&seen, 0, sizeof(seen));
	survey.disk_count = 1;
	add_mirror(0);
	add_mirror(1);
	before = survey;
	config_default(&config);
	policy_decide(&before, &config, &without);

	if (flags & AS_VARIABLE) {
		take_variable(&seen, data + 1, n - 1, flags & FIX_SUM);
		n = 1;
	}
	for (data++, n--; n >= 32; data += min_u64(n, sizeof(r)), n -= min_u64(n, sizeof(r))) {
		memset(&r, 0, sizeof(r));
		memcpy(&r, data, min_u64(n, sizeof(r)));
		if (flags & FIX_SUM)
			record_seal(&r, r.this_disk);
		say_status("record", (int)record_check(&r));
		if (record_check(&r) == ST_OK)
			record_merge(&seen, &r);
	}
	check(seen.count <= RECORD_SEEN);
	say_number("seen", seen.count);
	record_judge(&survey, &seen);
	policy_decide(&survey, &config, &with);
	check_survey(&with, &without);
	check_made(&seen);
	return 0;
}
