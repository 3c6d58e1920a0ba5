/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tools/entries_parts.h"

#include "tools/say.h"

#include <blkid/blkid.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool add_disk(struct entries_parts *parts, const struct hostdisk *host,
		     const struct disk *disk)
{
	static struct part_list list;
	static uint8_t buf[DISK_SECTOR_BYTES];
	enum status st = part_read(disk, &list, buf);

	if (st != ST_OK) {
		say_about(host->path, st == ST_CORRUPT ? "its partition table is damaged"
						       : "its partition table could not be read");
		return false;
	}
	if (list.table != PART_TABLE_GPT && list.table != PART_TABLE_GPT_BACKUP)
		return true;
	for (unsigned i = 0; i < list.count; i++) {
		struct nvpart *p;

		parts->part = realloc(parts->part, (parts->count + 1) * sizeof(*parts->part));
		if (!parts->part)
			abort();
		p = malloc(sizeof(*p));
		if (!p)
			abort();
		*p = (struct nvpart){host->path, disk, list.part[i]};
		parts->part[parts->count++] = p;
	}
	return true;
}

void entries_parts_free(struct entries_parts *parts)
{
	for (unsigned i = 0; i < parts->found_count; i++) {
		free((char *)parts->found[i]->host[0].path);
		hostset_close(parts->found[i]);
	}
	for (unsigned i = 0; i < parts->count; i++)
		free(parts->part[i]);
	free(parts->found);
	free(parts->part);
	memset(parts, 0, sizeof(*parts));
}

static const struct nvpart *find(const struct entries_parts *parts, const struct guid *guid,
				 bool *twice)
{
	const struct nvpart *found = NULL;

	*twice = false;
	for (unsigned i = 0; i < parts->count; i++) {
		if (!guid_equal(&parts->part[i]->part.uuid, guid))
			continue;
		*twice = found != NULL;
		if (!found)
			found = parts->part[i];
	}
	return found;
}

/* The whole disk that has this partition, by the name of its device; NULL: none here. */
static char *seek(const struct guid *guid)
{
	char text[GUID_TEXT_BYTES], *name, *disk = NULL;
	char room[64];
	struct stat st;
	dev_t whole = 0;

	guid_text_gpt(guid, text);
	name = blkid_evaluate_tag("PARTUUID", text, NULL);
	if (!name)
		return NULL;
	if (!stat(name, &st) && S_ISBLK(st.st_mode) &&
	    !blkid_devno_to_wholedisk(st.st_rdev, room, sizeof(room), &whole))
		disk = blkid_devno_to_devname(whole);
	free(name);
	return disk;
}

/* Where no disks were given, libblkid is asked. */
static const struct nvpart *find_or_seek(const struct nvparts *asked, const struct guid *guid,
					 bool *twice)
{
	struct entries_parts *parts = (struct entries_parts *)(uintptr_t)asked;
	const struct nvpart *p = find(parts, guid, twice);
	struct hostset *set;
	char *path;
	int rc;

	if (p || parts->parts.given)
		return p;
	path = seek(guid);
	if (!path)
		return NULL;
	set = hostset_open(&path, 1, 512, false, &rc);
	if (!set) {
		free(path);
		return NULL;
	}
	parts->found = realloc(parts->found, (parts->found_count + 1) * sizeof(*parts->found));
	if (!parts->found)
		abort();
	parts->found[parts->found_count++] = set;
	return add_disk(parts, &set->host[0], &set->disk[0]) ? find(parts, guid, twice) : NULL;
}

static enum status loader(const struct nvparts *parts, const struct nvpart *p,
			  const struct bootentry *e)
{
	static struct nvpart_room room;

	return nvpart_loader(p, e, &room);
}

bool entries_parts_open(struct entries_parts *parts, struct hostset *given)
{
	memset(parts, 0, sizeof(*parts));
	parts->parts = (struct nvparts){find_or_seek, loader, given->count > 0};
	for (unsigned i = 0; i < given->count; i++)
		if (!add_disk(parts, &given->host[i], &given->disk[i]))
			return false;
	return true;
}
