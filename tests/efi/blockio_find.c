/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tests/efi/blockio.h"

#define FREE_BYTES (256u * 1024)

static unsigned good_count, bad_count;

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

void print(const char *s)
{
	text_str(&out, s);
}

void said(const char *name, bool good, uint64_t what)
{
	text_str(&out, "BIO ");
	text_str(&out, name);
	text_str(&out, good ? " ok" : " NOT ");
	if (!good)
		text_hex(&out, what, 1);
	text_char(&out, '\n');
	good_count += good;
	bad_count += !good;
}

void expect(const char *name, EFI_STATUS is, EFI_STATUS should)
{
	said(name, is == should, is);
}

void total(void)
{
	text_str(&out, "BIO total: ");
	text_u64(&out, good_count);
	text_str(&out, " ok, ");
	text_u64(&out, bad_count);
	text_str(&out, " NOT\nBIO done\n");
}

static bool open_target(struct target *t, EFI_HANDLE handle, const char *name)
{
	memset(t, 0, sizeof(*t));
	t->name = name;
	t->handle = handle;
	t->bio = uefi_protocol(handle, &uefi_block_io);
	t->bio2 = uefi_protocol(handle, &uefi_block_io2);
	if (!t->bio)
		return false;
	t->media = t->bio->Media;
	return true;
}

static void set_data(struct target *t, uint64_t start, uint64_t end)
{
	t->lba = start;
	t->end_lba = end;
	t->free_lba = end - FREE_BYTES / t->media->BlockSize;
}

static bool is_volume(EFI_HANDLE handle)
{
	const struct path_node *n = uefi_protocol(handle, &uefi_device_path);

	return n && n->type == 4 && n->subtype == 3 && path_bytes(n) == 36;
}

bool find_volume(struct target *t)
{
	UINTN count;
	EFI_HANDLE *handles = uefi_handles(&uefi_block_io, &count);
	bool found = false;

	for (UINTN i = 0; !found && i < count; i++)
		found = is_volume(handles[i]) && open_target(t, handles[i], "volume");
	uefi_free(handles);
	if (found)
		set_data(t, 0, t->media->LastBlock + 1);
	return found;
}

/* The partition of a md member, by its type in the GPT; its data begin 1 MiB into it, or more. */
static bool find_member(struct target *t)
{
	static const uint8_t raid[16] = {0x0f, 0x88, 0x9d, 0xa1, 0xfc, 0x05, 0x3b, 0x4d,
					 0xa0, 0x06, 0x74, 0x3f, 0x0f, 0x84, 0x91, 0x1e};
	uint8_t *table = uefi_alloc_pages(16384), *sb = uefi_alloc_pages(4096);
	uint32_t block = t->media->BlockSize;
	bool found = false;

	if (t->bio->ReadBlocks(t->bio, t->media->MediaId, 2, 16384, table) != EFI_SUCCESS)
		return false;
	for (unsigned i = 0; !found && i < 128; i++) {
		const uint8_t *e = table + i * 128;
		uint64_t data, size;

		if (memcmp(e, raid, 16) != 0)
			continue;
		t->member_lba = le64_get(*(const le64 *)(e + 32));
		/* md 1.2: 4 KiB in; data_offset at 128, data_size at 136, in 512 bytes. */
		if (t->bio->ReadBlocks(t->bio, t->media->MediaId, t->member_lba + 4096 / block,
				       4096, sb) != EFI_SUCCESS ||
		    le32_get(*(const le32 *)sb) != 0xa92b4efc)
			continue;
		data = t->member_lba + le64_get(*(const le64 *)(sb + 128)) * 512 / block;
		size = le64_get(*(const le64 *)(sb + 80)) * 512 / block;
		set_data(t, data, data + size);
		found = true;
	}
	uefi_free_pages(table, 16384);
	uefi_free_pages(sb, 4096);
	return found;
}

bool find_disk(struct target *t)
{
	UINTN count;
	EFI_HANDLE *handles = uefi_handles(&uefi_block_io, &count);
	bool found = false;

	for (UINTN i = 0; !found && i < count; i++)
		found = !is_volume(handles[i]) && open_target(t, handles[i], "disk") &&
			!t->media->LogicalPartition && t->media->MediaPresent && find_member(t);
	uefi_free(handles);
	return found;
}
