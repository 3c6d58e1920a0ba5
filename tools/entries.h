/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* The boot entries of a firmware, as struct nvram, from Linux' efivarfs; and their texts. */
#ifndef TOOLS_ENTRIES_H
#define TOOLS_ENTRIES_H

#include "common/nvwrite.h"
#include "tools/entries_vars.h"

/* False: they could not be read, which was said. Free with entries_free(). */
bool entries_read(struct nvram *all, const struct entries_vars *vars);
void entries_free(struct nvram *all);

/* The variables, to be written to. */
struct entries_store {
	struct nvstore store;
	const struct entries_vars *vars;
};
struct entries_store entries_store(const struct entries_vars *vars);

/* For people: UTF-8, what could harm a terminal left out. To be freed. */
char *entries_description(const struct bootentry *e);
/* The file that is started, or a word for what is started else: "not a file on a partition". */
char *entries_target(const struct bootentry *e, bool *is_file);

#endif
