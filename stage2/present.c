/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "stage2/present.h"

#include "common/mem.h"
#include "common/range.h"
#include "stage2/bios.h"
#include "stage2/resident.h"

#define LOWEST_BASE 0x90000u /* loaders take everything below for their own */
#define LOW_END     0xa0000u
#define PAGE_BYTES  4096u
#define HIDE_MAX    31 /* 80h to 9Eh: at 9Fh some BIOSes have their CD-ROM */
#define HOOKS_MAX   8  /* that we look behind for a copy of ours */

#define SMAP       0x534d4150
#define E820_LIMIT 64 /* records that we ask for */

struct e820_record {
	uint64_t base, bytes;
	uint32_t type;
	uint8_t beyond[44]; /* some BIOSes write more than 20 bytes */
};

/*
 * Where usable memory below 640 KiB ends by INT 15h E820h (in: EAX=E820h EDX="SMAP" EBX ECX ES:DI;
 * out: CF EAX EBX, record). LOW_END when the BIOS does not say.
 */
static uint32_t low_memory_end(void)
{
	const struct e820_record *record = (struct e820_record *)low_memory(BOUNCE_ADDR);
	uint32_t next = 0, end = 0;

	for (unsigned i = 0; i < E820_LIMIT; i++) {
		struct regs r = {.eax = 0xe820,
				 .ebx = next,
				 .ecx = 20,
				 .edx = SMAP,
				 .es = bios_segment(BOUNCE_ADDR)};

		bios_int(0x15, &r);
		if ((r.flags & FLAG_CARRY) || r.eax != SMAP)
			break;
		if (record->type == 1 && record->base < LOW_END &&
		    record->bytes <= LOW_END - record->base && record->base + record->bytes > end)
			end = (uint32_t)(record->base + record->bytes);
		next = r.ebx;
		if (next == 0)
			break;
	}
	return end ? end : LOW_END;
}

/* Memory of the resident part that is handed out piece by piece, behind its image. */
struct room {
	uint32_t base; /* linear, of the segment */
	uint32_t next; /* offset in the segment */
};

/* A piece of it, in the segment's own addresses; with base 0 only the size is counted. */
static void *take(struct room *r, const void *from, uint32_t bytes)
{
	uint32_t at = r->next;

	r->next = (at + bytes + 3) & ~3u;
	if (r->base && from)
		memcpy((void *)low_memory(r->base + at), from, bytes);
	return (void *)at;
}

/* Legs name disks by their index in the survey; the resident part has only those that it needs. */
static unsigned number_disks(uint8_t place[SURVEY_DISKS], const struct vdisk_set *set)
{
	unsigned used = 0;

	memset(place, 0xff, SURVEY_DISKS);
	for (unsigned i = 0; i < set->leg_count; i++)
		if (place[set->leg[i].disk] == 0xff)
			place[set->leg[i].disk] = (uint8_t)used++;
	return used;
}

/* Places on disks that no leg lies on are left to stage2: the resident part can't reach them. */
static void note_places(struct int13 *st, const struct bootrecord_places *places,
			const uint8_t place[SURVEY_DISKS])
{
	st->sequence = places->sequence;
	st->noted = st->set.failovers;
	for (unsigned i = 0; i < places->count && st->place_count < INT13_PLACES; i++) {
		unsigned disk = place[places->place[i].drive - BIOSDISK_FIRST];

		if (disk != 0xff)
			st->place[st->place_count++] =
				(struct int13_place){.lba = places->place[i].lba, .disk = disk};
	}
}

/*
 * Lay out all that the resident part works on. With room->base 0 nothing is written, and
 * room->next tells how much it takes.
 */
static void lay_out(struct int13 *st, struct room *room, const struct biosdisks *disks,
		    const struct bootrecord_places *places, const struct resident_head *head)
{
	uint8_t place[SURVEY_DISKS];
	unsigned disk_count = number_disks(place, &st->set);
	struct vdisk_set *set = &st->set;

	st->place_count = 0;
	note_places(st, places, place);

	set->vdisk = take(room, set->vdisk, set->vdisk_count * sizeof(*set->vdisk));
	set->leg = take(room, set->leg, set->leg_count * sizeof(*set->leg));
	set->extent = take(room, set->extent, set->extent_count * sizeof(*set->extent));
	set->mirror = take(room, set->mirror, set->mirror_count * sizeof(*set->mirror));
	st->drive = take(room, st->drive, st->drive_count * sizeof(*st->drive));
	st->disk = take(room, NULL, disk_count * sizeof(*st->disk));
	/* Sectors go here: on their boundary, for controllers that are particular. */
	room->next = (room->next + 511) & ~511u;
	if (set->scratch)
		set->scratch = take(room, NULL, INT13_SCRATCH_BYTES);
	set->scratch_buf = (uint8_t *)room->base + (uint32_t)set->scratch;
	st->bounce_addr = room->base + (uint32_t)take(room, NULL, INT13_BOUNCE_BYTES);
	if (!room->base)
		return;

	for (unsigned i = 0; i < set->leg_count; i++) {
		struct vdisk_leg *leg =
			(struct vdisk_leg *)low_memory(room->base + (uint32_t)&set->leg[i]);
		unsigned at = place[leg->disk];
		struct disk *d = (struct disk *)low_memory(room->base + (uint32_t)&st->disk[at]);

		*d = disks->disk[leg->disk];
		d->read = (enum status(*)(const struct disk *, uint64_t, uint32_t, void *))(
				  uintptr_t)head->disk_read;
		d->write = (enum status(*)(const struct disk *, uint64_t, uint32_t, const void *))(
				   uintptr_t)head->disk_write;
		leg->disk = (uint8_t)at;
	}
}

static uint32_t hook(uint32_t base, uint32_t vector, uint16_t entry)
{
	volatile uint32_t *v = low_memory(vector * 4);
	uint32_t old = *v;

	*v = (uint32_t)bios_segment(base) << 16 | entry;
	return old;
}

enum status present_install(const struct int13 *plan, const struct biosdisks *disks,
			    const struct bootrecord_places *places)
{
	const struct resident_head *head = (const struct resident_head *)resident_image;
	uint32_t image_bytes = (uint32_t)resident_image_end - (uint32_t)resident_image;
	uint32_t top = (uint32_t)bda16(BDA_BASE_KIB) << 10, end = low_memory_end();
	struct room room = {.next = head->bytes};
	struct resident_old *old;
	struct int13 st = *plan;

	lay_out(&st, &room, disks, places, head);
	if (end < top)
		top = end;
	if (room.next > 0xffff || top > LOW_END || top < LOWEST_BASE + room.next)
		return ST_FULL;
	room.base = (top - room.next) & ~(PAGE_BYTES - 1);
	if (room.base < LOWEST_BASE)
		return ST_FULL;

	memset((void *)low_memory(room.base), 0, room.next);
	memcpy((void *)low_memory(room.base), resident_image, image_bytes);
	room.next = head->bytes;
	st = *plan;
	lay_out(&st, &room, disks, places, head);
	/* Where counts disagree, the largest says what might be reached behind our back. */
	st.bios_count = bda8(BDA_DRIVES);
	st.hide_count = (uint8_t)min_u64(HIDE_MAX, disks->count);
	if (st.hide_count < st.bios_count)
		st.hide_count = (uint8_t)min_u64(HIDE_MAX, st.bios_count);
	if (st.hide_count < st.drive_count)
		st.hide_count = st.drive_count;
	*(struct int13 *)low_memory(room.base + head->state) = st;

	old = (struct resident_old *)low_memory(room.base + head->old);
	old->kib = bda16(BDA_BASE_KIB);
	old->drives = bda8(BDA_DRIVES);
	*(volatile uint32_t *)low_memory(room.base + head->memory_end) = room.base;
	*(volatile uint16_t *)low_memory(BDA_BASE_KIB) = (uint16_t)(room.base >> 10);
	*(volatile uint8_t *)low_memory(BDA_DRIVES) = plan->drive_count;
	old->int13 = hook(room.base, 0x13, head->int13);
	old->int15 = hook(room.base, 0x15, head->int15);
	old->int18 = hook(room.base, 0x18, head->int18);
	old->int19 = hook(room.base, 0x19, head->int19);
	return ST_OK;
}

bool present_is_running(void)
{
	uint32_t vector = bda32(0x13 * 4);

	/* Others may have hooked in after us: those who keep to the structure say what was before.
	 */
	for (unsigned i = 0; i < HOOKS_MAX; i++) {
		uint32_t addr = (vector >> 16 << 4) + (vector & 0xffff);

		if (memcmp((const void *)low_memory(addr + 3), "$INT13SF", 8) != 0)
			return false;
		if (memcmp((const void *)low_memory(addr + 11), "MIRRBOOT", 8) == 0)
			return true;
		vector = bda32(addr + 19);
	}
	return false;
}
