/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "common/nvlist.h"

void nvlist_look(const struct nventry *e, const struct nvparts *parts, struct nvlist *l)
{
	bool twice = false;

	*l = (struct nvlist){.e = e};
	if (e->status != ST_OK) {
		l->fault = e->error ? NVLIST_UNREADABLE : NVLIST_DAMAGED;
		return;
	}
	if (!e->e.on_partition)
		return;
	l->part = parts->find(parts, &e->e.hd.guid, &twice);
	if (!l->part)
		l->fault = NVLIST_PARTITION_MISSING;
	else if (twice)
		l->fault = NVLIST_PARTITION_TWICE;
	else if (nvpart_moved(l->part, &e->e))
		l->fault = NVLIST_PARTITION_MOVED;
	else if (parts->loader(parts, l->part, &e->e) == ST_ABSENT)
		l->fault = NVLIST_FILE_MISSING;
}

bool nvlist_matters(const struct nvlist *l)
{
	return l->fault && l->e->place >= 0 &&
	       (l->e->status != ST_OK || (l->e->e.attributes & BOOTENTRY_ACTIVE));
}

void nvlist_order(const struct nvram *all, struct text *out)
{
	char name[NVRAM_NAME_BYTES];

	text_str(out, "boot order:");
	for (unsigned i = 0; i < all->order_count; i++) {
		nvram_name(all->order[i], name);
		text_char(out, ' ');
		text_str(out, name + 4);
		if (!nvram_find(all, all->order[i]))
			text_str(out, " (not there)");
	}
	text_str(out, all->order_count ? "\n" : " (none)\n");
	if (all->timeout < 0)
		return;
	text_str(out, "timeout: ");
	text_u64(out, (unsigned)all->timeout);
	text_str(out, " s\n");
}

#define INDENT "          "

static void say_state(const struct nvram *all, const struct nvlist *l, struct text *out)
{
	const struct nventry *e = l->e;

	text_str(out, INDENT);
	if (e->status == ST_OK)
		text_str(out, e->e.attributes & BOOTENTRY_ACTIVE ? "active, " : "not active, ");
	if (e->place >= 0) {
		text_str(out, "place ");
		text_u64(out, (unsigned)e->place + 1);
		text_str(out, " in the boot order");
	} else {
		text_str(out, "not in the boot order");
	}
	if (e->number == all->current)
		text_str(out, ", started this system");
	if (e->number == all->next)
		text_str(out, ", tried first at the next start");
	text_str(out, l->recorded ? ", recorded\n" : "\n");
}

static void say_where(const struct nvlist *l, const struct nvparts *parts, struct text *out)
{
	text_str(out, INDENT "partition ");
	nvsay_guid(&l->e->e.hd.guid, out);
	text_str(out, ": ");
	if (!l->part) {
		text_str(out, parts->given ? "on none of these disks\n" : "not found\n");
		return;
	}
	text_u64(out, l->part->part.number);
	text_str(out, " of ");
	text_str(out, l->part->disk_name);
	switch (l->fault) {
	case NVLIST_FILE_MISSING: text_str(out, ", which has no such file"); break;
	case NVLIST_PARTITION_MOVED:
		text_str(out, ", elsewhere than the entry says (\"repair\" and \"clone\" mend "
			      "that)");
		break;
	case NVLIST_PARTITION_TWICE: text_str(out, ", and there twice"); break;
	default: break;
	}
	text_char(out, '\n');
}

void nvlist_entry(const struct nvram *all, const struct nvlist *l, const struct nvparts *parts,
		  const struct nvstore *s, struct text *out)
{
	const struct nventry *e = l->e;

	nvsay_number(e->number, out);
	text_str(out, "  ");
	if (e->status == ST_OK)
		nvsay_name(&e->e, out);
	else
		text_str(out, "(damaged)");
	text_char(out, '\n');
	say_state(all, l, out);
	text_str(out, INDENT);
	if (e->status == ST_OK)
		nvsay_target(&e->e, out);
	else
		text_str(out, e->error ? s->why(s, e->error)
				       : "what it holds is no boot entry: its lengths can't be");
	text_char(out, '\n');
	if (e->status == ST_OK && e->e.on_partition)
		say_where(l, parts, out);
}

void nvlist_part(const struct nvpart *p, struct text *out)
{
	text_str(out, "  ");
	text_u64(out, p->part.number);
	text_str(out, "  ");
	nvsay_guid(&p->part.uuid, out);
	text_str(out, "  offset ");
	text_u64(out, p->part.start_lba << p->disk->shift);
	text_str(out, ", ");
	text_u64(out, p->part.sectors << p->disk->shift);
	text_str(out, " bytes, ");
	if (p->part.kind == PART_ESP) {
		text_str(out, "EFI system partition\n");
		return;
	}
	text_str(out, "type ");
	nvsay_guid(&p->part.type, out);
	text_char(out, '\n');
}
