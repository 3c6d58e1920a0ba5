/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * Assemble and judge over up to six hostile disks at once. Each disk is 32 bytes of the input,
 * of which an md superblock is made whose sums are right and whose fields are near to what they
 * should be: so the fuzzer goes through quarrels between disks, not through checksums.
 *
 * The disks are surveyed in two orders, and what was chosen is held against the
 * description itself.
 */
#include "common/md.h"
#include "common/md1_sb.h"
#include "common/report.h"
#include "common/view.h"
#include "tests/fuzz/judged.h"

#define DISKS      6
#define DISK_S512  2048
#define DISK_BYTES (DISK_S512 * 512)
#define ROLES      6

/* The first byte of a disk. */
enum flag {
	DEAD = 1,    /* does not answer */
	SHORT = 2,   /* ends before its data does */
	FOREIGN = 4, /* of another array */
	HOLES = 8,
	STRANGE = 16,     /* a feature that nobody knows */
	PARTIAL = 32,     /* a recovery offset */
	DIRTY = 64,       /* not closed */
	REPLACEMENT = 128 /* or write-mostly, by another bit */
};

struct claim {
	uint8_t flags;
	uint64_t events;
	uint32_t dev;
	uint16_t role[ROLES];
	bool counts; /* md could take it: of the first array, whole, readable, in sync by itself */
};

static uint8_t content[DISKS][DISK_BYTES];
static struct claim claim[DISKS];
static struct disk disks[DISKS], turned[DISKS];
static struct survey survey, other;

static enum status fuzz_read(const struct disk *d, uint64_t lba, uint32_t n, void *buf)
{
	unsigned i = (unsigned)(((uint8_t *)d->ctx - content[0]) / DISK_BYTES);

	if (!range_ok(lba, n, d->sectors))
		return ST_RANGE;
	if (claim[i].flags & DEAD)
		return ST_IO;
	memcpy(buf, content[i] + lba * 512, (size_t)n * 512);
	return ST_OK;
}

static uint16_t take_role(struct input *in)
{
	static const uint16_t roles[] = {0, 1, 2, ROLE_SPARE, ROLE_FAULTY, ROLE_JOURNAL, 3, 0};

	return roles[take8(in) & 7];
}

static void put_md1(unsigned i, struct claim *c, struct input *in)
{
	uint8_t *sb = content[i] + 8 * 512;
	struct md1_sb *h = (struct md1_sb *)sb;
	le16 *roles = (le16 *)(sb + sizeof(*h));
	uint32_t features = 0;
	uint8_t more = take8(in);

	h->magic = le32_of(MD_MAGIC);
	h->major_version = le32_of(1);
	memset(h->set_uuid.b, c->flags & FOREIGN ? 0x22 : 0x11, 16);
	memset(h->device_uuid.b, 0x40 + (more & 7), 16);
	memcpy(h->set_name, "t:m", 3);
	h->level = le32_of(1);
	h->size_s512 = le64_of(more & 8 ? 512 : 1024);
	h->raid_disks = le32_of(1 + (more >> 4 & 3));
	h->data_offset = le64_of(64);
	h->data_size = le64_of(1024);
	h->super_offset = le64_of(8);
	h->dev_number = le32_of(c->dev);
	h->events = le64_of(c->events);
	h->resync_offset = le64_of(c->flags & DIRTY ? 0 : UINT64_MAX);
	h->max_dev = le32_of(ROLES);
	if (c->flags & PARTIAL) {
		features |= 2;
		h->recovery_offset = le64_of((uint64_t)take8(in) << 3);
	}
	if (c->flags & REPLACEMENT) {
		if (more & 64)
			features |= 16;
		else
			h->devflags = 1;
	}
	if (c->flags & HOLES) {
		features |= 8;
		h->bblog_size = le16_of(1);
		h->bblog_offset = le32_of(16);
		memset(content[i] + 24 * 512, 0xff, 512);
		*(le64 *)(content[i] + 24 * 512) =
			le64_of((uint64_t)(64 + take8(in)) << 10 | (1 + (more & 7)));
	}
	if (c->flags & STRANGE)
		features |= 1u << 31;
	h->feature_map = le32_of(features);
	for (unsigned k = 0; k < ROLES; k++) {
		c->role[k] = take_role(in);
		roles[k] = le16_of(c->role[k]);
	}
	h->csum = le32_of(md1_checksum(sb));
	c->counts = !(c->flags & (DEAD | SHORT | FOREIGN | PARTIAL | STRANGE)) &&
		    c->role[c->dev] < 1 + (more >> 4 & 3);
}

static unsigned make(struct input *in)
{
	unsigned count = 2 + take8(in) % (DISKS - 1);

	memset(claim, 0, sizeof(claim));
	for (unsigned i = 0; i < count; i++) {
		struct claim *c = &claim[i];

		memset(content[i], 0, 64 * 512);
		c->flags = take8(in);
		c->events = 100 + (take8(in) & 7);
		c->dev = take8(in) % ROLES;
		put_md1(i, c, in);
		disks[i] = (struct disk){.read = fuzz_read,
					 .ctx = content[i],
					 .sectors = c->flags & SHORT ? 600 : DISK_S512,
					 .shift = 9};
	}
	return count;
}

/* Held against what was put on the disks, not against what was read from them. */
static void check_claims(unsigned count)
{
	for (unsigned i = 0; i < survey.mirror_count; i++) {
		const struct mirror *m = &survey.mirror[i];

		if (m->uuid.b[0] != 0x11)
			continue;
		for (unsigned k = 0; k < m->order_count; k++) {
			const struct claim *c = &claim[m->leg[m->order[k]].disk];

			check(!(c->flags & (DEAD | SHORT | FOREIGN | STRANGE)));
			for (unsigned d = 0; d < count; d++)
				check(!claim[d].counts || claim[d].events <= c->events + 1);
		}
		if (m->chosen == NO_LEG)
			continue;
		const struct claim *c = &claim[m->leg[m->chosen].disk];

		check(c->counts);
		/* One of the newest has it in its map: they may contradict each other. */
		uint64_t newest = c->events;
		bool vouched = false;

		for (unsigned d = 0; d < count; d++)
			if (claim[d].counts && claim[d].events > newest)
				newest = claim[d].events;
		for (unsigned d = 0; d < count; d++)
			vouched |= claim[d].counts && claim[d].events == newest &&
				   claim[d].role[c->dev] < ROLE_MAX;
		check(vouched);
	}
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const struct report_names names = {disk_name, NULL};
	struct input in = {data, n};
	struct text out = {.put = drop};
	struct config config;
	struct policy policy;
	unsigned turn = take8(&in), count = make(&in);

	survey_run(&survey, disks, count);
	judged_say(&survey);
	for (unsigned i = 0; i < survey.mirror_count; i++)
		judged_check(&survey, &survey.mirror[i]);
	check_claims(count);
	report_survey(&survey, &names, &out);
	config_default(&config);
	policy_decide(&survey, &config, &policy);
	report_policy(&survey, &policy, &names, &out);

	/* Turned round, and the other way. */
	for (unsigned i = 0; i < count; i++)
		turned[i] = disks[(turn & 128 ? count - 1 - i : i + turn) % count];
	survey_run(&other, turned, count);
	check(survey.mirror_count == other.mirror_count);
	for (unsigned i = 0; i < survey.mirror_count; i++)
		judged_check_order(&survey, &survey.mirror[i], &other);
	return 0;
}
