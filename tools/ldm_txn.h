/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * The only writer of LDM databases. A change of a group is one transaction, on all of its
 * disks, each step on all of them and flushed before the next:
 *
 *   change   VMDB says that an update is being prepared, and what it will lead to
 *   prepare  records that come are written beside those that go; KLOG; all of it read back
 *   commit   VMDB says so: from here on the update is finished, before it is undone
 *   activate the records that go are freed, those that come are active
 *   clean    VMDB says that nothing is under way; all of it read back
 *
 * This is Windows' own way, as far as it is known. What is cut anywhere is undone or
 * finished by Windows, and by ldm_txn_recover().
 */
#ifndef TOOLS_LDM_TXN_H
#define TOOLS_LDM_TXN_H

#include "tools/ldm_group.h"
#include "tools/ldm_make.h"

#define LDM_CHANGES 40

struct ldm_change {
	uint64_t tid;  /* of the transaction */
	uint32_t next; /* an identity that no record has */
	unsigned drops, adds;
	const struct ldm_raw *drop[LDM_CHANGES];
	struct ldm_out add[LDM_CHANGES];
	bool full;
};

/* An empty change of this group. News: how many records will get new identities. */
void ldm_change_init(struct ldm_change *ch, const struct ldm_group *g, unsigned news);
/* Room for a record that comes. */
struct ldm_out *ldm_change_add(struct ldm_change *ch);
void ldm_change_drop(struct ldm_change *ch, const struct ldm_raw *r);

/*
 * Make it so. first: disks to be written before the others (bit i: disk i): when the power
 * goes while it is being committed, those are the ones that have it, and are believed. False:
 * what failed was said; run again, it goes on.
 */
bool ldm_txn_run(struct ldm_groups *gs, struct ldm_group *g, const struct ldm_change *ch,
		 uint64_t first);

/* Undo or finish an update that was cut, on all disks of the group that are here. */
bool ldm_txn_recover(struct ldm_groups *gs, struct ldm_group *g);

/* A disk's copy is to be written anew: from now on nobody uses it. */
bool ldm_txn_forget(struct ldm_copy *c);

/* Write all of it: first so that nobody uses it, then as what it is. */
bool ldm_txn_fill(struct ldm_copy *c, const struct ldm_image *want);

/* FILETIME of now. */
uint64_t ldm_txn_time(void);

#endif
