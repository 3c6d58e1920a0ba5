/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "efi/chain.h"

#include "common/policy.h"
#include "efi/console.h"
#include "efi/loaders.h"
#include "efi/verify.h"

/* What the firmware arms when it starts a boot option. */
#define WATCHDOG_S 300

/* What trying one loader leads to. */
enum outcome {
	NEXT_LOADER,
	NEXT_ESP, /* this one has damage: the same loader is better taken from another */
	DONE,     /* chain.status is what we return to the firmware */
};

struct chain {
	const struct config *config;
	const struct esps *esps;
	struct text *out;
	struct entries entries;
	uint8_t damage[ESP_MAX]; /* enum verify_result: why an ESP was left */
	bool last_resort;        /* damage is known, and nothing else is left */
	EFI_STATUS status;       /* of the loader that ended the search */
};

static void say(struct chain *c, const struct loader *l, const char *before, const char *after)
{
	text_str(c->out, before);
	path_file_text(l->file, c->out);
	text_str(c->out, after);
}

static void say_status(struct chain *c, EFI_STATUS status)
{
	text_str(c->out, " (EFI status ");
	text_u64(c->out, status & ~EFI_ERROR_MASK);
	text_str(c->out, ")\n");
}

static void say_missing(struct chain *c, const struct loader *l)
{
	say(c, l, "Configured, and not there: ", " on ");
	esp_say(l->esp, c->out);
	text_char(c->out, '\n');
}

static void say_start(struct chain *c, const struct loader *l)
{
	say(c, l, "Starting ", " on ");
	esp_say(l->esp, c->out);
	text_str(c->out, ", ");
	text_str(c->out, l->why);
	text_str(c->out, ".\n");
	console_flush();
}

/* Its options; and where it comes from, should the firmware (or a shim) not have said. */
static void complete_image(const struct loader *l, EFI_HANDLE child)
{
	EFI_LOADED_IMAGE *image = uefi_protocol(child, &uefi_loaded_image);

	if (image == NULL)
		return;
	if (l->options) {
		image->LoadOptions = l->options;
		image->LoadOptionsSize = l->options_bytes;
	}
	if (image->DeviceHandle == NULL) {
		image->DeviceHandle = l->esp->handle;
		image->FilePath = path_with_file(NULL, l->file);
	}
}

/*
 * From the very bytes that were checked, where they are in memory. The path goes with them:
 * by it the firmware measures and judges, and the loader learns where it comes from.
 */
static EFI_STATUS load(const struct loader *l, const struct verify_image *image, EFI_HANDLE *child)
{
	EFI_DEVICE_PATH *path = path_with_file(l->esp->path, l->file);
	EFI_STATUS status;

	*child = NULL;
	if (path == NULL)
		return EFI_OUT_OF_RESOURCES;
	status = uefi_bs->LoadImage(FALSE, uefi_image, path, image->data, image->bytes, child);
	uefi_free(path);
	if (status == EFI_SUCCESS)
		complete_image(l, *child);
	return status;
}

static enum outcome start(struct chain *c, const struct loader *l, struct verify_image *image)
{
	EFI_HANDLE child;

	say_start(c, l);
	c->status = load(l, image, &child);
	verify_free(image);
	if (c->status == EFI_SECURITY_VIOLATION || c->status == EFI_ACCESS_DENIED) {
		/* A violation still leaves a handle, of an image that must not run. */
		if (c->status == EFI_SECURITY_VIOLATION && child)
			uefi_bs->UnloadImage(child);
		say(c, l, "The firmware does not trust ", ": stopped, no other loader is tried");
		say_status(c, c->status);
		return DONE;
	}
	if (c->status != EFI_SUCCESS) {
		say(c, l, "", " can't be loaded");
		say_status(c, c->status);
		return NEXT_LOADER;
	}

	/* As the firmware does it for what it starts. */
	uefi_bs->SetWatchdogTimer(WATCHDOG_S, 0, 0, NULL);
	c->status = uefi_bs->StartImage(child, NULL, NULL);
	uefi_bs->SetWatchdogTimer(0, 0, 0, NULL);
	if (c->status == EFI_ALREADY_STARTED)
		return NEXT_LOADER; /* it was ourselves under another name */
	say(c, l, "", " came back");
	say_status(c, c->status);
	return DONE;
}

static enum outcome try_loader(struct chain *c, const struct loaders *search, struct loader *l,
			       uint8_t *damage)
{
	uint8_t verify = c->last_resort ? CONFIG_VERIFY_NO : c->config->verify;
	struct verify_image image;
	enum verify_result result = verify_loader(l->esp, l->file, verify, &image, c->out);

	switch (result) {
	case VERIFY_OK: loaders_options(search, l); return start(c, l, &image);
	case VERIFY_ABSENT:
		if (l->configured)
			say_missing(c, l);
		return NEXT_LOADER;
	default: *damage = result; return c->last_resort ? NEXT_LOADER : NEXT_ESP;
	}
}

static enum outcome try_esp(struct chain *c, unsigned i)
{
	enum outcome outcome = NEXT_LOADER;
	struct loaders search;
	struct loader l;

	loaders_start(&search, c->config, c->esps, &c->entries, &c->esps->esp[i]);
	while (outcome == NEXT_LOADER && loaders_next(&search, &l)) {
		outcome = try_loader(c, &search, &l, &c->damage[i]);
		loaders_done(&l);
	}
	return outcome;
}

/*
 * All that have damage, as they are: first those in which only another file than the
 * loader has it. False: none has any.
 */
static bool try_damaged(struct chain *c)
{
	bool any = false;

	for (unsigned i = 0; i < c->esps->count; i++)
		any = any || c->damage[i];
	if (!any)
		return false;
	text_str(c->out, "No EFI system partition is whole: what is there is tried, unchecked. "
			 "Going on in ");
	text_u64(c->out, POLICY_PAUSE_S);
	text_str(c->out, " s, or when a key is pressed.\n");
	console_forget_keys();
	console_key(POLICY_PAUSE_S);
	c->last_resort = true;
	for (unsigned turn = 0; turn < 2; turn++)
		for (unsigned i = 0; i < c->esps->count; i++)
			if (c->damage[i] == (turn == 0 ? VERIFY_BESIDE : VERIFY_LOADER) &&
			    try_esp(c, i) == DONE)
				return true;
	return false;
}

EFI_STATUS chain_start(const struct config *config, const struct esps *esps, struct text *out)
{
	struct chain c = {.config = config, .esps = esps, .out = out};

	entries_read(&c.entries);
	esp_say_choice(esps, out);
	for (unsigned i = 0; i < esps->count; i++) {
		if (i > 0) {
			text_str(out, c.damage[i - 1] ? "Going on with the EFI system partition of "
						      : "Nothing could be started there; trying ");
			esp_say(&esps->esp[i], out);
			text_str(out, ".\n");
		}
		if (try_esp(&c, i) == DONE)
			return c.status;
	}
	if (try_damaged(&c))
		return c.status;
	text_str(out, "No loader found on any EFI system partition.\n");
	return EFI_NOT_FOUND;
}
