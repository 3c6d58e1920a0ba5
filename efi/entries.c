/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "efi/entries.h"

#include "common/bootentry.h"

static void *read_variable(CHAR16 *name, size_t *bytes)
{
	EFI_GUID guid = uefi_global_variable;
	UINTN size = 0;
	void *data;

	if (uefi_rt->GetVariable(name, &guid, NULL, &size, NULL) != EFI_BUFFER_TOO_SMALL ||
	    size == 0)
		return NULL;
	data = uefi_alloc(size);
	if (data && uefi_rt->GetVariable(name, &guid, NULL, &size, data) != EFI_SUCCESS) {
		uefi_free(data);
		data = NULL;
	}
	*bytes = size;
	return data;
}

void entries_read(struct entries *all)
{
	CHAR16 name[] = L"BootOrder";
	size_t bytes = 0;
	le16 *order = read_variable(name, &bytes);

	all->count = 0;
	for (size_t i = 0; order && i < bytes / 2 && all->count < ENTRIES_MAX; i++)
		all->order[all->count++] = le16_get(order[i]);
	uefi_free(order);
}

static void *read_option(uint16_t number, size_t *bytes)
{
	CHAR16 name[] = L"Boot0000";

	for (unsigned i = 0; i < 4; i++)
		name[7 - i] = (CHAR16) "0123456789ABCDEF"[number >> (4 * i) & 15];
	return read_variable(name, bytes);
}

static bool is_on(const struct path_hd *hd, const struct entries_esp *esp)
{
	if (hd == NULL)
		return false;
	if (esp->guid)
		return hd->signature_type == PATH_SIGNATURE_GUID &&
		       memcmp(hd->signature, esp->guid->b, sizeof(esp->guid->b)) == 0;
	return esp->hd && path_hd_same(hd, esp->hd);
}

/* Take the variable apart. False: not an active entry for a file on this ESP. */
static bool parse_option(const uint8_t *data, size_t bytes, const struct entries_esp *esp,
			 struct entry *e)
{
	struct bootentry b;

	if (bootentry_parse(&b, data, bytes) != ST_OK || !(b.attributes & BOOTENTRY_ACTIVE) ||
	    !path_valid(b.path, b.path_bytes))
		return false;
	if (!is_on(path_last_hd(b.path), esp) || !path_file(b.path, e->file))
		return false;

	e->options = NULL;
	e->options_bytes = 0;
	/* What the firmware marks its own entries by is not for a loader. */
	if (b.data_bytes && !bootentry_is_automatic(&b)) {
		e->options = uefi_alloc(b.data_bytes);
		if (e->options) {
			memcpy(e->options, b.data, b.data_bytes);
			e->options_bytes = (uint32_t)b.data_bytes;
		}
	}
	return true;
}

bool entries_next(const struct entries *all, unsigned *at, const struct entries_esp *esp,
		  struct entry *e)
{
	while (*at < all->count) {
		size_t bytes = 0;
		uint8_t *data;
		bool ok;

		e->number = all->order[(*at)++];
		data = read_option(e->number, &bytes);
		ok = data && parse_option(data, bytes, esp, e);
		uefi_free(data);
		if (ok)
			return true;
	}
	return false;
}
