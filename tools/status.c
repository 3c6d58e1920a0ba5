/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tools/status.h"
#include "tools/installed.h"

#include <stdlib.h>
#include <string.h>

static void disk_name(const struct report_names *n, unsigned disk, struct text *out)
{
	const struct hostset *set = n->ctx;

	text_str(out, disk < set->count ? set->host[disk].path : "?");
}

struct report_names status_names(const struct hostset *set)
{
	return (struct report_names){.disk_name = disk_name, .ctx = set};
}

bool status_trusts_none(const struct hostset *set)
{
	for (unsigned i = 0; i < set->survey.mirror_count; i++)
		if (set->survey.mirror[i].state != MIRROR_UNTRUSTED)
			return false;
	return set->survey.mirror_count;
}

int status_exit(const struct hostset *set)
{
	int worst = EXIT_DONE;

	if (status_trusts_none(set))
		return EXIT_FAILED;
	for (unsigned i = 0; i < set->survey.mirror_count; i++) {
		uint8_t state = set->survey.mirror[i].state;

		if (state == MIRROR_UNTRUSTED) /* another's: no boot looks at it */
			continue;
		if (state == MIRROR_UNUSABLE)
			return EXIT_FAILED;
		if (state != MIRROR_HEALTHY)
			worst = EXIT_DEGRADED;
	}
	for (unsigned i = 0; i < set->count; i++)
		if (set->survey.found[i].io_error)
			worst = EXIT_DEGRADED;
	return worst;
}

/* The leg whose reason tells most: one that is on a disk. */
static void say_unusable(const struct hostset *set, const struct mirror *m)
{
	for (unsigned k = 0; k < m->leg_count; k++) {
		struct say_text why;

		if (m->leg[k].disk >= set->count)
			continue;
		say_text_init(&why);
		reason_text(&m->leg[k].why, &why.text);
		say_about(set->host[m->leg[k].disk].path, "mirror %s can't be used: %s",
			  m->name[0] ? m->name : "without a name", why.buf);
		free(why.buf);
	}
}

void status_say_unusable(const struct hostset *set)
{
	for (unsigned i = 0; i < set->survey.mirror_count; i++)
		if (set->survey.mirror[i].state == MIRROR_UNUSABLE)
			say_unusable(set, &set->survey.mirror[i]);
}

void status_config(const struct hostset *set, struct config *c)
{
	static struct installed in;
	struct config_error err;

	config_default(c);
	for (unsigned i = 0; i < set->count; i++) {
		if (set->disk[i].shift != 9 || installed_read(&set->disk[i], &in) != ST_OK ||
		    !in.config_good)
			continue;
		config_parse(c, in.config, strlen(in.config), &err);
		return;
	}
}

static bool has_leg_on(const struct mirror *m, unsigned disk)
{
	for (unsigned k = 0; k < m->leg_count; k++)
		if (m->leg[k].disk == disk && m->leg[k].member != NO_MEMBER)
			return true;
	return false;
}

unsigned status_common_mirror(const struct hostset *set)
{
	for (unsigned i = 0; i < set->survey.mirror_count; i++) {
		unsigned disk = 0;

		while (disk < set->count && has_leg_on(&set->survey.mirror[i], disk))
			disk++;
		if (disk == set->count)
			return i;
	}
	return SURVEY_MIRRORS;
}
