/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * The leg menu and the policy before it: the input is a mirror (a byte a leg), a configuration and
 * the keys of a person, or of a cat. Whatever is typed, the menu ends, what is booted is a leg that
 * may be, and one that is out of date only after a "y".
 */
#include "common/console.h"
#include "common/menu.h"
#include "tests/fuzz/fuzz.h"

#define MEMBERS 12

static struct survey survey;
static struct input keys;
static unsigned asked, more_run;
static char last_key;

/* ---- a console whose keys are the input; then nobody is there ------------------------------ */

static char next_key(void)
{
	/* Nobody sits there for ever: in the end a person gives up, and starts the disk. */
	if (keys.left == 0)
		return last_key = asked & 1 ? 'y' : 'x';
	return last_key = (char)take8(&keys);
}

char console_key_in(unsigned *ticks)
{
	check(++asked < 100000);
	if (keys.left == 0) {
		*ticks = 0;
		return 0;
	}
	if (*ticks > 0)
		--*ticks;
	return next_key();
}

char console_key(unsigned seconds)
{
	char key;

	check(++asked < 100000);
	key = next_key();
	return key ? key : 1;
}

bool console_shift(void)
{
	return keys.left > 0 && *keys.at == 0xfe;
}

/* ---- a mirror -------------------------------------------------------------------------------- */

static void make(struct input *in)
{
	struct mirror *m = &survey.mirror[0];
	unsigned count = 1 + take8(in) % MEMBERS;
	static struct disk disk;

	memset(&survey, 0, sizeof(survey));
	disk = (struct disk){.sectors = 100000, .shift = 9};
	survey.disk = &disk;
	survey.disk_count = 1;
	survey.mirror_count = 1;
	m->format = FORMAT_MD_1_2;
	m->newest = m->chosen = NO_LEG;
	for (unsigned i = 0; i < count; i++) {
		struct member *c = &survey.member[survey.member_count++];
		uint8_t how = take8(in);

		*c = (struct member){.format = FORMAT_MD_1_2, .level = 1, .raid_disks = count};
		c->events = 100 + (how & 3);
		c->dev_number = i;
		c->role = how & 4 ? ROLE_SPARE : (uint16_t)i;
		c->role_count = (uint16_t)count;
		for (unsigned k = 0; k < count; k++)
			c->roles[k] = how & 8 && k != i ? ROLE_FAULTY : (uint16_t)k;
		c->data_s512 = c->sectors_lba = 1024;
		if (how & 16)
			c->flags |= MEMBER_PARTIAL;
		if (how & 32)
			c->flags |= MEMBER_DIRTY;
		if (how & 64) {
			c->status = ST_CORRUPT;
			c->why.code = REASON_BAD_FIELDS;
		}
		m->leg[m->leg_count++] = (struct leg){.member = (uint8_t)i};
	}
	leg_judge(&survey);
}

static void drop(struct text *t, char c)
{
	check((c >= ' ' && c < 0x7f) || c == '\n');
}

static void disk_name(const struct report_names *n, unsigned disk, struct text *out)
{
	text_str(out, "80h");
}

static void run_more(void *ctx)
{
	more_run++;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const struct report_names names = {disk_name, NULL};
	static const struct menu_more more = {'c', "c: clone\n", run_more, NULL};
	struct text out = {.put = drop};
	struct input in = {data, n};
	struct mirror before;
	struct config config;
	struct policy policy;
	uint8_t how = take8(&in);

	make(&in);
	config_default(&config);
	config.split_brain = how % 3;
	config.timeout_s = how & 4 ? 9 : 0;
	policy_decide(&survey, &config, &policy);
	before = survey.mirror[0];
	keys = in;
	asked = more_run = 0;
	last_key = 0;
	say_number("action", policy.action);
	if (policy.action == POLICY_HALT || policy.action == POLICY_NO_MIRROR ||
	    policy.mirror >= survey.mirror_count)
		return 0;
	if (!menu_offer(&survey, &policy, &names, how & 8 ? &more : NULL, &out)) {
		say("raw");
		return 0;
	}
	say("leg");

	const struct mirror *m = &survey.mirror[policy.mirror];

	check(m->chosen < m->leg_count && m->order_count > 0 && m->order[0] == m->chosen);
	check(m->leg[m->chosen].member != NO_MEMBER);
	if (m->chosen == before.chosen)
		return 0;
	/* A person chose it: up to date, one side of a split brain, or a "y" was the last word. */
	check(policy.action != POLICY_BOOT || in.left > 0);
	check(survey.member[m->leg[m->chosen].member].status == ST_OK);
	switch (before.leg[m->chosen].verdict) {
	case VERDICT_IN_SYNC: break;
	case VERDICT_CONFLICT:
		say("side");
		check(m->read_only && before.leg[m->chosen].why.code == REASON_SPLIT_BRAIN);
		break;
	default:
		say("old-leg");
		check((last_key | 32) == 'y' && m->read_only && m->order_count == 1);
		check(before.leg[m->chosen].verdict == VERDICT_STALE ||
		      before.leg[m->chosen].verdict == VERDICT_FAULTY);
	}
	return 0;
}
