/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* A clone is carried out. */
#include "efi/clone.h"

#include "common/esppolicy.h"

/*
 * The firmware has the source mounted, and so have we: this very program came from it, which is
 * in memory by now. Its file system is taken down while the manifest is written, so that no
 * old copy of a sector stays in the firmware's memory, and comes back at once.
 */
static bool renew_source(struct clone *c)
{
	struct cloneside *from = &c->side[0];
	bool done;

	if (!esplist_take(from->esp)) {
		cloneside_say(from, "its manifest is not written: the firmware does not let go "
				    "of its file system");
		return true;
	}
	/* What the firmware had not written yet, it has now. */
	done = cloneside_look(from) &&
	       cloneside_put_manifest(from, &c->gen, c->fat_time, MANIFEST_COMPLETE);
	esplist_give(from->esp);
	return done && cloneside_look(from);
}

/* Until a comparison, byte by byte and from the disk, finds nothing left. */
static bool level(struct clone *c, struct cloneside *s)
{
	bool same;

	if (!clonedelta_make(&c->delta, &c->side[0], s, &c->options) ||
	    !clonedelta_apply(&c->delta))
		return false;
	clonedelta_free(&c->delta);
	if (!cloneside_look(&c->side[0]) || !cloneside_look(s) ||
	    !clonedelta_make(&c->delta, &c->side[0], s, &c->options))
		return false;
	same = fat_plan_is_empty(&c->delta.plan);
	if (!same)
		cloneside_say(s, "what is read back is not what was written");
	return same;
}

/* As read from the disk once more: by SHA-256, with the source and with the new manifest. */
static bool hashes_agree(const struct clone *c, const struct cloneside *s)
{
	const struct espfiles *from = &c->side[0].files;

	for (uint32_t i = 0; i < from->count; i++) {
		const struct manifest_file *f = &from->file[i].f;
		const struct espfiles_file *there =
			espfiles_find(&s->files, f->path, f->path_bytes);

		if (!there || esppolicy_of(f->path, f->path_bytes, NULL, 0) != ESP_CLONED ||
		    (there->status == ST_OK &&
		     memcmp(there->f.sha256, f->sha256, SHA256_BYTES) == 0))
			continue;
		cloneside_say_begin(s);
		text_str(c->out, f->path);
		text_str(c->out, " is not what was written to it\n");
		return false;
	}
	if (cloneside_facts(s, false).is_current)
		return true;
	cloneside_say(s, "its files are not what its new manifest says");
	return false;
}

static bool write_files(struct clone *c, struct cloneside *s)
{
	return cloneside_put_manifest(s, &c->gen, c->fat_time, MANIFEST_UPDATING) &&
	       cloneside_look(s) && level(c, s);
}

static bool write_one(struct clone *c, struct cloneside *s, bool *touched, bool manifest)
{
	bool differs;

	/* The source's new manifest may have come with a folder that it had not. */
	if (!clonedelta_make(&c->delta, &c->side[0], s, &c->options))
		return false;
	differs = !fat_plan_is_empty(&c->delta.plan);
	clonedelta_free(&c->delta);
	if (!differs && !manifest) {
		cloneside_say(s, "in step already; nothing was written");
		return true;
	}
	*touched = true;
	if ((differs && !write_files(c, s)) ||
	    !cloneside_put_manifest(s, &c->gen, c->fat_time, MANIFEST_COMPLETE) ||
	    !cloneside_look(s) || !hashes_agree(c, s))
		return false;
	cloneside_say_begin(s);
	text_str(c->out, "cloned and verified (generation ");
	text_u64(c->out, c->gen.generation);
	text_str(c->out, ")\n");
	return true;
}

static void say_untouched(const struct clone *c, unsigned i)
{
	for (; i < c->count; i++)
		cloneside_say(&c->side[i], "was left untouched");
}

bool clone_write(struct clone *c)
{
	if (c->renew_source && !renew_source(c)) {
		say_untouched(c, 1);
		return false;
	}
	for (unsigned i = 1; i < c->count; i++) {
		bool touched = false;

		if (write_one(c, &c->side[i], &touched, c->manifest[i]))
			continue;
		clonedelta_free(&c->delta);
		if (touched)
			cloneside_say(&c->side[i],
				      "is not finished: run this again; each of its files is "
				      "either the old or the new one");
		say_untouched(c, touched ? i + 1 : i);
		return false;
	}
	return true;
}
