/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "efi/chain.h"

#include "efi/console.h"

#define OUR_FOLDER "\\EFI\\mirrorboot\\"

/* What boots where an ESP has no entry and no fallback of before: \EFI\ and then ... */
/* clang-format off */
static const char *const known_loaders[] = {
	"debian\\shim" UEFI_ARCH_LOWER ".efi",
	"debian\\grub" UEFI_ARCH_LOWER ".efi",
	"ubuntu\\shim" UEFI_ARCH_LOWER ".efi",
	"ubuntu\\grub" UEFI_ARCH_LOWER ".efi",
	"fedora\\shim" UEFI_ARCH_LOWER ".efi",
	"fedora\\grub" UEFI_ARCH_LOWER ".efi",
	"redhat\\shim" UEFI_ARCH_LOWER ".efi",
	"redhat\\grub" UEFI_ARCH_LOWER ".efi",
	"centos\\shim" UEFI_ARCH_LOWER ".efi",
	"rocky\\shim" UEFI_ARCH_LOWER ".efi",
	"almalinux\\shim" UEFI_ARCH_LOWER ".efi",
	"opensuse\\shim.efi",
	"opensuse\\grub" UEFI_ARCH_LOWER ".efi",
	"sles\\shim.efi",
	"sles\\grub" UEFI_ARCH_LOWER ".efi",
	"arch\\grub" UEFI_ARCH_LOWER ".efi",
	"grub\\grub" UEFI_ARCH_LOWER ".efi",
	"systemd\\systemd-boot" UEFI_ARCH_LOWER ".efi",
	"Microsoft\\Boot\\bootmgfw.efi",
};
/* clang-format on */

struct chain {
	const struct config *config;
	const struct esps *esps;
	struct text *out;
	struct entries entries;
	EFI_STATUS status; /* of the loader that ended the search */
};

/* One loader to try. */
struct loader {
	const struct esp *esp;
	CHAR16 file[PATH_CHARS];
	void *options;
	uint32_t options_bytes;
	const char *why;
};

static void say(struct chain *c, const struct loader *l, const char *before, const char *after)
{
	text_str(c->out, before);
	path_file_text(l->file, c->out);
	text_str(c->out, after);
}

static void say_esp(struct chain *c, const struct esp *esp)
{
	if (esp->disk == NO_DISK) {
		text_str(c->out, "another device");
		return;
	}
	text_str(c->out, "disk ");
	text_u64(c->out, esp->disk);
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
	say_esp(c, l->esp);
	text_char(c->out, '\n');
}

/* Ours, or what started us, by name: our clone on another ESP has the same one. */
static bool is_self(const struct chain *c, const CHAR16 *file)
{
	return path_file_same(file, c->esps->self) || path_file_in(file, OUR_FOLDER);
}

/*
 * Our own load options, when they can be meant for the next loader: a text. The
 * shell passes our own name as its first word, which is not.
 */
static void inherit_options(const struct chain *c, struct loader *l)
{
	const CHAR16 *text = c->esps->options;
	uint32_t chars = c->esps->options_bytes / 2, word = 0, i;

	if (text == NULL || (c->esps->options_bytes & 1) != 0 || chars == 0)
		return;
	for (i = 0; i < chars && text[i]; i++)
		if (text[i] < ' ' || text[i] > 0xfff0)
			return;
	if (i == chars)
		return; /* no end: not a text */
	while (text[word] && text[word] != ' ')
		word++;
	if (word >= 4 && path_file_in(text + word - 4, ".efi")) {
		while (text[word] == ' ')
			word++;
	} else {
		word = 0;
	}
	if (text[word] == 0)
		return;
	l->options = (void *)(text + word);
	l->options_bytes = (i + 1 - word) * 2;
}

static EFI_STATUS load(const struct loader *l, EFI_HANDLE *child)
{
	EFI_DEVICE_PATH *path = path_with_file(l->esp->path, l->file);
	EFI_LOADED_IMAGE *image;
	EFI_STATUS status;

	*child = NULL;
	if (path == NULL)
		return EFI_OUT_OF_RESOURCES;
	status = uefi_bs->LoadImage(FALSE, uefi_image, path, NULL, 0, child);
	uefi_free(path);
	if (status != EFI_SUCCESS)
		return status;
	image = uefi_protocol(*child, &uefi_loaded_image);
	if (image && l->options) {
		image->LoadOptions = l->options;
		image->LoadOptionsSize = l->options_bytes;
	}
	return EFI_SUCCESS;
}

/* False: go on to the next loader. True: c->status is what we return to the firmware. */
static bool try(struct chain *c, struct loader *l)
{
	EFI_HANDLE child;

	if (is_self(c, l->file) || !esp_has_file(l->esp, l->file))
		return false;
	if (l->options == NULL)
		inherit_options(c, l);

	say(c, l, "Starting ", " on ");
	say_esp(c, l->esp);
	text_str(c->out, ", ");
	text_str(c->out, l->why);
	text_str(c->out, ".\n");
	console_flush();

	c->status = load(l, &child);
	if (c->status == EFI_SECURITY_VIOLATION || c->status == EFI_ACCESS_DENIED) {
		/* A violation still leaves a handle, of an image that must not run. */
		if (c->status == EFI_SECURITY_VIOLATION && child)
			uefi_bs->UnloadImage(child);
		say(c, l, "The firmware does not trust ", ": stopped, no other loader is tried");
		say_status(c, c->status);
		return true;
	}
	if (c->status != EFI_SUCCESS) {
		say(c, l, "", " can't be loaded");
		say_status(c, c->status);
		return false;
	}

	c->status = uefi_bs->StartImage(child, NULL, NULL);
	if (c->status == EFI_ALREADY_STARTED)
		return false; /* it was ourselves under another name */
	say(c, l, "", " came back");
	say_status(c, c->status);
	return true;
}

static bool try_file(struct chain *c, const struct esp *esp, const char *file, const char *why)
{
	struct loader l = {.esp = esp, .why = why};

	return path_from_ascii(l.file, PATH_CHARS, file) && try(c, &l);
}

/* next = one path, or several with commas between them; with or without a leading backslash. */
static bool try_configured(struct chain *c, const struct esp *esp)
{
	const char *next = c->config->next;

	while (*next) {
		struct loader l = {.esp = esp, .why = "as configured"};
		size_t n = 0;

		while (*next == ' ' || *next == ',')
			next++;
		if (*next && *next != '\\' && *next != '/')
			l.file[n++] = '\\';
		for (; *next && *next != ','; next++)
			l.file[n++] = *next == '/' ? '\\' : (unsigned char)*next;
		while (n > 0 && l.file[n - 1] == ' ')
			n--;
		l.file[n] = 0;
		if (n == 0)
			continue;
		if (!is_self(c, l.file) && !esp_has_file(esp, l.file))
			say_missing(c, &l);
		if (try(c, &l))
			return true;
	}
	return false;
}
_Static_assert(CONFIG_VALUE_BYTES + 1 < PATH_CHARS, "a configured path fits, with a backslash");

static bool try_entries(struct chain *c, const struct esp *esp)
{
	struct entry e;
	unsigned at = 0;

	while (entries_next(&c->entries, &at, esp, &e)) {
		struct loader l = {.esp = esp,
				   .options = e.options,
				   .options_bytes = e.options_bytes,
				   .why = "its boot entry"};

		memcpy(l.file, e.file, sizeof(l.file));
		if (try(c, &l))
			return true;
		uefi_free(e.options);
	}
	return false;
}

static bool try_known(struct chain *c, const struct esp *esp)
{
	for (size_t i = 0; i < sizeof(known_loaders) / sizeof(*known_loaders); i++) {
		struct loader l = {.esp = esp, .why = "a loader known by its path"};
		CHAR16 *file = l.file;

		path_from_ascii(file, PATH_CHARS, "\\EFI\\");
		path_from_ascii(file + 5, PATH_CHARS - 5, known_loaders[i]);
		if (try(c, &l))
			return true;
	}
	return false;
}

EFI_STATUS chain_start(const struct config *config, const struct esps *esps, struct text *out)
{
	struct chain c = {.config = config, .esps = esps, .out = out};

	entries_read(&c.entries);
	for (unsigned i = 0; i < esps->count; i++) {
		const struct esp *esp = &esps->esp[i];

		if (i == 1)
			text_str(out, "Nothing could be started there; trying other disks.\n");
		if (try_configured(&c, esp) || try_entries(&c, esp) ||
		    try_file(&c, esp, "\\EFI\\BOOT\\BOOT" UEFI_ARCH_UPPER ".REPLACED.EFI",
			     "the fallback loader of before") ||
		    try_known(&c, esp) ||
		    try_file(&c, esp, "\\EFI\\BOOT\\BOOT" UEFI_ARCH_UPPER ".EFI",
			     "the fallback loader"))
			return c.status;
	}
	text_str(out, "No loader found on any EFI system partition.\n");
	return EFI_NOT_FOUND;
}
