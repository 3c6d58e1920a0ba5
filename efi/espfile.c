/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "efi/espfile.h"

#include "common/espcheck.h"
#include "common/range.h"
#include "efi/console.h"

#define CHUNK_BYTES  (1u << 20) /* between two looks at the clock */
#define SECOND_100NS 10000000u

/* EFI_FILE_INFO and the name behind it; a longer one is not asked for by us. */
union info {
	EFI_FILE_INFO info;
	uint8_t room[sizeof(EFI_FILE_INFO) + PATH_CHARS * sizeof(CHAR16)];
};

static enum status get_info(struct espfile *f)
{
	EFI_GUID guid = EFI_FILE_INFO_ID;
	union info u;
	UINTN bytes = sizeof(u);
	const EFI_TIME *t = &u.info.ModificationTime;

	if (f->handle->GetInfo(f->handle, &guid, &bytes, &u) != EFI_SUCCESS)
		return ST_IO;
	if (u.info.Attribute & EFI_FILE_DIRECTORY)
		return ST_ABSENT;
	f->bytes = u.info.FileSize;
	f->fat_time = espcheck_fat_time(t->Year, t->Month, t->Day, t->Hour, t->Minute, t->Second);
	return ST_OK;
}

enum status espfile_open(EFI_HANDLE esp, const CHAR16 *file, struct espfile *f)
{
	EFI_FILE_IO_INTERFACE *fs = uefi_protocol(esp, &uefi_file_system);
	EFI_FILE_HANDLE root;
	EFI_STATUS status;
	CHAR16 name[PATH_CHARS];
	enum status st;
	size_t i;

	*f = (struct espfile){0};
	if (fs == NULL || fs->OpenVolume(fs, &root) != EFI_SUCCESS)
		return ST_IO;
	/* The firmware's function does not promise to leave the name alone. */
	for (i = 0; i + 1 < PATH_CHARS && file[i]; i++)
		name[i] = file[i];
	name[i] = 0;
	status = root->Open(root, &f->handle, name, EFI_FILE_MODE_READ, 0);
	root->Close(root);
	if (status != EFI_SUCCESS) {
		f->handle = NULL;
		return status == EFI_NOT_FOUND ? ST_ABSENT : ST_IO;
	}
	st = get_info(f);
	if (st != ST_OK)
		espfile_close(f);
	return st;
}

void espfile_close(struct espfile *f)
{
	if (f->handle)
		f->handle->Close(f->handle);
	f->handle = NULL;
}

enum status espfile_read(struct espfile *f, void *buf, size_t bytes)
{
	UINTN n = bytes;

	return f->handle->Read(f->handle, &n, buf) == EFI_SUCCESS && n == bytes ? ST_OK : ST_IO;
}

void espfile_sign_start(struct espfile_sign *s, struct text *out)
{
	*s = (struct espfile_sign){.out = out};
	if (uefi_bs->CreateEvent(EVT_TIMER, 0, NULL, NULL, &s->timer) != EFI_SUCCESS)
		s->timer = NULL;
	else
		uefi_bs->SetTimer(s->timer, TimerPeriodic, SECOND_100NS);
}

static void sign(struct espfile_sign *s)
{
	if (s == NULL || s->timer == NULL || uefi_bs->CheckEvent(s->timer) != EFI_SUCCESS)
		return;
	text_str(s->out, s->shown ? "." : "Checking files .");
	console_flush();
	s->shown = true;
}

void espfile_sign_end(struct espfile_sign *s)
{
	if (s->timer)
		uefi_bs->CloseEvent(s->timer);
	if (s->shown)
		text_char(s->out, '\n');
	*s = (struct espfile_sign){0};
}

/* data: as large as the file, or one chunk that is used again and again. */
static enum status read_chunks(struct espfile *f, uint8_t *data, bool whole, struct sha256 *sum,
			       struct espfile_sign *s)
{
	enum status st = ST_OK;

	for (uint64_t at = 0; at < f->bytes && st == ST_OK;) {
		size_t n = (size_t)min_u64(f->bytes - at, CHUNK_BYTES);
		uint8_t *to = whole ? data + at : data;

		st = espfile_read(f, to, n);
		if (st == ST_OK && sum)
			sha256_add(sum, to, n);
		at += n;
		sign(s);
	}
	return st;
}

enum status espfile_read_all(struct espfile *f, uint64_t bytes_max, void **data,
			     uint8_t sha256[SHA256_BYTES], struct espfile_sign *s)
{
	size_t room = data ? (size_t)f->bytes : (size_t)min_u64(f->bytes, CHUNK_BYTES);
	struct sha256 sum;
	enum status st;
	uint8_t *buf;

	if (data)
		*data = NULL;
	if (f->bytes > bytes_max || (data && f->bytes > SIZE_MAX - 4096))
		return ST_FULL;
	sha256_init(&sum);
	if (f->bytes > 0) {
		buf = uefi_alloc_pages(room);
		if (buf == NULL)
			return ST_FULL;
		st = read_chunks(f, buf, data != NULL, sha256 ? &sum : NULL, s);
		if (st == ST_OK && data)
			*data = buf;
		else
			uefi_free_pages(buf, room);
		if (st != ST_OK)
			return st;
	}
	if (sha256)
		sha256_end(&sum, sha256);
	return ST_OK;
}
