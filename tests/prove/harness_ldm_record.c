/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* A record of LDM: any bytes, as many as one VBLK's payload, or as several together have. */
#include "common/ldm.h"

#include "common/ldm_db.h"

#include "tests/prove/prove.h"

#define PAYLOAD 112 /* as in ldm_db.c */

static void pieces(unsigned n)
{
	uint8_t data[LDM_RECORD_BYTES];
	struct ldm_record record;

	Frama_C_make_unknown((char *)data, LDM_RECORD_BYTES);
	/* So that one byte more than there are would be out of the array. */
	ldm_record_parse(&record, data + LDM_RECORD_BYTES - n * PAYLOAD, n * PAYLOAD);
	ldm_is_active(record.volume.state);
}

void prove_main(void)
{
	_Static_assert(LDM_RECORD_BYTES == 4 * PAYLOAD, "one to four pieces");
	pieces(1);
	pieces(2);
	pieces(3);
	pieces(4);
}
