/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* The EFI system partitions and the mirrors, as they are: nothing is written. */
#include "common/report.h"
#include "efi/clone.h"
#include "efi/command.h"
#include "efi/console.h"

struct espstatus {
	struct text *out;
	struct esplist list;
	struct bar bar;
	struct cloneside side[ESPLIST_MAX];
	bool usable[ESPLIST_MAX]; /* looked at, and to be compared */
	struct clonedelta delta;
	bool drift, damage;
};

static void drift(struct espstatus *t, const struct cloneside *s, const char *sentence)
{
	cloneside_say(s, sentence);
	t->drift = true;
}

/* ---- one by itself --------------------------------------------------------------------------- */

static void say_generation(const struct espfiles *f, struct text *out)
{
	if (f->status == ST_OK) {
		text_str(out, ", generation ");
		text_u64(out, f->old.generation);
	}
	text_str(out, f->status != ST_OK ? ", manifest "
		      : f->is_complete   ? " complete"
					 : " updating");
	if (f->status != ST_OK)
		text_str(out, f->status == ST_ABSENT        ? "none"
			      : f->status == ST_UNSUPPORTED ? "newer"
			      : f->status == ST_IO          ? "unreadable"
							    : "damaged");
}

static void say_line(const struct cloneside *s, bool usable, struct text *out)
{
	const struct esplist_esp *e = s->esp;
	char guid[GUID_TEXT_BYTES];

	esplist_say(s->list, e, out);
	if (e->own)
		text_str(out, " (this one)");
	text_str(out, ": disk ");
	text_u64(out, e->disk);
	text_str(out, e->removable ? " (removable), partition " : ", partition ");
	text_u64(out, e->part);
	if (!guid_is_zero(&e->uuid)) {
		guid_text_gpt(&e->uuid, guid);
		text_str(out, ", ");
		text_str(out, guid);
	}
	text_str(out, ", ");
	text_size(out, disk_s512(e->d, e->sectors));
	if (s->fat_status == ST_OK) {
		text_str(out, ", FAT");
		text_u64(out, s->fat.type);
	}
	if (usable) {
		text_str(out, ", ");
		text_u64(out, s->files.count);
		text_str(out, " files");
		say_generation(&s->files, out);
	}
	text_char(out, '\n');
}

static void say_files(struct espstatus *t, const struct cloneside *s, uint32_t n, const char *what)
{
	if (!n)
		return;
	cloneside_say_begin(s);
	text_u64(t->out, n);
	text_str(t->out, n == 1 ? " file " : " files ");
	text_str(t->out, what);
	text_char(t->out, '\n');
	t->drift = true;
}

static void check_manifest(struct espstatus *t, const struct cloneside *s)
{
	const struct espfiles *f = &s->files;
	const struct espfiles_file *bad = espfiles_damaged(f);

	switch (f->status) {
	case ST_OK: break;
	case ST_ABSENT: drift(t, s, "its EFI system partition has no manifest"); break;
	case ST_UNSUPPORTED:
		drift(t, s, "its manifest was written by a newer mirrorboot: use that one");
		break;
	case ST_IO: drift(t, s, "its manifest could not be read"); break;
	default: drift(t, s, "its manifest is damaged"); break;
	}
	t->damage |= f->status == ST_IO || f->status == ST_CORRUPT;
	if (f->status == ST_OK && !f->is_complete)
		drift(t, s, "its last update was cut: it may hold files of two generations");
	if (bad) {
		cloneside_say_begin(s);
		text_str(t->out, bad->f.path);
		text_char(t->out, ' ');
		text_str(t->out, bad->status != ST_OK
					 ? cloneside_fault(bad->status)
					 : "is damaged: size and time are as they were, what is in "
					   "it is not");
		text_char(t->out, '\n');
		t->drift = t->damage = true;
	}
	if (!f->is_complete)
		return;
	say_files(t, s, f->verdicts[MANIFEST_CHANGED], "changed since the manifest was written");
	say_files(t, s, f->verdicts[MANIFEST_UNLISTED], "not listed in the manifest");
	say_files(t, s, f->missing, "listed in the manifest and missing");
	if (!guid_equal(&f->old.source, &s->esp->uuid))
		drift(t, s, "its manifest was written for another partition");
}

static void look_at(struct espstatus *t, unsigned i)
{
	struct cloneside *s = &t->side[i];
	struct esplist_esp *e = &t->list.esp[i];

	*s = (struct cloneside){
		.list = &t->list, .esp = e, .bar = &t->bar, .fat_status = ST_ABSENT};
	t->usable[i] = cloneside_look(s);
	say_line(s, t->usable[i], t->out);
	if (e->leg) {
		cloneside_say(s, "is a member of a mirror, which keeps it in step");
		t->usable[i] = false;
		return;
	}
	if (!t->usable[i]) {
		t->drift |= !e->removable;
		t->damage |= !e->removable && s->fat_status != ST_ABSENT;
		return;
	}
	if (!cloneside_check(s)) {
		cloneside_say_why(s, "");
		t->drift = true;
		t->damage |= s->why != FAT_DIRTY;
	}
	check_manifest(t, s);
	if (e->removable && !e->own)
		t->usable[i] = false;
}

/* ---- one against another --------------------------------------------------------------------- */

static void compare(struct espstatus *t, unsigned newest, unsigned i)
{
	const struct clonedelta_options options = {.source_dirty_ok = true};
	struct cloneside *a = &t->side[newest], *b = &t->side[i];
	bool both = a->files.status == ST_OK && b->files.status == ST_OK;

	if (both && !guid_equal(&a->files.old.set, &b->files.old.set)) {
		cloneside_say_begin(b);
		text_str(t->out, "its manifest is of another set than that of ");
		esplist_say(&t->list, a->esp, t->out);
		text_char(t->out, '\n');
		t->drift = true;
	} else if (both && b->files.old.generation < a->files.old.generation) {
		cloneside_say_begin(b);
		text_str(t->out, "it is older than ");
		esplist_say(&t->list, a->esp, t->out);
		text_str(t->out, " (generation ");
		text_u64(t->out, b->files.old.generation);
		text_str(t->out, ", there ");
		text_u64(t->out, a->files.old.generation);
		text_str(t->out, ")\n");
		t->drift = true;
	}
	if (!clonedelta_make(&t->delta, a, b, &options)) {
		t->drift = true;
		t->damage |= t->delta.plan.why != FAT_NO_ROOM && t->delta.plan.why != FAT_NO_SLOTS;
	} else if (clonedelta_say_differences(&t->delta)) {
		t->drift = true;
	}
	clonedelta_free(&t->delta);
}

static void compare_all(struct espstatus *t)
{
	struct espgen_esp e[ESPLIST_MAX];
	unsigned index[ESPLIST_MAX], count = 0, newest;

	for (unsigned i = 0; i < t->list.count; i++)
		if (t->usable[i]) {
			e[count] = cloneside_facts(&t->side[i], false);
			index[count++] = i;
		}
	if (count == 0)
		return;
	newest = index[espgen_newest(e, count)];
	for (unsigned k = 0; k < count; k++)
		if (index[k] != newest)
			compare(t, newest, index[k]);
	if (!t->drift)
		text_str(t->out,
			 count > 1 ? "All are in step.\n" : "It is as its manifest says.\n");
}

static EFI_STATUS run(struct espstatus *t, const struct clone_scene *scene)
{
	const struct report_names names = {.disk_name = efidisk_name};

	efidisk_list(&scene->disks, t->out);
	if (uefi_is_entered())
		text_str(t->out, "The mirrors are presented by the mirrorboot that started this: "
				 "what it said of them holds.\n");
	else
		report_survey(&scene->survey, &names, t->out);
	esplist_find(&t->list, &scene->disks, &scene->survey, scene->own);
	if (t->list.count == 0)
		text_str(t->out, "There is no EFI system partition.\n");
	for (unsigned i = 0; i < t->list.count; i++)
		look_at(t, i);
	compare_all(t);
	for (unsigned i = 0; i < t->list.count; i++)
		cloneside_forget(&t->side[i]);
	if (t->damage)
		return EFI_VOLUME_CORRUPTED;
	return t->drift ? EFI_MEDIA_CHANGED : t->list.count ? EFI_SUCCESS : EFI_NOT_FOUND;
}

EFI_STATUS command_status(const struct command_words *w, struct text *out)
{
	EFI_STATUS status = EFI_OUT_OF_RESOURCES;
	struct clone_scene *scene;
	struct espstatus *t;

	if (w->count)
		return command_usage(w, out);
	scene = clone_look_around(out);
	if (scene == NULL)
		return status;
	t = uefi_alloc_pages(sizeof(*t));
	if (t) {
		t->out = t->bar.out = out;
		status = run(t, scene);
		uefi_free_pages(t, sizeof(*t));
	}
	uefi_free_pages(scene, sizeof(*scene));
	return status;
}
