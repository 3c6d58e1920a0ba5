/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* What the files of judge share: leg.c (verdicts) and newest.c (whose map decides). */
#ifndef COMMON_LEG_H
#define COMMON_LEG_H

#include "common/survey.h"

static inline bool leg_is_ldm(const struct member *m)
{
	return m->format == FORMAT_LDM;
}

/* A role in the array, not a spare or a failed device. */
static inline bool leg_is_regular(uint16_t role)
{
	return role < ROLE_MAX;
}

static inline const struct member *leg_member(const struct survey *s, const struct leg *l)
{
	return &s->member[l->member];
}

/*
 * Has m missed writes that newest has? One event is what a crash between two superblock
 * writes leaves. A database that is a transaction behind may be so by any length of time.
 */
static inline bool leg_is_behind(const struct member *m, const struct member *newest)
{
	return m->events < newest->events && newest->events - m->events > !leg_is_ldm(m);
}

/*
 * The member whose map of roles decides about all legs; NULL: none is whole. It is the
 * one with the most events.
 */
const struct member *newest_find(const struct survey *s, const struct mirror *m);

/* A total order of members that does not depend on the order of disks: < 0, > 0, 0. */
int newest_compare(const struct member *a, const struct member *b);

#endif
