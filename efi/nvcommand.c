/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * "mirrorboot.efi entries": the verbs of the tool on Linux, over the firmware's own variables.
 * What they mean and what they say is common/'s.
 */
#include "common/cmdline.h"
#include "common/nvlist.h"
#include "common/ucs2.h"
#include "efi/command.h"
#include "efi/console.h"
#include "efi/nvparts.h"
#include "efi/nvstore.h"

struct nvcommand {
	struct text *out;
	struct text plain; /* for a console that knows nothing of UTF-8 */
	struct nvram all;
	struct nvparts_efi parts;
	struct nvwant want;
	uint16_t append[NVPLAN_NAME_UNITS], name[NVPLAN_NAME_UNITS];
	bool yes;
	struct nvplan plan;
	void *memory; /* the plan's */
	size_t bytes;
	struct nvtwin twin;
	void *item, *pool; /* the twins' */
};

/* Of a character of several bytes the first is "?". */
static void put_plain(struct text *t, char c)
{
	struct text *out = t->ctx;
	unsigned char byte = (unsigned char)c;

	if (byte < 0x80)
		text_char(out, c);
	else if (byte >= 0xc0)
		text_char(out, '?');
}

/* ---- the words ------------------------------------------------------------------------------- */

/* As on Linux; or DISK:NUMBER, which is less to type. */
static bool read_guid(const struct nvcommand *c, const char *word, struct guid *guid)
{
	size_t n = 0;
	bool braces;

	while (word[n])
		n++;
	braces = n > 2 && word[0] == '{' && word[n - 1] == '}';
	return guid_from_text_gpt(guid, word + braces, n - (braces ? 2 : 0)) ||
	       nvparts_named(&c->parts, word, guid);
}

static bool read_text(const char *word, uint16_t unit[NVPLAN_NAME_UNITS], struct nvtext *text)
{
	size_t n = 0;

	while (word[n])
		n++;
	text->unit = unit;
	return n && ucs2_from_utf8(word, n, unit, NVPLAN_NAME_UNITS, &text->units);
}

static bool read_id(struct nvwant *w, const char *word)
{
	char name[NVRAM_NAME_BYTES] = "Boot";
	unsigned n = 0, number;

	if (word[0] == 'B')
		while (n < 4 && word[n] == name[n])
			n++;
	word += n == 4 ? 4 : 0;
	for (n = 0; word[n] && n < 4; n++)
		name[4 + n] =
			word[n] >= 'a' && word[n] <= 'f' ? (char)(word[n] - 'a' + 'A') : word[n];
	name[4 + n] = 0;
	number = word[n] ? NVRAM_NONE : nvram_number(name);
	if (number == NVRAM_NONE || w->ids == NVVERB_IDS)
		return false;
	w->id[w->ids++] = number;
	return true;
}

enum {
	YES = 1,
	FROM = 2,
	TO = 4,
	APPEND = 8,
	LAST = 16,
	NAME = 32,
	ID = 64,
	ON = 128,
	FORCE = 256,
};

static const struct {
	const char *word;
	unsigned option;
	bool has_value;
} options[] = {
	{"--yes", YES, false},     {"-y", YES, false},
	{"--from", FROM, true},    {"--to", TO, true},
	{"--add", TO, true},       {"--append", APPEND, true},
	{"--last", LAST, false},   {"--description", NAME, true},
	{"--id", ID, true},        {"--on", ON, true},
	{"--force", FORCE, false},
};

static bool take_option(struct nvcommand *c, unsigned option, const char *value)
{
	struct nvwant *w = &c->want;

	switch (option) {
	case YES: c->yes = true; return true;
	case LAST: w->last = true; return true;
	case FORCE: w->force = true; return true;
	case FROM: w->has_from = true; return read_guid(c, value, &w->from);
	case TO: w->has_to = true; return read_guid(c, value, &w->to);
	case ON: w->has_on = true; return read_guid(c, value, &w->on);
	case APPEND: return read_text(value, c->append, &w->append);
	case NAME: return read_text(value, c->name, &w->name);
	default: return read_id(w, value);
	}
}

/* Those that a verb knows. False: others, or not what they want. */
static bool read_options(struct nvcommand *c, const struct command_words *w, unsigned known)
{
	for (unsigned i = 1; i < w->count; i++) {
		unsigned k = 0;

		while (k < sizeof(options) / sizeof(options[0]) &&
		       !cmdline_same(w->word[i], options[k].word))
			k++;
		if (k == sizeof(options) / sizeof(options[0]) || !(options[k].option & known) ||
		    (options[k].has_value && i + 1 == w->count)) {
			text_str(c->out, "mirrorboot: not known here: ");
			text_str(c->out, w->word[i]);
			text_char(c->out, '\n');
			return false;
		}
		i += options[k].has_value;
		if (!take_option(c, options[k].option, w->word[i])) {
			text_str(c->out, "mirrorboot: ");
			text_str(c->out, options[k].word);
			text_str(c->out, " does not take this: ");
			text_str(c->out, w->word[i]);
			text_char(c->out, '\n');
			return false;
		}
	}
	return true;
}

/* ---- the plan -------------------------------------------------------------------------------- */

static EFI_STATUS out_of_memory(struct nvcommand *c)
{
	text_str(c->out, "mirrorboot: there is no memory for it; nothing was written\n");
	return EFI_OUT_OF_RESOURCES;
}

static bool start(struct nvcommand *c, unsigned items, size_t item_bytes)
{
	c->bytes = nvplan_bytes(&c->all, items, item_bytes);
	c->memory = uefi_alloc_pages(c->bytes);
	if (c->memory)
		nvplan_start(&c->plan, &c->all, &c->parts.parts, items, c->memory, c->bytes);
	return c->memory != NULL;
}

static EFI_STATUS failed(struct nvcommand *c, const struct nvfail *f)
{
	nvsay_fail(&c->plan, f, c->out);
	return EFI_NOT_FOUND;
}

static EFI_STATUS write_plan(struct nvcommand *c)
{
	struct nvfault fault;

	if (!nvwrite_plan(&c->plan, &nvstore, &fault)) {
		nvsay_fault(&fault, &nvstore, c->out);
		return fault.error ? (EFI_STATUS)fault.error | EFI_ERROR_MASK : EFI_DEVICE_ERROR;
	}
	nvsay_done(&c->plan, c->out);
	return EFI_SUCCESS;
}

/* As entries_job_finish() of the tool. */
static EFI_STATUS finish(struct nvcommand *c, const char *title, bool with_part,
			 const char *nothing)
{
	EFI_STATUS status = EFI_SUCCESS;
	bool twice;

	if (nvplan_is_empty(&c->plan)) {
		text_str(c->out, nothing);
		text_char(c->out, '\n');
		nvsay_notes(&c->plan, c->out);
	} else {
		if (with_part)
			nvsay_title(title,
				    c->parts.parts.find(&c->parts.parts, &c->want.to, &twice),
				    c->out);
		else
			text_str(c->out, title);
		nvsay_plan(&c->plan, c->out);
		nvsay_notes(&c->plan, c->out);
		if (!c->yes && !command_ask("Write this?", CONSOLE_FOREVER, c->out)) {
			text_str(c->out, "mirrorboot: nothing was written\n");
			return EFI_ABORTED;
		}
		status = write_plan(c);
	}
	return status == EFI_SUCCESS && c->plan.incomplete ? EFI_NOT_READY : status;
}

/* ---- the verbs ------------------------------------------------------------------------------- */

#define DONE_ALREADY "All of it is there already; nothing was written."

static EFI_STATUS list(struct nvcommand *c)
{
	const char *disk = NULL;
	bool drift = false;

	nvlist_order(&c->all, c->out);
	for (unsigned i = 0; i < c->all.count; i++) {
		struct nvlist l;

		nvlist_look(&c->all.entry[i], &c->parts.parts, &l);
		drift = drift || nvlist_matters(&l);
		nvlist_entry(&c->all, &l, &c->parts.parts, &nvstore, c->out);
	}
	for (unsigned i = 0; i < c->all.order_count; i++)
		drift = drift || !nvram_find(&c->all, c->all.order[i]);
	for (unsigned i = 0; i < c->parts.count; i++) {
		const struct nvpart *p = &c->parts.part[i];

		if (p->disk_name != disk) {
			text_str(c->out, "\npartitions of ");
			text_str(c->out, p->disk_name);
			text_str(c->out, ":\n");
		}
		disk = p->disk_name;
		nvlist_part(p, c->out);
	}
	return drift ? EFI_MEDIA_CHANGED : EFI_SUCCESS;
}

static EFI_STATUS clone(struct nvcommand *c)
{
	struct nvfail f;

	if (!start(c, 0, 0))
		return out_of_memory(c);
	if (!nvverb_clone(&c->plan, &c->want, &f))
		return failed(c, &f);
	return finish(c, "Clone boot entries", true, DONE_ALREADY);
}

static EFI_STATUS mirror(struct nvcommand *c)
{
	struct nvfail f;

	if (!start(c, 0, 0))
		return out_of_memory(c);
	if (!nvverb_mirror(&c->plan, &c->want, &f))
		return failed(c, &f);
	return finish(c, "Add a boot entry", true, DONE_ALREADY);
}

static EFI_STATUS delete (struct nvcommand *c)
{
	struct nvfail f;

	if (!start(c, 0, 0))
		return out_of_memory(c);
	if (!nvverb_delete(&c->plan, &c->want, NULL, 0, &f))
		return failed(c, &f);
	return finish(c, "Remove boot entries:\n", false, "");
}

/* By what the clones of an EFI system partition have: there is no record here. */
static EFI_STATUS repair(struct nvcommand *c)
{
	struct nvtwin *t = &c->twin;
	size_t bytes = 0;
	struct nvfail f;

	nvparts_manifests(&c->parts);
	for (unsigned i = 0; i < c->all.count; i++)
		bytes += c->all.entry[i].bytes + 64;
	*t = (struct nvtwin){.all = &c->all,
			     .esp = c->parts.esp,
			     .esps = c->parts.esps,
			     .room = (c->all.count + 1) * (c->parts.esps + 1),
			     .pool_bytes = (bytes + 64) * (c->parts.esps + 1)};
	t->item = c->item = uefi_alloc(t->room * sizeof(*t->item));
	t->pool = c->pool = uefi_alloc(t->pool_bytes);
	if (!t->item || !t->pool || nvtwin_items(t) != ST_OK || !start(c, t->items, t->pool_bytes))
		return out_of_memory(c);
	if (!t->items) {
		text_str(c->out, "mirrorboot: no boot entry is on an EFI system partition that "
				 "has clones: \"repair\" on Linux has a record of more\n");
		return EFI_NOT_FOUND;
	}
	if (!nvverb_repair(&c->plan, t->item, t->items, &f))
		return failed(c, &f);
	return finish(c, "Repair boot entries:\n", false,
		      "All entries that the clones of an EFI system partition should have are "
		      "there.");
}

static const struct {
	const char *name;
	EFI_STATUS (*run)(struct nvcommand *c);
	unsigned known, wanted; /* options; of wanted one is enough */
} verbs[] = {
	{"list", list, 0, 0},
	{"clone", clone, FROM | TO | APPEND | LAST | YES, FROM},
	{"mirror", mirror, TO | NAME | APPEND | LAST | YES, TO},
	{"delete", delete, ID | ON | FORCE | YES, ID | ON},
	{"repair", repair, YES, 0},
};

static bool has_wanted(const struct nvwant *w, unsigned wanted)
{
	if (wanted & FROM)
		return w->has_from && w->has_to && !guid_equal(&w->from, &w->to);
	if (wanted & TO)
		return w->has_to;
	return !wanted || w->ids || w->has_on;
}

static EFI_STATUS run(struct nvcommand *c, const struct command_words *w)
{
	const char *word = w->count ? w->word[0] : "list";
	unsigned v = 0;

	while (v < sizeof(verbs) / sizeof(verbs[0]) && !cmdline_same(word, verbs[v].name))
		v++;
	if (v == sizeof(verbs) / sizeof(verbs[0]))
		return command_usage(w, c->out);
	nvparts_find(&c->parts, c->out);
	if (!read_options(c, w, verbs[v].known) || !has_wanted(&c->want, verbs[v].wanted))
		return command_usage(w, c->out);
	return nvstore_read(&c->all, c->out) ? verbs[v].run(c) : EFI_DEVICE_ERROR;
}

EFI_STATUS command_entries(const struct command_words *w, struct text *out)
{
	struct nvcommand *c = uefi_alloc_pages(sizeof(*c));
	EFI_STATUS status = EFI_OUT_OF_RESOURCES;

	if (!c)
		return status;
	c->plain = (struct text){.put = put_plain, .ctx = out};
	c->out = &c->plain;
	status = run(c, w);
	nvstore_forget(&c->all);
	uefi_free(c->item);
	uefi_free(c->pool);
	if (c->memory)
		uefi_free_pages(c->memory, c->bytes);
	uefi_free_pages(c, sizeof(*c));
	return status;
}
