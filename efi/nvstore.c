/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "efi/nvstore.h"

#include "common/nvsay.h"
#include "common/range.h"
#include "efi/uefi.h"

#define NAME_CHARS 16 /* of the variables that are ours to read and write */

static void wide(const char *name, CHAR16 to[NAME_CHARS])
{
	unsigned n = 0;

	for (; n + 1 < NAME_CHARS && name[n]; n++)
		to[n] = (CHAR16)name[n];
	to[n] = 0;
}

/* ---- one variable ---------------------------------------------------------------------------- */

struct value {
	uint8_t *data; /* allocated; NULL where there is none, or of no bytes */
	size_t bytes;
	uint32_t attributes;
};

static EFI_STATUS get(const char *name, struct value *v)
{
	EFI_GUID guid = uefi_global_variable;
	CHAR16 wide_name[NAME_CHARS];
	EFI_STATUS status;
	UINT32 attributes = 0;
	UINTN bytes = 0;

	wide(name, wide_name);
	*v = (struct value){.data = NULL};
	status = uefi_rt->GetVariable(wide_name, &guid, &attributes, &bytes, NULL);
	if (status != EFI_BUFFER_TOO_SMALL)
		return status;
	v->data = uefi_alloc(bytes);
	if (!v->data)
		return EFI_OUT_OF_RESOURCES;
	status = uefi_rt->GetVariable(wide_name, &guid, &attributes, &bytes, v->data);
	if (status != EFI_SUCCESS) {
		uefi_free(v->data);
		v->data = NULL;
		return status;
	}
	v->bytes = bytes;
	v->attributes = attributes;
	return status;
}

static int error_of(EFI_STATUS status)
{
	return (int)(status & 0xff);
}

/* As Linux does: some firmware does not start any more when its memory is quite full. */
#define UEFI_2_0  (2u << 16)
#define ROOM_KEPT 5120u

static bool has_room(uint32_t attributes, size_t bytes)
{
	UINT64 all, left, most;
	EFI_STATUS status;

	if (uefi_rt->Hdr.Revision < UEFI_2_0)
		return true;
	status = uefi_rt->QueryVariableInfo(attributes, &all, &left, &most);
	return status != EFI_SUCCESS || range_ok(ROOM_KEPT, bytes, left);
}

static int store_set(const struct nvstore *s, const char *name, uint32_t attributes,
		     const void *data, size_t bytes)
{
	EFI_GUID guid = uefi_global_variable;
	CHAR16 wide_name[NAME_CHARS];

	wide(name, wide_name);
	/* The boot order hardly grows, and must be put back where writing another failed. */
	if (nvram_number(name) != NVRAM_NONE && !has_room(attributes, bytes + sizeof(wide_name)))
		return error_of(EFI_OUT_OF_RESOURCES);
	return error_of(
		uefi_rt->SetVariable(wide_name, &guid, attributes, bytes, (void *)(uintptr_t)data));
}

static int store_remove(const struct nvstore *s, const char *name)
{
	EFI_GUID guid = uefi_global_variable;
	CHAR16 wide_name[NAME_CHARS];
	struct value v;

	wide(name, wide_name);
	/* Some firmware removes only what it is told the attributes of. */
	if (get(name, &v) != EFI_SUCCESS)
		v.attributes = 0;
	uefi_free(v.data);
	return error_of(uefi_rt->SetVariable(wide_name, &guid, v.attributes, 0, NULL));
}

static bool store_holds(const struct nvstore *s, const char *name, const void *data, size_t bytes)
{
	struct value v;
	bool same = get(name, &v) == EFI_SUCCESS && v.bytes == bytes &&
		    memcmp(v.data, data, bytes) == 0;

	uefi_free(v.data);
	return same;
}

static bool store_lacks(const struct nvstore *s, const char *name)
{
	struct value v;
	EFI_STATUS status = get(name, &v);

	uefi_free(v.data);
	return status == EFI_NOT_FOUND;
}

static const char *store_why(const struct nvstore *s, int error)
{
	if (error == error_of(EFI_OUT_OF_RESOURCES))
		return "the firmware's memory for variables is full (5 KiB of it are kept free). "
		       "Often it is old crash reports that fill it: an operating system can "
		       "delete them; the firmware reclaims the room at the next start";
	if (error == error_of(EFI_WRITE_PROTECTED) || error == error_of(EFI_SECURITY_VIOLATION))
		return "the firmware refuses to write it";
	if (error == error_of(EFI_INVALID_PARAMETER))
		return "the firmware refuses it (invalid parameter)";
	if (error == error_of(EFI_NOT_FOUND))
		return "it is not there";
	return "the firmware's memory for variables does not work";
}

const struct nvstore nvstore = {store_set, store_remove, store_holds, store_lacks, store_why};

/* ---- all of them ----------------------------------------------------------------------------- */

#define ENTRIES_MAX   1024
#define VARIABLES_MAX 16384 /* firmware that gives the same ones again and again */
#define LONGEST_CHARS 512
#define LONGEST_LATER 32768

struct search {
	CHAR16 *name;
	UINTN room_bytes;
	EFI_GUID vendor;
	unsigned count;
	uint16_t number[ENTRIES_MAX];
};

/* The next variable, whatever it is. */
static EFI_STATUS next(struct search *s)
{
	UINTN bytes = s->room_bytes;
	EFI_STATUS status = uefi_rt->GetNextVariableName(&bytes, s->name, &s->vendor);
	CHAR16 *longer;

	if (status != EFI_BUFFER_TOO_SMALL || bytes <= s->room_bytes ||
	    bytes > LONGEST_LATER * sizeof(CHAR16))
		return status;
	longer = uefi_alloc(bytes);
	if (!longer)
		return EFI_OUT_OF_RESOURCES;
	memcpy(longer, s->name, s->room_bytes);
	uefi_free(s->name);
	s->name = longer;
	s->room_bytes = bytes;
	return uefi_rt->GetNextVariableName(&bytes, s->name, &s->vendor);
}

/* False: there are more than there is room for. */
static bool take(struct search *s)
{
	char name[NVRAM_NAME_BYTES];
	unsigned number, n = 0;

	if (memcmp(&s->vendor, &uefi_global_variable, sizeof(s->vendor)) != 0)
		return true;
	for (; s->name[n] && n < sizeof(name) - 1; n++)
		name[n] = s->name[n] < 127 ? (char)s->name[n] : '?';
	name[n] = 0;
	number = s->name[n] ? NVRAM_NONE : nvram_number(name);
	if (number == NVRAM_NONE)
		return true;
	for (unsigned i = 0; i < s->count; i++)
		if (s->number[i] == number)
			return true;
	if (s->count == ENTRIES_MAX)
		return false;
	s->number[s->count++] = (uint16_t)number;
	return true;
}

static bool say(struct text *out, const char *what)
{
	text_str(out, "mirrorboot: ");
	text_str(out, what);
	return false;
}

/* All numbers of entries; when one could not be seen, it would be taken for free. */
static bool find(struct search *s, struct text *out)
{
	EFI_STATUS status = EFI_SUCCESS;

	s->room_bytes = LONGEST_CHARS * sizeof(CHAR16);
	s->name = uefi_alloc(s->room_bytes);
	if (!s->name)
		return say(out, "there is no memory for it\n");
	for (unsigned i = 0; i < VARIABLES_MAX && status == EFI_SUCCESS; i++) {
		status = next(s);
		if (status == EFI_SUCCESS && !take(s))
			return say(out, "there are more boot entries than there is room for\n");
	}
	return status == EFI_NOT_FOUND ||
	       say(out, "the firmware does not tell which variables it has\n");
}

static void read_entry(struct nventry *e)
{
	char name[NVRAM_NAME_BYTES];
	struct value v;

	nvram_name(e->number, name);
	e->error = error_of(get(name, &v));
	e->data = v.data;
	e->bytes = v.bytes;
	e->attributes = v.attributes;
	nvram_look(e);
}

static bool read_order(struct nvram *all, struct text *out)
{
	struct value v;
	EFI_STATUS status = get("BootOrder", &v);
	bool fine = status == EFI_NOT_FOUND;

	if (status == EFI_SUCCESS) {
		all->order_attributes = v.attributes;
		all->order = uefi_alloc(v.bytes + 1);
		fine = all->order && nvram_take_order(all, v.data, v.bytes);
		uefi_free(v.data);
	}
	return fine || say(out, "BootOrder can't be read, or is damaged\n");
}

/* A variable of two bytes; -1: not there, or not of two bytes. */
static int read_number(const char *name)
{
	struct value v;
	int n = -1;

	if (get(name, &v) == EFI_SUCCESS && v.bytes == 2)
		n = v.data[0] | v.data[1] << 8;
	uefi_free(v.data);
	return n;
}

static bool read_all(struct nvram *all, struct search *s, struct text *out)
{
	int number;

	if (!find(s, out))
		return false;
	all->entry = uefi_alloc((s->count + 1) * sizeof(*all->entry));
	if (!all->entry)
		return say(out, "there is no memory for it\n");
	for (; all->count < s->count; all->count++) {
		all->entry[all->count].number = s->number[all->count];
		read_entry(&all->entry[all->count]);
	}
	if (!read_order(all, out))
		return false;
	nvram_arrange(all);
	number = read_number("BootCurrent");
	all->current = number < 0 ? NVRAM_NONE : (unsigned)number;
	number = read_number("BootNext");
	all->next = number < 0 ? NVRAM_NONE : (unsigned)number;
	all->timeout = read_number("Timeout");
	return true;
}

bool nvstore_read(struct nvram *all, struct text *out)
{
	struct search *s = uefi_alloc(sizeof(*s));
	bool fine;

	memset(all, 0, sizeof(*all));
	if (!s)
		return say(out, "there is no memory for it\n");
	fine = read_all(all, s, out);
	uefi_free(s->name);
	uefi_free(s);
	return fine;
}

void nvstore_forget(struct nvram *all)
{
	for (unsigned i = 0; i < all->count; i++)
		uefi_free((void *)(uintptr_t)all->entry[i].data);
	uefi_free(all->entry);
	uefi_free(all->order);
	memset(all, 0, sizeof(*all));
}
