/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "common/trust.h"

#include "common/mem.h"
#include "common/survey.h"

static bool is_between(char c)
{
	return c == ' ' || c == '\t' || c == ',';
}

static bool add_one(struct trust *t, const char *word, size_t n)
{
	struct guid g;

	if (!guid_from_text(&g, word, n) || guid_is_zero(&g) || t->count >= TRUST_MAX)
		return false;
	t->device[t->count++] = g;
	return true;
}

bool trust_add(struct trust *t, const char *text, size_t text_bytes)
{
	bool good = true, any = false;
	size_t at = 0, end;

	/* Whoever wrote the key wants the others out, even if what he named can't be read. */
	t->pinned = true;
	while (at < text_bytes) {
		if (is_between(text[at])) {
			at++;
			continue;
		}
		for (end = at; end < text_bytes && !is_between(text[end]);)
			end++;
		good &= add_one(t, text + at, end - at);
		any = true;
		at = end;
	}
	return good && any;
}

bool trust_has(const struct trust *t, const struct guid *device)
{
	for (unsigned i = 0; i < t->count; i++)
		if (guid_equal(&t->device[i], device))
			return true;
	return false;
}

static bool has_all(const struct trust *a, const struct trust *b)
{
	for (unsigned i = 0; i < b->count; i++)
		if (!trust_has(a, &b->device[i]))
			return false;
	return true;
}

bool trust_equal(const struct trust *a, const struct trust *b)
{
	return a->pinned == b->pinned && has_all(a, b) && has_all(b, a);
}

bool trust_refused(const struct member *m)
{
	return m->why.code == REASON_NOT_TRUSTED;
}

bool trust_names_disk(struct survey *s, unsigned disk, const struct guid *device)
{
	if (s->trust && !trust_has(s->trust, device))
		return false;
	s->found[disk].trusted = true;
	return true;
}

bool trust_admit(struct survey *s, struct member *m, unsigned disk)
{
	if (trust_names_disk(s, disk, &m->device_uuid))
		return true;
	if (s->untrusted_count == SURVEY_UNTRUSTED)
		return false;
	s->untrusted_count++;
	/* As one that can't be read: nothing that it says is believed. */
	m->status = ST_CORRUPT;
	m->why = (struct reason){REASON_NOT_TRUSTED, 0, 0};
	/* No place in the array is its: the one that it wants may be another's. */
	m->role = ROLE_SPARE;
	m->dev_number = ROLE_SPARE;
	return true;
}

bool trust_disk(const struct survey *s, unsigned disk)
{
	return !s->trust || s->found[disk].trusted;
}

bool trust_has_leg(const struct survey *s, const struct mirror *m)
{
	for (unsigned i = 0; i < m->leg_count; i++)
		if (m->leg[i].verdict != VERDICT_UNTRUSTED)
			return true;
	return false;
}

bool trust_blocks(const struct survey *s, const struct member *m)
{
	return trust_refused(m) && !s->found[m->disk].trusted;
}

const char trust_text[] = "not one of the disks trusted at install";

void trust_report(const struct survey *s, struct text *out)
{
	if (s->untrusted_count)
		text_str(out, "A disk that is not trusted is not used. If it is yours, run "
			      "\"mirrorboot install --trust\".\n");
}

void trust_report_none(struct text *out)
{
	text_str(out, "No mirror has a leg on a disk that the configuration trusts (trust =). With "
		      "a rescue\nsystem: \"mirrorboot install --trust\" or \"--no-trust\".\n");
}
