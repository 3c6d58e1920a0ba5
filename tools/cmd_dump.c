/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tools/command.h"
#include "tools/say.h"
#include "tools/status.h"
#include "tools/stop.h"
#include "common/view.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK_BYTES (1u << 20)

/*
 * The output goes to a file beside FILE, which takes its name when it is whole: a
 * dump that fails leaves no half volume, and an older FILE as it was.
 */
struct output {
	const char *path;
	char *part; /* NULL: stdout */
	int fd;
};

static bool open_output(struct output *o, const struct hostset *set)
{
	struct stat st;
	int disk;

	o->part = NULL;
	o->fd = STDOUT_FILENO;
	if (!strcmp(o->path, "-")) {
		if (!isatty(o->fd))
			return true;
		say_note("a volume is not written to a terminal");
		return false;
	}
	disk = hostset_find(set, o->path);
	if (disk >= 0) {
		say_about(o->path, "is the input disk %s, or a part of it; nothing was written",
			  set->host[disk].path);
		return false;
	}
	if (!stat(o->path, &st) && !S_ISREG(st.st_mode)) {
		say_about(o->path, "exists and is not a regular file; nothing was written");
		return false;
	}
	if (asprintf(&o->part, "%s.XXXXXX", o->path) < 0)
		return false;
	o->fd = mkostemp(o->part, O_CLOEXEC);
	if (o->fd >= 0)
		return true;
	say_about(o->path, "%s", strerror(errno));
	free(o->part);
	return false;
}

static bool write_out(const struct output *o, const uint8_t *buf, size_t n, uint64_t off)
{
	size_t done = 0;

	/* Zeroes become holes. */
	if (o->part && !buf[0] && !memcmp(buf, buf + 1, n - 1))
		return true;
	while (done < n) {
		ssize_t put = o->part ? pwrite(o->fd, buf + done, n - done, (off_t)(off + done))
				      : write(o->fd, buf + done, n - done);

		if (put < 0 && errno == EINTR && !stop_asked())
			continue;
		if (put <= 0) {
			say_about(o->path, "%s", put ? strerror(errno) : "no room");
			return false;
		}
		done += (size_t)put;
	}
	return true;
}

/* The umask is what a new file is made with; mkostemp does not ask it. */
static bool finish_output(struct output *o, uint64_t bytes, bool ok)
{
	mode_t mask = umask(0);

	umask(mask);
	if (o->part && ok &&
	    (ftruncate(o->fd, (off_t)bytes) || fchmod(o->fd, 0666 & ~mask) || fsync(o->fd) ||
	     rename(o->part, o->path))) {
		say_about(o->path, "%s", strerror(errno));
		ok = false;
	}
	if (o->part && !ok)
		unlink(o->part);
	if (o->part)
		close(o->fd);
	free(o->part);
	return ok;
}

static bool copy(const struct output *o, struct vdisk_set *vs, unsigned v, const struct disk *disk,
		 uint8_t *buf)
{
	const struct vdisk *vd = &vs->vdisk[v];
	struct say_progress progress;
	uint64_t lba = 0;
	bool ok = true;

	say_progress_start(&progress, "dump", vd->sectors);
	while (ok && lba < vd->sectors && !stop_asked()) {
		uint64_t left = vd->sectors - lba;
		uint32_t n = CHUNK_BYTES >> vd->shift;

		if (n > left)
			n = (uint32_t)left;
		if (vdisk_read(vs, v, disk, lba, n, buf) != ST_OK) {
			say_progress_end(&progress);
			say_note("no leg could be read at LBA %llu of the volume",
				 (unsigned long long)lba);
			return false;
		}
		ok = write_out(o, buf, (size_t)n << vd->shift, lba << vd->shift);
		lba += n;
		say_progress_at(&progress, lba);
	}
	say_progress_end(&progress);
	if (ok && stop_asked())
		say_note("interrupted");
	return ok && !stop_asked();
}

static void say_source(const struct hostset *set, const struct mirror *m)
{
	const struct leg *l = &m->leg[m->chosen];
	struct say_text t;

	say_text_init(&t);
	reason_text(&l->why, &t.text);
	text_str(&t.text, ", ");
	text_size(&t.text, m->size_s512);
	say_note("dumping mirror %s (%s, %s) from leg %u on %s: %s", m->name,
		 formats[m->format].name, mirror_state_name(m->state), m->chosen,
		 set->host[l->disk].path, t.buf);
	free(t.buf);
}

static int dump_mirror(struct hostset *set, unsigned mirror, const char *path)
{
	static struct vdisk_tables tables;
	struct vdisk_set vs;
	struct output o = {.path = path};
	uint8_t *buf;
	unsigned v;
	bool ok;

	view_init(&vs, &tables);
	if (set->survey.mirror[mirror].chosen == NO_LEG ||
	    view_add_volume(&vs, &set->survey, mirror, &v) != ST_OK) {
		status_say_unusable(set);
		say_note("the mirror has no leg that can be read; nothing was written");
		return EXIT_FAILED;
	}
	stop_watch();
	buf = malloc(CHUNK_BYTES);
	if (!buf || !open_output(&o, set)) {
		free(buf);
		return EXIT_FAILED;
	}
	say_source(set, &set->survey.mirror[mirror]);
	ok = copy(&o, &vs, v, set->disk, buf);
	ok = finish_output(&o, vs.vdisk[v].sectors << vs.vdisk[v].shift, ok);
	if (vs.failovers)
		say_note("%u leg(s) failed a read; the data came from another", vs.failovers);
	if (!ok && strcmp(path, "-"))
		say_note("the unfinished output was removed");
	free(buf);
	return ok ? EXIT_DONE : EXIT_FAILED;
}

/* --mirror, --output */
static const char *name, *path;

static int dump(struct hostset *set)
{
	const struct survey *s = &set->survey;
	unsigned mirror;

	if (hostset_survey(set) != EXIT_DONE)
		return EXIT_FAILED;
	mirror = survey_find_mirror(s, name);
	if (mirror < s->mirror_count)
		return dump_mirror(set, mirror, path);
	say_note("\"%s\" is no mirror on these disks, or more than one; there are:", name);
	for (unsigned i = 0; i < s->mirror_count; i++) {
		char uuid[GUID_TEXT_BYTES];

		guid_text_md(&s->mirror[i].uuid, uuid);
		say_note("  %s %s", uuid, s->mirror[i].name);
	}
	return EXIT_FAILED;
}

static bool option(int opt, const char *arg)
{
	if (opt == 'm')
		name = arg;
	else
		path = arg;
	return true;
}

static bool ready(int disks)
{
	if (path && name && *name)
		return true;
	command_usage(&cmd_dump);
	return false;
}

static const struct option options[] = {
	{"mirror", required_argument, 0, 'm'},
	{"output", required_argument, 0, 'o'},
	COMMON_OPTIONS,
	{0},
};

const struct command cmd_dump = {
	.name = "dump",
	.args = "--mirror NAME-or-UUID -o FILE DISK...",
	.summary = "copies a mirror's contents to a file, through the code that boots from it",
	.help = "  -m, --mirror X   the mirror: its UUID, \"host:name\" or name\n"
		"  -o, --output F   the file; \"-\" is stdout\n",
	.short_options = "m:o:",
	.options = options,
	.option = option,
	.ready = ready,
	.work = dump,
};
