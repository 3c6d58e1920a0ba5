/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tools/efiapp.h"
#include "tools/blobs.h"
#include "tools/say.h"
#include "common/range.h"
#include "common/wire.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_BYTES_MAX (16u << 20)

/* The SBAT section of each of our builds has a line that begins so; its fifth field is the version.
 */
#define OUR_MARK      "\nmirrorboot,"
#define VERSION_FIELD 3 /* commas after the mark */

static struct efiapp apps[EFIAPP_ARCHS] = {
	[EFIAPP_X64] = {"EFI/mirrorboot/mirrorboot.efi", "BOOTX64.EFI",
			"EFI/BOOT/BOOTX64.REPLACED.EFI", 0x8664, NULL, 0, NULL},
	[EFIAPP_IA32] = {"EFI/mirrorboot/mirrorbootia32.efi", "BOOTIA32.EFI",
			 "EFI/BOOT/BOOTIA32.REPLACED.EFI", 0x014c, NULL, 0, NULL},
};

const struct efiapp *efiapp_get(enum efiapp_arch arch)
{
	struct efiapp *app = &apps[arch];

	if (!app->file) {
		app->data = arch == EFIAPP_X64 ? blob_efi : blob_efi32;
		app->n_bytes = arch == EFIAPP_X64 ? blob_efi_bytes : blob_efi32_bytes;
	}
	return app;
}

/* What signing changes in a PE image (Microsoft's PE format, revision 8.3). */
struct pe {
	uint16_t machine;
	size_t checksum, security; /* where its checksum and its pointer to signatures are */
	size_t content_bytes;      /* before the signatures */
};

static bool pe_read(const uint8_t *data, size_t n_bytes, struct pe *pe)
{
	size_t at, optional;
	uint32_t signatures, signature_bytes;
	uint16_t magic;

	if (n_bytes < 64 || memcmp(data, "MZ", 2))
		return false;
	at = le32_get(*(const le32 *)(data + 0x3c));
	if (!range_ok(at, 24 + 152, n_bytes) || memcmp(data + at, "PE\0\0", 4))
		return false;
	pe->machine = le16_get(*(const le16 *)(data + at + 4));
	optional = at + 24;
	magic = le16_get(*(const le16 *)(data + optional));
	if (magic != 0x10b && magic != 0x20b)
		return false;
	pe->checksum = optional + 64;
	pe->security = optional + (magic == 0x20b ? 144 : 128);
	signatures = le32_get(*(const le32 *)(data + pe->security));
	signature_bytes = le32_get(*(const le32 *)(data + pe->security + 4));
	pe->content_bytes = n_bytes;
	if (signatures) {
		if (signatures < pe->security + 8 ||
		    !range_ok(signatures, signature_bytes, n_bytes) ||
		    signatures + signature_bytes != n_bytes)
			return false;
		pe->content_bytes = signatures;
	}
	return true;
}

/* The same code and data, whatever signatures there are? */
static bool same_content(const uint8_t *a, size_t a_bytes, const uint8_t *b, size_t b_bytes)
{
	struct pe pa, pb;

	if (!pe_read(a, a_bytes, &pa) || !pe_read(b, b_bytes, &pb) || pa.checksum != pb.checksum ||
	    pa.security != pb.security || pa.content_bytes != pb.content_bytes)
		return false;
	return !memcmp(a, b, pa.checksum) &&
	       !memcmp(a + pa.checksum + 4, b + pa.checksum + 4, pa.security - pa.checksum - 4) &&
	       !memcmp(a + pa.security + 8, b + pa.security + 8,
		       pa.content_bytes - pa.security - 8);
}

bool efiapp_signed(const uint8_t *data, size_t n_bytes)
{
	struct pe pe;

	return pe_read(data, n_bytes, &pe) && pe.content_bytes != n_bytes;
}

static const char *find_mark(const uint8_t *data, size_t n_bytes)
{
	return memmem(data, n_bytes, OUR_MARK, strlen(OUR_MARK));
}

enum efiapp_is efiapp_recognize(const struct efiapp *app, const uint8_t *data, size_t n_bytes)
{
	if (app->n_bytes && n_bytes == app->n_bytes && !memcmp(data, app->data, n_bytes))
		return EFIAPP_THIS;
	/* Signed by the owner: better than what we would write over it. */
	if (!app->file && efiapp_signed(data, n_bytes) &&
	    same_content(data, n_bytes, app->data, app->n_bytes))
		return EFIAPP_THIS;
	if (find_mark(data, n_bytes))
		return EFIAPP_OTHER;
	/* A write of ours that was cut: a beginning of the file, or nothing at all. */
	if (n_bytes < app->n_bytes && !memcmp(data, app->data, n_bytes))
		return EFIAPP_OTHER;
	return EFIAPP_FOREIGN;
}

const char EFIAPP_SHIM[] = "shim", EFIAPP_GRUB[] = "GRUB";

const char *efiapp_maker(const uint8_t *data, size_t n_bytes)
{
	/* In this order: shim has the names of others in it. Those with a comma are lines of SBAT.
	 */
	static const struct {
		const char *mark, *maker;
	} makers[] = {
		{"#### LoaderInfo: systemd-boot", "systemd-boot"},
		{"\nshim,", EFIAPP_SHIM},
		{"UEFI SHIM\n", EFIAPP_SHIM},
		{"\ngrub,", EFIAPP_GRUB},
		{"Welcome to GRUB!", EFIAPP_GRUB},
	};

	for (unsigned i = 0; i < sizeof(makers) / sizeof(makers[0]); i++)
		if (memmem(data, n_bytes, makers[i].mark, strlen(makers[i].mark)))
			return makers[i].maker;
	return NULL;
}

void efiapp_describe(const struct efiapp *app, char *text, size_t size)
{
	const char *at = find_mark(app->data, app->n_bytes);
	const char *end = (const char *)app->data + app->n_bytes;
	unsigned commas = 0, n = 0;
	char version[16] = "";

	for (at += strlen(OUR_MARK); at < end && *at != '\n' && commas < VERSION_FIELD; at++)
		commas += *at == ',';
	for (; at<end && * at> ' ' && *at < 127 && *at != ',' && n + 1 < sizeof(version); at++)
		version[n++] = *at;
	snprintf(text, size, "mirrorboot %s, %s", version,
		 efiapp_signed(app->data, app->n_bytes) ? "signed" : "not signed");
}

static uint8_t *read_file(const char *path, size_t *n_bytes)
{
	FILE *f = fopen(path, "re");
	uint8_t *data = NULL;

	if (f)
		data = malloc(FILE_BYTES_MAX + 1);
	if (data)
		*n_bytes = fread(data, 1, FILE_BYTES_MAX + 1, f);
	if (!data || ferror(f)) {
		say_about(path, "%s; nothing was written", strerror(errno));
		free(data);
		data = NULL;
	}
	if (f)
		fclose(f);
	return data;
}

bool efiapp_give(const char *path)
{
	size_t n_bytes = 0;
	uint8_t *data = read_file(path, &n_bytes);
	const char *why = "is not made for a machine that mirrorboot knows";
	struct pe pe;

	if (!data)
		return false;
	if (n_bytes > FILE_BYTES_MAX || !pe_read(data, n_bytes, &pe)) {
		why = "is not an EFI application";
	} else if (!find_mark(data, n_bytes)) {
		why = "is not a mirrorboot";
	} else {
		for (unsigned i = 0; i < EFIAPP_ARCHS; i++) {
			if (apps[i].machine != pe.machine)
				continue;
			if (apps[i].file) {
				why = "is the second --efi-file for the same machine";
				continue;
			}
			apps[i].file = path;
			apps[i].data = data;
			apps[i].n_bytes = n_bytes;
			return true;
		}
	}
	say_about(path, "%s; nothing was written", why);
	free(data);
	return false;
}
