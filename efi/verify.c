/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "efi/verify.h"

#include "common/espcheck.h"
#include "efi/espfile.h"

#define IMAGE_BYTES_MAX (512u << 20)
#define UTF8_BYTES      (3 * PATH_CHARS)

struct verify {
	const struct esp *esp;
	struct text *out;
	struct espfile_sign sign;
	char loader[UTF8_BYTES]; /* its path, as in manifests */
	size_t loader_bytes;
	const char *listed; /* that, in the manifest's text; NULL: it is not there */
	unsigned changed;   /* files that are not as listed, and not damaged */
	char first[UTF8_BYTES];
	size_t first_bytes;
	unsigned entries, entries_gone; /* those that may be missing */
};

static void say_path(struct verify *v, const char *path, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		text_char(v->out, path[i] >= ' ' && path[i] < 127 ? path[i] : '?');
}

static void say(struct verify *v, const char *path, size_t bytes, const char *what)
{
	espfile_sign_end(&v->sign);
	say_path(v, path, bytes);
	text_str(v->out, " on ");
	esp_say(v->esp, v->out);
	text_str(v->out, what);
	text_char(v->out, '\n');
}

static void note_change(struct verify *v, const char *path, size_t bytes)
{
	if (v->changed++ > 0)
		return;
	v->first_bytes = bytes < sizeof(v->first) ? bytes : sizeof(v->first);
	memcpy(v->first, path, v->first_bytes);
}

static void say_changes(struct verify *v)
{
	if (v->changed == 0)
		return;
	say_path(v, v->first, v->first_bytes);
	if (v->changed > 1) {
		text_str(v->out, " and ");
		text_u64(v->out, v->changed - 1);
		text_str(v->out, v->changed == 2 ? " other file" : " other files");
	}
	text_str(v->out, " changed since the manifest of ");
	esp_say(v->esp, v->out);
	text_str(v->out, " was written: \"mirrorboot esp manifest\" refreshes it.\n");
}

/* One file that was read. False: it is damaged, and that has been said. */
static bool judge(struct verify *v, const struct manifest_file *listed, const struct espfile *f,
		  const uint8_t sha256[SHA256_BYTES])
{
	switch (manifest_judge(listed, f->bytes, f->fat_time, sha256)) {
	case MANIFEST_DAMAGED:
		say(v, listed->path, listed->path_bytes, " is damaged.");
		return false;
	case MANIFEST_CHANGED: note_change(v, listed->path, listed->path_bytes); return true;
	default: return true;
	}
}

/* A listed file beside the loader. False: damaged, unreadable, or missing and needed. */
static bool check_file(struct verify *v, const struct manifest_file *listed, enum espcheck need)
{
	uint8_t sha256[SHA256_BYTES];
	CHAR16 name[PATH_CHARS];
	struct espfile f;
	enum status st;
	bool ok;

	if (!path_from_utf8(listed->path, listed->path_bytes, name, PATH_CHARS))
		return true; /* a longer path than the firmware's loaders use */
	v->entries += need == ESPCHECK_IF_THERE;
	st = espfile_open(v->esp->handle, name, &f);
	if (st == ST_ABSENT && need == ESPCHECK_IF_THERE) {
		v->entries_gone++;
		note_change(v, listed->path, listed->path_bytes);
		return true;
	}
	if (st == ST_ABSENT) {
		say(v, listed->path, listed->path_bytes, " is missing.");
		return false;
	}
	if (st == ST_OK) {
		st = espfile_read_all(&f, UINT64_MAX, NULL, sha256, &v->sign);
		espfile_close(&f);
	}
	ok = st == ST_OK;
	if (!ok)
		say(v, listed->path, listed->path_bytes, " can't be read.");
	return ok && judge(v, listed, &f, sha256);
}

/* What the loader will read, or may. */
static bool check_beside(struct verify *v, uint8_t verify)
{
	const struct manifest *m = &v->esp->manifest;
	struct manifest_file listed;
	size_t at = m->first;

	while (manifest_next(m, &at, &listed)) {
		enum espcheck need = espcheck_file(verify, listed.path, listed.path_bytes,
						   v->loader, v->loader_bytes);

		if (need != ESPCHECK_NO && listed.path != v->listed &&
		    !check_file(v, &listed, need))
			return false;
	}
	/* Some deleted is a person's work; all of them is a broken folder. */
	if (v->entries > 0 && v->entries == v->entries_gone) {
		say(v, v->first, v->first_bytes, " is missing, with all others of its kind.");
		return false;
	}
	return true;
}

/* The loader's bytes, and their hash. Where memory is short: the hash only. */
static enum status read_image(struct verify *v, struct espfile *f, struct verify_image *image,
			      uint8_t sha256[SHA256_BYTES])
{
	enum status st = espfile_read_all(f, IMAGE_BYTES_MAX, &image->data, sha256, &v->sign);

	if (st == ST_OK)
		image->bytes = (size_t)f->bytes;
	if (st != ST_FULL)
		return st;
	say(v, v->loader, v->loader_bytes,
	    " is too large to be held in memory: the firmware reads it again, unchecked.");
	return espfile_read_all(f, UINT64_MAX, NULL, sha256, &v->sign);
}

static enum verify_result check_loader(struct verify *v, const CHAR16 *file, uint8_t verify,
				       struct verify_image *image)
{
	const struct manifest *m = v->esp->manifest_status == ST_OK && verify != CONFIG_VERIFY_NO
					   ? &v->esp->manifest
					   : NULL;
	uint8_t sha256[SHA256_BYTES];
	struct manifest_file listed;
	struct espfile f;
	enum status st = espfile_open(v->esp->handle, file, &f);
	bool is_listed = m && manifest_find(m, v->loader, v->loader_bytes, &listed);

	v->listed = is_listed ? listed.path : NULL;
	if (st == ST_ABSENT && !is_listed)
		return VERIFY_ABSENT;
	if (st == ST_ABSENT) {
		say(v, v->loader, v->loader_bytes, " is missing.");
		return VERIFY_LOADER;
	}
	if (st == ST_OK) {
		if (verify != CONFIG_VERIFY_NO)
			st = read_image(v, &f, image, sha256);
		espfile_close(&f);
	}
	if (st != ST_OK) {
		say(v, v->loader, v->loader_bytes, " can't be read.");
		return VERIFY_LOADER;
	}
	if (is_listed && !judge(v, &listed, &f, sha256))
		return VERIFY_LOADER;
	return m && !check_beside(v, verify) ? VERIFY_BESIDE : VERIFY_OK;
}

enum verify_result verify_loader(const struct esp *esp, const CHAR16 *file, uint8_t verify,
				 struct verify_image *image, struct text *out)
{
	struct verify v = {.esp = esp, .out = out};
	enum verify_result result;

	*image = (struct verify_image){0};
	if (!path_to_utf8(file, v.loader, sizeof(v.loader), &v.loader_bytes))
		v.loader_bytes = 0; /* not a path that a manifest can have */
	espfile_sign_start(&v.sign, out);
	result = check_loader(&v, file, verify, image);
	espfile_sign_end(&v.sign);
	if (result == VERIFY_OK)
		say_changes(&v);
	else
		verify_free(image);
	return result;
}

void verify_free(struct verify_image *image)
{
	if (image->data)
		uefi_free_pages(image->data, image->bytes);
	*image = (struct verify_image){0};
}
