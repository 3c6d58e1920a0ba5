/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "common/nvpart.h"

#include "common/ucs2.h"

#define TABLE_GPT      2
#define SIGNATURE_GUID 2

struct bootentry_hd nvpart_hd(const struct nvpart *p)
{
	return (struct bootentry_hd){
		.number = p->part.number,
		.start_lba = p->part.start_lba,
		.sectors = p->part.sectors,
		.guid = p->part.uuid,
		.table = TABLE_GPT,
		.signature_type = SIGNATURE_GUID,
	};
}

bool nvpart_moved(const struct nvpart *p, const struct bootentry *e)
{
	return e->hd.number != p->part.number || e->hd.start_lba != p->part.start_lba ||
	       e->hd.sectors != p->part.sectors;
}

enum status nvpart_loader(const struct nvpart *p, const struct bootentry *e,
			  struct nvpart_room *room)
{
	uint16_t file[BOOTENTRY_FILE_UNITS];
	struct text_buffer b;
	enum status st;
	size_t n = 0;

	if (!bootentry_file(e, file))
		return ST_OK;
	while (file[n])
		n++;
	text_buffer_init(&b, room->path, sizeof(room->path));
	ucs2_text((const uint8_t *)file, n, &b.text);
	st = fat_open(&room->fat, p->disk, p->part.start_lba, p->part.sectors);
	if (st != ST_OK)
		return st == ST_ABSENT ? ST_UNSUPPORTED : st;
	st = fat_find(&room->fat, room->path, b.used, &room->entry);
	return st == ST_OK && fat_is_folder(&room->entry) ? ST_ABSENT : st;
}
