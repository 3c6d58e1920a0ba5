/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * Be the kernel: end boot services while reads are under way, and then use the memory that
 * was the firmware's for something else. The lines come from the serial port itself.
 */
#include "tests/efi/blockio.h"

#define READS      16
#define READ_BYTES (64u * 1024)
#define COM1       0x3f8
#define WAIT_TICKS (3000000000u) /* a second or so: any timer that is left would have run */

static struct {
	EFI_BLOCK_IO2_TOKEN token[READS];
	uint8_t *buf[READS];
	volatile unsigned ended;
} reads;

static VOID EFIAPI on_end(EFI_EVENT event, VOID *context)
{
	reads.ended++;
}

static void out(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static uint8_t in(uint16_t port)
{
	uint8_t value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static void serial(const char *s)
{
	for (; *s; s++) {
		while (!(in(COM1 + 5) & 0x20))
			;
		out(COM1, (uint8_t)*s);
	}
}

static void serial_line(const char *name, bool good)
{
	serial("BIO ");
	serial(name);
	serial(good ? " ok\r\n" : " NOT 0\r\n");
}

static void begin_reads(const struct target *t)
{
	bool all = true;

	for (unsigned i = 0; i < READS; i++) {
		reads.buf[i] = uefi_alloc_pages(READ_BYTES);
		uefi_bs->CreateEvent(EVT_NOTIFY_SIGNAL, TPL_NOTIFY, on_end, NULL,
				     &reads.token[i].Event);
		all &= t->bio2->ReadBlocksEx(t->bio2, t->media->MediaId, t->lba, &reads.token[i],
					     READ_BYTES, reads.buf[i]) == EFI_SUCCESS;
	}
	said("reads begun", all, 0);
}

/* The map may change by our asking for it: as kernels do, ask again. */
static bool leave(EFI_HANDLE image)
{
	static uint8_t map[64 * 1024] __attribute__((aligned(16)));

	for (unsigned i = 0; i < 8; i++) {
		UINTN bytes = sizeof(map), key, each;
		UINT32 version;

		if (uefi_bs->GetMemoryMap(&bytes, (void *)map, &key, &each, &version) !=
		    EFI_SUCCESS)
			return false;
		if (uefi_bs->ExitBootServices(image, key) == EFI_SUCCESS)
			return true;
	}
	return false;
}

void run_exit(const struct target *t, EFI_HANDLE image)
{
	unsigned ended;
	uint64_t start;

	begin_reads(t);
	said("some are under way", reads.ended < READS, reads.ended);
	if (!leave(image)) {
		said("exit", false, 0);
		return;
	}
	__asm__ volatile("cli");
	serial_line("exit", true);
	ended = reads.ended;
	for (unsigned i = 0; i < READS; i++)
		memset(reads.buf[i], 0x11, READ_BYTES);
	start = __builtin_ia32_rdtsc();
	while (__builtin_ia32_rdtsc() - start < WAIT_TICKS)
		;
	serial_line("nobody calls", reads.ended == ended);
	for (unsigned i = 0; i < READS; i++)
		for (unsigned k = 0; k < READ_BYTES; k++)
			if (reads.buf[i][k] != 0x11) {
				serial_line("nobody writes", false);
				goto over;
			}
	serial_line("nobody writes", true);
over:
	serial("BIO over\r\n");
	for (;;)
		__asm__ volatile("hlt");
}
