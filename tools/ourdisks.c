/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tools/ourdisks.h"
#include "tools/sysdisks.h"
#include "tools/verify_disk.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static bool share_mirror(const struct survey *s, unsigned a, unsigned b)
{
	for (unsigned i = 0; i < s->mirror_count; i++) {
		const struct mirror *m = &s->mirror[i];
		bool has_a = false, has_b = false;

		for (unsigned k = 0; k < m->leg_count; k++) {
			has_a |= m->leg[k].disk == a;
			has_b |= m->leg[k].disk == b;
		}
		if (has_a && has_b)
			return true;
	}
	return false;
}

static bool has_leg(const struct survey *s, unsigned disk)
{
	return share_mirror(s, disk, disk);
}

/* wanted[]: those that have it; then those that share a mirror with these, and so on. */
static unsigned choose(const struct hostset *set, bool *wanted)
{
	unsigned count = 0, before;

	for (unsigned i = 0; i < set->count; i++)
		count += wanted[i];
	do {
		before = count;
		for (unsigned i = 0; i < set->count; i++)
			for (unsigned k = 0; k < set->count && !wanted[i]; k++)
				if (wanted[k] && share_mirror(&set->survey, i, k)) {
					wanted[i] = true;
					count++;
				}
	} while (count != before);
	return count;
}

static unsigned look(struct hostset *set, bool any, bool *wanted)
{
	struct verify *v;
	unsigned count;

	survey_run(&set->survey, set->disk, set->count);
	v = verify_new(set, true);
	for (unsigned i = 0; v && i < set->count; i++)
		wanted[i] = v->disk[i].bios || v->disk[i].uefi;
	verify_free(v);
	count = choose(set, wanted);
	for (unsigned i = 0; any && !count && i < set->count; i++)
		wanted[i] = has_leg(&set->survey, i);
	return choose(set, wanted);
}

/* One that is dead, or not for this user, must not hide the others. */
static unsigned keep_readable(char **path, unsigned count)
{
	unsigned to = 0;

	for (unsigned i = 0; i < count; i++) {
		int fd = open(path[i], O_RDONLY | O_CLOEXEC);

		if (fd >= 0) {
			close(fd);
			path[to++] = path[i];
		} else {
			free(path[i]);
		}
	}
	return to;
}

/*
 * Their paths in *path, to be freed with sysdisks_free(). Their number; 0: *why says why, and
 * *exit_status is EXIT_DEGRADED where all could be looked at, else EXIT_FAILED.
 */
static unsigned find(char ***path, bool any, const char **why, int *exit_status)
{
	unsigned found = sysdisks_find(path), count = 0;
	bool wanted[SURVEY_DISKS] = {false};
	struct hostset *set;

	*why = "this machine has no disk that could be read: name disks or images";
	*exit_status = EXIT_FAILED;
	found = keep_readable(*path, found);
	if (!found)
		return 0;
	*why = "this machine's disks could not all be opened: name disks or images";
	set = hostset_open(*path, (int)found, 512, false, exit_status);
	*exit_status = set ? EXIT_DEGRADED : EXIT_FAILED;
	if (set) {
		*why = "mirrorboot is on none of this machine's disks: name disks or images";
		count = look(set, any, wanted);
		hostset_close(set);
	}
	for (unsigned i = 0, to = 0; i < found; i++) {
		if (set && wanted[i])
			(*path)[to++] = (*path)[i];
		else
			free((*path)[i]);
	}
	return count;
}

int ourdisks_work(const struct ourdisks *o, char **arg, int count, unsigned sector_bytes)
{
	char **path = NULL;
	const char *why = NULL;
	int rc = EXIT_FAILED;
	unsigned found = count ? 0 : find(&path, o->any, &why, &rc);
	char **name = count ? arg : path;
	int names = count ? count : (int)found;
	struct hostset *set;

	if (!names) {
		rc = o->none(why, rc);
	} else if (o->named && !o->named(name, names)) {
		rc = EXIT_USAGE;
	} else {
		set = hostset_open(name, names, sector_bytes ? sector_bytes : 512, o->writes, &rc);
		if (set)
			rc = o->work(set);
		hostset_close(set);
	}
	sysdisks_free(path, found);
	return rc;
}
