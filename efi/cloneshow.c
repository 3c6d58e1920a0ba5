/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* The plan of a clone, for a person. */
#include "efi/clonedelta.h"

#define LINES 20 /* of files: a screen has no more, and what went up is gone */

static void say_size(uint64_t bytes, struct text *out)
{
	if (bytes < 1024) {
		text_u64(out, bytes);
		text_str(out, bytes == 1 ? " byte" : " bytes");
	} else {
		text_size(out, bytes >> 9);
	}
}

static void say_count(uint32_t n, const char *what, struct text *out)
{
	text_u64(out, n);
	text_str(out, what);
	if (n != 1)
		text_char(out, 's');
}

static void show_item(const struct fat_plan_item *item, struct text *out)
{
	static const char *const what[FAT_ACTIONS] = {[FAT_CREATE] = "new",
						      [FAT_REPLACE] = "changed",
						      [FAT_TOUCH] = "times",
						      [FAT_REMOVE] = "deleted"};

	text_str(out, "  ");
	text_str(out, what[item->action]);
	text_tab(out, 11);
	text_str(out, item->path);
	if (item->folder) {
		text_char(out, '\\');
	} else if (item->action != FAT_TOUCH) {
		text_str(out, ", ");
		say_size(item->bytes, out);
	}
	text_char(out, '\n');
}

void clonedelta_show(const struct clonedelta *d, struct text *out)
{
	const struct fat_plan *p = &d->plan;
	uint32_t gone = p->count[FAT_REMOVE].files, touched = p->count[FAT_TOUCH].files;
	uint32_t at = 0, shown = 0, more = 0;
	struct fat_plan_item item;

	while (fat_plan_next(p, &at, &item)) {
		if (item.action == FAT_KEEP || item.action == FAT_LEAVE)
			continue;
		if (shown < LINES)
			show_item(&item, out);
		else
			more++;
		shown++;
	}
	if (more) {
		text_str(out, "  and ");
		text_u64(out, more);
		text_str(out, " more\n");
	}
	text_str(out, "  ");
	say_count(p->count[FAT_CREATE].files + p->count[FAT_REPLACE].files, " file", out);
	text_str(out, " to write (");
	say_size(p->write_bytes, out);
	text_char(out, ')');
	if (gone) {
		text_str(out, ", ");
		text_u64(out, gone);
		text_str(out, " to delete");
	}
	if (touched) {
		text_str(out, ", ");
		text_u64(out, touched);
		text_str(out, " to get times and attributes");
	}
	if (p->tidy)
		text_str(out, ", the file system to be put in order");
}

bool clonedelta_say_differences(const struct clonedelta *d)
{
	static const struct {
		enum fat_action action;
		const char *has, *one, *more;
	} what[] = {
		{FAT_CREATE, "it lacks ", "that is on", "that are on"},
		{FAT_REPLACE, "it has ", "that is another on", "that are others on"},
		{FAT_REMOVE, "it has ", "that is not on", "that are not on"},
		{FAT_TOUCH, "it has ", "with other times or attributes than on",
		 "with other times or attributes than on"},
	};
	const struct fat_plan *p = &d->plan;
	struct text *out = d->to->bar->out;

	for (unsigned i = 0; i < sizeof(what) / sizeof(what[0]); i++) {
		uint32_t files = p->count[what[i].action].files;
		uint32_t n = files ? files : p->count[what[i].action].folders;

		if (!n)
			continue;
		cloneside_say_begin(d->to);
		text_str(out, what[i].has);
		say_count(n, files ? " file" : " folder", out);
		text_char(out, ' ');
		text_str(out, n == 1 ? what[i].one : what[i].more);
		text_char(out, ' ');
		esplist_say(d->from->list, d->from->esp, out);
		text_char(out, '\n');
	}
	return !fat_plan_is_empty(p);
}
