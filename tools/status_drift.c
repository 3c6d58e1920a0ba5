/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* Disks of a mirror that mirrorboot is not on as it should be: what `verify --quick` finds. */
#include "tools/status_check.h"
#include "tools/shellword.h"

#include <stdlib.h>
#include <string.h>

static bool has(uint32_t disks, unsigned i)
{
	return disks & (uint32_t)1 << i;
}

static bool is_on(const struct status_check *c, unsigned i)
{
	return c->verify->disk[i].bios || c->verify->disk[i].uefi;
}

/* One of these that mirrorboot is on, one with nothing wrong if there is any; NO_DISK: none. */
static unsigned pattern(const struct status_check *c, uint32_t disks, bool uefi)
{
	unsigned found = NO_DISK;

	for (unsigned i = 0; i < c->verify->count; i++) {
		if (!has(disks, i) || !(uefi ? c->verify->disk[i].uefi : is_on(c, i)))
			continue;
		if (!c->verify->disk[i].count)
			return i;
		if (found == NO_DISK)
			found = i;
	}
	return found;
}

/* "COMMAND FROM TO" */
static void next_pair(const struct hostset *set, const struct status_check *c, const char *command,
		      unsigned from, unsigned to, struct status_warnings *w)
{
	char *a = shellword_disks(set, (uint32_t)1 << from);
	char *b = shellword_disks(set, (uint32_t)1 << to);

	status_warn_next(w, "mirrorboot %s%s%s", command, a, b);
	status_next_unmount(c, (uint32_t)1 << to, w);
	free(a);
	free(b);
}

/* A disk that has nothing of ours: first of all an ESP that files can be put on. */
static void next_new(const struct hostset *set, const struct status_check *c, unsigned i,
		     uint32_t disks, struct status_warnings *w)
{
	const struct esp *e = c->disk[i].esp;
	unsigned from = pattern(c, disks, true);

	if (from == NO_DISK || (e->part && !e->why[0]))
		next_pair(set, c, "install --add", pattern(c, disks, false), i, w);
	else
		next_pair(set, c, e->part ? "esp clone --format" : "esp clone --create", from, i,
			  w);
}

static void one_finding(const struct hostset *set, const struct status_check *c, unsigned i,
			uint32_t disks, const struct verify_finding *f, struct status_warnings *w)
{
	const struct status_disk *s = &c->disk[i];
	unsigned from = pattern(c, disks, true);
	char *paths;

	if (!status_warn_once(w, STATUS_DRIFT, "%s: %s", set->host[i].path, f->text))
		return;
	if (f->what == VERIFY_NO_ESP && from != NO_DISK) {
		next_pair(set, c, s->esp->part ? "esp clone --format" : "esp clone --create", from,
			  i, w);
	} else if (f->what == VERIFY_UNREADABLE) {
		paths = shellword_disks(set, (uint32_t)1 << i);
		status_warn_next(w, "smartctl -a%s", paths);
		free(paths);
	} else if (f->run) {
		paths = shellword_disks(set, disks);
		status_warn_next(w, "mirrorboot %s%s", f->run, paths);
		if (strcmp(f->run, "install --bios"))
			status_next_unmount(c, disks, w);
		free(paths);
	}
}

static void one_disk(const struct hostset *set, const struct status_check *c, unsigned i,
		     uint32_t disks, struct status_warnings *w)
{
	const struct verify_disk *d = &c->verify->disk[i];
	unsigned from = pattern(c, disks, false);
	bool readable = !d->count || d->finding[0].what != VERIFY_UNREADABLE, stranger = false;

	for (unsigned k = 0; k < d->count; k++)
		stranger |= d->finding[k].what == VERIFY_TRUST;
	/* Whose it is comes first; then the same command installs what is missing. */
	if (!is_on(c, i) && stranger) {
		for (unsigned k = 0; k < d->count; k++)
			if (d->finding[k].what == VERIFY_TRUST)
				one_finding(set, c, i, disks, &d->finding[k], w);
		return;
	}
	if (!is_on(c, i) && readable && d->count && from != NO_DISK) {
		if (status_warn_once(w, STATUS_DRIFT,
				     "%s: mirrorboot is not on it: the machine can't start from it",
				     set->host[i].path))
			next_new(set, c, i, disks, w);
		return;
	}
	for (unsigned k = 0; k < d->count; k++)
		one_finding(set, c, i, disks, &d->finding[k], w);
}

void status_drift_install(const struct hostset *set, const struct status_check *c,
			  struct status_warnings *w)
{
	for (unsigned k = 0; k < set->survey.mirror_count; k++) {
		uint32_t disks = status_mirror_disks(set, &set->survey.mirror[k]);
		bool installed = pattern(c, disks, false) != NO_DISK;

		/* On the disks of another mirror: then it need not be on these. */
		for (unsigned i = 0; i < set->count && installed; i++)
			if (has(disks, i))
				one_disk(set, c, i, disks, w);
	}
}
