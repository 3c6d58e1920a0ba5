/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "efi/clone.h"

#include "common/fat_check.h"
#include "efi/command.h"
#include "efi/console.h"

struct clone_scene *clone_look_around(struct text *out)
{
	struct clone_scene *all = uefi_alloc_pages(sizeof(*all));
	EFI_LOADED_IMAGE *image = uefi_protocol(uefi_image, &uefi_loaded_image);

	if (all == NULL) {
		text_str(out, "There is not memory enough.\n");
		return NULL;
	}
	if (image)
		all->own = image->DeviceHandle;
	efidisk_connect_all();
	efidisk_find(&all->disks, uefi_protocol(all->own, &uefi_device_path));
	survey_run(&all->survey, all->disks.disk, all->disks.count);
	return all;
}

/* ---- which ----------------------------------------------------------------------------------- */

static void say_about(struct clone *c, const struct esplist_esp *e, const char *sentence)
{
	esplist_say(&c->list, e, c->out);
	text_str(c->out, ": ");
	text_str(c->out, sentence);
	text_char(c->out, '\n');
}

static void add(struct clone *c, struct esplist_esp *e)
{
	c->side[c->count++] = (struct cloneside){.list = &c->list, .esp = e, .bar = &c->bar};
}

/* Do they lie over each other? */
static bool overlap(const struct esplist_esp *a, const struct esplist_esp *b)
{
	return a->disk == b->disk && a->start_lba < b->start_lba + b->sectors &&
	       b->start_lba < a->start_lba + a->sectors;
}

static EFI_STATUS choose_named(struct clone *c)
{
	const struct cloneargs *a = c->args;

	for (unsigned i = c->count; i < a->count; i++) {
		struct esplist_esp *e = esplist_named(&c->list, a->esp[i]);

		if (e == NULL) {
			text_str(c->out, "There is no ESP ");
			text_str(c->out, a->esp[i]);
			text_str(c->out, ": \"mirrorboot.efi status\" lists them.\n");
			return EFI_INVALID_PARAMETER;
		}
		for (unsigned k = 0; k < c->count; k++)
			if (overlap(c->side[k].esp, e)) {
				esplist_say(&c->list, e, c->out);
				text_str(c->out, ": is the same EFI system partition as ");
				esplist_say(&c->list, c->side[k].esp, c->out);
				text_char(c->out, '\n');
				return EFI_INVALID_PARAMETER;
			}
		add(c, e);
	}
	return EFI_SUCCESS;
}

static const char leg[] = "is a member of a mirror: writing to one leg would make the legs differ";

/* Those that are no target without being named, and why not. */
static bool is_left_out(struct clone *c, const struct esplist_esp *e)
{
	struct fat *fat = &c->delta.lookup; /* as scratch */

	if (overlap(c->side[0].esp, e) || e->disk == c->side[0].esp->disk || e->removable)
		return true;
	if (e->leg) {
		say_about(c, e, "is left out: it is a member of a mirror, which keeps it in step");
		return true;
	}
	if (e->untrusted) {
		say_about(c, e, "is left out: nothing on its disk is trusted (trust =)");
		return true;
	}
	if (fat_open(fat, e->d, e->start_lba, e->sectors) != ST_ABSENT)
		return false;
	say_about(c, e,
		  "is left out: there is no FAT file system in it (\"mirrorboot esp clone "
		  "--format\" makes one)");
	return true;
}

EFI_STATUS clone_choose(struct clone *c)
{
	if (c->list.full)
		text_str(c->out, "There are more EFI system partitions than there is room for; "
				 "the last are left out.\n");
	if (c->args->count > c->list.count) {
		text_str(c->out, "More EFI system partitions are named than there are.\n");
		return EFI_INVALID_PARAMETER;
	}
	for (unsigned i = 0; i < c->list.count && c->args->count == 0; i++)
		if (c->list.esp[i].own)
			add(c, &c->list.esp[i]);
	if (c->args->count == 0 && c->count == 0) {
		text_str(c->out, "This was not started from an EFI system partition of a disk: "
				 "name the one to clone from (\"mirrorboot.efi status\" lists "
				 "them).\n");
		return EFI_INVALID_PARAMETER;
	}
	if (c->args->count) {
		EFI_STATUS status = choose_named(c);

		if (status != EFI_SUCCESS)
			return status;
	}
	for (unsigned i = 0; i < c->list.count && c->args->count < 2; i++)
		if (!is_left_out(c, &c->list.esp[i]))
			add(c, &c->list.esp[i]);
	if (c->count > 1)
		return EFI_SUCCESS;
	text_str(c->out, "There is no other EFI system partition to clone to.\n");
	return EFI_NOT_FOUND;
}

/* ---- all of it ------------------------------------------------------------------------------- */

/* Nobody else may have them mounted, with contents of before in memory. */
static bool take_targets(struct clone *c)
{
	bool fine = true;

	for (unsigned i = 1; i < c->count; i++) {
		struct esplist_esp *e = c->side[i].esp;

		if (e->leg)
			say_about(c, e, leg);
		else if (e->d->write == NULL)
			say_about(c, e, "its disk is write-protected");
		else if (!esplist_take(e))
			say_about(c, e, "is in use: the firmware does not let go of it");
		else
			continue;
		fine = false;
	}
	return fine;
}

static EFI_STATUS ask_and_write(struct clone *c)
{
	if (!take_targets(c) || !clone_plan(c)) {
		text_str(c->out, "Nothing was written.\n");
		return EFI_ABORTED;
	}
	if (clone_is_empty(c)) {
		text_str(c->out, "All are in step; nothing was written.\n");
		return EFI_SUCCESS;
	}
	if (!c->args->yes && !command_ask("Write this?", c->ask_s, c->out)) {
		text_str(c->out, "Nothing was written.\n");
		return EFI_ABORTED;
	}
	uefi_bs->SetWatchdogTimer(0, 0, 0, NULL); /* it takes as long as it takes */
	return clone_write(c) ? EFI_SUCCESS : EFI_DEVICE_ERROR;
}

EFI_STATUS clone_run(const struct efidisks *disks, const struct survey *s, EFI_HANDLE own,
		     const struct cloneargs *args, unsigned ask_s, struct text *out)
{
	struct clone *c = uefi_alloc_pages(sizeof(*c));
	EFI_STATUS status;

	if (c == NULL) {
		text_str(out, "There is not memory enough.\n");
		return EFI_OUT_OF_RESOURCES;
	}
	uefi_bs->SetWatchdogTimer(0, 0, 0, NULL);
	c->out = c->bar.out = out;
	c->args = args;
	c->ask_s = ask_s;
	c->options = (struct clonedelta_options){.keep_extra = args->keep_extra,
						 .source_dirty_ok = args->force};
	esplist_find(&c->list, disks, s, own);
	status = clone_choose(c);
	if (status == EFI_SUCCESS)
		status = ask_and_write(c);
	bar_end(&c->bar);
	clonedelta_free(&c->delta);
	for (unsigned i = 0; i < c->count; i++) {
		cloneside_forget(&c->side[i]);
		esplist_give(c->side[i].esp);
	}
	uefi_free_pages(c, sizeof(*c));
	return status;
}

EFI_STATUS command_clone(const struct command_words *w, struct text *out)
{
	struct clone_scene *scene;
	struct cloneargs args;
	EFI_STATUS status;

	if (!cloneargs_parse(&args, w->word, w->count))
		return command_usage(w, out);
	scene = clone_look_around(out);
	if (scene == NULL)
		return EFI_OUT_OF_RESOURCES;
	status = clone_run(&scene->disks, &scene->survey, scene->own, &args, CONSOLE_FOREVER, out);
	uefi_free_pages(scene, sizeof(*scene));
	return status;
}
