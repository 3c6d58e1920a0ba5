/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tools/entries.h"

#include "tools/say.h"
#include "common/nvsay.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- reading ---- */

static void take(void *arg, const char *name)
{
	struct nvram *all = arg;
	unsigned number = nvram_number(name);

	if (number == NVRAM_NONE)
		return;
	all->entry = realloc(all->entry, (all->count + 1) * sizeof(*all->entry));
	if (!all->entry)
		abort();
	all->entry[all->count++] = (struct nventry){.number = number};
}

static void read_entry(const struct entries_vars *vars, struct nventry *e)
{
	char name[NVRAM_NAME_BYTES];
	struct entries_var var = {0};

	nvram_name(e->number, name);
	e->error = vars->get(vars, name, &var);
	if (!e->error) {
		e->attributes = var.attributes;
		e->data = var.data;
		e->bytes = var.bytes;
	}
	nvram_look(e);
}

/* A variable of two bytes; -1: not there, or not of two bytes. */
static int read_number(const struct entries_vars *vars, const char *name)
{
	struct entries_var var;
	int n = -1;

	if (vars->get(vars, name, &var))
		return -1;
	if (var.bytes == 2)
		n = var.data[0] | var.data[1] << 8;
	free(var.data);
	return n;
}

static bool read_order(struct nvram *all, const struct entries_vars *vars)
{
	struct entries_var var;
	int rc = vars->get(vars, "BootOrder", &var);
	bool fine;

	if (rc == ENOENT)
		return true;
	if (rc) {
		say_about(vars->where, "BootOrder could not be read: %s", strerror(rc));
		return false;
	}
	all->order_attributes = var.attributes;
	all->order = malloc(var.bytes + 1);
	if (!all->order)
		abort();
	fine = nvram_take_order(all, var.data, var.bytes);
	if (!fine)
		say_about(vars->where, "BootOrder is damaged: it has %zu bytes", var.bytes);
	free(var.data);
	return fine;
}

bool entries_read(struct nvram *all, const struct entries_vars *vars)
{
	int rc, number;

	memset(all, 0, sizeof(*all));
	rc = vars->each(vars, take, all);
	if (rc) {
		say_about(vars->where, "%s", strerror(rc));
		entries_free(all);
		return false;
	}
	for (unsigned i = 0; i < all->count; i++)
		read_entry(vars, &all->entry[i]);
	if (!read_order(all, vars)) {
		entries_free(all);
		return false;
	}
	nvram_arrange(all);
	number = read_number(vars, "BootCurrent");
	all->current = number < 0 ? NVRAM_NONE : (unsigned)number;
	number = read_number(vars, "BootNext");
	all->next = number < 0 ? NVRAM_NONE : (unsigned)number;
	all->timeout = read_number(vars, "Timeout");
	return true;
}

void entries_free(struct nvram *all)
{
	for (unsigned i = 0; i < all->count; i++)
		free((void *)all->entry[i].data);
	free(all->entry);
	free(all->order);
	memset(all, 0, sizeof(*all));
}

/* ---- writing ---- */

static const struct entries_vars *vars_of(const struct nvstore *s)
{
	return ((const struct entries_store *)s)->vars;
}

static int store_set(const struct nvstore *s, const char *name, uint32_t attributes,
		     const void *data, size_t bytes)
{
	return vars_of(s)->set(vars_of(s), name, attributes, data, bytes);
}

static int store_remove(const struct nvstore *s, const char *name)
{
	return vars_of(s)->remove(vars_of(s), name);
}

static bool store_holds(const struct nvstore *s, const char *name, const void *data, size_t bytes)
{
	struct entries_var var;
	bool same;

	if (vars_of(s)->get(vars_of(s), name, &var))
		return false;
	same = var.bytes == bytes && (bytes == 0 || !memcmp(var.data, data, bytes));
	free(var.data);
	return same;
}

static bool store_lacks(const struct nvstore *s, const char *name)
{
	struct entries_var var;
	int rc = vars_of(s)->get(vars_of(s), name, &var);

	if (!rc)
		free(var.data);
	return rc == ENOENT;
}

static const char *store_why(const struct nvstore *s, int error)
{
	return entries_vars_why(vars_of(s), error);
}

struct entries_store entries_store(const struct entries_vars *vars)
{
	return (struct entries_store){
		{store_set, store_remove, store_holds, store_lacks, store_why}, vars};
}

/* ---- text ---- */

char *entries_description(const struct bootentry *e)
{
	struct say_text t;

	say_text_init(&t);
	nvsay_name(e, &t.text);
	return t.buf;
}

char *entries_target(const struct bootentry *e, bool *is_file)
{
	struct say_text t;

	say_text_init(&t);
	*is_file = nvsay_target(e, &t.text);
	return t.buf;
}
