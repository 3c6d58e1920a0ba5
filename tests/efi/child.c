/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * A next loader for tests: says which one it is, what it was told of where it comes
 * from, and what a file that its options name (initrd=, as a kernel's) holds.
 */
#include "common/sha256.h"
#include "common/text.h"
#include "efi/espfile.h"

/* A test writes a word over the dots. One that begins with "return" comes back. */
#define LABEL_CHARS 16
static const volatile char label[] = "CHILD-LABEL:................";

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *st);

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

static void say_hex(const char *what, const void *data, size_t bytes)
{
	const uint8_t *p = data;

	text_str(&out, "CHILD: ");
	text_str(&out, what);
	text_char(&out, ' ');
	for (size_t i = 0; i < bytes; i++)
		text_hex(&out, p[i], 2);
	text_char(&out, '\n');
}

static bool say_who(void)
{
	const volatile char *at = label + sizeof(label) - 1 - LABEL_CHARS;
	bool returns = at[0] == 'r' && at[1] == 'e' && at[2] == 't';

	text_str(&out, "\nCHILD: label ");
	for (unsigned i = 0; i < LABEL_CHARS; i++)
		if (at[i] != '.')
			text_char(&out, at[i]);
	text_char(&out, '\n');
	return returns;
}

static void say_path(const char *what, const void *path)
{
	if (path)
		say_hex(what, path, path_bytes(path));
	else
		text_str(&out, "CHILD: no path\n");
}

/* initrd=FILE, from the device that we were told we come from: as Linux' EFI stub does. */
static void say_initrd(const EFI_LOADED_IMAGE *image)
{
	const CHAR16 *options = image->LoadOptions;
	uint8_t sha256[SHA256_BYTES];
	CHAR16 name[PATH_CHARS];
	struct espfile f;
	size_t n = 0;

	while (*options && !path_file_in(options, "initrd="))
		options++;
	if (*options == 0)
		return;
	for (options += 7; n + 1 < PATH_CHARS && *options > ' '; options++)
		name[n++] = *options;
	name[n] = 0;
	if (espfile_open(image->DeviceHandle, name, &f) == ST_OK &&
	    espfile_read_all(&f, UINT64_MAX, NULL, sha256, NULL) == ST_OK)
		say_hex("initrd", sha256, sizeof(sha256));
	else
		text_str(&out, "CHILD: no initrd\n");
}

EFI_STATUS efi_main(EFI_HANDLE handle, EFI_SYSTEM_TABLE *st)
{
	EFI_LOADED_IMAGE *image;
	bool returns;

	uefi_init(handle, st);
	returns = say_who();
	image = uefi_protocol(handle, &uefi_loaded_image);
	say_path("device", uefi_protocol(image->DeviceHandle, &uefi_device_path));
	say_path("file", image->FilePath);
	say_hex("options", image->LoadOptions, image->LoadOptionsSize);
	if (image->LoadOptionsSize > 2)
		say_initrd(image);
	text_str(&out, "CHILD: done\n");
	while (!returns)
		uefi_bs->Stall(1000000);
	return EFI_ABORTED; /* a success would lead the firmware into its menu */
}
