/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* Making a manifest; docs/formats/manifest.md. */
#include "common/manifest.h"
#include "common/text.h"

static void put(struct text *t, char c)
{
	struct manifest_writer *w = t->ctx;

	if (w->bytes == w->room)
		w->full = true;
	else
		w->text[w->bytes++] = c;
}

static struct text sink(struct manifest_writer *w)
{
	return (struct text){.put = put, .ctx = w};
}

static void put_hash(struct text *t, const uint8_t sha256[SHA256_BYTES])
{
	for (unsigned i = 0; i < SHA256_BYTES; i++)
		text_hex(t, sha256[i], 2);
}

static void put_guid(struct text *t, const char *key, const struct guid *g)
{
	char text[GUID_TEXT_BYTES];

	guid_text_gpt(g, text);
	text_str(t, key);
	text_str(t, text);
	text_char(t, '\n');
}

void manifest_begin(struct manifest_writer *w, char *text, size_t room, const struct guid *set,
		    uint64_t generation, enum manifest_state state, const struct guid *source)
{
	struct text t = sink(w);

	*w = (struct manifest_writer){.text = text, .room = room};
	if (room > MANIFEST_BYTES_MAX)
		w->room = MANIFEST_BYTES_MAX;
	text_str(&t, "mirrorboot-manifest 1\n");
	put_guid(&t, "set ", set);
	text_str(&t, "generation ");
	text_u64(&t, generation);
	text_str(&t, state == MANIFEST_COMPLETE ? "\nstate complete\n" : "\nstate updating\n");
	put_guid(&t, "source ", source);
}

void manifest_add(struct manifest_writer *w, const struct manifest_file *f)
{
	struct text t = sink(w);

	if (!manifest_path_ok(f->path, f->path_bytes)) {
		w->bad_path = true;
		return;
	}
	text_str(&t, "file ");
	put_hash(&t, f->sha256);
	text_char(&t, ' ');
	text_u64(&t, f->bytes);
	text_char(&t, ' ');
	text_hex(&t, f->fat_time, 8);
	text_char(&t, ' ');
	for (size_t i = 0; i < f->path_bytes; i++)
		text_char(&t, f->path[i]);
	text_char(&t, '\n');
}

enum status manifest_end(struct manifest_writer *w)
{
	struct text t = sink(w);
	uint8_t hash[SHA256_BYTES];
	struct sha256 sum;

	sha256_init(&sum);
	sha256_add(&sum, w->text, w->bytes);
	sha256_end(&sum, hash);
	text_str(&t, "end ");
	put_hash(&t, hash);
	text_char(&t, '\n');
	if (w->bad_path)
		return ST_UNSUPPORTED;
	return w->full ? ST_FULL : ST_OK;
}
