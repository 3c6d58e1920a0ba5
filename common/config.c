/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "common/config.h"

#include "common/mem.h"

/* A piece of the text: a word, not NUL-terminated. */
struct span {
	const char *at;
	size_t n;
};

enum key {
	KEY_MIRROR,
	KEY_NEXT,
	KEY_BOOT_DISK,
	KEY_MEMBERS,
	KEY_VOLUMES,
	KEY_WRITES,
	KEY_SPLIT_BRAIN,
	KEY_TIMEOUT,
	KEY_HIDE_STALE,
	KEY_CONSOLE,
	KEY_VERIFY,
	KEY_TRUST,
	KEY_COUNT,
};

static const char *const keys[KEY_COUNT] = {
	[KEY_MIRROR] = "mirror",           [KEY_NEXT] = "next",
	[KEY_BOOT_DISK] = "boot-disk",     [KEY_MEMBERS] = "members",
	[KEY_VOLUMES] = "volumes",         [KEY_WRITES] = "writes",
	[KEY_SPLIT_BRAIN] = "split-brain", [KEY_TIMEOUT] = "timeout",
	[KEY_HIDE_STALE] = "hide-stale",   [KEY_CONSOLE] = "console",
	[KEY_VERIFY] = "verify",           [KEY_TRUST] = "trust",
};

/* The words that a key can have, with what they mean and where it is kept. */
struct choice {
	uint8_t key;
	uint8_t value;
	uint8_t at; /* in struct config */
	const char *word;
};

#define AT(member) offsetof(struct config, member)

static const struct choice choices[] = {
	{KEY_BOOT_DISK, CONFIG_DISK, AT(boot_disk), "disk"},
	{KEY_BOOT_DISK, CONFIG_VOLUME, AT(boot_disk), "volume"},
	{KEY_MEMBERS, CONFIG_RAW, AT(members), "raw"},
	{KEY_MEMBERS, CONFIG_CONTENTS, AT(members), "contents"},
	{KEY_VOLUMES, true, AT(volumes), "yes"},
	{KEY_VOLUMES, false, AT(volumes), "no"},
	{KEY_WRITES, CONFIG_WRITES_AUTO, AT(writes), "auto"},
	{KEY_WRITES, CONFIG_WRITES_NO, AT(writes), "no"},
	{KEY_WRITES, CONFIG_WRITES_MIRROR, AT(writes), "mirror"},
	{KEY_SPLIT_BRAIN, CONFIG_NEWEST, AT(split_brain), "newest"},
	{KEY_SPLIT_BRAIN, CONFIG_ASK, AT(split_brain), "ask"},
	{KEY_SPLIT_BRAIN, CONFIG_HALT, AT(split_brain), "halt"},
	{KEY_HIDE_STALE, true, AT(hide_stale), "yes"},
	{KEY_HIDE_STALE, false, AT(hide_stale), "no"},
	{KEY_CONSOLE, CONFIG_VGA, AT(console), "vga"},
	{KEY_CONSOLE, CONFIG_SERIAL, AT(console), "serial"},
	{KEY_CONSOLE, CONFIG_BOTH, AT(console), "both"},
	{KEY_VERIFY, CONFIG_VERIFY_LOADER, AT(verify), "loader"},
	{KEY_VERIFY, CONFIG_VERIFY_ALL, AT(verify), "all"},
	{KEY_VERIFY, CONFIG_VERIFY_NO, AT(verify), "no"},
};

/* A UUID takes 32 characters and what parts it from the next. */
_Static_assert(CONFIG_TEXT_BYTES / 33 < TRUST_MAX, "there is room for all that can be named");

#define CHOICES (sizeof(choices) / sizeof(choices[0]))

void config_default(struct config *c)
{
	memset(c, 0, sizeof(*c));
	c->hide_stale = true;
	c->console = CONFIG_BOTH;
}

const char *config_fault_text(uint8_t fault)
{
	switch (fault) {
	case CONFIG_FINE: return "fine";
	case CONFIG_UNKNOWN_KEY: return "unknown key";
	case CONFIG_BAD_VALUE: return "bad value";
	case CONFIG_NO_EQUALS: return "no \"=\" in the line";
	case CONFIG_TOO_LONG: return "too long";
	case CONFIG_TWICE: return "given twice";
	default: return "?";
	}
}

static struct span trim(struct span s)
{
	while (s.n > 0 && (s.at[0] == ' ' || s.at[0] == '\t')) {
		s.at++;
		s.n--;
	}
	while (s.n > 0 && (s.at[s.n - 1] == ' ' || s.at[s.n - 1] == '\t' || s.at[s.n - 1] == '\r'))
		s.n--;
	return s;
}

/* A "#" after a blank starts a comment; one inside a word is part of it. */
static struct span without_comment(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.at[i] == '#' && (i == 0 || s.at[i - 1] == ' ' || s.at[i - 1] == '\t'))
			s.n = i;
	return s;
}

/* Keep the first fault only: it is the one to mend first. */
static void fault(struct config_error *err, enum config_fault what, unsigned line, struct span word)
{
	size_t n = word.n;

	if (err->fault != CONFIG_FINE)
		return;
	err->fault = (uint8_t)what;
	err->line = (uint16_t)line;
	if (n > sizeof(err->word) - 1)
		n = sizeof(err->word) - 1;
	/* It goes to a console, and the text may be another's. */
	for (size_t i = 0; i < n; i++)
		err->word[i] = word.at[i] < ' ' || word.at[i] > '~' ? '?' : word.at[i];
	err->word[n] = '\0';
}

/* 0 to 255. */
static bool parse_number(struct span s, uint8_t *to)
{
	unsigned n = 0;

	if (s.n == 0 || s.n > 3)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (s.at[i] < '0' || s.at[i] > '9')
			return false;
		n = n * 10 + (unsigned)(s.at[i] - '0');
	}
	*to = (uint8_t)n;
	return n <= 255;
}

static enum config_fault set_text(char to[CONFIG_VALUE_BYTES], struct span v)
{
	if (v.n >= CONFIG_VALUE_BYTES)
		return CONFIG_TOO_LONG;
	if (v.n == 0)
		return CONFIG_BAD_VALUE;
	memcpy(to, v.at, v.n);
	to[v.n] = '\0';
	return CONFIG_FINE;
}

static enum config_fault set_choice(struct config *c, unsigned key, struct span v)
{
	for (unsigned i = 0; i < CHOICES; i++) {
		const struct choice *ch = &choices[i];

		if (ch->key == key && mem_is_str(v.at, v.n, ch->word)) {
			((uint8_t *)c)[ch->at] = ch->value;
			return CONFIG_FINE;
		}
	}
	return CONFIG_BAD_VALUE;
}

static enum config_fault set_value(struct config *c, unsigned key, struct span v)
{
	switch (key) {
	case KEY_MIRROR: return set_text(c->mirror, v);
	case KEY_NEXT: return set_text(c->next, v);
	case KEY_TRUST: return trust_add(&c->trust, v.at, v.n) ? CONFIG_FINE : CONFIG_BAD_VALUE;
	case KEY_TIMEOUT: return parse_number(v, &c->timeout_s) ? CONFIG_FINE : CONFIG_BAD_VALUE;
	default: return set_choice(c, key, v);
	}
}

static void parse_line(struct config *c, struct span text, unsigned line, uint32_t *seen,
		       struct config_error *err)
{
	struct span key = text, value;
	enum config_fault what;
	size_t eq = 0;
	unsigned k = 0;

	while (eq < text.n && text.at[eq] != '=')
		eq++;
	if (eq == text.n) {
		fault(err, CONFIG_NO_EQUALS, line, text);
		return;
	}
	key.n = eq;
	key = trim(key);
	value = trim(without_comment((struct span){text.at + eq + 1, text.n - eq - 1}));

	while (k < KEY_COUNT && !mem_is_str(key.at, key.n, keys[k]))
		k++;
	if (k == KEY_COUNT) {
		fault(err, CONFIG_UNKNOWN_KEY, line, key);
		return;
	}
	if (*seen & 1u << k & ~(1u << KEY_TRUST)) {
		fault(err, CONFIG_TWICE, line, key);
		return;
	}
	*seen |= 1u << k;
	what = set_value(c, k, value);
	if (what != CONFIG_FINE)
		fault(err, what, line, value);
}

enum status config_parse(struct config *c, const char *text, size_t n_bytes,
			 struct config_error *err)
{
	uint32_t seen = 0;
	unsigned line = 1;
	size_t at = 0;

	memset(err, 0, sizeof(*err));
	if (n_bytes > CONFIG_TEXT_BYTES) {
		fault(err, CONFIG_TOO_LONG, 1, (struct span){text, 0});
		/* Half a line must not count for a whole one. */
		n_bytes = CONFIG_TEXT_BYTES;
		while (n_bytes > 0 && text[n_bytes - 1] != '\n')
			n_bytes--;
	}
	while (at < n_bytes && text[at] != '\0') {
		struct span s = {text + at, 0};

		while (at < n_bytes && text[at] != '\n' && text[at] != '\0')
			at++;
		s.n = (size_t)(text + at - s.at);
		if (at < n_bytes && text[at] == '\n')
			at++;

		s = trim(s);
		if (s.n > 0 && s.at[0] != '#')
			parse_line(c, s, line, &seen, err);
		line++;
	}
	/* A disk that nobody trusts is not shown as it is, either. */
	c->hide_stale |= c->trust.pinned;
	return err->fault == CONFIG_FINE ? ST_OK : ST_CORRUPT;
}
