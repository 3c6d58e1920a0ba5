/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "efi/esp.h"

#include "common/espcheck.h"
#include "efi/blockio.h"
#include "efi/espfile.h"

static const CHAR16 manifest_file[] = L"\\EFI\\mirrorboot\\manifest";

static bool esp_open(EFI_HANDLE handle, struct esp *esp)
{
	*esp = (struct esp){.handle = handle,
			    .path = uefi_protocol(handle, &uefi_device_path),
			    .disk = NO_DISK,
			    .manifest_status = ST_ABSENT,
			    .choice = {.state = ESPCHOICE_UNKNOWN}};
	if (esp->path == NULL || uefi_protocol(handle, &uefi_file_system) == NULL)
		return false;
	esp->hd = path_last_hd(esp->path);
	return true;
}

void esp_self(struct esps *all)
{
	EFI_LOADED_IMAGE *image = uefi_protocol(uefi_image, &uefi_loaded_image);

	memset(all, 0, sizeof(*all));
	if (image == NULL)
		return;
	all->device = image->DeviceHandle;
	all->device_path = uefi_protocol(all->device, &uefi_device_path);
	all->options = image->LoadOptions;
	all->options_bytes = image->LoadOptionsSize;
	if (image->FilePath == NULL || !path_file(image->FilePath, all->self))
		all->self[0] = 0;
}

static unsigned disk_of(const struct esp *esp, const struct efidisks *disks)
{
	for (unsigned i = 0; i < disks->count; i++)
		if (path_after(esp->path, disks->efi[i].path))
			return i;
	return NO_DISK;
}

static bool is_removable(EFI_HANDLE handle)
{
	const EFI_BLOCK_IO *bio = uefi_protocol(handle, &uefi_block_io);

	return bio && bio->Media->RemovableMedia;
}

/* ---- manifests ------------------------------------------------------------------------------- */

static void read_manifest(struct esp *esp)
{
	struct espfile f;
	enum status st = espfile_open(esp->handle, manifest_file, &f);

	if (st == ST_OK) {
		st = espfile_read_all(&f, MANIFEST_BYTES_MAX, &esp->text, NULL, NULL);
		if (st == ST_OK)
			esp->text_bytes = (size_t)f.bytes;
		espfile_close(&f);
	}
	if (st == ST_OK)
		st = esp->text ? manifest_open(&esp->manifest, esp->text, esp->text_bytes)
			       : ST_CORRUPT;
	esp->manifest_status = st;
	if (st != ST_OK)
		return;
	esp->choice.state =
		esp->manifest.state == MANIFEST_COMPLETE ? ESPCHOICE_COMPLETE : ESPCHOICE_UPDATING;
	esp->choice.set = esp->manifest.set;
	esp->choice.generation = esp->manifest.generation;
}

/* Was a loader that the manifest lists written since, and when? 0: no. */
static uint32_t time_of_change(const struct esp *esp, const struct manifest_file *listed)
{
	uint8_t sha256[SHA256_BYTES] = {0};
	CHAR16 name[PATH_CHARS];
	struct espfile f;
	uint32_t time = 0;

	if (!path_from_utf8(listed->path, listed->path_bytes, name, PATH_CHARS) ||
	    !path_file_in(name, "\\EFI\\") || path_file_in(name, "\\EFI\\mirrorboot\\") ||
	    !path_file_ends(name, ".efi") || espfile_open(esp->handle, name, &f) != ST_OK)
		return 0;
	/* A later time alone is no change: the content tells. */
	if (f.fat_time > listed->fat_time &&
	    espfile_read_all(&f, UINT64_MAX, NULL, sha256, NULL) == ST_OK &&
	    manifest_judge(listed, f.bytes, f.fat_time, sha256) == MANIFEST_CHANGED)
		time = f.fat_time;
	espfile_close(&f);
	return time;
}

static void find_changes(struct esp *esp)
{
	size_t at = esp->manifest.first;
	struct manifest_file listed;

	while (manifest_next(&esp->manifest, &at, &listed)) {
		uint32_t time = time_of_change(esp, &listed);

		if (time > esp->choice.changed_time)
			esp->choice.changed_time = time;
	}
}

bool esp_same_set(const struct esp *a, const struct esp *b)
{
	return a->manifest_status == ST_OK && b->manifest_status == ST_OK &&
	       guid_equal(&a->manifest.set, &b->manifest.set);
}

static bool is_tie(const struct esp *a, const struct esp *b)
{
	return esp_same_set(a, b) && a->choice.state == b->choice.state &&
	       a->choice.generation == b->choice.generation;
}

/* Loaders are looked at only where they decide. */
static void break_ties(struct esps *all)
{
	for (unsigned i = 0; i < all->count; i++)
		for (unsigned k = 0; k < all->count; k++)
			if (k != i && is_tie(&all->esp[i], &all->esp[k])) {
				find_changes(&all->esp[i]);
				break;
			}
}

/* ---- finding, order -------------------------------------------------------------------------- */

static void sort(struct esps *all)
{
	struct espchoice choice[ESP_MAX];
	unsigned order[ESP_MAX];
	struct esp *old = uefi_alloc(sizeof(all->esp));

	if (old == NULL)
		return;
	memcpy(old, all->esp, sizeof(all->esp));
	for (unsigned i = 0; i < all->count; i++)
		choice[i] = old[i].choice;
	espchoice_order(choice, all->count, order);
	for (unsigned i = 0; i < all->count; i++)
		all->esp[i] = old[order[i]];
	uefi_free(old);
}

void esp_forget(struct esps *all)
{
	for (unsigned i = 0; i < all->count; i++)
		if (all->esp[i].text)
			uefi_free_pages(all->esp[i].text, all->esp[i].text_bytes);
	all->count = 0;
}

static void add(struct esps *all, struct esp *esp)
{
	read_manifest(esp);
	all->esp[all->count++] = *esp;
}

static bool is_trusted(const struct esp *esp, const struct survey *s)
{
	if (s->trust == NULL)
		return true;
	return esp->disk == NO_DISK ? blockio_is_volume(esp->path) : trust_disk(s, esp->disk);
}

void esp_find(struct esps *all, const struct efidisks *disks, const struct survey *s,
	      bool volumes_first)
{
	UINTN count;
	EFI_HANDLE *handles = uefi_handles(&uefi_esp_type, &count);
	struct esp esp;

	esp_forget(all);
	all->untrusted = 0;
	if (all->device && esp_open(all->device, &esp)) {
		esp.disk = disk_of(&esp, disks);
		esp.choice.own = true;
		add(all, &esp);
	}
	for (UINTN i = 0; i < count && all->count < ESP_MAX; i++) {
		if (handles[i] == all->device || is_removable(handles[i]) ||
		    !esp_open(handles[i], &esp) || esp.hd == NULL)
			continue;
		esp.disk = disk_of(&esp, disks);
		if (!is_trusted(&esp, s)) {
			all->untrusted++;
			continue;
		}
		esp.choice.first = esp.disk == NO_DISK && volumes_first;
		add(all, &esp);
	}
	uefi_free(handles);
	break_ties(all);
	sort(all);
}

void esp_say(const struct esp *esp, struct text *out)
{
	if (esp->disk == NO_DISK) {
		text_str(out, "another device");
		return;
	}
	text_str(out, "disk ");
	text_u64(out, esp->disk);
}

void esp_say_untrusted(const struct esps *all, struct text *out)
{
	if (all->untrusted == 0)
		return;
	text_str(out, "EFI system partitions left out, on disks of which nothing is trusted: ");
	text_u64(out, all->untrusted);
	text_str(out, ".\n");
}

static void say_state(const struct esp *esp, struct text *out)
{
	if (esp->manifest_status == ST_OK) {
		text_str(out, "generation ");
		text_u64(out, esp->manifest.generation);
		if (esp->choice.state == ESPCHOICE_UPDATING)
			text_str(out, " half written");
		return;
	}
	text_str(out, esp->manifest_status == ST_ABSENT        ? "no manifest"
		      : esp->manifest_status == ST_UNSUPPORTED ? "a manifest of a later version"
		      : esp->manifest_status == ST_IO          ? "a manifest that can't be read"
							       : "a damaged manifest");
}

void esp_say_choice(const struct esps *all, struct text *out)
{
	const struct esp *best = &all->esp[0], *own = NULL;

	for (unsigned i = 1; i < all->count; i++)
		if (all->esp[i].choice.own)
			own = &all->esp[i];
	if (own == NULL || best->choice.first)
		return;
	text_str(out, "The EFI system partition of ");
	esp_say(best, out);
	text_str(out, " is taken: it has ");
	say_state(best, out);
	text_str(out, ", that of ");
	esp_say(own, out);
	text_str(out, " has ");
	if (is_tie(best, own))
		text_str(out, "the same and older loaders");
	else
		say_state(own, out);
	text_str(out, ".\n");
}
