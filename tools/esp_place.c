/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tools/esp_place.h"

#include "common/part.h"
#include "tools/esp_busy.h"
#include "tools/say.h"
#include "tools/sysblock.h"

#include <blkid/blkid.h>
#include <ctype.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define NOT_A_DEVICE UINT64_MAX

/* ---- the arguments ---- */

static bool is_number(const char *text)
{
	return *text && strlen(text) <= 5 && !text[strspn(text, "0123456789")];
}

static bool exists(const char *path)
{
	struct stat st;

	return !stat(path, &st);
}

/* The whole disk of a partition's block device: its path, and where the partition starts. */
static void to_whole_disk(struct esp_place *p)
{
	struct stat st;
	uint64_t s512;
	dev_t whole;
	char *path;

	if (stat(p->path, &st) || !S_ISBLK(st.st_mode) ||
	    !sysblock_partition(st.st_rdev, &whole, &s512))
		return;
	path = blkid_devno_to_devname(whole);
	if (!path)
		return;
	free(p->path);
	p->path = path;
	p->s512 = s512;
}

/* libblkid has them in lower case. */
static char *device_of_guid(const char *guid)
{
	char lower[GUID_TEXT_BYTES] = "";

	for (size_t i = 0; i < sizeof(lower) - 1 && guid[i]; i++)
		lower[i] = (char)tolower((unsigned char)guid[i]);
	return strlen(guid) < sizeof(lower) ? blkid_evaluate_tag("PARTUUID", lower, NULL) : NULL;
}

/* PARTUUID=GUID, PATH, PATH:N, PATH:GUID. False: said. */
static bool take_apart(struct esp_place *p, const char *arg)
{
	const char *colon = strrchr(arg, ':');
	struct guid g;

	p->arg = arg;
	p->s512 = NOT_A_DEVICE;
	if (!strncasecmp(arg, "PARTUUID=", 9)) {
		p->path = device_of_guid(arg + 9);
		if (!p->path) {
			say_about(arg, "no partition of this machine has this GUID");
			return false;
		}
		to_whole_disk(p);
		return true;
	}
	p->path = strdup(arg);
	if (!p->path)
		abort();
	if (!exists(arg) && colon && colon > arg &&
	    (is_number(colon + 1) || guid_from_text_gpt(&g, colon + 1, strlen(colon + 1)))) {
		p->path[colon - arg] = 0;
		snprintf(p->select, sizeof(p->select), "%s", colon + 1);
	} else {
		to_whole_disk(p);
	}
	return true;
}

/* Images say their sector size by where their GPT is, or by the boot sector of a FAT. */
static unsigned guess_sector(const char *path)
{
	uint8_t b[4104];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t n = fd >= 0 ? pread(fd, b, sizeof(b), 0) : -1;

	if (fd >= 0)
		close(fd);
	if (n < (ssize_t)sizeof(b) || !memcmp(b + 512, "EFI PART", 8))
		return 512;
	if (!memcmp(b + 4096, "EFI PART", 8))
		return 4096;
	return (b[0] == 0xeb || b[0] == 0xe9) && b[11] == 0 && b[12] == 0x10 ? 4096 : 512;
}

static bool same_disk(const char *a, const char *b)
{
	struct stat x, y;

	if (stat(a, &x) || stat(b, &y))
		return false;
	sysblock_backing(&x);
	sysblock_backing(&y);
	return S_ISBLK(x.st_mode) ? S_ISBLK(y.st_mode) && x.st_rdev == y.st_rdev
				  : x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* The disk of place i: one that is open already, or another. */
static bool open_disk(struct esp_places *ps, unsigned i, unsigned sector_bytes, int *exit_status)
{
	struct esp_place *p = &ps->place[i];
	bool write = p->written;

	for (unsigned k = 0; k < ps->count; k++) {
		struct esp_place *other = &ps->place[k];

		if (k == i || !same_disk(p->path, other->path))
			continue;
		write |= other->written;
		if (k < i)
			p->set = other->set;
	}
	if (!p->set)
		p->set = hostset_open(&p->path, 1,
				      sector_bytes ? sector_bytes : guess_sector(p->path), write,
				      exit_status);
	if (!p->set)
		return false;
	p->host = &p->set->host[0];
	p->disk = &p->set->disk[0];
	return true;
}

struct esp_places *esp_places_open(char **arg, int count, unsigned sector_bytes,
				   unsigned first_written, int *exit_status)
{
	struct esp_places *ps;
	bool fine = true;

	*exit_status = EXIT_USAGE;
	if (count > ESP_PLACES) {
		say_note("%d EFI system partitions were given; the limit is %d", count, ESP_PLACES);
		return NULL;
	}
	*exit_status = EXIT_FAILED;
	ps = calloc(1, sizeof(*ps));
	if (!ps)
		abort();
	for (int i = 0; i < count; i++) {
		ps->place[i].written = (unsigned)i >= first_written;
		fine &= take_apart(&ps->place[i], arg[i]);
		ps->count++;
	}
	for (unsigned i = 0; i < ps->count && fine; i++)
		fine = open_disk(ps, i, sector_bytes, exit_status);
	if (fine)
		return ps;
	esp_places_close(ps);
	return NULL;
}

void esp_places_close(struct esp_places *ps)
{
	for (unsigned i = 0; i < ps->count; i++) {
		struct hostset *set = ps->place[i].set;

		for (unsigned k = i; k < ps->count; k++)
			if (ps->place[k].set == set)
				ps->place[k].set = NULL;
		hostset_close(set);
		free(ps->place[i].path);
		free(ps->place[i].mounted_on);
	}
	free(ps);
}

/* ---- where it is ---- */

static bool is_selected(const struct esp_place *p, const struct part *part)
{
	struct guid g;

	if (p->s512 != NOT_A_DEVICE)
		return disk_s512(p->disk, part->start_lba) == p->s512;
	if (!p->select[0])
		return part->kind == PART_ESP;
	if (is_number(p->select))
		return part->number == strtoul(p->select, NULL, 10);
	return guid_from_text_gpt(&g, p->select, strlen(p->select)) && guid_equal(&g, &part->uuid);
}

static void take(struct esp_place *p, const struct part_list *list, const struct part *part)
{
	p->part = part->number;
	p->is_esp = part->kind == PART_ESP;
	p->start_lba = part->start_lba;
	p->sectors = part->sectors;
	if (list->table != PART_TABLE_MBR)
		p->uuid = part->uuid;
}

static bool find_in_table(struct esp_place *p, bool may_lack)
{
	static struct part_list list;
	uint8_t buf[DISK_SECTOR_BYTES];
	enum status st = part_read(p->disk, &list, buf);
	const struct part *found = NULL;
	unsigned count = 0;

	if (st != ST_OK) {
		say_about(p->arg, "its partition table %s",
			  st == ST_IO ? "could not be read" : "is damaged");
		return false;
	}
	for (unsigned i = 0; i < list.count; i++)
		if (list.part[i].kind != PART_EXTENDED && is_selected(p, &list.part[i]) &&
		    count++ == 0)
			found = &list.part[i];
	p->none =
		!count && !p->select[0] && p->s512 == NOT_A_DEVICE && list.table == PART_TABLE_GPT;
	if (count > 1) {
		say_about(p->arg,
			  "it has %u EFI system partitions: say which one, as %s:%u or %s:GUID",
			  count, p->path, found->number, p->path);
		return false;
	}
	if (found) {
		take(p, &list, found);
		return true;
	}
	if (list.table == PART_TABLE_NONE && !p->select[0] && may_lack) {
		p->sectors = p->disk->sectors;
		return true;
	}
	if (p->none && may_lack)
		return true;
	if (p->select[0] || p->s512 != NOT_A_DEVICE)
		say_about(p->arg, "there is no such partition");
	else
		say_about(p->arg, "it has no EFI system partition");
	return false;
}

bool esp_place_find(struct esp_place *p, bool may_lack)
{
	static struct fat fat;

	p->part = 0;
	p->is_esp = p->none = false;
	memset(&p->uuid, 0, sizeof(p->uuid));
	p->start_lba = p->sectors = 0;
	free(p->mounted_on);
	p->mounted_on = NULL;
	p->fat = ST_ABSENT;
	if (!p->select[0] && p->s512 == NOT_A_DEVICE)
		p->fat = fat_open(&fat, p->disk, 0, p->disk->sectors);
	if (p->fat == ST_OK)
		p->sectors = p->disk->sectors;
	else if (!find_in_table(p, may_lack))
		return false;
	if (p->none)
		return true;
	p->fat = fat_open(&fat, p->disk, p->start_lba, p->sectors);
	if (sysblock_mounted(p->host, p->start_lba << p->disk->shift, p->sectors << p->disk->shift,
			     &p->mounted_on) &&
	    !p->mounted_on)
		p->mounted_on = strdup("?");
	switch (p->fat) {
	case ST_OK: return true;
	case ST_ABSENT:
		if (!may_lack)
			say_about(p->arg, "there is no FAT file system in it");
		return may_lack;
	case ST_RANGE:
		say_about(p->arg, "its FAT file system is larger than the partition");
		return false;
	case ST_UNSUPPORTED:
		say_about(p->arg, "its FAT file system is of a kind that is not supported");
		return false;
	default:
		say_about(p->arg, "its FAT file system %s",
			  p->fat == ST_IO ? "could not be read" : "is damaged");
		return false;
	}
}

bool esp_places_overlap(const struct esp_places *ps)
{
	for (unsigned i = 1; i < ps->count; i++)
		for (unsigned k = 0; k < i; k++) {
			const struct esp_place *a = &ps->place[i], *b = &ps->place[k];

			if (a->set != b->set)
				continue;
			if ((a->none && b->none) || (a->start_lba < b->start_lba + b->sectors &&
						     b->start_lba < a->start_lba + a->sectors)) {
				say_about(a->arg, "is the same EFI system partition as %s", b->arg);
				return true;
			}
		}
	return false;
}

/* ---- may it be written ---- */

bool esp_place_is_leg(struct esp_place *p)
{
	struct survey *s = &p->set->survey;

	survey_run(s, p->set->disk, 1);
	for (unsigned i = 0; i < s->member_count; i++) {
		const struct member *m = &s->member[i];

		/* Of the whole disk, too: what is in it belongs to the mirror. */
		if (m->part == p->part || (m->start_lba < p->start_lba + p->sectors &&
					   p->start_lba < m->start_lba + m->sectors_lba))
			return true;
	}
	return false;
}

bool esp_place_may_write(struct esp_place *p)
{
	if (p->mounted_on) {
		say_about(p->arg, "is mounted on %s: unmount it first", p->mounted_on);
		return false;
	}
	if (esp_busy(p->host, p->start_lba << p->disk->shift)) {
		say_about(p->arg, "is in use (by device-mapper or md, perhaps)");
		return false;
	}
	if (esp_place_is_leg(p)) {
		say_about(p->arg, "is a member of a mirror: writing to one leg would make the legs "
				  "differ");
		return false;
	}
	return true;
}

void esp_place_text(const struct esp_place *p, const struct fat *f, char *text, size_t size)
{
	char part[32] = "", guid[GUID_TEXT_BYTES + 2] = "", type[16] = "no FAT yet";

	if (p->part)
		snprintf(part, sizeof(part), "partition %u, ", p->part);
	if (!guid_is_zero(&p->uuid)) {
		guid_text_gpt(&p->uuid, guid);
		strcat(guid, ", ");
	}
	if (f)
		snprintf(type, sizeof(type), "FAT%u", f->type);
	snprintf(text, size, "%s%s%s", part, guid, type);
}
