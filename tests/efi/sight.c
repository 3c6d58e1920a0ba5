/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * What a program that the firmware starts can see: each Block I/O handle, read as a
 * whole by both protocols, and each file system. Sectors that begin with "generation N
 * sector" are counted by generation; of a file system, \marker.txt is printed. Then it
 * gives control back with an error, so that whoever started it goes on to the next.
 */
#include "common/mem.h"
#include "common/text.h"
#include "efi/uefi.h"

#define PIECE_BYTES (1u << 20)
#define GENERATIONS 4 /* 0: none of the others */
#define MARK        "generation "

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *st);

struct to_text {
	void *node;
	CHAR16 *(EFIAPI *path)(const void *path, BOOLEAN display_only, BOOLEAN shortcuts);
};

static const EFI_GUID to_text_guid = {
	0x8b843e20, 0x8132, 0x4852, {0x90, 0xcc, 0x55, 0x1a, 0x4e, 0x4a, 0x7f, 0x1c}};

static uint8_t *piece; /* PIECE_BYTES, on a page */

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

/* In brackets: a long one goes on in the next line, where the console is 80 wide. */
static void say_path(EFI_HANDLE handle)
{
	EFI_GUID guid = to_text_guid;
	struct to_text *names = NULL;
	void *path = uefi_protocol(handle, &uefi_device_path);
	CHAR16 *name = NULL;

	text_char(&out, '[');
	if (path && uefi_bs->LocateProtocol(&guid, NULL, (void **)&names) == EFI_SUCCESS)
		name = names->path(path, FALSE, FALSE);
	for (CHAR16 *c = name; c && *c; c++)
		text_char(&out, (char)*c);
	uefi_free(name);
	text_char(&out, ']');
}

static unsigned generation_of(const uint8_t *sector)
{
	unsigned n = sector[sizeof(MARK) - 1] - '0';

	return memcmp(sector, MARK, sizeof(MARK) - 1) == 0 && n < GENERATIONS ? n : 0;
}

struct count {
	uint64_t of[GENERATIONS], failed;
};

static void scan(EFI_BLOCK_IO *bio, EFI_BLOCK_IO2_PROTOCOL *bio2, struct count *count)
{
	EFI_BLOCK_IO_MEDIA *media = bio->Media;
	EFI_BLOCK_IO2_TOKEN token = {0};
	uint32_t blocks = PIECE_BYTES / media->BlockSize;

	memset(count, 0, sizeof(*count));
	for (EFI_LBA lba = 0; lba <= media->LastBlock; lba += blocks) {
		uint64_t left = media->LastBlock + 1 - lba;
		UINTN bytes = (left < blocks ? (UINTN)left : blocks) * media->BlockSize;
		EFI_STATUS status =
			bio2 ? bio2->ReadBlocksEx(bio2, media->MediaId, lba, &token, bytes, piece)
			     : bio->ReadBlocks(bio, media->MediaId, lba, bytes, piece);

		if (status != EFI_SUCCESS)
			count->failed++;
		for (UINTN at = 0; status == EFI_SUCCESS && at < bytes; at += 512)
			count->of[generation_of(piece + at)]++;
	}
}

static void say_count(const char *by, const struct count *count)
{
	text_str(&out, by);
	for (unsigned i = 1; i < GENERATIONS; i++) {
		text_char(&out, ' ');
		text_u64(&out, count->of[i]);
	}
	text_str(&out, " failed ");
	text_u64(&out, count->failed);
}

static void look_at_blocks(void)
{
	UINTN count;
	EFI_HANDLE *handles = uefi_handles(&uefi_block_io, &count);

	for (UINTN i = 0; i < count; i++) {
		EFI_BLOCK_IO *bio = uefi_protocol(handles[i], &uefi_block_io);
		EFI_BLOCK_IO2_PROTOCOL *bio2 = uefi_protocol(handles[i], &uefi_block_io2);
		struct count found;

		if (bio == NULL || !bio->Media->MediaPresent || bio->Media->BlockSize > PIECE_BYTES)
			continue;
		text_str(&out, "SIGHT: blocks ");
		say_path(handles[i]);
		scan(bio, NULL, &found);
		say_count(" io", &found);
		if (bio2) {
			scan(bio, bio2, &found);
			say_count(" io2", &found);
		}
		text_str(&out, " end\n");
	}
	uefi_free(handles);
}

static void look_at_files(void)
{
	UINTN count;
	EFI_HANDLE *handles = uefi_handles(&uefi_file_system, &count);

	for (UINTN i = 0; i < count; i++) {
		EFI_FILE_IO_INTERFACE *fs = uefi_protocol(handles[i], &uefi_file_system);
		CHAR16 name[] = L"\\marker.txt";
		EFI_FILE_HANDLE root = NULL, file = NULL;
		UINTN bytes = 32;

		memset(piece, 0, bytes + 1);
		text_str(&out, "SIGHT: files ");
		say_path(handles[i]);
		text_char(&out, ' ');
		if (fs->OpenVolume(fs, &root) == EFI_SUCCESS &&
		    root->Open(root, &file, name, EFI_FILE_MODE_READ, 0) == EFI_SUCCESS &&
		    file->Read(file, &bytes, piece) == EFI_SUCCESS)
			for (const uint8_t *c = piece; *c >= ' '; c++)
				text_char(&out, (char)*c);
		if (file)
			file->Close(file);
		if (root)
			root->Close(root);
		text_str(&out, " end\n");
	}
	uefi_free(handles);
}

/* Which boot entry it was. */
static void say_options(void)
{
	EFI_LOADED_IMAGE *self = uefi_protocol(uefi_image, &uefi_loaded_image);
	const CHAR16 *c = self ? self->LoadOptions : NULL;

	for (UINT32 i = 0; c && i < self->LoadOptionsSize / 2 && c[i]; i++)
		text_char(&out, (char)c[i]);
	text_char(&out, '\n');
}

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *st)
{
	uefi_init(image, st);
	uefi_bs->SetWatchdogTimer(0, 0, 0, NULL);
	piece = uefi_alloc_pages(PIECE_BYTES);
	text_str(&out, "\nSIGHT: begin\n");
	if (piece) {
		look_at_blocks();
		look_at_files();
		uefi_free_pages(piece, PIECE_BYTES);
	}
	text_str(&out, "SIGHT: done ");
	say_options();
	return EFI_ABORTED;
}
