/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "common/record.h"

#include "common/mem.h"

/* A sum, not a CRC: the resident part must be able to keep it right with a subtraction. */
static uint32_t sum_of(const struct record *r)
{
	const le32 *word = (const le32 *)r;
	uint32_t sum = 0;

	for (unsigned i = 0; i < sizeof(*r) / sizeof(*word); i++)
		sum += le32_get(word[i]);
	return sum;
}

enum status record_check(const struct record *r)
{
	if (memcmp(r->magic, RECORD_MAGIC, sizeof(r->magic)) != 0)
		return ST_ABSENT;
	if (sum_of(r) != 0)
		return ST_CORRUPT;
	if (le32_get(r->version) != RECORD_VERSION)
		return ST_UNSUPPORTED;
	return r->count <= RECORD_MIRRORS ? ST_OK : ST_CORRUPT;
}

uint32_t record_bytes(const struct record *r)
{
	return (uint32_t)(RECORD_BYTES_MIN + r->count * sizeof(r->mirror[0]));
}

enum status record_take(struct record *r, const void *bytes, uint64_t n)
{
	enum status st;

	if (n < RECORD_BYTES_MIN || n > sizeof(*r))
		return ST_CORRUPT;
	memset(r, 0, sizeof(*r));
	memcpy(r, bytes, (size_t)n);
	st = record_check(r);
	return st == ST_OK && n < record_bytes(r) ? ST_CORRUPT : st;
}

bool record_later(uint32_t a, uint32_t b)
{
	return a != b && a - b < 0x80000000u;
}

static const struct record_mirror *find(const struct record_seen *seen, const struct guid *uuid,
					uint8_t format)
{
	for (unsigned i = 0; i < seen->count; i++)
		if (seen->mirror[i].format == format && guid_equal(&seen->mirror[i].uuid, uuid))
			return &seen->mirror[i];
	return NULL;
}

static void merge_one(struct record_seen *seen, const struct record_mirror *m)
{
	struct record_mirror *to = (struct record_mirror *)find(seen, &m->uuid, m->format);
	le64 highest = m->seen;

	if (!to) {
		if (seen->count == RECORD_SEEN)
			return;
		to = &seen->mirror[seen->count++];
		*to = *m;
	}
	if (le64_get(highest) < le64_get(to->seen))
		highest = to->seen;
	if (record_later(le32_get(m->sequence), le32_get(to->sequence)))
		*to = *m;
	to->seen = highest;
}

void record_merge(struct record_seen *seen, const struct record *r)
{
	uint32_t sequence = le32_get(r->sequence);

	if (!seen->any || record_later(sequence, seen->sequence))
		seen->sequence = sequence;
	seen->any = true;
	for (unsigned i = 0; i < r->count && i < RECORD_MIRRORS; i++)
		merge_one(seen, &r->mirror[i]);
}

/* The generation of its newest leg here; false: no leg is whole enough to say one. */
static bool newest_here(const struct mirror *m, uint64_t *generation)
{
	if (m->newest == NO_LEG)
		return false;
	*generation = m->leg[m->newest].generation;
	return true;
}

void record_judge(struct survey *s, const struct record_seen *seen)
{
	for (unsigned i = 0; i < s->mirror_count; i++) {
		struct mirror *m = &s->mirror[i];
		const struct record_mirror *known = find(seen, &m->uuid, m->format);
		uint64_t here;

		m->seen = known ? le64_get(known->seen) : 0;
		m->behind =
			newest_here(m, &here) && here < m->seen && m->seen - here > RECORD_MARGIN;
		if (m->behind && m->state == MIRROR_HEALTHY)
			m->state = MIRROR_DEGRADED;
	}
}

/*
 * Every leg that this mirror should have is here and in sync: a generation above
 * theirs is of data that the mirror no longer knows (a restored copy, the side of a
 * split brain that was given up). Said once, by record_judge(), and then forgotten.
 */
static bool is_whole(const struct mirror *m)
{
	for (unsigned i = 0; i < m->leg_count; i++)
		if (m->leg[i].verdict != VERDICT_IN_SYNC && m->leg[i].verdict != VERDICT_SPARE)
			return false;
	return true;
}

void record_prefer(struct record_seen *seen, const struct record_seen *known,
		   const struct survey *s)
{
	for (unsigned i = 0; i < s->mirror_count; i++) {
		const struct mirror *m = &s->mirror[i];
		const struct record_mirror *from = find(known, &m->uuid, m->format);
		struct record_mirror *to = (struct record_mirror *)find(seen, &m->uuid, m->format);

		if (from && to && is_whole(m))
			to->seen = from->seen;
	}
}

static void make_mirror(struct record_mirror *to, const struct mirror *m, uint64_t here)
{
	to->uuid = m->uuid;
	to->seen = le64_of(m->seen > here && !is_whole(m) ? m->seen : here);
	to->format = m->format;
	to->state = m->state;
	to->flags = m->behind ? RECORD_BEHIND : 0;
	to->leg_count = m->leg_count;
	to->chosen = to->disk = RECORD_NONE;
	if (m->chosen != NO_LEG) {
		to->chosen = m->chosen;
		to->disk = m->leg[m->chosen].disk;
		to->generation = le64_of(m->leg[m->chosen].generation);
	}
	for (unsigned i = 0; i < RECORD_LEGS && i < m->leg_count; i++)
		to->leg[i] = (struct record_leg){.disk = m->leg[i].disk,
						 .verdict = m->leg[i].verdict,
						 .why = m->leg[i].why.code};
}

static void add_here(struct record *r, const struct mirror *m, uint8_t flags)
{
	struct record_mirror *to = &r->mirror[r->count];
	uint64_t here;

	if (r->count == RECORD_MIRRORS || !newest_here(m, &here))
		return;
	make_mirror(to, m, here);
	to->sequence = r->sequence;
	to->flags |= flags;
	r->count++;
}

static bool has(const struct record *r, const struct record_mirror *m)
{
	for (unsigned i = 0; i < r->count; i++)
		if (r->mirror[i].format == m->format && guid_equal(&r->mirror[i].uuid, &m->uuid))
			return true;
	return false;
}

/* Of those that are known and not in r: the one seen last. */
static const struct record_mirror *latest_left(const struct record *r,
					       const struct record_seen *seen)
{
	const struct record_mirror *best = NULL;

	for (unsigned i = 0; i < seen->count; i++) {
		const struct record_mirror *m = &seen->mirror[i];

		if (!has(r, m) &&
		    (!best || record_later(le32_get(m->sequence), le32_get(best->sequence))))
			best = m;
	}
	return best;
}

void record_make(struct record *r, const struct record_seen *seen, const struct survey *s,
		 unsigned boot)
{
	const struct record_mirror *left;

	memset(r, 0, sizeof(*r));
	memcpy(r->magic, RECORD_MAGIC, sizeof(r->magic));
	r->version = le32_of(RECORD_VERSION);
	r->sequence = le32_of(seen->any ? seen->sequence + 1 : 1);
	if (boot < s->mirror_count)
		add_here(r, &s->mirror[boot], RECORD_BOOTED);
	for (unsigned i = 0; i < s->mirror_count; i++)
		if (i != boot)
			add_here(r, &s->mirror[i], 0);
	while (r->count < RECORD_MIRRORS && (left = latest_left(r, seen)) != NULL)
		r->mirror[r->count++] = *left;
}

void record_seal(struct record *r, unsigned disk)
{
	r->this_disk = (uint8_t)disk;
	r->sum = le32_of(0);
	r->sum = le32_of(0 - sum_of(r));
}

/* Was this mirror there in that boot, or is it only remembered? */
static bool was_there(const struct record *r, unsigned i)
{
	return le32_get(r->mirror[i].sequence) == le32_get(r->sequence);
}

bool record_same_news(const struct record *a, const struct record *b)
{
	struct record x = *a;

	for (unsigned i = 0; i < RECORD_MIRRORS; i++) {
		if (i < b->count && was_there(a, i) != was_there(b, i))
			return false;
		x.mirror[i].sequence = b->mirror[i].sequence;
	}
	x.sequence = b->sequence;
	x.sum = b->sum;
	return memcmp(&x, b, sizeof(x)) == 0;
}

bool record_same_boot(const struct record *a, const struct record *b)
{
	struct record x = *a;

	x.sum = b->sum;
	x.failovers = b->failovers;
	x.failed_disks = b->failed_disks;
	x.this_disk = b->this_disk;
	return memcmp(&x, b, sizeof(x)) == 0;
}
