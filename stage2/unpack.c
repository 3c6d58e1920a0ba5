/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * LZMA, as its specification (Igor Pavlov, public domain) describes it; small rather
 * than fast. Who loaded the data has tested their checksum.
 */
#include "stage2/unpack.h"

#include "common/wire.h"

#include <stdbool.h>

#define PROB_HALF   1024
#define PROB_ONE    2048
#define PROB_SHIFT  5
#define STATES      12
#define LENGTHS     (2 + 8 + 8 + 256)
#define MATCH_LEAST 2
#define SLOT_BITS   6
#define FULL_SLOTS  14 /* below, all bits of a distance have probabilities */
#define ALIGN_BITS  4
#define LC          2 /* high bits of the byte before, by which literals differ */

/* A bit each has its probability to be 0, in 2048ths; all start at a half. */
struct model {
	uint16_t match[STATES], rep[STATES], rep_0[STATES], rep_1[STATES], rep_2[STATES];
	uint16_t rep_0_long[STATES];
	uint16_t length[2][LENGTHS]; /* of a match; of a repeated one */
	uint16_t slot[4][1 << SLOT_BITS];
	uint16_t special[128];
	uint16_t align[1 << ALIGN_BITS];
	uint16_t literal[1 << LC][0x300];
};

struct coder {
	const uint8_t *next;
	uint32_t range, code;
	struct model m;
};

static void refill(struct coder *c)
{
	if (c->range >> 24 == 0) {
		c->range <<= 8;
		c->code = c->code << 8 | *c->next++;
	}
}

static unsigned take_bit(struct coder *c, uint16_t *prob)
{
	uint32_t bound = (c->range >> 11) * *prob;
	unsigned bit = c->code >= bound;

	if (bit) {
		c->range -= bound;
		c->code -= bound;
		*prob -= *prob >> PROB_SHIFT;
	} else {
		c->range = bound;
		*prob += (PROB_ONE - *prob) >> PROB_SHIFT;
	}
	refill(c);
	return bit;
}

/* n bits, the highest first. */
static unsigned take_tree(struct coder *c, uint16_t *probs, unsigned n)
{
	unsigned node = 1;

	while (node >> n == 0)
		node = node << 1 | take_bit(c, &probs[node]);
	return node - (1u << n);
}

/* n bits, the lowest first. */
static unsigned take_reverse(struct coder *c, uint16_t *probs, unsigned n)
{
	unsigned node = 1, value = 0;

	for (unsigned i = 0; i < n; i++) {
		unsigned bit = take_bit(c, &probs[node]);

		node = node << 1 | bit;
		value |= bit << i;
	}
	return value;
}

static uint32_t take_length(struct coder *c, uint16_t *probs)
{
	if (!take_bit(c, &probs[0]))
		return MATCH_LEAST + take_tree(c, &probs[2], 3);
	if (!take_bit(c, &probs[1]))
		return MATCH_LEAST + 8 + take_tree(c, &probs[10], 3);
	return MATCH_LEAST + 16 + take_tree(c, &probs[18], 8);
}

/* How far back, less 1. */
static uint32_t take_distance(struct coder *c, uint32_t length)
{
	unsigned slot, bits;
	uint32_t back;

	length -= MATCH_LEAST;
	slot = take_tree(c, c->m.slot[length < 3 ? length : 3], SLOT_BITS);
	if (slot < 4)
		return slot;
	bits = (slot >> 1) - 1;
	back = (2 | (slot & 1)) << bits;
	if (slot < FULL_SLOTS)
		return back + take_reverse(c, &c->m.special[back - slot], bits);
	for (; bits > ALIGN_BITS; bits--) {
		c->range >>= 1;
		if (c->code >= c->range) {
			c->code -= c->range;
			back += (uint32_t)1 << (bits - 1);
		}
		refill(c);
	}
	return back + take_reverse(c, c->m.align, ALIGN_BITS);
}

/* After a match the byte is coded beside the one that the match would have gone on with. */
static uint8_t take_literal(struct coder *c, uint16_t *probs, bool after_match, uint8_t beside)
{
	unsigned node = 1;

	while (node < 0x100) {
		unsigned offset = 0, bit = beside >> 7;

		if (after_match)
			offset = 0x100 + (bit << 8);
		beside = (uint8_t)(beside << 1);
		node = node << 1 | take_bit(c, &probs[offset + node]);
		if ((node & 1) != bit)
			after_match = false;
	}
	return (uint8_t)node;
}

static void restore_calls(uint8_t *data, uint32_t size)
{
	for (uint32_t i = 0; i + 5 <= size; i++) {
		le32 *to = (le32 *)(data + i + 1);
		uint32_t n;

		if (data[i] != 0xe8)
			continue;
		n = le32_get(*to);
		if (n < size)
			*to = le32_of(n - i);
		else if (n + i < i)
			*to = le32_of(n + size);
		i += 4;
	}
}

void unpack(uint8_t *to, const uint8_t *from)
{
	uint32_t size = le32_get(*(const le32 *)from), rep[4] = {0}, n, back;
	uint8_t *start = to, *end = to + size;
	struct coder c = {.next = from + 9, .range = UINT32_MAX};
	unsigned state = 0;

	for (unsigned i = 5; i < 9; i++)
		c.code = c.code << 8 | from[i];
	for (uint16_t *p = (uint16_t *)&c.m; p < (uint16_t *)(&c.m + 1); p++)
		*p = PROB_HALF;

	while (to < end) {
		if (!take_bit(&c, &c.m.match[state])) {
			uint8_t before = to > start ? to[-1] : 0;

			/* A repeat distance is inside of what was written: see below. */
			*to = take_literal(&c, c.m.literal[before >> (8 - LC)], state >= 7,
					   state >= 7 ? to[-1 - (int32_t)rep[0]] : 0);
			to++;
			state = state < 4 ? 0 : state - (state < 10 ? 3 : 6);
			continue;
		}
		if (!take_bit(&c, &c.m.rep[state])) {
			rep[3] = rep[2];
			rep[2] = rep[1];
			rep[1] = rep[0];
			n = take_length(&c, c.m.length[0]);
			rep[0] = take_distance(&c, n);
			state = state < 7 ? 7 : 10;
		} else {
			unsigned which = 0;

			n = 1;
			if (take_bit(&c, &c.m.rep_0[state])) {
				which = 1;
				if (take_bit(&c, &c.m.rep_1[state]))
					which = 2 + take_bit(&c, &c.m.rep_2[state]);
				n = 0;
			} else if (take_bit(&c, &c.m.rep_0_long[state])) {
				n = 0;
			}
			back = rep[which];
			for (; which > 0; which--)
				rep[which] = rep[which - 1];
			rep[0] = back;
			if (n == 0) {
				n = take_length(&c, c.m.length[1]);
				state = state < 7 ? 8 : 11;
			} else {
				state = state < 7 ? 9 : 11;
			}
		}
		if (rep[0] >= (uint32_t)(to - start))
			return; /* damaged, though its checksum was right */
		for (; n > 0 && to < end; n--, to++)
			*to = to[-1 - (int32_t)rep[0]];
	}
	restore_calls(start, size);
}
