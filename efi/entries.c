/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "efi/entries.h"

#include "common/range.h"

/* EFI_LOAD_OPTION (UEFI 2.10, 3.1.3): then the description, the paths, the optional data. */
struct load_option {
	le32 attributes;
	le16 path_bytes;
};
_Static_assert(sizeof(struct load_option) == 6, "EFI_LOAD_OPTION starts with 6 bytes");

#define ATTRIBUTE_ACTIVE 1u

/* Entries that the firmware made by itself carry this as optional data: not for a loader. */
#define AUTO_GUID_BYTES 16

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
	const struct load_option *head = (const void *)data;
	size_t at = sizeof(*head), path_len;

	if (bytes < sizeof(*head) || !(le32_get(head->attributes) & ATTRIBUTE_ACTIVE))
		return false;
	path_len = le16_get(head->path_bytes);
	while (range_ok(at, 2, bytes) && (data[at] || data[at + 1]))
		at += 2;
	at += 2;
	if (!range_ok(at, path_len, bytes) || !path_valid(data + at, path_len))
		return false;
	if (!is_on(path_last_hd(data + at), esp) || !path_file(data + at, e->file))
		return false;

	at += path_len;
	e->options = NULL;
	e->options_bytes = 0;
	if (bytes > at && bytes - at != AUTO_GUID_BYTES) {
		e->options = uefi_alloc(bytes - at);
		if (e->options) {
			memcpy(e->options, data + at, bytes - at);
			e->options_bytes = (uint32_t)(bytes - at);
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
