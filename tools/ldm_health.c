/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* How volumes and their legs are, in the words of Windows' Disk Management. */
#include "tools/ldm_group.h"

#include "common/ldm_probe.h"

#define PIECES 32

static enum ldm_health worse(enum ldm_health a, enum ldm_health b)
{
	return a > b ? a : b;
}

static enum ldm_health piece_health(const struct ldm_groups *gs, const struct ldm_group *g,
				    const struct ldm_partition *p)
{
	const struct ldm_raw *d = ldm_find(g, LDM_DISK, p->disk);
	int i = ldm_disk_index(gs, g, p->disk);

	if (!d || i < 0)
		return LDM_NO_DISK;
	if ((d->rec.disk.flags & (LDM_DISK_FAILING | LDM_DISK_REMOVED | LDM_DISK_DETACHED)) ||
	    (p->flags & LDM_PARTITION_KDETACH))
		return LDM_FAILED;
	if (gs->copy[i].standing != LDM_CURRENT)
		return LDM_STALE_DISK;
	return p->flags & LDM_PARTITION_RECOVER ? LDM_REGENERATING : LDM_HEALTHY;
}

enum ldm_health ldm_leg_health(const struct ldm_groups *gs, const struct ldm_group *g,
			       const struct ldm_raw *component)
{
	const struct ldm_component *c = &component->rec.component;
	const struct ldm_raw *piece[PIECES];
	unsigned n = ldm_pieces(g, component, piece, PIECES);
	enum ldm_health h = LDM_HEALTHY;

	if (c->flags & LDM_COMPONENT_RECOVER)
		h = LDM_REGENERATING;
	if (!ldm_is_active(c->state) && !(c->flags & LDM_COMPONENT_RECOVER))
		h = LDM_FAILED;
	if ((c->flags & (LDM_COMPONENT_IOFAIL | LDM_COMPONENT_PENDING)) || n == 0)
		h = LDM_FAILED;
	for (unsigned i = 0; i < n; i++)
		h = worse(h, piece_health(gs, g, &piece[i]->rec.partition));
	return h;
}

const char *ldm_health_name(enum ldm_health h)
{
	static const char *const names[] = {"healthy", "regenerating", "failed", "stale",
					    "missing"};

	return names[h];
}

enum ldm_layout_name ldm_layout_of(const struct ldm_group *g, const struct ldm_raw *volume)
{
	const struct ldm_raw *leg[LDM_LEGS], *piece[PIECES];
	unsigned legs = ldm_legs(g, volume, leg), n;

	if (ldm_is_raid5(&volume->rec.volume))
		return LDM_IS_RAID5;
	if (legs > 1)
		return LDM_IS_MIRRORED;
	if (legs == 1 && leg[0]->rec.component.layout == LDM_STRIPED)
		return LDM_IS_STRIPED;
	n = legs ? ldm_pieces(g, leg[0], piece, PIECES) : 0;
	for (unsigned i = 1; i < n; i++)
		if (piece[i]->rec.partition.disk != piece[0]->rec.partition.disk)
			return LDM_IS_SPANNED;
	return LDM_IS_SIMPLE;
}

/* RAID-5 bears the loss of one column. */
static const char *raid5_status(const struct ldm_groups *gs, const struct ldm_group *g,
				const struct ldm_raw *component)
{
	const struct ldm_raw *piece[PIECES];
	unsigned n = ldm_pieces(g, component, piece, PIECES), bad = 0, regenerating = 0;

	for (unsigned i = 0; i < n; i++) {
		enum ldm_health h = piece_health(gs, g, &piece[i]->rec.partition);

		regenerating += h == LDM_REGENERATING;
		bad += h > LDM_REGENERATING;
	}
	if (bad + regenerating > 1)
		return "Failed";
	return bad ? "Failed Redundancy" : regenerating ? "Regenerating" : "Healthy";
}

const char *ldm_volume_status(const struct ldm_groups *gs, const struct ldm_group *g,
			      const struct ldm_raw *volume)
{
	const uint32_t bad = LDM_VOLUME_CRASHED | LDM_VOLUME_KDETACH | LDM_VOLUME_PENDING;
	const struct ldm_raw *leg[LDM_LEGS];
	unsigned legs = ldm_legs(g, volume, leg), healthy = 0, regenerating = 0;

	if (!ldm_is_active(volume->rec.volume.state) || (volume->rec.volume.flags & bad))
		return "Failed";
	if (ldm_is_raid5(&volume->rec.volume) && legs == 1 &&
	    ldm_is_active(leg[0]->rec.component.state))
		return raid5_status(gs, g, leg[0]);
	for (unsigned i = 0; i < legs; i++) {
		enum ldm_health h = ldm_leg_health(gs, g, leg[i]);

		healthy += h == LDM_HEALTHY;
		regenerating += h == LDM_REGENERATING;
	}
	/* Of volumes that are no mirrors the only copy counts, however old its disk's database. */
	if (legs == 1 && ldm_leg_health(gs, g, leg[0]) == LDM_STALE_DISK)
		return "Healthy";
	if (healthy == 0)
		return "Failed";
	if (regenerating)
		return "Regenerating";
	return healthy == legs ? "Healthy" : "Failed Redundancy";
}
