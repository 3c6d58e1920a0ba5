/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * Boot entries: the input is what a variable Boot#### holds. What is taken from it lies inside it,
 * and a copy for another partition is a boot entry again, of the same program.
 */
#include "common/bootentry.h"
#include "tests/fuzz/fuzz.h"

static void check_inside(const uint8_t *p, size_t bytes, const uint8_t *data, size_t n)
{
	check(p >= data && bytes <= n && (size_t)(p - data) <= n - bytes);
}

static void check_entry(const struct bootentry *e, const uint8_t *data, size_t n)
{
	uint16_t file[BOOTENTRY_FILE_UNITS];

	check_inside(e->name, e->name_units * 2, data, n);
	check_inside(e->path, e->path_bytes, data, n);
	check_inside(e->data, e->data_bytes, data, n);
	check(e->first_bytes >= 4 && e->first_bytes <= e->path_bytes);
	check(e->tail_at < e->first_bytes && (e->tail_at >= 42) == e->on_partition);
	check(6 + e->name_units * 2 + 2 + e->path_bytes + e->data_bytes == n);
	if (bootentry_file(e, file))
		check(file[0] == '\\' && file[1]);
	check(bootentry_same_program(e, e));
	(void)bootentry_is_automatic(e);
}

static void check_copy(const struct bootentry *e, size_t n)
{
	static const uint16_t more[] = {'(', 'm', ')'};
	struct bootentry_hd hd = {.number = 7, .start_lba = 2048, .sectors = 4096, .table = 2};
	struct bootentry copy;
	size_t bytes = 0, room = n + 2 * (sizeof(more) / sizeof(more[0]) + 1);
	uint8_t *out = malloc(room);
	enum status st;

	check(out != NULL);
	hd.signature_type = 2;
	st = bootentry_retarget(e, &hd, more, 3, out, room, &bytes);
	check(st == (e->on_partition ? ST_OK : ST_UNSUPPORTED));
	if (st == ST_OK) {
		check(bytes <= room && bootentry_parse(&copy, out, bytes) == ST_OK);
		check_entry(&copy, out, bytes);
		check(copy.on_partition && copy.hd.number == 7 && copy.tail_at == 42);
		check(copy.name_units == e->name_units + 4 && copy.attributes == e->attributes);
		check(bootentry_same_program(e, &copy) && bootentry_same_program(&copy, e));
		/* One byte less: said, and not written. */
		free(out);
		out = malloc(bytes);
		check(out != NULL);
		room = bytes - 1;
		check(bootentry_retarget(e, &hd, more, 3, out, room, &bytes) == ST_FULL);
		check(bytes <= room);
	}
	free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	uint8_t *own = malloc(n ? n : 1); /* of just this size, so that reading behind it is seen */
	struct bootentry e;

	check(own != NULL);
	if (n)
		memcpy(own, data, n);
	enum status st = bootentry_parse(&e, own, n);

	say_status("entry", (int)st);
	if (st == ST_OK) {
		say(e.on_partition ? "partition" : "device");
		check_entry(&e, own, n);
		check_copy(&e, n);
	}
	free(own);
	return 0;
}
