/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "stage2/unpack.h"

#include "common/wire.h"

struct stream {
	const uint8_t *next;
	uint32_t bits; /* not yet taken, left-aligned in 8 bits, above a marker bit */
};

static unsigned take_bit(struct stream *s)
{
	s->bits <<= 1;
	if ((s->bits & 0xff) == 0)
		s->bits = (uint32_t)*s->next++ << 1 | 1;
	return s->bits >> 8 & 1;
}

static uint32_t take_number(struct stream *s)
{
	uint32_t n = 1;

	while (take_bit(s))
		n = n << 1 | take_bit(s);
	return n;
}

void unpack(uint8_t *to, const uint8_t *from)
{
	uint8_t *end = to + le32_get(*(const le32 *)from);
	struct stream s = {.next = from + 4, .bits = 0x80};
	uint32_t back = 1, n;

	while (to < end) {
		if (!take_bit(&s)) {
			*to++ = *s.next++;
			continue;
		}
		n = take_number(&s);
		if (n > 1)
			back = (n - 2) * 256 + *s.next++ + 1;
		for (n = take_number(&s) + 1; n > 0; n--, to++)
			*to = to[-(int32_t)back];
	}
}
