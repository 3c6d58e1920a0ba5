/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* Reading a manifest; docs/formats/manifest.md. */
#include "common/manifest.h"

#include "common/mem.h"

#define END_BYTES (4 + 2 * SHA256_BYTES + 1) /* "end ", the hash, the LF */

/* What is left of a line: words are taken from its start. */
struct line {
	const char *at;
	size_t left;
};

/* The line that starts at *at, without its LF; *at moves behind it. False: no whole line there. */
static bool next_line(const struct manifest *m, size_t *at, size_t end, struct line *l)
{
	size_t i = *at;

	while (i < end && m->text[i] != '\n')
		i++;
	if (i == end)
		return false;
	*l = (struct line){m->text + *at, i - *at};
	*at = i + 1;
	return true;
}

/* Up to a blank, which is taken too; all of the line where there is none. */
static struct line word(struct line *l)
{
	struct line w = {l->at, 0};

	while (w.left < l->left && l->at[w.left] != ' ')
		w.left++;

	size_t used = w.left + (w.left < l->left);

	l->at += used;
	l->left -= used;
	return w;
}

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool get_hash(struct line w, uint8_t out[SHA256_BYTES])
{
	if (w.left != 2 * SHA256_BYTES)
		return false;
	for (unsigned i = 0; i < SHA256_BYTES; i++) {
		int high = hex(w.at[2 * i]), low = hex(w.at[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		out[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

/* Decimal, without a sign or zeroes before it: a number has one spelling. */
static bool get_u64(struct line w, uint64_t *out)
{
	uint64_t n = 0;

	if (w.left == 0 || (w.left > 1 && w.at[0] == '0'))
		return false;
	for (; w.left; w.at++, w.left--) {
		unsigned digit = (unsigned)(*w.at - '0');

		if (digit > 9 || n > UINT64_MAX / 10 || n * 10 > UINT64_MAX - digit)
			return false;
		n = n * 10 + digit;
	}
	*out = n;
	return true;
}

static bool get_hex32(struct line w, uint32_t *out)
{
	uint32_t n = 0;

	if (w.left != 8)
		return false;
	for (; w.left; w.at++, w.left--) {
		int digit = hex(*w.at);

		if (digit < 0)
			return false;
		n = n << 4 | (unsigned)digit;
	}
	*out = n;
	return true;
}

/* Length of the UTF-8 character at p, 0 when it is none: the table 3-7 of the Unicode standard. */
static unsigned utf8_char(const uint8_t *p, size_t left)
{
	unsigned n = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;

	if (n < 2 || n > left || p[0] > 0xf4)
		return n == 1;
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
	    (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
		return 0;
	for (unsigned i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	return n;
}

static bool is_forbidden(uint8_t c)
{
	static const char forbidden[] = "\"*/:<>?|\x7f";

	for (unsigned i = 0; forbidden[i]; i++)
		if (c == (uint8_t)forbidden[i])
			return true;
	return c < ' ';
}

bool manifest_path_ok(const char *path, size_t bytes)
{
	const uint8_t *p = (const uint8_t *)path;
	size_t name = 0; /* bytes of the name so far */
	bool dots = true;

	if (bytes < 2 || bytes > MANIFEST_PATH_BYTES || p[0] != '\\')
		return false;
	for (size_t i = 1; i < bytes;) {
		unsigned n = utf8_char(p + i, bytes - i);

		if (!n || is_forbidden(p[i]))
			return false;
		if (p[i] == '\\' && (!name || dots))
			return false;
		dots = p[i] == '\\' || (dots && p[i] == '.');
		name = p[i] == '\\' ? 0 : name + n;
		i += n;
	}
	return name && !dots;
}

static bool is_file_line(struct line l)
{
	return l.left >= 5 && mem_is_str(l.at, 5, "file ");
}

static bool get_file(struct line l, struct manifest_file *f)
{
	if (!is_file_line(l))
		return false;
	word(&l);
	if (!get_hash(word(&l), f->sha256) || !get_u64(word(&l), &f->bytes) ||
	    !get_hex32(word(&l), &f->fat_time))
		return false;
	f->path = l.at;
	f->path_bytes = l.left;
	return manifest_path_ok(l.at, l.left);
}

enum key { KEY_SET, KEY_GENERATION, KEY_STATE, KEY_SOURCE, KEYS };

static bool get_key(struct manifest *m, enum key key, struct line value)
{
	switch (key) {
	case KEY_SET: return guid_from_text_gpt(&m->set, value.at, value.left);
	case KEY_SOURCE: return guid_from_text_gpt(&m->source, value.at, value.left);
	case KEY_GENERATION: return get_u64(value, &m->generation);
	default: break;
	}
	m->state = mem_is_str(value.at, value.left, "complete") ? MANIFEST_COMPLETE
								: MANIFEST_UPDATING;
	return m->state == MANIFEST_COMPLETE || mem_is_str(value.at, value.left, "updating");
}

/* One line before the files. Of the known keys, each only once. */
static bool get_head_line(struct manifest *m, struct line l, unsigned *seen)
{
	static const char *const names[KEYS] = {"set", "generation", "state", "source"};
	struct line name = word(&l);

	if (!name.left || !l.left)
		return false;
	for (unsigned i = 0; i < KEYS; i++)
		if (mem_is_str(name.at, name.left, names[i])) {
			if (*seen & 1u << i)
				return false;
			*seen |= 1u << i;
			return get_key(m, (enum key)i, l);
		}
	return true;
}

/* The lines between the first and the end line, the last of which ends in a LF: none is cut. */
static enum status get_lines(struct manifest *m, size_t at)
{
	struct manifest_file f;
	unsigned seen = 0;
	struct line l;

	for (m->first = at; next_line(m, &at, m->end, &l) && !is_file_line(l); m->first = at)
		if (!get_head_line(m, l, &seen))
			return ST_CORRUPT;
	if (seen != (1u << KEYS) - 1)
		return ST_CORRUPT;
	for (at = m->first; next_line(m, &at, m->end, &l); m->files++)
		if (!get_file(l, &f))
			return ST_CORRUPT;
	return ST_OK;
}

static bool own_hash_ok(const struct manifest *m)
{
	uint8_t said[SHA256_BYTES], is[SHA256_BYTES];
	struct sha256 sum;

	if (m->text[m->end - 1] != '\n' || m->text[m->end + END_BYTES - 1] != '\n' ||
	    !mem_is_str(m->text + m->end, 4, "end ") ||
	    !get_hash((struct line){m->text + m->end + 4, 2 * SHA256_BYTES}, said))
		return false;
	sha256_init(&sum);
	sha256_add(&sum, m->text, m->end);
	sha256_end(&sum, is);
	return memcmp(said, is, SHA256_BYTES) == 0;
}

enum status manifest_open(struct manifest *m, const char *text, size_t bytes)
{
	uint64_t version;
	struct line l;
	size_t at = 0;

	*m = (struct manifest){.text = text};
	if (bytes <= END_BYTES || bytes > MANIFEST_BYTES_MAX)
		return ST_CORRUPT;
	m->end = bytes - END_BYTES;
	if (!next_line(m, &at, m->end, &l))
		return ST_CORRUPT;

	struct line name = word(&l);

	if (!mem_is_str(name.at, name.left, "mirrorboot-manifest") || !get_u64(l, &version) ||
	    version == 0)
		return ST_CORRUPT;
	if (version > 1)
		return ST_UNSUPPORTED; /* how it ends is not known */
	return own_hash_ok(m) ? get_lines(m, at) : ST_CORRUPT;
}

bool manifest_next(const struct manifest *m, size_t *at, struct manifest_file *f)
{
	struct line l;

	return *at < m->end && next_line(m, at, m->end, &l) && get_file(l, f);
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool same_path(const char *a, const char *b, size_t bytes)
{
	while (bytes && lower(*a) == lower(*b)) {
		a++;
		b++;
		bytes--;
	}
	return bytes == 0;
}

bool manifest_find(const struct manifest *m, const char *path, size_t path_bytes,
		   struct manifest_file *f)
{
	size_t at = m->first;

	while (manifest_next(m, &at, f))
		if (f->path_bytes == path_bytes && same_path(f->path, path, path_bytes))
			return true;
	return false;
}

enum manifest_verdict manifest_judge(const struct manifest_file *f, uint64_t bytes,
				     uint32_t fat_time, const uint8_t sha256[SHA256_BYTES])
{
	if (f->bytes != bytes)
		return MANIFEST_CHANGED;
	if (memcmp(f->sha256, sha256, SHA256_BYTES) == 0)
		return MANIFEST_SAME;
	return f->fat_time == fat_time ? MANIFEST_DAMAGED : MANIFEST_CHANGED;
}
