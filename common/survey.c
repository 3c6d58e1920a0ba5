/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* probe: read what could be metadata on every disk. The only room that reads before vdisk. */
#include "common/survey.h"

#include "common/mem.h"
#include "common/range.h"

/*
 * A place to look for metadata: a slice of a disk whose first 8 KiB are read once,
 * because three of the formats and most of the answers lie there.
 */
struct place {
	struct disk disk; /* the slice; its ctx is this struct */
	const struct disk *under;
	struct survey_disk *found;
	uint64_t start_lba;
	uint64_t head_lba; /* sectors held in head */
	uint8_t *head;
};

/*
 * Each read of a dead disk may take half a minute: after so many that failed, with
 * none that did not, it is not asked again.
 */
#define DEAD_AFTER 3

static enum status ask(const struct disk *d, struct survey_disk *found, uint64_t lba, uint32_t n,
		       void *buf)
{
	enum status st;

	if (!found->answered && found->requests >= DEAD_AFTER)
		return ST_IO;
	st = disk_read(d, lba, n, buf);
	if (found->requests < UINT16_MAX)
		found->requests++;
	if (st == ST_OK)
		found->answered = true;
	else if (st == ST_IO)
		found->io_error = true;
	return st;
}

static enum status place_read(const struct disk *d, uint64_t lba, uint32_t n, void *buf)
{
	struct place *p = d->ctx;

	if (!range_ok(lba, n, d->sectors))
		return ST_RANGE;
	if (range_ok(lba, n, p->head_lba)) {
		memcpy(buf, p->head + (lba << d->shift), (size_t)n << d->shift);
		return ST_OK;
	}
	return ask(p->under, p->found, p->start_lba + lba, n, buf);
}

static void place_open(struct place *p, struct survey *s, unsigned disk, uint64_t start_lba,
		       uint64_t sectors)
{
	const struct disk *under = &s->disk[disk];
	uint64_t head = min_u64(FORMAT_BUF_BYTES >> under->shift, sectors);
	enum status st;

	p->disk = (struct disk){
		.read = place_read, .ctx = p, .sectors = sectors, .shift = under->shift};
	p->under = under;
	p->found = &s->found[disk];
	p->start_lba = start_lba;
	p->head = s->head;
	p->head_lba = 0;
	/* When this fails, each format tries its own sectors: one bad sector must not hide them. */
	st = ask(under, p->found, start_lba, (uint32_t)head, p->head);
	if (st == ST_OK)
		p->head_lba = head;
}

/* The formats in the order of what is most used: the first whole superblock ends the search. */
static const uint8_t probe_order[] = {FORMAT_MD_1_2, FORMAT_MD_1_1, FORMAT_MD_1_0, FORMAT_MD_0_90};

_Static_assert(sizeof(probe_order) == FORMAT_COUNT - 1, "every format but LDM is probed");

/*
 * Probe one place with every format. A superblock that can't be trusted does not
 * end the search; it is kept only when nothing better is found.
 */
static bool probe_place(struct place *p, struct member *best, uint8_t *buf)
{
	bool any = false;
	struct member m;

	for (unsigned i = 0; i < sizeof(probe_order); i++) {
		const struct format *f = &formats[probe_order[i]];

		if (!f->probe || f->probe(&p->disk, &m, buf) != ST_OK)
			continue;
		if (m.status == ST_OK && (!disk_s512_aligned(p->under, m.data_start_s512))) {
			m.status = ST_UNSUPPORTED;
			m.why = (struct reason){REASON_MISALIGNED, m.data_start_s512, 0};
		}
		if (any && m.status == ST_CORRUPT)
			continue;
		*best = m;
		any = true;
		if (m.status == ST_OK)
			break;
	}
	return any;
}

bool survey_add_member(struct survey *s, const struct member *m, unsigned disk, unsigned part,
		       uint64_t start_lba, uint64_t sectors)
{
	struct member *to = &s->member[s->member_count];

	if (s->member_count == SURVEY_MEMBERS) {
		s->full = true;
		return false;
	}
	*to = *m;
	if (!trust_admit(s, to, disk)) {
		s->full = true;
		return false;
	}
	to->disk = (uint8_t)disk;
	to->part = (uint16_t)part;
	to->start_lba = start_lba;
	to->sectors_lba = sectors;
	s->member_count++;
	return true;
}

/* The absolute place of a member's superblock: equal for two views of the same one. */
static uint64_t sb_place(const struct disk *d, const struct member *m, uint64_t start_lba)
{
	return disk_s512(d, start_lba) + m->sb_s512;
}

static void probe_partitions(struct survey *s, unsigned disk, const struct member *whole,
			     bool *whole_is_partitions)
{
	const struct disk *d = &s->disk[disk];
	struct survey_disk *found = &s->found[disk];
	struct place place;
	struct member m;

	for (unsigned i = 0; i < s->parts.count; i++) {
		const struct part *p = &s->parts.part[i];

		if (p->kind == PART_EXTENDED || p->kind == PART_BIOS_BOOT)
			continue;
		if (found->dynamic && format_dynamic->owns(&s->parts, p))
			continue;
		place_open(&place, s, disk, p->start_lba, p->sectors);
		if (probe_place(&place, &m, s->buf)) {
			if (whole && m.status == ST_OK &&
			    sb_place(d, &m, p->start_lba) == sb_place(d, whole, 0))
				*whole_is_partitions = true;
			survey_add_member(s, &m, disk, p->number, p->start_lba, p->sectors);
		} else if (p->kind == PART_OTHER && found->other_parts < UINT8_MAX) {
			found->other_parts++;
		}
	}
}

static void probe_disk(struct survey *s, unsigned disk)
{
	const struct disk *d = &s->disk[disk];
	struct survey_disk *found = &s->found[disk];
	struct place place;
	struct member whole;
	bool has_whole;

	if (d->sectors == 0 || d->shift < DISK_SHIFT_MIN || d->shift > DISK_SHIFT_MAX) {
		found->status = ST_ABSENT;
		return;
	}

	place_open(&place, s, disk, 0, d->sectors);
	has_whole = probe_place(&place, &whole, s->buf);
	/* 1.x says where it belongs: the disk is a member, and what looks like a table is inside.
	 */
	if (has_whole && whole.status == ST_OK && whole.format != FORMAT_MD_0_90) {
		survey_add_member(s, &whole, disk, 0, 0, d->sectors);
		return;
	}

	/* The table is read through the place: LBA 0 and 1 are in its head. */
	s->parts.count = 0;
	found->status = (uint8_t)part_read(&place.disk, &s->parts, s->buf);
	if (found->status == ST_IO)
		found->io_error = true;
	if (found->status == ST_OK)
		found->table = s->parts.table;
	if (s->parts.full)
		s->full = true;

	/*
	 * 0.90 does not say where it belongs: one found at the end of the disk may be
	 * that of the last partition. The partition, being the smaller place, wins.
	 */
	bool whole_is_partitions = false;

	if (found->status == ST_OK && format_dynamic)
		format_dynamic->probe(s, disk, &place.disk);
	if (found->status == ST_OK)
		probe_partitions(s, disk, has_whole ? &whole : NULL, &whole_is_partitions);
	if (has_whole && !whole_is_partitions)
		survey_add_member(s, &whole, disk, 0, 0, d->sectors);
}

/* Does this member say where to look on the disk? */
static bool is_partner(const struct survey *s, unsigned disk, const struct member *m)
{
	const struct disk *d = &s->disk[disk];

	return m->disk != disk && m->part != 0 && m->status == ST_OK &&
	       s->disk[m->disk].shift == d->shift &&
	       range_ok(m->start_lba, m->sectors_lba, d->sectors);
}

/* Has an earlier partner sent us to the same place? */
static bool place_seen(const struct survey *s, unsigned disk, unsigned partner)
{
	const struct member *m = &s->member[partner];

	for (unsigned i = 0; i < partner; i++)
		if (is_partner(s, disk, &s->member[i]) && s->member[i].start_lba == m->start_lba &&
		    s->member[i].sectors_lba == m->sectors_lba)
			return true;
	return false;
}

/*
 * A disk whose partition table can't be read may hold the newest leg all the same.
 * Mirrored disks are mostly partitioned alike: look where its partners' members are.
 */
static void probe_like_partners(struct survey *s, unsigned disk)
{
	unsigned count = s->member_count;
	struct place place;
	struct member found;

	for (unsigned i = 0; i < count; i++) {
		const struct member *m = &s->member[i];

		if (!is_partner(s, disk, m) || place_seen(s, disk, i))
			continue;
		place_open(&place, s, disk, m->start_lba, m->sectors_lba);
		if (probe_place(&place, &found, s->buf) && found.status == ST_OK)
			survey_add_member(s, &found, disk, m->part, m->start_lba, m->sectors_lba);
	}
	/* What else it holds is not known. */
	s->found[disk].other_parts = 1;
}

void survey_probe_trusted(struct survey *s, const struct disk *disk, unsigned disk_count,
			  const struct trust *t)
{
	/* The tables behind it are large, and each entry is set when it is taken into use. */
	memset(s, 0, offsetof(struct survey, member));
	s->disk = disk;
	if (t->pinned)
		s->trust = t;
	if (disk_count > SURVEY_DISKS) {
		disk_count = SURVEY_DISKS;
		s->full = true;
	}
	s->disk_count = (uint8_t)disk_count;
	for (unsigned i = 0; i < disk_count; i++)
		probe_disk(s, i);
	for (unsigned i = 0; i < disk_count; i++) {
		if (s->found[i].status == ST_IO)
			probe_like_partners(s, i);
		else if (s->found[i].dynamic == SURVEY_DYNAMIC_BROKEN)
			format_dynamic->probe_broken(s, i);
	}
}

static const struct trust all_are_trusted;

void survey_probe(struct survey *s, const struct disk *disk, unsigned disk_count)
{
	survey_probe_trusted(s, disk, disk_count, &all_are_trusted);
}

void survey_run(struct survey *s, const struct disk *disk, unsigned disk_count)
{
	survey_run_trusted(s, disk, disk_count, &all_are_trusted);
}

void survey_run_trusted(struct survey *s, const struct disk *disk, unsigned disk_count,
			const struct trust *t)
{
	survey_probe_trusted(s, disk, disk_count, t);
	if (mirror_assemble(s) != ST_OK)
		s->full = true;
	leg_judge(s);
}

static bool name_matches(const struct mirror *m, const char *text)
{
	size_t n = 0, colon = 0;

	while (m->name[n]) {
		if (m->name[n] == ':' && colon == 0)
			colon = n + 1;
		n++;
	}
	return mem_is_str(m->name, n, text) || mem_is_str(m->name + colon, n - colon, text);
}

/* Where a mirror lies first: the disk, then the sector. */
static uint64_t first_place(const struct survey *s, const struct mirror *m, unsigned *disk)
{
	uint64_t start_lba = UINT64_MAX;

	*disk = NO_DISK;
	for (unsigned i = 0; i < m->leg_count; i++) {
		const struct leg *l = &m->leg[i];

		/* One that is not trusted must not say which mirror comes first. */
		if (l->member == NO_MEMBER || l->verdict == VERDICT_UNTRUSTED || l->disk > *disk)
			continue;
		if (l->disk < *disk || s->member[l->member].start_lba < start_lba)
			start_lba = s->member[l->member].start_lba;
		*disk = l->disk;
	}
	return start_lba;
}

unsigned survey_find_mirror(const struct survey *s, const char *text)
{
	unsigned best = SURVEY_MIRRORS, best_disk = 0;
	uint64_t best_lba = 0;

	for (unsigned i = 0; i < s->mirror_count; i++) {
		const struct mirror *m = &s->mirror[i];
		unsigned disk;

		if (m->state == MIRROR_UNTRUSTED) /* of the same name, maybe */
			continue;
		if (text[0] != '\0') {
			if (!guid_matches_text(&m->uuid, text) && !name_matches(m, text))
				continue;
			if (best != SURVEY_MIRRORS)
				return SURVEY_MIRRORS; /* two of that name: ask for the UUID */
			best = i;
			continue;
		}

		uint64_t lba = first_place(s, m, &disk);
		bool better = disk < best_disk || (disk == best_disk && lba < best_lba);

		/* One that can be read goes before one that can't, wherever that lies. */
		if (best != SURVEY_MIRRORS) {
			bool usable = m->chosen != NO_LEG;
			bool best_usable = s->mirror[best].chosen != NO_LEG;

			if (usable != best_usable)
				better = usable;
		}
		if (best == SURVEY_MIRRORS || better) {
			best = i;
			best_disk = disk;
			best_lba = lba;
		}
	}
	return best;
}

bool survey_only_legs(const struct survey *s, unsigned disk)
{
	bool any = false;

	if (disk >= s->disk_count || s->found[disk].other_parts > 0)
		return false;
	for (unsigned i = 0; i < s->member_count; i++) {
		const struct member *m = &s->member[i];
		bool used = false;

		if (m->disk != disk)
			continue;
		/* A member of something that is no mirror of ours is data that nobody replaces. */
		for (unsigned k = 0; k < s->mirror_count && !used; k++)
			for (unsigned l = 0; l < s->mirror[k].leg_count && !used; l++)
				used = s->mirror[k].leg[l].member == i &&
				       s->mirror[k].chosen != NO_LEG;
		if (!used)
			return false;
		any = true;
	}
	return any;
}

bool survey_dead(const struct survey *s, unsigned disk)
{
	return s->found[disk].io_error && !s->found[disk].answered;
}
