/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* The config, from the best copy that there is. */
#include "efi/esp.h"
#include "efi/espfile.h"

static const CHAR16 config_file[] = L"\\EFI\\mirrorboot\\mirrorboot.conf";
static const char config_path[] = "\\EFI\\mirrorboot\\mirrorboot.conf";

/* ST_ABSENT: this ESP has none, and should have none. ST_IO, ST_CORRUPT: it has no good one. */
static enum status read_copy(const struct esp *esp, struct esp_config_text *text)
{
	uint8_t sha256[SHA256_BYTES];
	struct manifest_file listed;
	struct espfile f;
	struct sha256 sum;
	enum status st = espfile_open(esp->handle, config_file, &f);
	bool is_listed =
		esp->manifest_status == ST_OK &&
		manifest_find(&esp->manifest, config_path, sizeof(config_path) - 1, &listed);

	if (st == ST_ABSENT)
		return is_listed ? ST_CORRUPT : ST_ABSENT;
	if (st != ST_OK)
		return st;
	text->bytes = f.bytes < sizeof(text->text) ? (size_t)f.bytes : sizeof(text->text);
	st = espfile_read(&f, text->text, text->bytes);
	espfile_close(&f);
	if (st != ST_OK || !is_listed || text->bytes < f.bytes)
		return st;
	sha256_init(&sum);
	sha256_add(&sum, text->text, text->bytes);
	sha256_end(&sum, sha256);
	return manifest_judge(&listed, f.bytes, f.fat_time, sha256) == MANIFEST_DAMAGED ? ST_CORRUPT
											: ST_OK;
}

void esp_own_trust(const struct esps *all, struct trust *t)
{
	static char text[CONFIG_TEXT_BYTES];
	static struct config c;
	struct config_error err;
	struct espfile f;
	size_t bytes;

	memset(t, 0, sizeof(*t));
	if (all->device == NULL || espfile_open(all->device, config_file, &f) != ST_OK)
		return;
	bytes = f.bytes < sizeof(text) ? (size_t)f.bytes : sizeof(text);
	if (espfile_read(&f, text, bytes) == ST_OK) {
		config_default(&c);
		config_parse(&c, text, bytes, &err);
		*t = c.trust;
	}
	espfile_close(&f);
}

static void say_copy(const struct esp *esp, enum status st, struct text *out)
{
	text_str(out, "mirrorboot.conf on ");
	esp_say(esp, out);
	text_str(out, st == ST_CORRUPT ? " is damaged or missing.\n" : " can't be read.\n");
}

enum status esp_read_config(const struct esps *all, struct config *c, struct esp_config_text *text,
			    struct config_error *err, struct text *out)
{
	enum status worst = ST_ABSENT;

	config_default(c);
	text->bytes = 0;
	/*
	 * On UEFI a further disk takes no other's number, and a loader that knows nothing
	 * of mirrors finds its files there: a volume for each mirror, unless told not to.
	 */
	c->volumes = true;
	*err = (struct config_error){0};
	for (unsigned i = 0; i < all->count; i++) {
		const struct esp *esp = &all->esp[i];
		enum status st = read_copy(esp, text);

		if (st == ST_OK) {
			if (!esp->choice.own) {
				text_str(out, "The configuration is that of ");
				esp_say(esp, out);
				text_str(out, ".\n");
			}
			return config_parse(c, text->text, text->bytes, err);
		}
		text->bytes = 0;
		/* Without a manifest, nobody says that another ESP's is ours, too. */
		if (st == ST_ABSENT)
			return worst;
		say_copy(esp, st, out);
		worst = ST_IO;
	}
	return worst;
}
