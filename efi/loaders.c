/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "efi/loaders.h"

#define OUR_FOLDER "\\EFI\\mirrorboot\\"
#define FALLBACK   "\\EFI\\BOOT\\BOOT" UEFI_ARCH_UPPER ".EFI"
#define REPLACED   "\\EFI\\BOOT\\BOOT" UEFI_ARCH_UPPER ".REPLACED.EFI"

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

#define KNOWN (sizeof(known_loaders) / sizeof(*known_loaders))

enum step { STEP_CONFIGURED, STEP_ENTRIES, STEP_REPLACED, STEP_KNOWN, STEP_FALLBACK, STEP_END };

void loaders_start(struct loaders *s, const struct config *c, const struct esps *esps,
		   const struct entries *entries, const struct esp *esp)
{
	*s = (struct loaders){
		.config = c, .esps = esps, .entries = entries, .esp = esp, .next = c->next};
}

void loaders_done(struct loader *l)
{
	if (l->options_ours)
		uefi_free(l->options);
	l->options = NULL;
	l->options_bytes = 0;
	l->options_ours = false;
}

/* Ours, or what started us, by name: our clone on another ESP has the same one. */
static bool is_self(const struct loaders *s, const CHAR16 *file)
{
	return path_file_same(file, s->esps->self) || path_file_in(file, OUR_FOLDER);
}

/* ---- boot entries ---------------------------------------------------------------------------- */

static void take_options(struct loader *l, struct entry *e)
{
	l->options = e->options;
	l->options_bytes = e->options_bytes;
	l->options_ours = e->options != NULL;
}

static bool is_partition(const struct esp *esp, const struct guid *guid)
{
	return esp->hd && memcmp(esp->hd->signature, guid->b, sizeof(guid->b)) == 0;
}

/*
 * Whose entries count for an ESP: 0, its own; then those of its clones, the same files
 * being there; and at the end those of the ESP that it was cloned from, whose disk may be
 * gone. False: no more of them.
 */
static bool entries_of(const struct loaders *s, unsigned clone, struct entries_esp *of)
{
	const struct esps *all = s->esps;

	*of = (struct entries_esp){.hd = NULL};
	if (clone == 0) {
		of->hd = s->esp->hd;
	} else if (clone <= all->count) {
		const struct esp *other = &all->esp[clone - 1];

		if (other != s->esp && esp_same_set(other, s->esp))
			of->hd = other->hd;
	} else if (clone == all->count + 1) {
		if (s->esp->manifest_status == ST_OK &&
		    !is_partition(s->esp, &s->esp->manifest.source))
			of->guid = &s->esp->manifest.source;
	} else {
		return false;
	}
	return true;
}

/* Those of the first entry for the same file. */
static void find_options(const struct loaders *s, struct loader *l)
{
	struct entries_esp of;
	struct entry e;

	for (unsigned clone = 0; entries_of(s, clone, &of); clone++)
		for (unsigned at = 0; entries_next(s->entries, &at, &of, &e);) {
			if (path_file_same(e.file, l->file)) {
				take_options(l, &e);
				return;
			}
			uefi_free(e.options);
		}
}

static bool next_entry(struct loaders *s, struct loader *l)
{
	struct entries_esp of;
	struct entry e;

	for (; entries_of(s, s->clone, &of); s->clone++, s->entry = 0) {
		if (!entries_next(s->entries, &s->entry, &of, &e))
			continue;
		memcpy(l->file, e.file, sizeof(l->file));
		take_options(l, &e);
		l->why = s->clone == 0 ? "its boot entry" : "the boot entry of its clone";
		return true;
	}
	return false;
}

/*
 * Our own load options, when they can be meant for the next loader: a text. The
 * shell passes our own name as its first word, which is not.
 */
static void inherit_options(const struct esps *esps, struct loader *l)
{
	const CHAR16 *text = esps->options;
	uint32_t chars = esps->options_bytes / 2, word = 0, i;

	if (text == NULL || (esps->options_bytes & 1) != 0 || chars == 0)
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

/* ---- the search ------------------------------------------------------------------------------ */

/* next = one path, or several with commas between them; with or without a leading backslash. */
static bool next_configured(struct loaders *s, struct loader *l)
{
	while (*s->next) {
		size_t n = 0;

		while (*s->next == ' ' || *s->next == ',')
			s->next++;
		if (*s->next && *s->next != '\\' && *s->next != '/')
			l->file[n++] = '\\';
		for (; *s->next && *s->next != ','; s->next++)
			l->file[n++] = *s->next == '/' ? '\\' : (unsigned char)*s->next;
		while (n > 0 && l->file[n - 1] == ' ')
			n--;
		l->file[n] = 0;
		if (n == 0)
			continue;
		l->configured = true;
		l->why = "as configured";
		return true;
	}
	return false;
}
_Static_assert(CONFIG_VALUE_BYTES + 1 < PATH_CHARS, "a configured path fits, with a backslash");

static bool next_known(struct loaders *s, struct loader *l)
{
	if (s->known == KNOWN)
		return false;
	path_from_ascii(l->file, PATH_CHARS, "\\EFI\\");
	path_from_ascii(l->file + 5, PATH_CHARS - 5, known_loaders[s->known++]);
	l->why = "a loader known by its path";
	return true;
}

/* One candidate of this step; false: it has no more. */
static bool next_of_step(struct loaders *s, struct loader *l)
{
	switch (s->step) {
	case STEP_CONFIGURED: return next_configured(s, l);
	case STEP_ENTRIES: return next_entry(s, l);
	case STEP_KNOWN: return next_known(s, l);
	case STEP_REPLACED:
		l->why = "the fallback loader of before";
		path_from_ascii(l->file, PATH_CHARS, REPLACED);
		break;
	default:
		l->why = "the fallback loader";
		path_from_ascii(l->file, PATH_CHARS, FALLBACK);
		break;
	}
	s->step++;
	return true;
}

bool loaders_next(struct loaders *s, struct loader *l)
{
	while (s->step < STEP_END) {
		*l = (struct loader){.esp = s->esp};
		if (!next_of_step(s, l)) {
			s->step++;
			continue;
		}
		if (!is_self(s, l->file))
			return true;
		loaders_done(l);
	}
	return false;
}

void loaders_options(const struct loaders *s, struct loader *l)
{
	if (s->step != STEP_ENTRIES)
		find_options(s, l);
	if (l->options == NULL)
		inherit_options(s->esps, l);
}
