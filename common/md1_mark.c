/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "common/md1_mark.h"

#include "common/md.h"
#include "common/md1_sb.h"
#include "common/member.h"

/* What md adds when the set of working devices changes: the other's one step is no match. */
#define EVENTS_STEP 2

uint32_t md1_checksum(const uint8_t *sb)
{
	const struct md1_sb *h = (const struct md1_sb *)sb;
	uint32_t max_dev = le32_get(h->max_dev), len;
	uint64_t sum = 0;

	if (max_dev > MD1_MAX_DEV)
		max_dev = MD1_MAX_DEV;
	len = sizeof(struct md1_sb) + 2 * max_dev;
	for (const uint8_t *p = sb; p + 4 <= sb + len; p += 4)
		sum += le32_get(*(const le32 *)p);
	if (len & 2)
		sum += le16_get(*(const le16 *)(sb + len - 2));
	sum -= le32_get(h->csum);
	return (uint32_t)sum + (uint32_t)(sum >> 32);
}

static bool is_live(const struct vdisk_mirror *m, uint32_t dev_number)
{
	for (unsigned i = m->leg_count; i-- > 0;)
		if (m->dev_number[i] == dev_number)
			return true;
	return false;
}

bool md1_mark(uint8_t *sb, unsigned shift, bool open, const struct vdisk_mirror *m)
{
	struct md1_sb *h = (struct md1_sb *)sb;
	le16 *roles = (le16 *)(sb + sizeof(*h));
	uint32_t max_dev = le32_get(h->max_dev);
	bool changed = false;

	if (le32_get(h->magic) != MD_MAGIC || max_dev > MD1_ROLES_IN(1u << shift) ||
	    md1_checksum(sb) != le32_get(h->csum))
		return false;
	while (max_dev-- > 0) {
		if (le16_get(roles[max_dev]) >= ROLE_MAX || is_live(m, max_dev))
			continue;
		roles[max_dev] = le16_of(ROLE_FAULTY);
		changed = true;
	}
	if (changed)
		h->events = le64_of(le64_get(h->events) + EVENTS_STEP);
	h->resync_offset = le64_of(open ? 0 : m->resync_s512);
	h->csum = le32_of(md1_checksum(sb));
	return true;
}
