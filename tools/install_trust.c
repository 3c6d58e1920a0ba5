/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tools/install_trust.h"
#include "tools/say.h"
#include "tools/shellword.h"
#include "tools/trustlist.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct survey *survey_of(const struct install *in)
{
	return &in->jobs->set->survey;
}

static const char *name_of(const struct mirror *m)
{
	return m->name[0] ? m->name : "without a name";
}

static const char *path_of(const struct install *in, const struct leg *l)
{
	return in->jobs->set->host[l->disk].path;
}

/* ---- what is installed ----------------------------------------------------------------------- */

/* The text of the first disk whose configuration names anything; NULL: none does. */
static char *installed_text(const struct install *in)
{
	static struct installed old;
	struct trust t;

	for (unsigned i = 0; i < in->jobs->count; i++) {
		const struct job *j = &in->jobs->job[i];

		if (j->disk->shift == 9 && installed_read(j->disk, &old) == ST_OK &&
		    old.config_good) {
			trustlist_of(old.config, &t);
			if (t.pinned)
				return strdup(old.config);
		}
		if (j->esp.part && j->esp.has_config) {
			trustlist_of(j->esp.config, &t);
			if (t.pinned)
				return strdup(j->esp.config);
		}
	}
	return NULL;
}

/* ---- what may be trusted --------------------------------------------------------------------- */

/* One that cannot be named, or must not be without a person's having looked. False: said. */
static bool may_be_trusted(const struct install *in, const struct mirror *m, const struct leg *l)
{
	if (l->verdict == VERDICT_CONFLICT) {
		say_about(path_of(in, l),
			  "is in conflict with another leg of mirror %s: which of them is to be "
			  "trusted can't be told (\"mirrorboot status\" says more)",
			  name_of(m));
		return false;
	}
	if (!trustlist_takes_part(l) ||
	    !guid_is_zero(&survey_of(in)->member[l->member].device_uuid))
		return true;
	say_about(
		path_of(in, l),
		"mirror %s is %s, which has no device UUIDs: its disks can't be told from others, "
		"so --trust is not possible here",
		name_of(m), formats[m->format].name);
	return false;
}

/*
 * A disk that nobody has trusted says that those that are trusted are out of date. Linux would
 * believe it, and so would the list: a person has to say that this is so.
 */
static bool is_overruled(const struct install *in, const struct mirror *m, const struct trust *old)
{
	const struct survey *s = survey_of(in);
	const struct leg *newest = m->newest == NO_LEG ? NULL : &m->leg[m->newest];

	if (!newest || trust_has(old, &s->member[newest->member].device_uuid))
		return false;
	for (unsigned i = 0; i < m->leg_count; i++) {
		const struct leg *l = &m->leg[i];

		if (l->member == NO_MEMBER || trustlist_takes_part(l) ||
		    !trust_has(old, &s->member[l->member].device_uuid))
			continue;
		say_about(
			path_of(in, newest),
			"is not trusted, and says that %s, which is, is out of date in mirror %s: "
			"take it out, or, if that is so, say --no-trust first",
			path_of(in, l), name_of(m));
		return true;
	}
	return false;
}

/* "trust = UUID # mirror", a line each; NULL: said why not. */
static char *new_lines(struct install *in, const struct trust *old)
{
	const struct survey *s = survey_of(in);
	struct trust done = {0};
	char *text = NULL, uuid[GUID_TEXT_BYTES];
	bool fine = true;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		abort();
	for (unsigned i = 0; i < s->mirror_count; i++) {
		const struct mirror *m = &s->mirror[i];

		fine &= !old->pinned || !is_overruled(in, m, old);
		for (unsigned k = 0; k < m->leg_count; k++) {
			const struct leg *l = &m->leg[k];
			const struct member *mb;

			if (l->member == NO_MEMBER)
				continue;
			mb = &s->member[l->member];
			fine &= may_be_trusted(in, m, l);
			/* A dynamic disk is one, whatever lies on it. */
			if (!trustlist_takes_part(l) || trust_has(&done, &mb->device_uuid))
				continue;
			trustlist_uuid(mb, uuid);
			if (!trust_add(&done, uuid, strlen(uuid)))
				continue;
			fprintf(f, "trust = %s", uuid);
			if (m->format != FORMAT_LDM && m->name[0])
				fprintf(f, " # %s", m->name);
			fputc('\n', f);
		}
	}
	if (fclose(f))
		abort();
	if (fine)
		return text;
	free(text);
	return NULL;
}

/* ---- into the configurations ----------------------------------------------------------------- */

static bool put(const char **config, char **ours, const char *lines)
{
	if (!*config && !*lines)
		return true;
	*ours = trustlist_put(*config ? *config : "", lines);
	*config = *ours;
	if (!*ours)
		say_note("the configuration with what it is to trust would be longer than %u bytes",
			 CONFIG_TEXT_BYTES);
	return *ours;
}

bool install_trust_plan(struct install *in)
{
	char *old_text = installed_text(in), *lines = NULL;
	struct trust old = {0}, given = {0};
	bool fine = true;

	if (old_text)
		trustlist_of(old_text, &old);
	if (in->config)
		trustlist_of(in->config, &given);
	if (in->trust)
		lines = new_lines(in, &old);
	else if (in->no_trust)
		lines = strdup("");
	else if (in->config && !given.pinned && old.pinned)
		lines = trustlist_lines(old_text); /* a new one is no reason to forget it */
	if (in->trust && !lines)
		fine = false;
	if (lines && in->bios)
		fine &= put(&in->bios_config, &in->own_bios_config, lines);
	if (lines && in->uefi)
		fine &= put(&in->esp_config, &in->own_esp_config, lines);
	free(lines);
	free(old_text);
	return fine;
}

unsigned install_trust_families(const char *config)
{
	struct trust t = {0};

	if (config)
		trustlist_of(config, &t);
	return t.pinned ? VARIANT_TRUST : 0;
}

void install_trust_free(struct install *in)
{
	free(in->own_bios_config);
	free(in->own_esp_config);
}

/* ---- what is said of it ---------------------------------------------------------------------- */

static void print_unlisted(const struct install *in, const struct trust *t)
{
	const struct survey *s = survey_of(in);
	char *paths = shellword_disks(in->jobs->set, UINT32_MAX);
	bool any = false;

	for (unsigned i = 0; i < s->mirror_count; i++)
		for (unsigned k = 0; k < s->mirror[i].leg_count; k++) {
			const struct leg *l = &s->mirror[i].leg[k];

			if (!trustlist_takes_part(l) ||
			    trust_has(t, &s->member[l->member].device_uuid))
				continue;
			printf("warning: %s: its leg of mirror %s is not trusted (trust =): no "
			       "boot reads it\n",
			       path_of(in, l), name_of(&s->mirror[i]));
			any = true;
		}
	if (any)
		printf("         run \"mirrorboot install --trust%s\"\n", paths);
	free(paths);
}

void install_trust_print(const struct install *in)
{
	const char *config = in->bios ? in->bios_config : in->esp_config;
	struct trust t = {0};

	if (config)
		trustlist_of(config, &t);
	if (!t.pinned) {
		if (in->no_trust)
			printf("  every disk is trusted: what Linux would take is booted from\n");
		return;
	}
	printf("  trusted: %u member%s, and no others: a disk that is replaced has to be added "
	       "with "
	       "--trust\n",
	       t.count, t.count == 1 ? "" : "s");
	print_unlisted(in, &t);
}
