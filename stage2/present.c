/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "stage2/present.h"

#include "common/mem.h"
#include "stage2/bios.h"
#include "stage2/resident.h"

#define LOWEST_BASE 0x90000u /* loaders take everything below for their own */
#define LOW_END     0xa0000u
#define PAGE_BYTES  4096u

#define VECTOR_INT13 0x4cu
#define VECTOR_INT15 0x54u

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

/* Legs name disks by their index in the survey; the resident part has only those that it needs. */
static void fill_disks(struct int13 *st, const struct biosdisks *disks,
		       const struct resident_head *head)
{
	uint8_t place[SURVEY_DISKS];
	unsigned used = 0;

	memset(place, 0xff, sizeof(place));
	for (unsigned i = 0; i < st->set.leg_count; i++) {
		struct vdisk_leg *leg = &st->set.leg[i];

		if (place[leg->disk] == 0xff) {
			struct disk *d = &st->disk[used];

			*d = disks->disk[leg->disk];
			d->read = (enum status(*)(const struct disk *, uint64_t, uint32_t, void *))(
					  uintptr_t)head->disk_read;
			place[leg->disk] = (uint8_t)used++;
		}
		leg->disk = place[leg->disk];
	}
}

static void hook(uint32_t base, uint32_t vector, uint16_t entry, uint16_t old)
{
	volatile uint32_t *v = low_memory(vector);

	*(volatile uint32_t *)low_memory(base + old) = *v;
	*v = (uint32_t)bios_segment(base) << 16 | entry;
}

enum status present_install(const struct int13 *plan, const struct biosdisks *disks)
{
	const struct resident_head *head = (const struct resident_head *)resident_image;
	uint32_t image_bytes = (uint32_t)resident_image_end - (uint32_t)resident_image;
	uint32_t top = (uint32_t)bda16(BDA_BASE_KIB) << 10, end = low_memory_end(), base;
	struct int13 *st;

	if (end < top)
		top = end;
	if (top > LOW_END || top < LOWEST_BASE + head->bytes)
		return ST_FULL;
	base = (top - head->bytes) & ~(PAGE_BYTES - 1);
	if (base < LOWEST_BASE)
		return ST_FULL;

	memset((void *)low_memory(base), 0, head->bytes);
	memcpy((void *)low_memory(base), resident_image, image_bytes);
	st = (struct int13 *)low_memory(base + head->state);
	*st = *plan;
	st->bounce_addr = base + head->bounce;
	fill_disks(st, disks, head);

	*(volatile uint32_t *)low_memory(base + head->memory_end) = base;
	*(volatile uint16_t *)low_memory(BDA_BASE_KIB) = (uint16_t)(base >> 10);
	*(volatile uint8_t *)low_memory(BDA_DRIVES) = plan->drive_count;
	hook(base, VECTOR_INT13, head->int13, head->old_int13);
	hook(base, VECTOR_INT15, head->int15, head->old_int15);
	return ST_OK;
}

bool present_is_running(void)
{
	uint32_t vector = bda32(VECTOR_INT13);
	uint32_t addr = (vector >> 16 << 4) + (vector & 0xffff);

	return memcmp((const void *)low_memory(addr + 3), "$INT13SFMIRRBOOT", 16) == 0;
}
