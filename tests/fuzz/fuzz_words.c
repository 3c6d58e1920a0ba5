/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * Texts that are not files of ours: load options, words of a command, patterns, paths, names,
 * GUIDs that a person typed. The first byte says as what the rest is taken.
 */
#include "common/cloneargs.h"
#include "common/espcheck.h"
#include "common/esppolicy.h"
#include "common/guid.h"
#include "common/text.h"
#include "common/ucs2.h"
#include "tests/fuzz/fuzz.h"

enum what { COMMAND, PATTERN, UTF16, UTF8, GUID, ENTRY, WHATS };

/* One character too many for the room is seen by the sanitizer; and each word ends in the text. */
static void command(const char *text, size_t n)
{
	static struct cmdline c;
	struct cloneargs a;
	unsigned first, number;

	say("command");
	if (!cmdline_split(&c, text, n)) {
		say("too-long");
		return;
	}
	check(c.count <= CMDLINE_WORDS);
	for (unsigned i = 0; i < c.count; i++) {
		check(c.word[i] >= c.text && c.word[i] <= c.text + CMDLINE_CHARS);
		check(strlen(c.word[i]) <= n);
		check(cmdline_same(c.word[i], c.word[i]));
		if (cmdline_number(c.word[i], 1000, &number)) {
			check(number <= 1000);
			say_number("number", number);
		}
	}
	first = cmdline_first(&c, "mirrorboot.efi");
	check(first <= 1 && first <= c.count);
	if (cloneargs_parse(&a, c.word + first, c.count - first))
		check(a.count <= c.count - first);
	else
		say("no-option");
}

/* The same, slowly and by a table: is text[0..n) what the pattern says? */
static bool slowly(const char *p, size_t p_n, const char *t, size_t n)
{
	static bool can[2][600];
	bool *now = can[0], *next = can[1], *turn;

	memset(can, 0, sizeof(can));
	now[0] = true; /* now[j]: the pattern so far fits the first j characters */
	for (size_t i = 0; i < p_n; i++) {
		for (size_t j = 0; j <= n; j++) {
			if (p[i] == '*')
				next[j] = now[j] || (j > 0 && next[j - 1] && t[j - 1] != '/');
			else
				next[j] = j > 0 && now[j - 1] &&
					  (p[i] == t[j - 1] || (p[i] == '?' && t[j - 1] != '/'));
		}
		turn = now;
		now = next;
		next = turn;
	}
	return now[n];
}

static void plain(char *text, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (text[i] == '\\')
			text[i] = '/';
		else if (text[i] >= 'A' && text[i] <= 'Z')
			text[i] = (char)(text[i] - 'A' + 'a');
	}
}

/*
 * A pattern and a path, with a newline between: a rule with the pattern counts for the path, or
 * for one of the folders that it lies in, when the pattern fits that.
 */
static void pattern(char *text, size_t n)
{
	char *end = memchr(text, '\n', n), *path = end + 1, *name;
	struct esppolicy_rule rule = {text, ESP_INCLUDED};
	size_t path_n, from;
	bool fits = false;

	if (!end || n > 400 || memchr(text, 0, n))
		return;
	*end = '\0';
	path_n = n - (size_t)(path - text);
	if (path_n == 0 || (path[0] != '\\' && path[0] != '/'))
		return;
	say("pattern");
	enum esp_policy what = esppolicy_of(path, path_n, &rule, 1);

	say_number("policy", what);
	(void)esppolicy_is_covered(path, path_n);
	(void)esppolicy_is_ours(path, path_n);
	check(espcheck_file(CONFIG_VERIFY_NO, path, path_n, path, path_n) == ESPCHECK_NO);
	check(espcheck_file(CONFIG_VERIFY_ALL, path, path_n, path, path_n) != ESPCHECK_NO);
	(void)espcheck_file(CONFIG_VERIFY_LOADER, path, path_n, "/EFI/x/a.efi", 12);
	plain(text, (size_t)(end - text));
	plain(path, path_n);
	for (size_t to = 1; to <= path_n; to++) { /* each folder, and the whole */
		if (to < path_n && path[to] != '/')
			continue;
		for (from = to; path[from - 1] != '/'; from--)
			;
		name = text[0] == '/' ? path : path + from;
		fits |= slowly(text, (size_t)(end - text), name, (size_t)(path + to - name));
	}
	if (what == ESP_INCLUDED)
		check(fits);
	if (fits && what != ESP_INCLUDED) /* only what belongs to one ESP alone is stronger */
		check(what == ESP_LEFT);
}

static void drop(struct text *t, char c)
{
	size_t *n = t->ctx;

	check(c != '\x1b' && (uint8_t)c >= ' ' && c != 0x7f);
	++*n;
}

/* Texts of UEFI: as many bytes as can be, and back. */
static void utf16(const uint8_t *data, size_t n)
{
	size_t bytes = 0;
	struct text out = {.put = drop, .ctx = &bytes};

	say("utf16");
	ucs2_text(data, n / 2, &out);
	check(bytes <= n / 2 * 3);
}

static void utf8(const char *text, size_t n)
{
	uint16_t *units = malloc(2 * n + 2);
	size_t count = 0, bytes = 0;
	struct text out = {.put = drop, .ctx = &bytes};

	say("utf8");
	check(units != NULL);
	if (ucs2_from_utf8(text, n, units, n, &count)) {
		check(count <= n);
		ucs2_text((const uint8_t *)units, count, &out);
		check(bytes <= n);
		/* One less than it takes: said, and not written (the sanitizer looks on). */
		if (count > 0) {
			uint16_t *less = malloc(2 * (count - 1) + 1);
			size_t got = 0;

			check(less && !ucs2_from_utf8(text, n, less, count - 1, &got));
			free(less);
		}
	} else {
		say("no-utf8");
	}
	free(units);
}

static void guid(const char *text, size_t n)
{
	char again[GUID_TEXT_BYTES], *ended = malloc(n + 1);
	struct guid g, h;

	check(ended != NULL);
	memcpy(ended, text, n);
	ended[n] = '\0';
	if (guid_from_text(&g, text, n)) {
		say("guid");
		guid_text_md(&g, again);
		check(guid_from_text(&h, again, strlen(again)) && guid_equal(&g, &h));
		check(guid_matches_text(&g, again));
		if (strlen(ended) == n)
			check(guid_matches_text(&g, ended));
	} else {
		say("no-guid");
		memset(&g, 0xa5, sizeof(g));
		check(!guid_matches_text(&g, ended));
	}
	if (guid_from_text_gpt(&g, text, n)) {
		check(n == 36);
		guid_text_gpt(&g, again);
		for (unsigned i = 0; i < 36; i++)
			check((again[i] | 32) == (text[i] | 32));
	}
	free(ended);
}

static void entry(const char *path, size_t n)
{
	size_t at = 0, bytes = 0;

	say("entry");
	if (esppolicy_counter(path, n, &at, &bytes)) {
		say("counter");
		check(at < n && bytes > 1 && bytes <= n - at && path[at] == '+');
		for (size_t i = at + 1; i < at + bytes; i++)
			check((path[i] >= '0' && path[i] <= '9') || path[i] == '-');
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	uint8_t *own;

	if (n < 1)
		return 0;
	own = own_copy(data + 1, --n);
	switch (data[0] % WHATS) {
	case COMMAND: command((char *)own, n); break;
	case PATTERN: pattern((char *)own, n); break;
	case UTF16: utf16(own, n); break;
	case UTF8: utf8((char *)own, n); break;
	case GUID: guid((char *)own, n); break;
	default: entry((char *)own, n); break;
	}
	free(own);
	return 0;
}
