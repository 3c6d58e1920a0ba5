/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * What bench_uefi.py measures with: the fallback loader of the first disk reads that disk
 * as the firmware has it, and starts mirrorboot; mirrorboot starts the same file again
 * as its next loader, which reads the volume, and the disk that answers in place.
 *
 * MARK is where the plugin counts: a function of one instruction at an address known
 * beforehand. A line "BENCH <what> ..." is followed by half a second of nothing, so that
 * whoever reads it can look at the disks, or throttle them.
 */
#include "tests/efi/blockio.h"

#define MARK       0x3000000u
#define LOOPS      10000u
#define TURNS      8 /* of the loop: a timer may fall into one */
#define REQUESTS   12
#define PAUSE_US   500000
#define LONG_BYTES (16u * 1024 * 1024)
/*
 * What mirrorboot asks a disk for at a time (EFIDISK_CHUNK_BYTES). The leg alone is read so, too:
 * QEMU's throttle lets a request begin when the one before it is all but paid for, so that few long
 * ones come through a few in a hundred faster.
 */
#define PIECE_BYTES (8u * 1024 * 1024)

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *st);

static const uint32_t sizes[] = {4096, 65536, 1048576};
#define SIZES (sizeof(sizes) / sizeof(sizes[0]))

/* "count", "rate", or "start": nothing is read. */
static const volatile char mode[] = "BENCH-MODE:........";

static void mark(void)
{
	((void (*)(void))(uintptr_t)MARK)();
}

/* Both runs of this file use the one page. */
static bool make_mark(void)
{
	EFI_PHYSICAL_ADDRESS at = MARK;

	if (uefi_bs->AllocatePages(AllocateAddress, EfiLoaderCode, 1, &at) != EFI_SUCCESS)
		return false;
	*(volatile uint8_t *)(uintptr_t)MARK = 0xc3; /* ret */
	return true;
}

static void say(const char *what, const char *name, uint64_t number)
{
	char line[80];
	struct text_buffer b;

	text_buffer_init(&b, line, sizeof(line));
	text_str(&b.text, "BENCH ");
	text_str(&b.text, what);
	text_char(&b.text, ' ');
	text_str(&b.text, name);
	text_char(&b.text, ' ');
	text_u64(&b.text, number);
	text_char(&b.text, '\n');
	print(line);
	uefi_bs->Stall(PAUSE_US);
}

static void count_loop(void)
{
	for (unsigned turn = 0; turn < TURNS; turn++) {
		uint32_t n = LOOPS;

		mark();
		__asm__ volatile("1: dec %0; jnz 1b" : "+r"(n));
		mark();
	}
}

static void count_reads(const struct target *t, uint8_t *buf)
{
	for (unsigned s = 0; s < SIZES; s++)
		for (unsigned i = 0; i < REQUESTS; i++) {
			uint64_t lba = t->lba + (uint64_t)i * sizes[s] / t->media->BlockSize;

			mark();
			t->bio->ReadBlocks(t->bio, t->media->MediaId, lba, sizes[s], buf);
			mark();
		}
}

/* Requests that the disks get, by what the bench sees of them from one line to the next. */
static void show_requests(const struct target *t, uint8_t *buf)
{
	say("reads", t->name, 0);
	for (unsigned s = 0; s < SIZES; s++) {
		for (unsigned i = 0; i < REQUESTS; i++)
			t->bio->ReadBlocks(t->bio, t->media->MediaId,
					   t->lba + (uint64_t)i * sizes[s] / t->media->BlockSize,
					   sizes[s], buf);
		say("reads", t->name, sizes[s]);
	}
}

/* Time for one long piece, read twice: what is to be learnt is learnt on the first. */
static void rate(const struct target *t, uint8_t *buf, uint32_t n_bytes)
{
	uint64_t start = 0, ticks;

	say("rate", t->name, LONG_BYTES);
	for (unsigned turn = 0; turn < 2; turn++) {
		start = __builtin_ia32_rdtsc();
		for (uint32_t at = 0; at < LONG_BYTES; at += n_bytes)
			if (t->bio->ReadBlocks(t->bio, t->media->MediaId,
					       t->lba + at / t->media->BlockSize, n_bytes,
					       buf + at) != EFI_SUCCESS)
				say("error", t->name, turn);
	}
	ticks = __builtin_ia32_rdtsc() - start;
	say("ticks", t->name, ticks);
}

static EFI_STATUS start_mirrorboot(EFI_HANDLE image)
{
	EFI_LOADED_IMAGE *self = uefi_protocol(image, &uefi_loaded_image);
	void *path = path_with_file(uefi_protocol(self->DeviceHandle, &uefi_device_path),
				    L"\\EFI\\mirrorboot\\app.efi");
	EFI_HANDLE child = NULL;
	EFI_STATUS status = uefi_bs->LoadImage(FALSE, image, path, NULL, 0, &child);

	if (status != EFI_SUCCESS)
		return status;
	say("start", "mirrorboot", 0);
	mark();
	return uefi_bs->StartImage(child, NULL, NULL);
}

static void measure(const struct target *t, uint8_t *buf, uint32_t long_bytes)
{
	switch (mode[sizeof("BENCH-MODE:") - 1]) {
	case 'c':
		count_reads(t, buf);
		show_requests(t, buf);
		break;
	case 'r': rate(t, buf, long_bytes); break;
	}
}

static void connect_all(void)
{
	UINTN count;
	EFI_HANDLE *handles = uefi_handles(NULL, &count);

	for (UINTN i = 0; i < count; i++)
		uefi_bs->ConnectController(handles[i], NULL, NULL, TRUE);
	uefi_free(handles);
}

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *st)
{
	struct target volume, disk;
	uint8_t *buf;

	uefi_init(image, st);
	if (make_mark()) {
		connect_all(); /* the firmware may have started one disk only */
		buf = uefi_alloc_pages(LONG_BYTES);
		count_loop();
		if (find_disk(&disk)) {
			disk.name = "leg";
			measure(&disk, buf, PIECE_BYTES);
		}
		uefi_free_pages(buf, LONG_BYTES);
		start_mirrorboot(image);
		say("failed", "mirrorboot", 0);
	} else {
		mark();
		say("next", "loader", 0);
		buf = uefi_alloc_pages(LONG_BYTES);
		if (find_volume(&volume) && find_disk(&disk)) {
			measure(&volume, buf, LONG_BYTES);
			measure(&disk, buf, LONG_BYTES);
		}
		say("done", "all", 0);
	}
	return EFI_SUCCESS;
}
