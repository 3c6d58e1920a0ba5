/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * A verb of `mirrorboot ldm`, run on disks in memory, cut at each of its writes. Afterwards, in
 * both orders of the disks: the volume is a mirror of which our own judge picks a leg, or a
 * simple volume; each leg that is in sync has the data, whole; and the same verb, run again,
 * gets there.
 */
#ifndef TESTS_SIM_CRASHLDM_H
#define TESTS_SIM_CRASHLDM_H

#include "tests/sim/crashgroup.h"
#include "tools/ldm_job.h"

#define DATA_SECTORS 2100u /* of 1 MiB and a little: two writes */
#define DATA_BYTES   ((size_t)DATA_SECTORS * CRASHGROUP_SECTOR)
#define NAME         "Data"

typedef int verb(struct hostset *set, const struct ldm_options *o);

enum after { TWO_LEGS, TWO_VOLUMES, ONE_LEG };

struct crashldm {
	const char *name;
	const char *command; /* of which there are so many scenes */
	unsigned scenes;
	verb *run;
	struct ldm_options options;
	struct crashgroup group;
	unsigned disks; /* of the group that the verb gets: the first so many */
	enum after after;
	bool no_data; /* of before: none that matter */
	uint8_t *old; /* what disk 1 has, which missed updates */
	uint8_t *data;
	unsigned mirrored, simple; /* states seen */
	unsigned asked;            /* states that a real tool may be asked about */
};

/* The first so many disks as the tool has them; free() it. */
struct hostset *crashldm_open(struct crashgroup *g, unsigned count, bool reverse);

/* Run it with --yes and --force, its lines unseen (SIM_TALK shows them). Its exit status. */
int crashldm_run(struct crashgroup *g, unsigned disks, verb *run, struct ldm_options o);

/* What must hold at each moment; what must hold when the verb is done. what: for messages. */
void crashldm_judge(struct crashldm *s, struct crashgroup *g, const char *what);
void crashldm_check_end(struct crashldm *s, struct crashgroup *g, const char *what);

/*
 * Run the scene's verb, then cut it everywhere. SIM_RANDOM=N: so many random subsets of what
 * is not flushed, at each cut (default 2). Frees the scene's disks.
 */
void crashldm_play(struct crashldm *s);

#endif
