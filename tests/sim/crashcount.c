/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tests/sim/crashcount.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COMMANDS 40u
#define PICKED   100u /* of a scene, each of the first so many */
#define SHARE    4u   /* a set is a quarter full at most */

struct command {
	const char *name;
	unsigned scenes, played, exhausted;
	uint64_t states, again, reruns, asked;
	const char *tool;
};

static struct command command[COMMANDS];
static unsigned commands;
static struct command *now;

/* Of the scene that is played: an open hash table of what was seen. */
static uint64_t *seen;
static uint64_t room, used, share;
static bool counted_all;

static uint64_t wanted(void)
{
	const char *n = getenv("SIM_STATES");

	return n ? strtoull(n, NULL, 10) : 0;
}

bool crashcount_is_whole(void)
{
	return wanted() > 0;
}

void crashcount_scene(const char *name, unsigned scenes)
{
	now = NULL;
	for (unsigned i = 0; i < commands; i++)
		if (!strcmp(command[i].name, name))
			now = &command[i];
	if (!now) {
		if (commands == COMMANDS)
			abort();
		now = &command[commands++];
		now->name = name;
	}
	now->scenes = scenes;
	now->played++;
	free(seen);
	seen = NULL;
	room = used = 0;
	counted_all = false;
	/* What one scene has not, the last ones make up for. */
	share = 0;
	if (wanted() > now->states) {
		uint64_t left = now->scenes >= now->played ? now->scenes - now->played + 1 : 1;

		share = (wanted() - now->states + left - 1) / left;
	}
}

static bool put(uint64_t *set, uint64_t in, uint64_t hash)
{
	uint64_t at = hash & (in - 1);

	while (set[at] && set[at] != hash)
		at = (at + 1) & (in - 1);
	if (set[at] == hash)
		return false;
	set[at] = hash;
	return true;
}

static void grow(void)
{
	uint64_t more = room ? 2 * room : 4096;
	uint64_t *set = calloc(more, sizeof(*set));

	if (!set)
		abort();
	for (uint64_t i = 0; i < room; i++)
		if (seen[i])
			put(set, more, seen[i]);
	free(seen);
	seen = set;
	room = more;
}

bool crashcount_is_new(uint64_t hash)
{
	if (!now)
		abort();
	if (used * SHARE >= room)
		grow();
	if (!put(seen, room, hash ? hash : 1)) {
		now->again++;
		return false;
	}
	used++;
	now->states++;
	return true;
}

bool crashcount_wants_more(void)
{
	return used < share;
}

void crashcount_all(void)
{
	now->exhausted += !counted_all;
	counted_all = true;
}

void crashcount_rerun(void)
{
	now->reruns++;
}

void crashcount_asked(const char *tool)
{
	now->tool = tool;
	now->asked++;
}

bool crashcount_is_picked(unsigned n)
{
	return !crashcount_is_whole() || used < PICKED || used % n == 0;
}

int crashcount_end(int rc)
{
	for (unsigned i = 0; i < commands; i++) {
		const struct command *c = &command[i];
		bool all = c->exhausted == c->played;
		bool few = c->states < wanted() && !all;

		printf("cuts: %s: %llu states%s, %u scenes, run again on %llu", c->name,
		       (unsigned long long)c->states, all ? " (all that there are)" : "", c->played,
		       (unsigned long long)c->reruns);
		if (c->asked)
			printf(", %s on %llu", c->tool, (unsigned long long)c->asked);
		printf("%s\n", few ? ": TOO FEW" : "");
		rc |= few;
	}
	return rc;
}
