/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "efi/cloneside.h"

#include "common/fat_write.h"
#include "efi/console.h"

/* ---- what is said ---------------------------------------------------------------------------- */

void cloneside_say_begin(const struct cloneside *s)
{
	bar_end(s->bar);
	esplist_say(s->list, s->esp, s->bar->out);
	text_str(s->bar->out, ": ");
}

void cloneside_say(const struct cloneside *s, const char *sentence)
{
	cloneside_say_begin(s);
	text_str(s->bar->out, sentence);
	text_char(s->bar->out, '\n');
}

void cloneside_say_why(const struct cloneside *s, const char *before)
{
	cloneside_say_begin(s);
	text_str(s->bar->out, before);
	text_str(s->bar->out, fat_why_text(s->why));
	if (s->why_path[0]) {
		text_str(s->bar->out, ": ");
		text_str(s->bar->out, s->why_path);
	}
	text_char(s->bar->out, '\n');
}

const char *cloneside_fault(enum status st)
{
	if (st == ST_IO)
		return "could not be read";
	return st == ST_FULL ? "is too deep in folders" : "is damaged in the file system";
}

/* ---- looking --------------------------------------------------------------------------------- */

void *cloneside_memory(uint64_t bytes)
{
	return bytes > SIZE_MAX / 2 ? NULL : uefi_alloc_pages((size_t)bytes);
}

void cloneside_forget(struct cloneside *s)
{
	if (s->work)
		uefi_free_pages(s->work, (size_t)s->work_bytes);
	s->work = NULL;
	s->work_bytes = 0;
	memset(&s->files, 0, sizeof(s->files));
}

struct reading {
	struct bar *bar;
	uint64_t done, of;
};

static bool progress(void *ctx, uint64_t bytes)
{
	struct reading *r = ctx;

	r->done += bytes;
	bar_at(r->bar, "reading", r->done, r->of);
	return true;
}

static bool open_fat(struct cloneside *s)
{
	const struct esplist_esp *e = s->esp;

	s->fat_status = fat_open(&s->fat, e->d, e->start_lba, e->sectors);
	switch (s->fat_status) {
	case ST_OK: return true;
	case ST_ABSENT: cloneside_say(s, "there is no FAT file system in it"); break;
	case ST_RANGE: cloneside_say(s, "its FAT file system is larger than the partition"); break;
	case ST_UNSUPPORTED:
		cloneside_say(s, "its FAT file system is of a kind that is not supported");
		break;
	case ST_IO: cloneside_say(s, "its FAT file system could not be read"); break;
	default: cloneside_say(s, "its FAT file system is damaged"); break;
	}
	return false;
}

bool cloneside_look(struct cloneside *s)
{
	struct reading r = {.bar = s->bar};
	uint64_t need;

	if (!open_fat(s))
		return false;
	need = espfiles_memory(&s->fat, &s->walk, &r.of);
	if (need > s->work_bytes) {
		cloneside_forget(s);
		s->work = cloneside_memory(need);
		if (s->work)
			s->work_bytes = need;
	}
	if (s->work == NULL || espfiles_look(&s->files, &s->fat, s->work, s->work_bytes, &s->walk,
					     progress, &r) != ST_OK) {
		cloneside_say(s, fat_why_text(FAT_NO_MEMORY));
		return false;
	}
	bar_end(s->bar);
	return true;
}

bool cloneside_check(struct cloneside *s)
{
	uint64_t bytes = fat_plan_memory(&s->fat, &s->fat, s->files.count * 2 + 256);

	for (unsigned i = 0; i < CLONESIDE_TRIES; i++, bytes *= 2) {
		struct fat_arena arena = {.base = cloneside_memory(bytes), .high = (size_t)bytes};
		struct fat_tree t = {0};
		enum status st;

		s->why = FAT_NO_MEMORY;
		s->why_path[0] = '\0';
		if (arena.base == NULL)
			return false;
		st = fat_check(&t, &s->fat, 0, &arena, &s->walk);
		s->why = t.why;
		if (st != ST_OK)
			memcpy(s->why_path, s->walk.path, s->walk.path_bytes + 1);
		uefi_free_pages(arena.base, (size_t)bytes);
		if (st == ST_OK || s->why != FAT_NO_MEMORY)
			return st == ST_OK;
	}
	return false;
}

struct espgen_esp cloneside_facts(const struct cloneside *s, bool differs)
{
	const struct espfiles *f = &s->files;

	return (struct espgen_esp){
		.status = (uint8_t)f->status,
		.complete = f->is_complete,
		.updated = f->updated,
		.is_current = espgen_is_current(f->status, &f->old, f->same, &s->esp->uuid),
		.differs = differs,
		.set = f->old.set,
		.generation = f->old.generation};
}

/* ---- its manifest ---------------------------------------------------------------------------- */

static bool put(struct cloneside *s, const char *text, uint32_t bytes, uint32_t fat_time,
		struct fat_plan *p)
{
	const struct fat_plan_options how = {.target_dirty_ok = true};
	uint64_t room = fat_plan_memory(&s->fat, &s->fat, s->files.count * 2 + 256);
	enum status st = ST_FULL;

	for (unsigned i = 0; i < CLONESIDE_TRIES; i++, room *= 2) {
		void *work = cloneside_memory(room);

		s->why = FAT_NO_MEMORY;
		if (work == NULL)
			return false;
		st = fat_plan_put(p, &s->fat, MANIFEST_PATH, text, bytes, fat_time, &how, work,
				  (size_t)room);
		if (st == ST_OK && !fat_plan_is_empty(p))
			st = fat_write_apply(p);
		s->why = p->why;
		memcpy(s->why_path, p->path, sizeof(s->why_path));
		uefi_free_pages(work, (size_t)room);
		if (st == ST_OK || s->why != FAT_NO_MEMORY)
			break;
	}
	return st == ST_OK;
}

static bool make_text(const struct cloneside *s, const struct espgen *g, enum manifest_state state,
		      char *text, size_t room, uint32_t *bytes)
{
	struct manifest_writer w;
	enum status st;

	manifest_begin(&w, text, room, &g->set, g->generation, state, &s->esp->uuid);
	for (uint32_t i = 0; i < s->files.count && state == MANIFEST_COMPLETE; i++)
		manifest_add(&w, &s->files.file[i].f);
	st = manifest_end(&w);
	*bytes = (uint32_t)w.bytes;
	return st == ST_OK;
}

bool cloneside_put_manifest(struct cloneside *s, const struct espgen *g, uint32_t fat_time,
			    enum manifest_state state)
{
	uint64_t room = espfiles_manifest_bytes(&s->files);
	struct fat_plan *p = uefi_alloc_pages(sizeof(*p));
	char *text = cloneside_memory(room);
	bool done = false;
	uint32_t bytes;

	if (p == NULL || text == NULL) {
		cloneside_say(s, fat_why_text(FAT_NO_MEMORY));
	} else if (!make_text(s, g, state, text, (size_t)room, &bytes)) {
		cloneside_say(s, "its EFI system partition has too many files for a manifest");
	} else {
		done = put(s, text, bytes, fat_time, p);
		if (!done)
			cloneside_say_why(s, "its manifest could not be written: ");
	}
	if (text)
		uefi_free_pages(text, (size_t)room);
	if (p)
		uefi_free_pages(p, sizeof(*p));
	return done;
}
