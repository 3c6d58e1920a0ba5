/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * A plan's items, one batch after another: rehearsed, to know that they fit, and then written.
 * Both go the same way, and take the same clusters and slots. Inside of fat_plan.c and
 * fat_write.c.
 */
#ifndef COMMON_FAT_APPLY_H
#define COMMON_FAT_APPLY_H

#include "common/fat_out.h"
#include "common/fat_plan.h"

enum fat_node_flag {
	FAT_NODE_LAST = 1,  /* switched after the others */
	FAT_NODE_FRESH = 2, /* of a folder: from put_slot on, all is free */
	FAT_NODE_TAIL = 4,  /* of a folder: put_cluster is the last of its chain */
	FAT_NODE_CASE = 8,  /* its name is to be written anew: upper and lower case differ */
	FAT_NODE_LEFT = 16, /* of a folder: something in it is left to itself */
};

static inline bool fat_node_is_folder(const struct fat_node *n)
{
	return n->raw.attributes & FAT_FOLDER;
}

/* Of a source node: does the target get a folder of its own for it? */
static inline bool fat_node_makes_folder(const struct fat_node *n)
{
	return fat_node_is_folder(n) && (n->action == FAT_CREATE || n->action == FAT_REPLACE);
}

static inline uint32_t fat_node_clusters(const struct fat *target, const struct fat_node *n)
{
	uint32_t bytes = le32_get(n->raw.bytes), mask = (1u << target->cluster_shift) - 1;

	if (fat_node_is_folder(n))
		return 1;
	return (bytes >> target->cluster_shift) + ((bytes & mask) != 0);
}

/* Everything but what is removed. Status as fat_write_apply() has it. */
enum status fat_apply_new(struct fat_plan *p, struct fat_out *o);
/* The clusters of a target's node, and of all that is in it, can be taken again. */
enum status fat_apply_free(struct fat_plan *p, struct fat_out *o, uint32_t node);
/* The node's path, into p->path; its length. */
size_t fat_plan_path(struct fat_plan *p, const struct fat_tree *t, uint32_t node);

/* ---- fat_put.c ---- */

/*
 * A source that is in memory only: the folders on this path, and what it ends in, as folders.
 * ST_RANGE: it is no path.
 */
enum status fat_put_path(struct fat_plan *p, const char *path, size_t bytes, uint32_t fat_time,
			 struct fat_node **last);

/* ---- fat_place.c: slots ---- */

/* Clusters that the folder of a node to be created grows by. ST_FULL: it can't. */
enum status fat_place_need(struct fat_plan *p, struct fat_out *o, uint32_t node, uint32_t *grow);
/* Find its slots, and let the folder grow as far as that is not to be seen. */
enum status fat_place_take(struct fat_plan *p, struct fat_out *o, uint32_t node);
/* Link what the folder grew by, and write the name: it is there then. */
enum status fat_place_commit(struct fat_plan *p, struct fat_out *o, uint32_t node);
/* Of a node that has a match: its entry, in place. */
enum status fat_place_change(struct fat_plan *p, struct fat_out *o, uint32_t node);
/* A target's node: its entry and what of its long name is in the same sector; then the rest. */
enum status fat_place_remove(struct fat_plan *p, struct fat_out *o, uint32_t node, bool rest);
/* A cluster for a folder. p->buf is overwritten. */
enum status fat_place_zeroes(struct fat_plan *p, struct fat_out *o, uint32_t cluster);
/* "." and "..", in the first sector of a new folder. */
void fat_place_dots(const struct fat_plan *p, uint32_t node, uint8_t *sector);

#endif
