/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * EFI system partitions that are not what their manifests say, or not what each other's say. Only
 * manifests are read, and the sizes and times of files.
 */
#include "tools/status_check.h"
#include "tools/shellword.h"
#include "tools/esp_policy.h"
#include "tools/esp_state.h"
#include "tools/say.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool has(uint32_t disks, unsigned i)
{
	return disks & (uint32_t)1 << i;
}

/* Does it have a manifest, whatever that says? */
static bool takes_part(const struct status_disk *s)
{
	return s->has_files && s->man.status != ST_ABSENT;
}

static bool is_complete(const struct espman *m)
{
	return m->status == ST_OK && m->old.state == MANIFEST_COMPLETE;
}

/* Which of two would rather be the source: a positive number says the first. */
static int rather(const struct status_disk *a, const struct status_disk *b)
{
	const struct espman *x = &a->man, *y = &b->man;

	if (is_complete(x) != is_complete(y))
		return is_complete(x) ? 1 : -1;
	if (is_complete(x) && x->old.generation != y->old.generation)
		return x->old.generation > y->old.generation ? 1 : -1;
	if (x->updated != y->updated)
		return x->updated ? 1 : -1;
	/* Nothing tells: the one that the system writes to, and no empty one over a full one. */
	if (!a->mounted_on != !b->mounted_on)
		return a->mounted_on ? 1 : -1;
	return (int)x->count - (int)y->count;
}

unsigned status_newest_esp(const struct hostset *set, const struct status_check *c, uint32_t disks)
{
	unsigned newest = NO_DISK;

	for (unsigned i = 0; i < set->count; i++)
		if (has(disks, i) && takes_part(&c->disk[i]) &&
		    (newest == NO_DISK || rather(&c->disk[i], &c->disk[newest]) > 0))
			newest = i;
	return newest;
}

/* ---- one by itself ---- */

/* Files of others than mirrorboot that are not as the manifest says. */
static unsigned changed_files(const struct espman *m)
{
	unsigned n = 0;

	for (unsigned i = 0; i < m->count; i++)
		n += m->file[i].verdict != MANIFEST_SAME &&
		     !esppolicy_is_ours(m->file[i].f.path, m->file[i].f.path_bytes);
	for (unsigned i = 0; i < m->missing; i++)
		n += !esppolicy_is_ours(m->gone[i].path, m->gone[i].path_bytes);
	return n;
}

static void next_clone(const struct hostset *set, const struct status_check *c, unsigned from,
		       uint32_t to, struct status_warnings *w)
{
	char *a = shellword_disks(set, (uint32_t)1 << from);
	char *b = shellword_disks(set, to);

	status_warn_next(w, "mirrorboot esp clone%s%s", a, b);
	status_next_unmount(c, to, w);
	free(a);
	free(b);
}

static void next_one(const struct hostset *set, const struct status_check *c, const char *command,
		     unsigned i, struct status_warnings *w)
{
	char *a = shellword_disks(set, (uint32_t)1 << i);

	status_warn_next(w, "mirrorboot %s%s", command, a);
	status_next_unmount(c, (uint32_t)1 << i, w);
	free(a);
}

/* What can be said of a manifest that can't be compared with. False: it can. */
static bool manifest_fault(const struct hostset *set, const struct status_check *c, unsigned i,
			   unsigned newest, struct status_warnings *w)
{
	const struct espman *m = &c->disk[i].man;
	const char *path = set->host[i].path, *what;

	switch (m->status) {
	case ST_OK:
		if (m->old.state == MANIFEST_COMPLETE)
			return false;
		what = "the last update of its EFI system partition was cut";
		break;
	case ST_UNSUPPORTED:
		status_warn_once(w, STATUS_DRIFT,
				 "%s: its manifest was written by a newer mirrorboot: use that one",
				 path);
		return true;
	case ST_IO: what = "its manifest could not be read"; break;
	default: what = "its manifest is damaged"; break;
	}
	if (!status_warn_once(w, STATUS_DRIFT, "%s: %s", path, what))
		return true;
	if (newest != i && is_complete(&c->disk[newest].man))
		next_clone(set, c, newest, (uint32_t)1 << i, w);
	else
		next_one(set, c, "install --uefi", i, w);
	return true;
}

/* ---- one against another ---- */

static int by_path(const void *a, const void *b)
{
	const struct manifest_file *x = a, *y = b;
	size_t n = x->path_bytes < y->path_bytes ? x->path_bytes : y->path_bytes;
	int sign = strncasecmp(x->path, y->path, n);

	if (sign)
		return sign;
	return (x->path_bytes > y->path_bytes) - (x->path_bytes < y->path_bytes);
}

struct lines {
	unsigned count;
	struct manifest_file *file;
};

/* What a clone would make the same: not what is each ESP's own. */
static bool is_compared(const struct manifest_file *f)
{
	enum esp_policy what = esp_policy_of(f->path, f->path_bytes);
	size_t at, n;

	return (what == ESP_CLONED || what == ESP_INCLUDED) &&
	       !esppolicy_is_ours(f->path, f->path_bytes) &&
	       !esppolicy_counter(f->path, f->path_bytes, &at, &n);
}

static struct lines lines_of(const struct manifest *m)
{
	struct lines l = {0, calloc(m->files + 1, sizeof(*l.file))};
	struct manifest_file f;
	size_t at = m->first;

	if (!l.file)
		abort();
	while (l.count < m->files && manifest_next(m, &at, &f))
		if (is_compared(&f))
			l.file[l.count++] = f;
	qsort(l.file, l.count, sizeof(*l.file), by_path);
	return l;
}

/* How many files b has not, or others in their place; and how many more than a. */
static void compare(const struct manifest *a, const struct manifest *b, unsigned *other,
		    unsigned *extra)
{
	struct lines x = lines_of(a), y = lines_of(b);

	*other = *extra = 0;
	for (unsigned i = 0; i < x.count; i++) {
		const struct manifest_file *f =
			bsearch(&x.file[i], y.file, y.count, sizeof(*y.file), by_path);

		*other += !f || f->bytes != x.file[i].bytes ||
			  memcmp(f->sha256, x.file[i].sha256, SHA256_BYTES);
	}
	for (unsigned i = 0; i < y.count; i++)
		*extra += !bsearch(&y.file[i], x.file, x.count, sizeof(*x.file), by_path);
	free(x.file);
	free(y.file);
}

static void against_newest(const struct hostset *set, const struct status_check *c, unsigned i,
			   unsigned newest, bool keep_extra, struct status_warnings *w)
{
	const struct espman *m = &c->disk[i].man, *n = &c->disk[newest].man;
	const char *path = set->host[i].path, *other = set->host[newest].path;
	unsigned differ, extra, changed = changed_files(m);
	bool said = true;

	if (!is_complete(n))
		return;
	compare(&n->old, &m->old, &differ, &extra);
	extra = keep_extra ? 0 : extra;
	if (!guid_equal(&m->old.set, &n->old.set))
		said = status_warn_once(w, STATUS_DRIFT,
					"%s: its EFI system partition was never cloned with that "
					"of %s",
					path, other);
	else if (m->old.generation < n->old.generation)
		said = status_warn_once(w, STATUS_DRIFT,
					"%s: its EFI system partition is older than that of %s "
					"(generation %llu, there %llu)",
					path, other, (unsigned long long)m->old.generation,
					(unsigned long long)n->old.generation);
	else if (differ || extra)
		said = status_warn_once(w, STATUS_DRIFT,
					"%s: its EFI system partition differs from that of %s "
					"(files that are others or missing: %u, more than there: "
					"%u)",
					path, other, differ, extra);
	else if (changed)
		said = status_warn_once(
			w, STATUS_DRIFT,
			"%s: %u file%s on its EFI system partition changed since it "
			"was cloned",
			path, changed, changed == 1 ? "" : "s");
	else
		return;
	if (said && changed && changed_files(n)) {
		char *disks = shellword_disks(set, (uint32_t)1 << newest | (uint32_t)1 << i);

		status_warn_next(w, "mirrorboot esp diff%s", disks);
		free(disks);
	} else if (said) {
		next_clone(set, c, newest, (uint32_t)1 << i, w);
	}
}

/* The one that the others are cloned from: somebody installed something on it since. */
static void newest_changed(const struct hostset *set, const struct status_check *c, uint32_t disks,
			   unsigned newest, struct status_warnings *w)
{
	unsigned changed = changed_files(&c->disk[newest].man);
	uint32_t others = 0;

	for (unsigned i = 0; i < set->count; i++)
		if (i != newest && has(disks, i) && takes_part(&c->disk[i]))
			others |= (uint32_t)1 << i;
	if (!changed ||
	    !status_warn_once(w, STATUS_DRIFT,
			      "%s: %u file%s on its EFI system partition changed since %s",
			      set->host[newest].path, changed, changed == 1 ? "" : "s",
			      others ? "the others were cloned" : "its manifest was written"))
		return;
	if (!others) {
		next_one(set, c, "esp manifest", newest, w);
		return;
	}
	next_clone(set, c, newest, others, w);
}

/* What "esp enable" does by itself: only on the machine that it is enabled on. */
static bool kept_in_step(const struct hostset *set, struct status_warnings *w)
{
	struct esp_conf conf;
	struct esp_state state;
	bool keep_extra = false, here = false;

	for (unsigned i = 0; i < set->count; i++)
		here |= set->host[i].block;
	if (!here)
		return false;
	esp_conf_init(&conf, NULL);
	if (esp_conf_read(&conf) == ST_OK) {
		keep_extra = conf.keep_extra;
		esp_conf_use_rules(&conf);
		esp_state_read(&state, &conf);
		if (state.at && state.exit_status != EXIT_DONE &&
		    status_warn_once(w, STATUS_DRIFT,
				     "the EFI system partitions are kept in step by themselves, "
				     "and the last run failed"))
			status_warn_next(w, "journalctl -u mirrorboot-esp");
		esp_state_free(&state);
	}
	esp_conf_free(&conf);
	return keep_extra;
}

void status_drift_esp(const struct hostset *set, const struct status_check *c,
		      struct status_warnings *w)
{
	bool keep_extra = kept_in_step(set, w);

	for (unsigned k = 0; k < set->survey.mirror_count; k++) {
		uint32_t disks = status_mirror_disks(set, &set->survey.mirror[k]);
		unsigned newest = status_newest_esp(set, c, disks);

		if (newest == NO_DISK)
			continue;
		if (is_complete(&c->disk[newest].man))
			newest_changed(set, c, disks, newest, w);
		for (unsigned i = 0; i < set->count; i++)
			if (has(disks, i) && takes_part(&c->disk[i]) &&
			    !manifest_fault(set, c, i, newest, w) && i != newest)
				against_newest(set, c, i, newest, keep_extra, w);
	}
}
