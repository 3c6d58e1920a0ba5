/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * The database, wherever a header that may say anything has it. In place of ldm_record.c, which
 * has a harness of its own: any record that its contract allows.
 */
#include "common/ldm_db.h"

#include "common/ldm_wire.h"

#include "tests/prove/prove.h"

uint64_t ldm_be(const uint8_t *bytes, unsigned n)
{
	//@ assert there: \valid_read(bytes + (0 .. n - 1));
	return n == 8 ? any_u64() : n == 4 ? any_u32() : any_u16();
}

void ldm_text(char *to, size_t to_bytes, const void *from, size_t from_bytes)
{
	//@ assert there: \valid_read((char *)from + (0 .. from_bytes - 1));
	Frama_C_make_unknown(to, to_bytes);
	to[to_bytes - 1] = '\0';
}

enum status ldm_record_parse(struct ldm_record *r, const uint8_t *data, uint32_t bytes)
{
	//@ assert there: \valid_read(data + (0 .. bytes - 1));
	ANY_BYTES(*r);
	r->status = (uint8_t)any_below(3);
	r->type = (uint8_t)any_below(16);
	r->bytes = Frama_C_unsigned_int_interval(8, bytes);
	return any_bool() ? ST_OK : any_failure();
}

static void on_disk(unsigned shift)
{
	struct disk d = prove_disk(shift);
	struct ldm_head head;
	struct ldm_db db;
	struct ldm_scratch scratch;

	ANY_BYTES(head);
	ANY_BYTES(scratch);
	if (ldm_db_read(&d, &head, &db, &scratch) == ST_OK) {
		ldm_db_disk(&db, any_u32());
		ldm_db_component(&db, any_u32());
		ldm_db_volume(&db, any_u32());
	}
}

void prove_main(void)
{
	ON_EACH_SHIFT(on_disk);
}
