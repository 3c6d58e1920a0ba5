/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tests/sim/crashcuts.h"
#include "tests/sim/crashcount.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECTOR CRASHCUTS_SECTOR
#define LOOSE  512u
/* States of one interval between flushes, of which all are shown: in the sample, in the whole run.
 */
#define ALL_SAMPLE 64u
#define ALL_WHOLE  16384u
#define PLACES     16u /* sectors of such an interval, and what is written to one of them */
#define MAY_BE     8u
#define TRIES      200u /* a state that is new is looked for so many times */
#define FNV        1099511628211ull
#define TORN_MAX   512u /* places at which a write is torn; in a sample without halves: fewer */
#define TORN_FEW   6u

/* A sector that is written, and, while they are counted out, what may be there. */
struct touched {
	uint64_t lba;
	unsigned disk;
};

/* A sector of a write that is not flushed. */
struct piece {
	const struct crashop *op;
	uint32_t sector;
};

struct cuts {
	const struct crashcuts *c;
	uint8_t *image[CRASHCUTS_DISKS]; /* shown */
	uint8_t *sure[CRASHCUTS_DISKS];  /* what is flushed at the cut */
	struct touched *touched;
	unsigned touched_count;
	const struct crashop *loose[LOOSE];
	unsigned loose_count;
	unsigned count;
	uint32_t seed;
	bool all; /* so far every state of each interval was shown */
	crashcuts_is_wrong *is_wrong;
	bool found;
};

static void *must(void *p)
{
	if (!p)
		abort();
	return p;
}

static int by_place(const void *a, const void *b)
{
	const struct touched *x = a, *y = b;

	if (x->disk != y->disk)
		return x->disk < y->disk ? -1 : 1;
	return x->lba < y->lba ? -1 : x->lba > y->lba;
}

static void list_touched(struct cuts *t)
{
	const struct crashcuts *c = t->c;
	unsigned n = 0, kept = 0;

	for (unsigned i = 0; i < c->op_count; i++)
		n += c->op[i].n;
	t->touched = must(calloc(n + 1, sizeof(*t->touched)));
	n = 0;
	for (unsigned i = 0; i < c->op_count; i++)
		for (uint32_t s = 0; s < c->op[i].n; s++)
			t->touched[n++] =
				(struct touched){.lba = c->op[i].lba + s, .disk = c->op[i].disk};
	qsort(t->touched, n, sizeof(*t->touched), by_place);
	for (unsigned i = 0; i < n; i++)
		if (!kept || by_place(&t->touched[kept - 1], &t->touched[i]))
			t->touched[kept++] = t->touched[i];
	t->touched_count = kept;
}

static void start(struct cuts *t, const struct crashcuts *c)
{
	memset(t, 0, sizeof(*t));
	t->c = c;
	t->seed = 1;
	t->all = true;
	for (unsigned i = 0; i < c->disks; i++) {
		size_t bytes = (size_t)c->sectors[i] * SECTOR;

		t->image[i] = memcpy(must(malloc(bytes)), c->before[i], bytes);
		t->sure[i] = memcpy(must(malloc(bytes)), c->before[i], bytes);
	}
	list_touched(t);
}

static void stop(struct cuts *t)
{
	for (unsigned i = 0; i < t->c->disks; i++) {
		free(t->image[i]);
		free(t->sure[i]);
	}
	free(t->touched);
}

/* ---- making a state ---- */

static void put_bytes(uint8_t *const *image, const struct crashop *op, size_t from, size_t to)
{
	memcpy(image[op->disk] + op->lba * SECTOR + from, op->data + from, to - from);
}

static void put(uint8_t *const *image, const struct crashop *op)
{
	if (op->n)
		put_bytes(image, op, 0, (size_t)op->n * SECTOR);
}

static void put_sector(uint8_t *const *image, const struct crashop *op, uint32_t s)
{
	put_bytes(image, op, (size_t)s * SECTOR, (size_t)(s + 1) * SECTOR);
}

/* The state of which everything that is not flushed is missing. */
static void begin(struct cuts *t)
{
	for (unsigned i = 0; i < t->touched_count; i++) {
		const struct touched *w = &t->touched[i];

		memcpy(t->image[w->disk] + w->lba * SECTOR, t->sure[w->disk] + w->lba * SECTOR,
		       SECTOR);
	}
}

static uint64_t hash_of(const struct cuts *t)
{
	uint64_t h = 14695981039346656037ull;

	for (unsigned i = 0; i < t->touched_count; i++) {
		const struct touched *w = &t->touched[i];
		const uint8_t *at = t->image[w->disk] + w->lba * SECTOR;

		for (unsigned k = 0; k < SECTOR; k += 8) {
			uint64_t word;

			memcpy(&word, at + k, 8);
			h = (h ^ word) * FNV;
			h ^= h >> 29;
		}
	}
	return h;
}

static void show(struct cuts *t, const char *kind, unsigned op, unsigned detail)
{
	char what[80];

	snprintf(what, sizeof(what), "%s cut at operation %u, variant %u", kind, op, detail);
	if (t->is_wrong) {
		t->found = t->found || t->is_wrong(t->image, what, t->c->ctx);
		return;
	}
	if (!crashcount_is_new(hash_of(t)))
		return;
	t->count++;
	t->c->check(t->image, what, t->c->ctx);
}

static uint32_t next_random(struct cuts *t)
{
	t->seed = t->seed * 1664525u + 1013904223u;
	return t->seed >> 8;
}

/* What was flushed by then is sure; the rest is loose. */
static void move_to(struct cuts *t, unsigned cut)
{
	const struct crashcuts *c = t->c;
	bool is_flushed[CRASHCUTS_DISKS] = {0};

	for (unsigned i = 0; i < t->touched_count; i++) {
		const struct touched *w = &t->touched[i];

		memcpy(t->sure[w->disk] + w->lba * SECTOR, c->before[w->disk] + w->lba * SECTOR,
		       SECTOR);
	}
	t->loose_count = 0;
	for (unsigned i = cut; i--;) {
		if (!c->op[i].n) {
			is_flushed[c->op[i].disk] = true;
		} else if (!is_flushed[c->op[i].disk]) {
			if (t->loose_count == LOOSE)
				abort();
			t->loose[t->loose_count++] = &c->op[i];
		}
	}
	for (unsigned i = 0; i < t->loose_count / 2; i++) { /* as they came */
		const struct crashop *swap = t->loose[i];

		t->loose[i] = t->loose[t->loose_count - 1 - i];
		t->loose[t->loose_count - 1 - i] = swap;
	}
	for (unsigned i = 0, k = 0; i < cut; i++) {
		if (k < t->loose_count && t->loose[k] == &c->op[i])
			k++;
		else
			put(t->sure, &c->op[i]);
	}
}

static void put_all(struct cuts *t)
{
	begin(t);
	for (unsigned i = 0; i < t->loose_count; i++)
		put(t->image, t->loose[i]);
}

/* ---- the kinds ---- */

/* With all before it there. */
static void torn(struct cuts *t, unsigned i)
{
	const struct crashop *op = &t->c->op[i];
	size_t all = (size_t)op->n * SECTOR;
	unsigned most = t->c->halves || crashcount_is_whole() ? TORN_MAX : TORN_FEW;
	uint32_t step = op->n > most ? op->n / most : 1;

	for (uint32_t k = 0; k < op->n; k += step) {
		size_t at = (size_t)k * SECTOR, half = at + SECTOR / 2;

		put_all(t);
		put_bytes(t->image, op, 0, at);
		show(t, "torn (first sectors)", i, k);
		if (op->lba + k && t->c->halves) {
			put_bytes(t->image, op, at, half);
			show(t, "torn (half a sector)", i, k);
		}
		put_all(t);
		put_bytes(t->image, op, op->lba + k && t->c->halves ? half : at, all);
		show(t, "torn (last sectors)", i, k);
	}
}

/* Each write, or each sector of them, with this chance of 8. */
static void any(struct cuts *t, bool whole, unsigned chance)
{
	begin(t);
	for (unsigned i = 0; i < t->loose_count; i++)
		if (whole && next_random(t) % 8 < chance)
			put(t->image, t->loose[i]);
		else
			for (uint32_t s = 0; !whole && s < t->loose[i]->n; s++)
				if (next_random(t) % 8 < chance)
					put_sector(t->image, t->loose[i], s);
}

static void subsets(struct cuts *t, unsigned cut)
{
	unsigned n = t->loose_count;

	begin(t);
	show(t, "nothing unflushed", cut, 0);
	for (uint32_t mask = 0; n <= 8 && mask < 1u << n; mask++) {
		begin(t);
		for (unsigned i = 0; i < n; i++)
			if (mask & 1u << i)
				put(t->image, t->loose[i]);
		show(t, "subset (writes)", cut, mask);
	}
	for (unsigned k = 0; n > 8 && k < n; k++) {
		begin(t);
		put(t->image, t->loose[k]);
		show(t, "alone", cut, k);
		begin(t);
		for (unsigned i = 0; i < n; i++)
			if (i != k)
				put(t->image, t->loose[i]);
		show(t, "without", cut, k);
	}
	for (unsigned k = 0; k < t->c->random; k++) {
		any(t, false, 4);
		show(t, "subset (sectors)", cut, k);
	}
}

/* ---- all that there are ---- */

static const uint8_t *data_of(const struct piece *p)
{
	return p->op->data + (size_t)p->sector * SECTOR;
}

static bool is_at(const struct piece *p, const struct piece *q)
{
	return p->op->disk == q->op->disk && p->op->lba + p->sector == q->op->lba + q->sector;
}

/* Does this one change nothing, or nothing else than one of the others here? */
static bool is_idle(const struct cuts *t, const struct piece *p, const struct piece *other,
		    unsigned others)
{
	uint64_t lba = p->op->lba + p->sector;

	if (!memcmp(t->sure[p->op->disk] + lba * SECTOR, data_of(p), SECTOR))
		return true;
	for (unsigned i = 0; i < others; i++)
		if (!memcmp(data_of(&other[i]), data_of(p), SECTOR))
			return true;
	return false;
}

/* A place, and what may be there: what is there for sure, or what one of the writes has. */
struct place {
	struct piece may[MAY_BE];
	unsigned count, now;
};

/* False: too many. */
static bool add_piece(const struct cuts *t, struct place *place, unsigned *places,
		      const struct piece *p)
{
	unsigned i = 0;

	while (i < *places && !is_at(&place[i].may[0], p))
		i++;
	if (is_idle(t, p, place[i].may, i < *places ? place[i].count : 0))
		return true;
	if (i == PLACES || (i < *places && place[i].count == MAY_BE))
		return false;
	if (i == *places)
		place[(*places)++] = (struct place){.count = 0};
	place[i].may[place[i].count++] = *p;
	return true;
}

/* The loose writes, if their sectors can be there in no more ways than that. */
static bool count_out(struct cuts *t, unsigned cut)
{
	struct place place[PLACES + 1];
	unsigned places = 0, ways = 1, nth = 0,
		 most = crashcount_is_whole() ? ALL_WHOLE : ALL_SAMPLE;

	for (unsigned i = 0; i < t->loose_count; i++)
		for (uint32_t s = 0; s < t->loose[i]->n; s++)
			if (!add_piece(t, place, &places, &(struct piece){t->loose[i], s}))
				return false;
	for (unsigned i = 0; i < places; i++)
		if ((ways *= place[i].count + 1) > most)
			return false;
	for (;;) {
		unsigned i = 0;

		begin(t);
		for (unsigned k = 0; k < places; k++) {
			const struct piece *p = &place[k].may[place[k].now - 1];

			if (place[k].now)
				put_sector(t->image, p->op, p->sector);
		}
		show(t, "one of all", cut, nth++);
		for (; i < places && ++place[i].now > place[i].count; i++)
			place[i].now = 0;
		if (i == places)
			return true;
	}
}

/* ---- */

static bool is_flush(const struct crashcuts *c, unsigned i)
{
	return i == c->op_count || !c->op[i].n;
}

/* More of those that can't all be shown. */
static void more(struct cuts *t, const bool *open)
{
	unsigned tries = 0, kind = 0;

	while (crashcount_wants_more() && tries < TRIES) {
		unsigned cut, before = t->count;

		do
			cut = next_random(t) % (t->c->op_count + 1);
		while (!open[cut]);
		move_to(t, cut);
		for (unsigned k = 0; k < 8 && crashcount_wants_more(); k++) {
			unsigned chance = 1 + next_random(t) % 7;

			any(t, kind++ % 4 == 0 && t->loose_count > 8, chance);
			show(t, "subset (any)", cut, kind);
		}
		tries = t->count == before ? tries + 1 : 0;
	}
}

unsigned crashcuts_each(const struct crashcuts *c)
{
	bool *open = must(calloc(c->op_count + 1, sizeof(*open))), some = false;
	struct cuts t;

	start(&t, c);
	for (unsigned i = 0; i <= c->op_count; i++) {
		move_to(&t, i);
		put_all(&t);
		show(&t, "clean", i, 0);
		subsets(&t, i);
		if (i < c->op_count && c->op[i].n)
			torn(&t, i);
		if (is_flush(c, i) && !count_out(&t, i)) {
			/* Each cut of the interval is one that more can come from. */
			for (unsigned k = i; k > 0 && (k == i || c->op[k].n); k--)
				open[k] = some = true;
			t.all = false;
		}
	}
	if (t.all)
		crashcount_all();
	if (some)
		more(&t, open);
	free(open);
	stop(&t);
	return t.count;
}

/* ---- a flush that is left out ---- */

static void look_without(struct cuts *t, unsigned first, unsigned at, const bool *pick,
			 unsigned end)
{
	const struct crashcuts *c = t->c;

	begin(t);
	for (unsigned i = first; i < at; i++)
		if (pick[i - first])
			put(t->image, &c->op[i]);
	for (unsigned i = at + 1; i < end; i++)
		put(t->image, &c->op[i]);
	show(t, "without a flush,", end, at);
}

static void look_at_each(struct cuts *t, unsigned first, unsigned at, bool *pick, unsigned end)
{
	unsigned n = at - first;

	memset(pick, 0, n);
	look_without(t, first, at, pick, end);
	memset(pick, 1, n);
	for (unsigned i = 0; i < n && !t->found; i++) {
		pick[i] = false;
		look_without(t, first, at, pick, end);
		pick[i] = true;
	}
	for (unsigned k = 0; k < 8 && n > 2 && !t->found; k++) {
		for (unsigned i = 0; i < n; i++)
			pick[i] = next_random(t) & 1;
		look_without(t, first, at, pick, end);
	}
}

bool crashcuts_without_flush(const struct crashcuts *c, unsigned at, crashcuts_is_wrong *is_wrong)
{
	unsigned end = at + 1, first = at;
	struct cuts t;
	bool *pick;

	start(&t, c);
	t.is_wrong = is_wrong;
	while (first && c->op[first - 1].n)
		first--;
	move_to(&t, first);
	pick = must(calloc(at - first + 1, sizeof(*pick)));
	while (end < c->op_count && c->op[end].n)
		end++;
	/* From all that follows on: it is what most often shows. */
	for (unsigned e = end; e > at && !t.found; e--)
		if (e > at + 1 || at + 1 == c->op_count)
			look_at_each(&t, first, at, pick, e);
	free(pick);
	stop(&t);
	return t.found;
}
