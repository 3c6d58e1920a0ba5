/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "common/cmdline.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool cmdline_split(struct cmdline *c, const char *text, size_t n)
{
	bool in_word = false, quoted = false;
	size_t to = 0;

	c->count = 0;
	for (size_t i = 0; i < n && text[i]; i++) {
		if (!quoted && is_blank(text[i])) {
			if (in_word)
				c->text[to++] = '\0';
			in_word = false;
		} else {
			if (!in_word && c->count == CMDLINE_WORDS)
				return false;
			if (!in_word)
				c->word[c->count++] = c->text + to;
			in_word = true;
			if (text[i] == '"')
				quoted = !quoted;
			else
				c->text[to++] = text[i];
		}
		if (to >= CMDLINE_CHARS)
			return false;
	}
	c->text[to] = '\0';
	return true;
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool same_so_far(const char *a, const char *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (lower(a[i]) != lower(b[i]) || !a[i])
			return false;
	return true;
}

static size_t length(const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	return n;
}

bool cmdline_same(const char *a, const char *b)
{
	return same_so_far(a, b, length(b)) && !a[length(b)];
}

/* Without ".efi" at its end. */
static size_t stem(const char *s, bool *is_efi)
{
	size_t n = length(s);

	*is_efi = n > 4 && cmdline_same(s + n - 4, ".efi");
	return *is_efi ? n - 4 : n;
}

static bool is_program(const char *word, const char *program)
{
	const char *name = word;
	bool is_efi, other;
	size_t n, own = stem(program, &other);

	for (size_t i = 0; word[i]; i++)
		if (word[i] == '\\' || word[i] == '/' || word[i] == ':')
			name = word + i + 1;
	n = stem(name, &is_efi);
	return is_efi || (n && n == own && same_so_far(name, program, n));
}

unsigned cmdline_first(const struct cmdline *c, const char *program)
{
	return c->count && is_program(c->word[0], program) ? 1 : 0;
}

bool cmdline_number(const char *word, unsigned max, unsigned *n)
{
	*n = 0;
	for (size_t i = 0; word[i]; i++) {
		if (word[i] < '0' || word[i] > '9' || i > 8)
			return false;
		*n = *n * 10 + (unsigned)(word[i] - '0');
	}
	return word[0] && *n <= max;
}
