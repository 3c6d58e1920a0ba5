/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "efi/esplist.h"

#include "common/cmdline.h"
#include "efi/guard.h"
#include "efi/path.h"

#define PATH_TYPE_MEDIA 4 /* UEFI specification 2.10, 10.3.5 */

/* ---- finding --------------------------------------------------------------------------------- */

/* Is it the partition itself, not something in it? */
static bool is_partition(const void *path, const struct efidisk *disk, uint64_t start_lba)
{
	const void *rest = path_after(path, disk->path);
	const struct path_hd *hd = rest ? path_last_hd(rest) : NULL;

	return hd && (const void *)hd == rest && path_next(&hd->node) == NULL &&
	       le64_get(hd->start_lba) == start_lba;
}

static EFI_HANDLE handle_of(EFI_HANDLE *handles, UINTN count, const struct efidisk *disk,
			    uint64_t start_lba)
{
	for (UINTN i = 0; i < count; i++) {
		const void *path = uefi_protocol(handles[i], &uefi_device_path);

		if (path && is_partition(path, disk, start_lba))
			return handles[i];
	}
	return NULL;
}

/* Of the whole disk, too: what is in it belongs to the mirror. */
static bool is_leg(const struct survey *s, const struct esplist_esp *e)
{
	for (unsigned i = 0; i < s->member_count; i++) {
		const struct member *m = &s->member[i];

		if (m->disk == e->disk && m->start_lba < e->start_lba + e->sectors &&
		    e->start_lba < m->start_lba + m->sectors_lba)
			return true;
	}
	return false;
}

/* A disk in memory, or a mirror's volume that another mirrorboot below us presents. */
static bool is_made_up(const struct efidisk *disk)
{
	const struct path_node *last = NULL;

	for (const struct path_node *n = path_first(disk->path); n; n = path_next(n))
		last = n;
	return last && last->type == PATH_TYPE_MEDIA;
}

static void add(struct esplist *l, const struct efidisks *disks, unsigned disk,
		const struct part *part, EFI_HANDLE handle)
{
	if (l->count == ESPLIST_MAX) {
		l->full = true;
		return;
	}
	l->esp[l->count++] = (struct esplist_esp){.disk = disk,
						  .d = &disks->disk[disk],
						  .part = part->number,
						  .uuid = part->uuid,
						  .start_lba = part->start_lba,
						  .sectors = part->sectors,
						  .removable = disks->efi[disk].removable ||
							       is_made_up(&disks->efi[disk]),
						  .handle = handle};
}

void esplist_find(struct esplist *l, const struct efidisks *disks, const struct survey *s,
		  EFI_HANDLE own)
{
	UINTN count;
	EFI_HANDLE *handles = uefi_handles(&uefi_block_io, &count);
	uint8_t buf[DISK_SECTOR_BYTES];

	memset(l, 0, sizeof(*l));
	for (unsigned i = 0; i < disks->count; i++) {
		if (part_read(&disks->disk[i], &l->parts, buf) != ST_OK)
			continue;
		for (unsigned k = 0; k < l->parts.count; k++) {
			const struct part *part = &l->parts.part[k];

			if (part->kind == PART_ESP)
				add(l, disks, i, part,
				    handle_of(handles, count, &disks->efi[i], part->start_lba));
		}
	}
	uefi_free(handles);
	for (unsigned i = 0; i < l->count; i++) {
		l->esp[i].own = own && l->esp[i].handle == own;
		l->esp[i].leg = is_leg(s, &l->esp[i]);
		l->esp[i].untrusted = !trust_disk(s, l->esp[i].disk);
	}
}

struct esplist_esp *esplist_named(struct esplist *l, const char *word)
{
	struct guid g;
	unsigned n;
	size_t chars = 0;

	while (word[chars])
		chars++;
	if (cmdline_number(word, l->count, &n))
		return n ? &l->esp[n - 1] : NULL;
	if (!guid_from_text_gpt(&g, word, chars) || guid_is_zero(&g))
		return NULL;
	for (unsigned i = 0; i < l->count; i++)
		if (guid_equal(&l->esp[i].uuid, &g))
			return &l->esp[i];
	return NULL;
}

void esplist_say(const struct esplist *l, const struct esplist_esp *e, struct text *out)
{
	text_str(out, "ESP ");
	text_u64(out, (uint64_t)(e - l->esp) + 1);
}

/* ---- the firmware's file systems ------------------------------------------------------------- */

bool esplist_take(struct esplist_esp *e)
{
	if (e->taken || e->handle == NULL)
		return true;
	e->taken = true;
	if (guard_disconnect(e->handle, NULL) == EFI_SUCCESS &&
	    uefi_protocol(e->handle, &uefi_file_system) == NULL)
		return true;
	esplist_give(e);
	return false;
}

void esplist_give(struct esplist_esp *e)
{
	if (e->taken)
		uefi_bs->ConnectController(e->handle, NULL, NULL, TRUE);
	e->taken = false;
}
