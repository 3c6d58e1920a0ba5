/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * Boot entries over a firmware that stops, is full, forgets or lies at any of its calls. After
 * each: the boot order is the old one or the new one, what it names is there and whole, and the
 * same command, run again, gets there and then writes nothing.
 */
#include "tests/sim/crashcount.h"
#include "tools/entries_job.h"
#include "tools/stop.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#define VARIABLES 32

enum how {
	GOOD,
	CUT,     /* the power goes before this call: it and what follows has no effect */
	FULL,    /* this call fails, and later ones may work */
	FULL_ON, /* from this call on none that adds works */
	GONE,    /* it fails, and takes the old value with it */
	DROP,    /* it says that it worked, and did nothing */
	HOWS,
	GONE_ON, /* and so do all calls that follow */
};

struct firmware {
	struct entries_vars vars;
	struct {
		char name[16];
		struct entries_var var;
	} v[VARIABLES];
	unsigned calls, fail_at;
	enum how how;
	bool hit;
};

static unsigned find(const struct firmware *f, const char *name)
{
	unsigned i = 0;

	while (i < VARIABLES && strcmp(f->v[i].name, name) != 0)
		i++;
	return i;
}

static int each(const struct entries_vars *v, void (*take)(void *arg, const char *name), void *arg)
{
	const struct firmware *f = (const void *)v;

	for (unsigned i = 0; i < VARIABLES; i++)
		if (f->v[i].name[0])
			take(arg, f->v[i].name);
	return 0;
}

static void copy(struct entries_var *to, uint32_t attributes, const void *data, size_t bytes)
{
	to->attributes = attributes;
	to->bytes = bytes;
	to->data = malloc(bytes + 1);
	assert_non_null(to->data);
	memcpy(to->data, data, bytes);
}

static int get(const struct entries_vars *v, const char *name, struct entries_var *var)
{
	const struct firmware *f = (const void *)v;
	unsigned i = find(f, name);

	if (i == VARIABLES)
		return ENOENT;
	copy(var, f->v[i].var.attributes, f->v[i].var.data, f->v[i].var.bytes);
	return 0;
}

static void drop(struct firmware *f, const char *name)
{
	unsigned i = find(f, name);

	if (i == VARIABLES)
		return;
	free(f->v[i].var.data);
	memset(&f->v[i], 0, sizeof(f->v[i]));
}

/* What goes wrong with this call; GOOD: nothing. */
static enum how fate(struct firmware *f)
{
	bool now = ++f->calls == f->fail_at, later = f->calls >= f->fail_at && f->fail_at;

	f->hit = f->hit || now;
	if (f->how == CUT || f->how == FULL_ON || f->how == GONE_ON)
		return later ? f->how : GOOD;
	return now ? f->how : GOOD;
}

static int set(const struct entries_vars *v, const char *name, uint32_t attributes,
	       const void *data, size_t bytes)
{
	struct firmware *f = (void *)v;
	unsigned i;

	assert_true(bytes > 0); /* to a firmware that would be an order to delete */
	switch (fate(f)) {
	case GOOD: break;
	case CUT: return EIO;
	case DROP: return 0;
	case GONE:
	case GONE_ON: drop(f, name); return ENOSPC;
	default: return ENOSPC;
	}
	drop(f, name);
	i = find(f, "");
	assert_true(i < VARIABLES);
	snprintf(f->v[i].name, sizeof(f->v[i].name), "%s", name);
	copy(&f->v[i].var, attributes, data, bytes);
	return 0;
}

static int take_away(const struct entries_vars *v, const char *name)
{
	struct firmware *f = (void *)v;
	enum how how = fate(f);

	if (how == CUT)
		return EIO;
	if (how == DROP)
		return 0;
	if (how != GOOD && how != FULL_ON && how != GONE_ON)
		return EIO;
	if (find(f, name) == VARIABLES)
		return ENOENT;
	drop(f, name);
	return 0;
}

static void empty(struct firmware *f)
{
	for (unsigned i = 0; i < VARIABLES; i++)
		if (f->v[i].name[0])
			drop(f, f->v[i].name);
}

static void start(struct firmware *f)
{
	memset(f, 0, sizeof(*f));
	f->vars = (struct entries_vars){
		.each = each,
		.get = get,
		.set = set,
		.remove = take_away,
		.where = "/nowhere",
		.firmware = true,
	};
}

/* The other has the same variables, and no fault. */
static void duplicate(struct firmware *to, const struct firmware *from)
{
	start(to);
	for (unsigned i = 0; i < VARIABLES; i++)
		if (from->v[i].name[0])
			set(&to->vars, from->v[i].name, from->v[i].var.attributes,
			    from->v[i].var.data, from->v[i].var.bytes);
	to->calls = 0;
}

static bool same_variable(const struct firmware *a, const struct firmware *b, const char *name)
{
	unsigned i = find(a, name), k = find(b, name);

	if (i == VARIABLES || k == VARIABLES)
		return i == k;
	return a->v[i].var.bytes == b->v[k].var.bytes &&
	       a->v[i].var.attributes == b->v[k].var.attributes &&
	       !memcmp(a->v[i].var.data, b->v[k].var.data, a->v[i].var.bytes);
}

static bool same(const struct firmware *a, const struct firmware *b)
{
	for (unsigned i = 0; i < VARIABLES; i++)
		if ((a->v[i].name[0] && !same_variable(a, b, a->v[i].name)) ||
		    (b->v[i].name[0] && !same_variable(a, b, b->v[i].name)))
			return false;
	return true;
}

/* As it was, but for entries that were brought up to date. */
static bool is_back(const struct firmware *f, const struct firmware *old,
		    const struct firmware *new)
{
	for (unsigned i = 0; i < VARIABLES; i++) {
		const char *now = f->v[i].name, *was = old->v[i].name;

		if ((was[0] && find(f, was) == VARIABLES) ||
		    (now[0] && !same_variable(f, old, now) &&
		     (find(old, now) == VARIABLES || !same_variable(f, new, now))))
			return false;
	}
	return same_variable(f, old, "BootOrder");
}

/* ---- the scene: two ESPs, of which the second has an old clone elsewhere ---- */

static const struct guid from = {{1, 2, 3}}, to = {{4, 5, 6}};
static struct nvpart part[2] = {
	{.part = {.start_lba = 2048, .sectors = 4096, .number = 1, .kind = PART_ESP}},
	{.part = {.start_lba = 4096, .sectors = 8192, .number = 2, .kind = PART_ESP}},
};
static const char *const disk_name[2] = {"a", "b"};

static enum status no_read(const struct disk *d, uint64_t lba, uint32_t n, void *buf)
{
	return ST_IO;
}

static const struct disk disk = {.read = no_read, .sectors = 1 << 20, .shift = 9};

static void put_entry(struct firmware *f, unsigned number, const char *name,
		      const struct guid *guid, uint64_t start_lba, char file)
{
	uint8_t data[256], *p = data;
	char variable[NVRAM_NAME_BYTES];
	const uint8_t head[] = {1, 0, 0, 0, 42 + 8 + 4, 0};
	const uint8_t tail[] = {4, 4, 8, 0, (uint8_t)file, 0, 0, 0, 0x7f, 0xff, 4, 0, 'x'};

	memset(data, 0, sizeof(data));
	memcpy(p, head, sizeof(head));
	p += sizeof(head);
	for (; *name; p += 2)
		*p = (uint8_t)*name++;
	p += 2;
	p[0] = 4;
	p[1] = 1;
	p[2] = 42;
	p[4] = 1;
	memcpy(p + 8, &start_lba, sizeof(start_lba));
	p[17] = 0x10;
	memcpy(p + 24, guid->b, sizeof(guid->b));
	p[40] = p[41] = 2;
	p += 42;
	memcpy(p, tail, sizeof(tail));
	p += sizeof(tail);
	nvram_name(number, variable);
	set(&f->vars, variable, NVRAM_PLAIN, data, (size_t)(p - data));
}

static void put_order(struct firmware *f, unsigned count, ...)
{
	uint16_t order[16];
	va_list ap;

	va_start(ap, count);
	for (unsigned i = 0; i < count; i++)
		order[i] = (uint16_t)va_arg(ap, int);
	va_end(ap);
	set(&f->vars, "BootOrder", NVRAM_PLAIN, order, count * sizeof(*order));
}

static void scene(struct firmware *f)
{
	start(f);
	put_entry(f, 0, "one", &from, 2048, 'a');
	put_entry(f, 1, "two", &from, 2048, 'b');
	put_entry(f, 2, "three", &from, 2048, 'c');
	put_entry(f, 5, "two, cloned", &to, 34, 'b');
	put_order(f, 4, 2, 0, 9, 1); /* 9 is not there */
	f->calls = 0;
}

struct run {
	int (*verb)(struct entries_job *j);
	struct entries_options o;
	void (*scene)(struct firmware *f);
};

static struct hostset no_disks;
static char record[64];
static int quiet = -1;

static int run(struct firmware *f, const struct run *r)
{
	struct entries_job j = {.o = &r->o, .vars = f->vars};
	int out = dup(1), err = dup(2), rc;

	fflush(stdout);
	dup2(quiet, 1);
	dup2(quiet, 2);
	for (unsigned i = 0; i < 2; i++) {
		part[i].disk_name = disk_name[i];
		part[i].disk = &disk;
		part[i].part.uuid = i ? to : from;
	}
	assert_true(entries_parts_open(&j.parts, &no_disks));
	j.parts.parts.given = true;
	j.parts.count = 2;
	j.parts.part = malloc(2 * sizeof(*j.parts.part));
	assert_non_null(j.parts.part);
	for (unsigned i = 0; i < 2; i++) {
		j.parts.part[i] = malloc(sizeof(part[i]));
		assert_non_null(j.parts.part[i]);
		*j.parts.part[i] = part[i];
	}
	assert_true(entries_read(&j.all, &f->vars));
	assert_true(entries_record_open(&j.record, &f->vars, record));
	entries_job_start(&j);
	j.store = entries_store(&f->vars);
	rc = r->verb(&j);
	entries_job_close(&j);
	fflush(stdout);
	dup2(out, 1);
	dup2(err, 2);
	close(out);
	close(err);
	return rc;
}

/* What a firmware would do with it: each entry in the order, tried one by one. */
static void check(const struct firmware *f, const struct firmware *old, const struct firmware *new,
		  enum how how, unsigned at)
{
	struct nvram all;
	bool is_old = same_variable(f, old, "BootOrder"),
	     is_new = same_variable(f, new, "BootOrder");

	if (!is_old && !is_new && how != GONE)
		fail_msg("how %d, call %u: the order is neither the old one nor the new one", how,
			 at);
	assert_true(entries_read(&all, &f->vars));
	for (unsigned i = 0; i < all.order_count; i++) {
		char name[NVRAM_NAME_BYTES];
		unsigned k;

		nvram_name(all.order[i], name);
		k = find(f, name);
		if (k == VARIABLES && find(is_new && !is_old ? new : old, name) == VARIABLES)
			continue; /* nor was it there before */
		if (how == GONE && k == VARIABLES)
			continue; /* the firmware itself lost it */
		if (k == VARIABLES ||
		    (!same_variable(f, old, name) && !same_variable(f, new, name)))
			fail_msg("how %d, call %u: %s is in the order, and not there", how, at,
				 name);
	}
	entries_free(&all);
}

/* Every call of a run, each fate. */
static void sweep(const struct run *r)
{
	struct firmware old, new, f;
	unsigned calls, faults = 0, taken_back = 0;

	unlink(record);
	r->scene(&old);
	duplicate(&new, &old);
	assert_int_equal(run(&new, r), EXIT_DONE);
	calls = new.calls;
	assert_true(calls >= 2);
	/* Nothing is left to be done. */
	new.calls = 0;
	assert_int_equal(run(&new, r), r->verb == entries_delete_run ? EXIT_FAILED : EXIT_DONE);
	assert_int_equal(new.calls, 0);

	/* A variable is written by one call, which the firmware carries out whole or not at all. */
	crashcount_scene(r->verb == entries_clone_run    ? "entries clone"
			 : r->verb == entries_mirror_run ? "entries mirror"
			 : r->verb == entries_delete_run ? "entries delete"
							 : "entries repair",
			 1);
	crashcount_is_new(calls + 1); /* after the last */
	crashcount_all();
	for (enum how how = CUT; how < HOWS; how++)
		for (unsigned at = 1; at <= calls; at++) {
			unlink(record);
			if (r->verb == entries_repair_run) { /* which needs its record */
				r->scene(&f);
				empty(&f);
			}
			duplicate(&f, &old);
			f.how = how;
			f.fail_at = at;
			if (run(&f, r) == EXIT_DONE && !same(&f, &new))
				fail_msg("how %d, call %u: said that all went well", how, at);
			assert_true(f.hit);
			faults++;
			check(&f, &old, &new, how, at);
			if (how == CUT)
				crashcount_is_new(at);
			if (how == FULL || how == FULL_ON) {
				/* All is back; or only removing failed, and the order is the new
				 * one. */
				if (!is_back(&f, &old, &new) &&
				    !same_variable(&f, &new, "BootOrder"))
					fail_msg("how %d, call %u: not taken back", how, at);
				taken_back += is_back(&f, &old, &new);
			}
			f.how = GOOD;
			f.fail_at = 0;
			if (how == GONE || how == DROP)
				goto next; /* what the firmware lost nobody knows any more */
			run(&f, r);
			crashcount_rerun();
			if (!same(&f, &new))
				fail_msg("how %d, call %u: the second run does not get there", how,
					 at);
			f.calls = 0;
			run(&f, r);
			assert_int_equal(f.calls, 0);
		next:
			empty(&f);
		}
	printf("    %u faults, %u taken back\n", faults, taken_back);
	assert_true(taken_back > 0);
	empty(&old);
	empty(&new);
}

static void cloning(void **state)
{
	struct run r = {entries_clone_run, {.want = {.from = from, .to = to}, .yes = true}, scene};

	sweep(&r);
}

static void mirroring(void **state)
{
	struct run r = {entries_mirror_run, {.want = {.to = to}, .yes = true}, scene};

	sweep(&r);
}

static void deleting(void **state)
{
	struct run r = {entries_delete_run,
			{.want = {.on = from, .has_on = true, .force = true}, .yes = true},
			scene};

	sweep(&r);
}

/* The firmware forgot entries of both disks: the record has them. */
static void forgetful(struct firmware *f)
{
	struct run r = {entries_clone_run, {.want = {.from = from, .to = to}, .yes = true}, scene};

	scene(f);
	unlink(record);
	assert_int_equal(run(f, &r), EXIT_DONE);
	drop(f, "Boot0000");
	drop(f, "Boot0005");
	put_order(f, 3, 2, 9, 1);
	f->calls = 0;
}

static void repairing(void **state)
{
	struct run r = {entries_repair_run, {.yes = true}, forgetful};

	sweep(&r);
}

/* An order that can't be put back: what it might name stays. */
static void order_lost(void **state)
{
	struct run r = {entries_clone_run, {.want = {.from = from, .to = to}, .yes = true}, scene};
	struct firmware f, old, new;

	unlink(record);
	scene(&old);
	duplicate(&f, &old);
	duplicate(&new, &old);
	assert_int_equal(run(&new, &r), EXIT_DONE);
	f.fail_at = new.calls; /* the order is written last */
	f.how = GONE;
	assert_int_equal(run(&f, &r), EXIT_FAILED);
	assert_true(is_back(&f, &old, &new)); /* it was put back at the second try */
	empty(&f);

	duplicate(&f, &old);
	f.fail_at = new.calls;
	f.how = GONE_ON;
	assert_int_equal(run(&f, &r), EXIT_FAILED);
	assert_int_equal(find(&f, "BootOrder"), VARIABLES);
	drop(&new, "BootOrder");
	assert_true(same(&f, &new));
	empty(&f);
	empty(&old);
	empty(&new);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cloning),    cmocka_unit_test(mirroring),
		cmocka_unit_test(deleting),   cmocka_unit_test(repairing),
		cmocka_unit_test(order_lost),
	};
	int rc;

	snprintf(record, sizeof(record), "/tmp/sim-entries-XXXXXX");
	if (!mkdtemp(record))
		return 1;
	strcat(record, "/record.json");
	quiet = open("/dev/null", O_WRONLY);
	rc = cmocka_run_group_tests_name("boot entries under faults", tests, NULL, NULL);
	unlink(record);
	*strrchr(record, '/') = 0;
	rmdir(record);
	return crashcount_end(rc);
}
