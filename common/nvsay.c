/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "common/nvsay.h"

#include "common/ucs2.h"

void nvsay_name(const struct bootentry *e, struct text *out)
{
	ucs2_text(e->name, e->name_units, out);
}

static const char *target_word(const struct bootentry *e)
{
	if (e->on_partition)
		return "the partition's fallback loader";
	switch (e->path[0]) {
	case 1:
	case 2:
	case 3: return "a device, not a file on a partition";
	case 4: return "a part of the firmware";
	case 5: return "a device, by way of the BIOS";
	default: return "not a file on a partition";
	}
}

bool nvsay_target(const struct bootentry *e, struct text *out)
{
	uint16_t file[BOOTENTRY_FILE_UNITS];
	size_t n = 0;

	if (!bootentry_file(e, file)) {
		text_str(out, target_word(e));
		return false;
	}
	while (file[n])
		n++;
	ucs2_text((const uint8_t *)file, n, out);
	return true;
}

void nvsay_number(unsigned number, struct text *out)
{
	char name[NVRAM_NAME_BYTES];

	nvram_name(number, name);
	text_str(out, name);
}

void nvsay_guid(const struct guid *guid, struct text *out)
{
	char text[GUID_TEXT_BYTES];

	guid_text_gpt(guid, text);
	text_str(out, text);
}

static void say_part(const struct nvpart *part, struct text *out)
{
	text_str(out, "partition ");
	text_u64(out, part->part.number);
	text_str(out, " of ");
	text_str(out, part->disk_name);
}

void nvsay_title(const char *what, const struct nvpart *part, struct text *out)
{
	text_str(out, what);
	text_str(out, " for ");
	say_part(part, out);
	text_str(out, " (");
	nvsay_guid(&part->part.uuid, out);
	text_str(out, "):\n");
}

/* ---- the plan ---- */

static void say_order(const char *what, const uint16_t *order, unsigned count, struct text *out)
{
	char name[NVRAM_NAME_BYTES];

	text_str(out, what);
	for (unsigned i = 0; i < count; i++) {
		nvram_name(order[i], name);
		text_char(out, ' ');
		text_str(out, name + 4);
	}
	text_str(out, count ? "\n" : " (none)\n");
}

static void say_change(const struct nvplan_change *c, struct text *out)
{
	static const char *const sign[] = {"  + ", "  ~ ", "  - "};

	text_str(out, sign[c->act]);
	nvsay_number(c->number, out);
	if (c->e.path) {
		text_str(out, " \"");
		nvsay_name(&c->e, out);
		text_char(out, '"');
	} else {
		text_str(out, " (damaged)");
	}
	if (c->from != NVRAM_NONE) {
		text_str(out, ", a copy of ");
		nvsay_number(c->from, out);
	} else if (c->act == NVPLAN_UPDATE) {
		text_str(out, ", for where the partition is now");
	}
	text_char(out, '\n');
	if (!c->e.path)
		return;
	text_str(out, "      ");
	nvsay_target(&c->e, out);
	text_char(out, '\n');
	if (!c->e.on_partition)
		return;
	text_str(out, "      on partition ");
	text_u64(out, c->e.hd.number);
	text_str(out, ", ");
	nvsay_guid(&c->e.hd.guid, out);
	text_char(out, '\n');
}

void nvsay_plan(const struct nvplan *p, struct text *out)
{
	for (unsigned i = 0; i < p->count; i++)
		say_change(&p->change[i], out);
	if (!p->order_changes)
		return;
	say_order("  boot order now: ", p->now->order, p->now->order_count, out);
	say_order("  boot order then:", p->order, p->order_count, out);
}

static void say_done(const struct nvplan_change *c, struct text *out)
{
	nvsay_number(c->act == NVPLAN_ADD && c->from != NVRAM_NONE ? c->from : c->number, out);
	switch (c->act) {
	case NVPLAN_REMOVE: text_str(out, " was removed"); break;
	case NVPLAN_UPDATE: text_str(out, " was brought up to date"); break;
	case NVPLAN_ADD:
		text_str(out, c->from != NVRAM_NONE ? " was cloned: " : " was brought back");
		if (c->from != NVRAM_NONE)
			nvsay_number(c->number, out);
	}
	text_char(out, '\n');
}

void nvsay_done(const struct nvplan *p, struct text *out)
{
	for (unsigned i = 0; i < p->count; i++)
		say_done(&p->change[i], out);
	if (p->order_changes)
		text_str(out, "The boot order was written\n");
}

/* ---- notes ---- */

static void say_missing_loader(const struct nvnote *n, struct text *out)
{
	if (n->kind == NVNOTE_LOADER_UNKNOWN)
		text_str(out, "whether ");
	nvsay_target(n->e, out);
	text_str(out, n->kind == NVNOTE_LOADER_UNKNOWN ? " is on " : " is not on ");
	say_part(n->part, out);
	text_str(out, n->kind == NVNOTE_LOADER_UNKNOWN
			      ? " can't be told"
			      : " yet: \"mirrorboot esp clone\" copies what is on an EFI system "
				"partition");
}

static void say_not_back(const struct nvplan *p, const struct nvnote *n, struct text *out)
{
	text_char(out, '"');
	nvsay_name(n->e, out);
	text_str(out, n->kind == NVNOTE_TWICE ? "\" can't be brought back: partition "
					      : "\" can't be brought back now: its partition ");
	nvsay_guid(&n->e->hd.guid, out);
	text_str(out, n->kind == NVNOTE_TWICE ? " is there twice" : " is on no disk here");
}

void nvsay_note(const struct nvplan *p, const struct nvnote *n, struct text *out)
{
	switch (n->kind) {
	case NVNOTE_AUTOMATIC:
		nvsay_number(n->number, out);
		text_str(out, " is left out: the firmware made it by itself");
		break;
	case NVNOTE_NOT_ESP:
		say_part(n->part, out);
		text_str(out, " is not marked as an EFI system partition");
		break;
	case NVNOTE_NO_LOADER:
	case NVNOTE_LOADER_UNKNOWN: say_missing_loader(n, out); break;
	case NVNOTE_NEXT:
		nvsay_number(n->number, out);
		text_str(out, " is what the next start was to try first");
		break;
	case NVNOTE_CURRENT:
		nvsay_number(n->number, out);
		text_str(out, " is what this system was started by");
		break;
	case NVNOTE_GONE:
	case NVNOTE_TWICE: say_not_back(p, n, out); break;
	}
}

void nvsay_notes(const struct nvplan *p, struct text *out)
{
	for (unsigned i = 0; i < p->notes; i++) {
		text_str(out, "note: ");
		nvsay_note(p, &p->note[i], out);
		text_char(out, '\n');
	}
}

/* ---- what failed ---- */

#define PREFIX  "mirrorboot: "
#define NOTHING "; nothing was written\n"

static void say_partition(const struct nvfail *f, const char *what, struct text *out)
{
	text_str(out, "partition ");
	nvsay_guid(&f->guid, out);
	text_str(out, what);
}

void nvsay_fail(const struct nvplan *p, const struct nvfail *f, struct text *out)
{
	text_str(out, PREFIX);
	switch (f->why) {
	case NVWHY_NO_PARTITION:
		say_partition(f,
			      p->parts->given ? " is on none of these disks"
					      : " was not found; name the disk that has it",
			      out);
		break;
	case NVWHY_TWICE:
		say_partition(f,
			      " is there twice: a disk was copied with its GUIDs. Give one of the "
			      "two a new one (sgdisk --partition-guid)",
			      out);
		break;
	case NVWHY_NO_SOURCE:
		text_str(out, "no boot entry is on partition ");
		nvsay_guid(&f->guid, out);
		break;
	case NVWHY_NUMBERS: text_str(out, "all 65536 numbers of boot entries are taken"); break;
	case NVWHY_NO_CURRENT: text_str(out, "no boot entry says which loader is in use"); break;
	case NVWHY_SAME:
		nvsay_number(f->number, out);
		text_str(out, ", which is in use, is on that partition itself");
		break;
	case NVWHY_NO_ENTRY:
		text_str(out, "there is no ");
		nvsay_number(f->number, out);
		break;
	case NVWHY_NONE_ON: text_str(out, "no boot entry is on that partition"); break;
	case NVWHY_EMPTY_ORDER:
		text_str(
			out,
			"nothing would be left in the boot order that can be started, and what "
			"the firmware starts then is its own choice: --force does it all the same");
		break;
	case NVWHY_FULL: text_str(out, "there are more boot entries than there is room for");
	}
	text_str(out, NOTHING);
}

void nvsay_fault(const struct nvfault *f, const struct nvstore *s, struct text *out)
{
	text_str(out, PREFIX);
	text_str(out, f->variable);
	if (f->removing) {
		text_str(out, " could not be removed: ");
		text_str(out, f->error ? s->why(s, f->error) : "it is still there");
		text_str(out, ". It is no longer in the boot order\n");
		return;
	}
	if (f->error) {
		text_str(out, " could not be written: ");
		text_str(out, s->why(s, f->error));
	} else {
		text_str(out, " was written, and does not read back");
	}
	text_str(out, "\n" PREFIX);
	if (f->restored) {
		text_str(out, "what had been added was taken back: the boot order and what it "
			      "names are as they were\n");
		return;
	}
	text_str(out, "taking back what had been written failed at ");
	text_str(out, f->left);
	text_str(out, "; \"mirrorboot entries list\" shows what there is\n");
}
