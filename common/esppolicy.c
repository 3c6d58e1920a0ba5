/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "common/esppolicy.h"

#include "common/mem.h"

static const struct esppolicy_rule defaults[] = {
	{"/System Volume Information", ESP_LEFT},
	{"/EFI/UpdateCapsule", ESP_LEFT},
	{"/EFI/*/fw", ESP_LEFT},
	{"grubenv", ESP_ONCE},
	{"bootstat.dat", ESP_ONCE},
};

/* A seed that two systems share is none, and a manifest is about one ESP: no option changes that.
 */
static const struct esppolicy_rule always[] = {
	{"/loader/random-seed", ESP_LEFT},
	{"/EFI/mirrorboot/manifest", ESP_LEFT},
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static char plain(char c)
{
	if (c == '\\')
		return '/';
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* All of it. A star goes as far as it has to, and never past a slash. */
static bool matches(const char *pattern, const char *text, size_t n)
{
	const char *star = NULL;
	size_t at = 0, star_at = 0;

	while (at < n) {
		char p = plain(*pattern), c = plain(text[at]);

		if (p == '*') {
			star = ++pattern;
			star_at = at;
		} else if (p && (p == c || (p == '?' && c != '/'))) {
			pattern++;
			at++;
		} else if (star && plain(text[star_at]) != '/') {
			pattern = star;
			at = ++star_at;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return !*pattern;
}

/* The path, or a folder that it is in. */
static bool fits(const char *pattern, const char *path, size_t bytes)
{
	size_t name = 0;

	for (size_t n = 1; n <= bytes; n++) {
		if (plain(path[n - 1]) == '/')
			name = n;
		if (n < bytes && plain(path[n]) != '/')
			continue;
		if (plain(*pattern) == '/' ? matches(pattern, path, n)
					   : matches(pattern, path + name, n - name))
			return true;
	}
	return false;
}

static bool by_rules(const struct esppolicy_rule *rule, unsigned count, const char *path,
		     size_t bytes, enum esp_policy *what)
{
	while (count--)
		if (fits(rule[count].pattern, path, bytes)) {
			*what = rule[count].what;
			return true;
		}
	return false;
}

enum esp_policy esppolicy_of(const char *path, size_t bytes, const struct esppolicy_rule *rule,
			     unsigned count)
{
	enum esp_policy what = ESP_CLONED;

	if (!by_rules(always, COUNT(always), path, bytes, &what) &&
	    !by_rules(rule, count, path, bytes, &what))
		by_rules(defaults, COUNT(defaults), path, bytes, &what);
	return what;
}

bool esppolicy_is_covered(const char *path, size_t bytes)
{
	return esppolicy_of(path, bytes, NULL, 0) == ESP_CLONED;
}

bool esppolicy_is_ours(const char *path, size_t bytes)
{
	static const char *const places[] = {
		"/EFI/mirrorboot", "/EFI/BOOT/BOOTX64.EFI", "/EFI/BOOT/BOOTIA32.EFI",
		"/EFI/BOOT/BOOTX64.REPLACED.EFI", "/EFI/BOOT/BOOTIA32.REPLACED.EFI"};

	for (unsigned i = 0; i < COUNT(places); i++)
		if (fits(places[i], path, bytes))
			return true;
	return false;
}

/* ---- boot counters ---- */

bool esppolicy_is_entry(const char *path, size_t bytes)
{
	return matches("/loader/entries/*.conf", path, bytes) ||
	       matches("/EFI/Linux/*.efi", path, bytes);
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

bool esppolicy_counter(const char *path, size_t path_bytes, size_t *at, size_t *bytes)
{
	size_t dot = path_bytes, p;

	if (!esppolicy_is_entry(path, path_bytes))
		return false;
	while (path[dot - 1] != '.') /* an entry has one */
		dot--;
	p = --dot;
	/* "+LEFT" or "+LEFT-DONE", right before the dot */
	for (unsigned numbers = 1; numbers <= 2; numbers++) {
		size_t end = p;

		while (p > 0 && is_digit(path[p - 1]))
			p--;
		if (p == end || p == 0)
			return false;
		if (path[--p] == '+') {
			*at = p;
			*bytes = dot - p;
			return true;
		}
		if (path[p] != '-')
			return false;
	}
	return false;
}

bool esppolicy_same(const char *a, const char *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (plain(a[i]) != plain(b[i]))
			return false;
	return true;
}

bool esppolicy_keeps_counter(const struct manifest_file *a, const struct manifest_file *b)
{
	size_t a_at, a_bytes, b_at, b_bytes, rest;

	if (!esppolicy_counter(a->path, a->path_bytes, &a_at, &a_bytes))
		return false;
	rest = a->path_bytes - a_at - a_bytes;
	if (!esppolicy_counter(b->path, b->path_bytes, &b_at, &b_bytes)) {
		b_at = a_at;
		b_bytes = 0;
	}
	return b_at == a_at && b->path_bytes - b_bytes == a->path_bytes - a_bytes &&
	       esppolicy_same(a->path, b->path, a_at) &&
	       esppolicy_same(a->path + a_at + a_bytes, b->path + b_at + b_bytes, rest) &&
	       a->bytes == b->bytes && memcmp(a->sha256, b->sha256, SHA256_BYTES) == 0;
}
