/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "efi/nvparts.h"

#include "common/cmdline.h"
#include "common/manifest.h"

static const struct nvpart *find(const struct nvparts *p, const struct guid *guid, bool *twice)
{
	const struct nvparts_efi *n = (const void *)p;
	const struct nvpart *found = NULL;

	*twice = false;
	for (unsigned i = 0; i < n->count; i++) {
		if (!guid_equal(&n->part[i].part.uuid, guid))
			continue;
		*twice = found != NULL;
		if (!found)
			found = &n->part[i];
	}
	return found;
}

static enum status loader(const struct nvparts *p, const struct nvpart *part,
			  const struct bootentry *e)
{
	struct nvparts_efi *n = (struct nvparts_efi *)(uintptr_t)p;

	return nvpart_loader(part, e, &n->room);
}

static void add_disk(struct nvparts_efi *n, unsigned disk, struct text *out)
{
	struct text_buffer b;
	enum status st;

	text_buffer_init(&b, n->name[disk], sizeof(n->name[disk]));
	efidisk_name(NULL, disk, &b.text);
	st = part_read(&n->disks.disk[disk], &n->list, n->sector);
	if (st != ST_OK) {
		text_str(out, n->name[disk]);
		text_str(out, st == ST_CORRUPT ? ": its partition table is damaged\n"
					       : ": its partition table could not be read\n");
		return;
	}
	if (n->list.table != PART_TABLE_GPT && n->list.table != PART_TABLE_GPT_BACKUP)
		return;
	n->full = n->full || n->list.full;
	for (unsigned i = 0; i < n->list.count; i++) {
		if (n->count == NVPARTS_MAX) {
			n->full = true;
			return;
		}
		n->part[n->count++] =
			(struct nvpart){n->name[disk], &n->disks.disk[disk], n->list.part[i]};
	}
}

void nvparts_find(struct nvparts_efi *n, struct text *out)
{
	n->parts = (struct nvparts){find, loader, true};
	efidisk_connect_all();
	efidisk_find(&n->disks, NULL);
	for (unsigned i = 0; i < n->disks.count; i++)
		add_disk(n, i, out);
	if (n->full || n->disks.full)
		text_str(out, "there are more partitions than there is room for: not all of them "
			      "are seen\n");
}

/* ---- manifests ------------------------------------------------------------------------------- */

/* A stick, or a disk in a dock: nobody's entries are made for it. */
static bool is_removable(const struct nvparts_efi *n, const struct nvpart *p)
{
	return n->disks.efi[p->disk - n->disks.disk].removable;
}

/* The whole file, allocated; NULL: it can't be had. */
static char *read_manifest(struct nvparts_efi *n, const struct nvpart *p, size_t *bytes)
{
	struct nvpart_room *r = &n->room;
	struct fat_file file;
	uint32_t got, room;
	char *text;

	if (fat_open(&r->fat, p->disk, p->part.start_lba, p->part.sectors) != ST_OK ||
	    fat_find(&r->fat, MANIFEST_PATH, sizeof(MANIFEST_PATH) - 1, &r->entry) != ST_OK ||
	    fat_file_open(&r->fat, &r->entry, &file) != ST_OK || file.bytes == 0 ||
	    file.bytes > MANIFEST_BYTES_MAX)
		return NULL;
	room = (file.bytes + DISK_SECTOR_BYTES - 1) & ~(DISK_SECTOR_BYTES - 1u);
	text = uefi_alloc(room);
	if (text &&
	    (fat_file_read(&r->fat, &file, text, room, &got) != ST_OK || got != r->entry.bytes)) {
		uefi_free(text);
		return NULL;
	}
	*bytes = r->entry.bytes;
	return text;
}

void nvparts_manifests(struct nvparts_efi *n)
{
	n->esps = 0;
	for (unsigned i = 0; i < n->count && n->esps < NVPARTS_ESPS; i++) {
		const struct nvpart *p = &n->part[i];
		struct manifest m;
		size_t bytes = 0;
		char *text;

		if (p->part.kind != PART_ESP || is_removable(n, p))
			continue;
		text = read_manifest(n, p, &bytes);
		/* A half-written one names its set, too: its entries are no others for that. */
		if (text && manifest_open(&m, text, bytes) == ST_OK)
			n->esp[n->esps++] = (struct nvtwin_esp){p, m.set};
		uefi_free(text);
	}
}

bool nvparts_named(const struct nvparts_efi *n, const char *word, struct guid *guid)
{
	char disk[4];
	unsigned at = 0, number, d;

	for (; word[at] && word[at] != ':'; at++) {
		if (at + 1 == sizeof(disk))
			return false;
		disk[at] = word[at];
	}
	disk[at] = 0;
	if (word[at] != ':' || !cmdline_number(disk, SURVEY_DISKS - 1, &d) ||
	    !cmdline_number(word + at + 1, 128, &number))
		return false;
	for (unsigned i = 0; i < n->count; i++)
		if (n->part[i].disk == &n->disks.disk[d] && n->part[i].part.number == number) {
			*guid = n->part[i].part.uuid;
			return true;
		}
	return false;
}
