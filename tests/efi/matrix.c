/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * The next loader of the fault matrix under UEFI: as tests/boot/matrix.asm. On every
 * Block I/O handle that shows the mirror (its volume, disks, partitions) it reads a field
 * of records, each of which tells which leg and generation it is of, and says where which
 * ones came from: "RUN a2 0000 012F". In place of those, "!!" can't be read, "??" are no
 * records, or not those of this place. "FAIL 0100": a request that failed, and is made
 * again sector by sector.
 */
#include "common/mem.h"
#include "common/text.h"
#include "efi/uefi.h"

#define RECORD_BYTES 512
#define AT_ONCE      64
#define DEAD_AFTER   3           /* sectors in a row that can't be read: so are all that follow */
#define MAGIC        0x5258544du /* "MTXR" */
#define UNREADABLE   0x2121u     /* "!!" */
#define WRONG        0x3f3fu     /* "??" */

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *st);

/* A test writes these over what is here, and finds them by the first. */
struct params {
	char name[16];
	uint64_t volume_bytes;    /* what a mirror's volume is recognised by */
	uint64_t partition_min;   /* bytes: smaller partitions hold no member */
	uint64_t disk_field;      /* byte of a disk that the field begins at */
	uint64_t partition_field; /* ... of a member's partition */
	uint64_t volume_field;
	uint32_t count;   /* records */
	uint32_t write;   /* the one to write to the volume first, or UINT32_MAX */
	uint32_t records; /* as many as a sector holds */
	uint32_t pad;
	uint8_t record[8 * RECORD_BYTES]; /* what is written */
};

static volatile struct params given = {.name = "MATRIX PARAMS :"};
static struct params params;

enum kind { VOLUME, DISK, PARTITION, KINDS };

static void put(struct text *t, char c)
{
	CHAR16 s[3] = {(unsigned char)c, 0, 0};

	if (c == '\n') {
		s[0] = '\r';
		s[1] = '\n';
	}
	uefi_st->ConOut->OutputString(uefi_st->ConOut, s);
}

static struct text out = {.put = put};

struct run {
	uint16_t class;
	uint32_t first, next;
};

static void end_run(const struct run *r)
{
	if (r->class == 0)
		return;
	text_str(&out, "RUN ");
	text_char(&out, (char)(r->class & 0xff));
	text_char(&out, (char)(r->class >> 8));
	text_char(&out, ' ');
	text_hex(&out, r->first, 4);
	text_char(&out, ' ');
	text_hex(&out, r->next - 1, 4);
	text_char(&out, '\n');
}

static void count_it(struct run *r, uint16_t class)
{
	if (class != r->class) {
		end_run(r);
		r->class = class;
		r->first = r->next;
	}
	r->next++;
}

/* Is the record whole, and that of this place? */
static uint16_t look(const uint8_t *record, uint32_t number)
{
	uint32_t sum = 0, word;

	for (unsigned i = 0; i < RECORD_BYTES; i += sizeof(word)) {
		memcpy(&word, record + i, sizeof(word));
		sum += word;
	}
	memcpy(&word, record + 8, sizeof(word));
	if (sum != 0 || word != number)
		return WRONG;
	memcpy(&word, record, sizeof(word));
	return word == MAGIC ? (uint16_t)(record[4] | record[5] << 8) : WRONG;
}

static EFI_STATUS read(EFI_BLOCK_IO *bio, uint64_t field, uint32_t number, uint32_t n, uint8_t *buf)
{
	uint64_t at = field + (uint64_t)number * RECORD_BYTES;

	/* What an error leaves there must not look like what was asked for. */
	memset(buf, 0x5a, n * RECORD_BYTES);
	return bio->ReadBlocks(bio, bio->Media->MediaId, at / bio->Media->BlockSize,
			       n * RECORD_BYTES, buf);
}

/* Requests of AT_ONCE records; one that fails again, sector by sector. */
static void scan(EFI_BLOCK_IO *bio, uint64_t field, uint8_t *buf)
{
	uint32_t each = bio->Media->BlockSize / RECORD_BYTES, failed = 0;
	struct run run = {0};

	while (run.next < params.count) {
		uint32_t first = run.next;

		if (failed >= DEAD_AFTER) {
			count_it(&run, UNREADABLE);
			continue;
		}
		if (read(bio, field, first, AT_ONCE, buf) == EFI_SUCCESS) {
			for (uint32_t i = 0; i < AT_ONCE; i++)
				count_it(&run, look(buf + i * RECORD_BYTES, first + i));
			continue;
		}
		end_run(&run);
		run.class = 0;
		text_str(&out, "FAIL ");
		text_hex(&out, first, 4);
		text_char(&out, '\n');
		for (uint32_t i = 0; i < AT_ONCE; i += each) {
			bool good = failed < DEAD_AFTER &&
				    read(bio, field, first + i, each, buf) == EFI_SUCCESS;

			failed = good ? 0 : failed + 1;

			for (uint32_t k = 0; k < each; k++)
				count_it(&run, good ? look(buf + k * RECORD_BYTES, first + i + k)
						    : UNREADABLE);
		}
	}
	end_run(&run);
}

static void write(EFI_BLOCK_IO *bio)
{
	uint64_t at = params.volume_field + (uint64_t)params.write * RECORD_BYTES;
	EFI_STATUS status = bio->WriteBlocks(bio, bio->Media->MediaId, at / bio->Media->BlockSize,
					     params.records * RECORD_BYTES, params.record);

	if (status == EFI_SUCCESS)
		status = bio->FlushBlocks(bio);
	text_str(&out, status == EFI_SUCCESS ? "WRITE ok\n" : "WRITE failed ");
	if (status != EFI_SUCCESS) {
		text_hex(&out, status & 0xff, 2);
		text_char(&out, '\n');
	}
}

/* What of the mirror a handle shows, and where the field is on it; KINDS: nothing. */
static enum kind kind_of(const EFI_BLOCK_IO_MEDIA *media, uint64_t *field)
{
	uint64_t bytes = (media->LastBlock + 1) * media->BlockSize;
	enum kind kind = media->LogicalPartition                      ? PARTITION
			 : bytes / 4096 == params.volume_bytes / 4096 ? VOLUME
								      : DISK;

	*field = kind == VOLUME ? params.volume_field
		 : kind == DISK ? params.disk_field
				: params.partition_field;
	if (kind == PARTITION && bytes < params.partition_min)
		return KINDS;
	return kind;
}

static void look_at(enum kind wanted, uint8_t *buf)
{
	static const char *const name[] = {"volume", "disk", "partition"};
	UINTN count;
	EFI_HANDLE *handles = uefi_handles(&uefi_block_io, &count);

	for (UINTN i = 0; i < count; i++) {
		EFI_BLOCK_IO *bio = uefi_protocol(handles[i], &uefi_block_io);
		uint64_t field;

		if (bio == NULL || !bio->Media->MediaPresent ||
		    bio->Media->BlockSize > 8 * RECORD_BYTES ||
		    kind_of(bio->Media, &field) != wanted)
			continue;
		if (wanted == VOLUME && params.write != UINT32_MAX)
			write(bio);
		text_str(&out, "FIELD ");
		text_str(&out, name[wanted]);
		text_char(&out, '\n');
		scan(bio, field, buf);
	}
	uefi_free(handles);
}

EFI_STATUS efi_main(EFI_HANDLE handle, EFI_SYSTEM_TABLE *st)
{
	uint8_t *buf;

	uefi_init(handle, st);
	for (size_t i = 0; i < sizeof(params); i++)
		((uint8_t *)&params)[i] = ((const volatile uint8_t *)&given)[i];
	text_str(&out, "\nMATRIX: started\n");
	buf = uefi_alloc_pages(AT_ONCE * RECORD_BYTES);
	for (unsigned k = VOLUME; buf && k < KINDS; k++)
		look_at(k, buf);
	text_str(&out, "MATRIX: done\n");
	for (;;)
		uefi_bs->Stall(1000000);
	return EFI_ABORTED;
}
