/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * Disk groups: what the disks' copies of their databases say together. Reads only.
 *
 * Each disk has a copy of all of it. The copy of the highest transaction counts; an update
 * that was cut is seen as undone until one disk has it as committed, from then on as done.
 */
#ifndef TOOLS_LDM_GROUP_H
#define TOOLS_LDM_GROUP_H

#include "tools/hostdisk.h"
#include "tools/ldm_image.h"

#define LDM_GROUPS 8
#define LDM_LEGS   8

enum ldm_standing {
	LDM_BASIC,    /* no dynamic disk */
	LDM_DAMAGED,  /* a dynamic disk without a database that can be used */
	LDM_UNFILLED, /* its copy was being written anew when the power went */
	LDM_CURRENT,  /* of the group's last transaction */
	LDM_BEHIND,   /* of an older one: it missed updates */
	LDM_DIFFERS,  /* of the same one, and not the same */
};

/* A disk, looked at as one that may have a copy. */
struct ldm_copy {
	const struct hostdisk *host;
	const struct disk *disk;
	enum ldm_standing standing;
	enum status status; /* of its head, then of its database */
	struct ldm_head head;
	struct ldm_image now;     /* as on the disk */
	struct ldm_image settled; /* as when an update that was cut is undone, or finished */
	unsigned state;           /* enum ldm_db_status */
	uint64_t tid;             /* the transaction that counts on this disk */
	bool forward;             /* its update is to be finished, not undone */
	bool cut;                 /* it has an update that was cut */
};

struct ldm_group {
	struct guid guid;
	char name[LDM_NAME_BYTES];
	uint64_t tid;
	bool cut;      /* an update is to be undone or finished */
	bool forward;  /* finished */
	bool differs;  /* two copies of the last transaction are not the same */
	bool odd;      /* a record that can't be read: nothing is changed in such a group */
	unsigned best; /* whose copy counts: index of the disk */
	struct ldm_raws raws;
};

struct ldm_groups {
	struct hostset *set;
	unsigned count;
	struct ldm_group group[LDM_GROUPS];
	unsigned copies; /* one a disk */
	struct ldm_copy copy[SURVEY_DISKS];
	unsigned of[SURVEY_DISKS]; /* copy -> group; LDM_GROUPS: none */
};

/* Never fails: what could not be read is said in standing and status. */
struct ldm_groups *ldm_groups_read(struct hostset *set);
void ldm_groups_free(struct ldm_groups *gs);

/* Judge again, with the copy of disk i as the one that counts among equals. */
void ldm_groups_keep(struct ldm_groups *gs, unsigned i);

/* The group that counts disk i's copy as its own, or NULL. */
struct ldm_group *ldm_group_of(struct ldm_groups *gs, unsigned i);

/* NULL: no such record. */
const struct ldm_raw *ldm_find(const struct ldm_group *g, unsigned type, uint32_t id);

/* Which disk of the command line a disk record is about; -1: none. */
int ldm_disk_index(const struct ldm_groups *gs, const struct ldm_group *g, uint32_t disk_id);

/* The record about disk i of the command line, or NULL. */
const struct ldm_raw *ldm_disk_record(const struct ldm_groups *gs, const struct ldm_group *g,
				      unsigned i);

/* A volume by name, drive letter or GUID. NULL: none, or more than one; *many tells. */
const struct ldm_raw *ldm_find_volume(struct ldm_groups *gs, const char *text, struct ldm_group **g,
				      bool *many);

/* Its components in the order of their numbers: at most LDM_LEGS. */
unsigned ldm_legs(const struct ldm_group *g, const struct ldm_raw *volume,
		  const struct ldm_raw **leg);

/* The partitions of a component, in the order of its data (of its columns, then). */
unsigned ldm_pieces(const struct ldm_group *g, const struct ldm_raw *component,
		    const struct ldm_raw **piece, unsigned room);

/* Disks that the group's database knows, and those of them that are here and usable. */
unsigned ldm_group_disks(const struct ldm_groups *gs, const struct ldm_group *g, unsigned *present);

enum ldm_health {
	LDM_HEALTHY,
	LDM_REGENERATING,
	LDM_FAILED,     /* the database says so, or what it says is not known */
	LDM_STALE_DISK, /* on a disk whose database is old, damaged or another */
	LDM_NO_DISK,    /* it lies on a disk that is not here */
};
enum ldm_health ldm_leg_health(const struct ldm_groups *gs, const struct ldm_group *g,
			       const struct ldm_raw *component);
const char *ldm_health_name(enum ldm_health h);

enum ldm_layout_name {
	LDM_IS_SIMPLE,
	LDM_IS_SPANNED,
	LDM_IS_STRIPED,
	LDM_IS_MIRRORED,
	LDM_IS_RAID5
};
enum ldm_layout_name ldm_layout_of(const struct ldm_group *g, const struct ldm_raw *volume);

/* As Disk Management says it: "Healthy", "Failed Redundancy", "Regenerating", "Failed". */
const char *ldm_volume_status(const struct ldm_groups *gs, const struct ldm_group *g,
			      const struct ldm_raw *volume);

#endif
