/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tools/entries_job.h"

#include "tools/jsontext.h"
#include "tools/say.h"
#include "tools/stop.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

bool entries_job_open(struct entries_job *j, const struct entries_options *o, struct hostset *set)
{
	memset(j, 0, sizeof(*j));
	j->o = o;
	if (!entries_vars_open(&j->vars, o->efivars) || !entries_read(&j->all, &j->vars))
		return false;
	if (!entries_record_open(&j->record, &j->vars, o->record) && !o->reading)
		return false;
	if (!entries_parts_open(&j->parts, set))
		return false;
	entries_job_start(j);
	return true;
}

void entries_job_start(struct entries_job *j)
{
	size_t bytes = 0;

	j->store = entries_store(&j->vars);
	for (unsigned i = 0; i < j->record.count; i++)
		bytes += j->record.item[i].bytes;
	bytes = nvplan_bytes(&j->all, j->record.count, bytes);
	j->memory = malloc(bytes);
	if (!j->memory)
		abort();
	nvplan_start(&j->plan, &j->all, &j->parts.parts, j->record.count, j->memory, bytes);
}

void entries_job_close(struct entries_job *j)
{
	entries_parts_free(&j->parts);
	entries_record_free(&j->record);
	free(j->memory);
	entries_free(&j->all);
}

static void put(struct text *t, char c)
{
	putchar(c);
}

struct text *entries_job_text(void)
{
	static struct text text = {.put = put};

	return &text;
}

/* Lines that common/ makes for people who look for what went wrong. */
static void say(const struct say_text *t)
{
	fflush(stdout);
	fputs(t->buf, stderr);
	free(t->buf);
}

int entries_job_fail(const struct entries_job *j, const struct nvfail *f)
{
	struct say_text t;

	say_text_init(&t);
	nvsay_fail(&j->plan, f, &t.text);
	say(&t);
	return EXIT_FAILED;
}

/* ---- showing ---- */

static const char *const act_word[] = {"add", "update", "remove"};

static struct json_object *order_json(const uint16_t *order, unsigned count)
{
	struct json_object *a = json_object_new_array();
	char text[5];

	for (unsigned i = 0; i < count; i++) {
		snprintf(text, sizeof(text), "%04X", order[i]);
		json_object_array_add(a, json_object_new_string(text));
	}
	return a;
}

static struct json_object *change_json(const struct nvplan_change *c)
{
	struct json_object *o = json_object_new_object();
	char text[GUID_TEXT_BYTES];
	bool is_file = false;
	char *name = c->e.path ? entries_description(&c->e) : NULL;
	char *file = c->e.path ? entries_target(&c->e, &is_file) : NULL;

	json_object_object_add(o, "action", json_object_new_string(act_word[c->act]));
	snprintf(text, sizeof(text), "%04X", c->number);
	json_object_object_add(o, "entry", json_object_new_string(text));
	snprintf(text, sizeof(text), "%04X", c->from & 0xffff);
	json_object_object_add(o, "from",
			       c->from == NVRAM_NONE ? NULL : json_object_new_string(text));
	json_object_object_add(o, "description", jsontext(name));
	guid_text_gpt(&c->e.hd.guid, text);
	json_object_object_add(o, "partition",
			       c->e.on_partition ? json_object_new_string(text) : NULL);
	json_object_object_add(o, "path", is_file ? jsontext(file) : NULL);
	free(file);
	free(name);
	return o;
}

static void print_json(const struct entries_job *j, bool written)
{
	const struct nvplan *p = &j->plan;
	struct json_object *o = json_object_new_object(), *a = json_object_new_array();

	for (unsigned i = 0; i < p->count; i++)
		json_object_array_add(a, change_json(&p->change[i]));
	json_object_object_add(o, "changes", a);
	json_object_object_add(o, "boot_order_before",
			       order_json(j->all.order, j->all.order_count));
	json_object_object_add(o, "boot_order", order_json(p->order, p->order_count));
	a = json_object_new_array();
	for (unsigned i = 0; i < p->notes; i++) {
		struct say_text t;

		say_text_init(&t);
		nvsay_note(p, &p->note[i], &t.text);
		json_object_array_add(a, jsontext(t.buf));
		free(t.buf);
	}
	json_object_object_add(o, "notes", a);
	json_object_object_add(o, "complete", json_object_new_boolean(!p->incomplete));
	json_object_object_add(o, "written", json_object_new_boolean(written));
	puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY |
						       JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
}

/* ---- writing ---- */

/* Nobody else of us writes meanwhile, and nobody wrote since the plan was made. */
static bool is_as_planned(const struct entries_job *j, int *fd)
{
	struct nvram again;
	bool same;

	*fd = open(j->vars.where, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*fd >= 0 && flock(*fd, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK) {
		say_about(j->vars.where, "another \"mirrorboot entries\" is at work; nothing was "
					 "changed");
		return false;
	}
	if (!entries_read(&again, j->store.vars))
		return false;
	same = nvram_equal(&j->all, &again);
	entries_free(&again);
	if (!same)
		say_about(j->vars.where,
			  "the boot entries have changed since the plan was made; nothing was "
			  "changed");
	return same;
}

static bool carry_out(const struct entries_job *j)
{
	struct nvfault fault;
	struct say_text t;

	if (nvwrite_plan(&j->plan, &j->store.store, &fault))
		return true;
	say_text_init(&t);
	nvsay_fault(&fault, &j->store.store, &t.text);
	say(&t);
	return false;
}

static int write_plan(struct entries_job *j)
{
	bool changed, fine;
	int fd = -1;

	stop_hold();
	fine = is_as_planned(j, &fd) && entries_record_prepare(&j->record, &changed) &&
	       carry_out(j) && entries_record_commit(&j->record);
	if (fd >= 0)
		close(fd);
	return fine ? EXIT_DONE : EXIT_FAILED;
}

static bool is_followed(const void *job, unsigned number)
{
	return nvplan_is_paired(&((const struct entries_job *)job)->plan, number);
}

static void renew_record(struct entries_job *j)
{
	const struct nvplan *p = &j->plan;
	struct nvram after = j->all;

	after.entry = calloc(j->all.count + p->count + 1, sizeof(*after.entry));
	after.order = calloc(p->order_count + 1, sizeof(*after.order));
	if (!after.entry || !after.order)
		abort();
	nvplan_after(p, &after);
	entries_record_renew(&j->record, &after, is_followed, j->drop, j);
	free(after.entry);
	free(after.order);
}

static void print_plan(const struct entries_job *j, const char *title, const struct guid *part)
{
	bool twice;

	if (part)
		nvsay_title(title, j->plan.parts->find(j->plan.parts, part, &twice),
			    entries_job_text());
	else
		printf("%s\n", title);
	nvsay_plan(&j->plan, entries_job_text());
}

int entries_job_finish(struct entries_job *j, const char *title, const struct guid *part,
		       const char *nothing)
{
	bool empty = nvplan_is_empty(&j->plan), asked = true;
	int rc = EXIT_DONE;

	if (!j->o->json) {
		if (empty)
			printf("%s\n", nothing);
		else
			print_plan(j, title, part);
		nvsay_notes(&j->plan, entries_job_text());
		if (!empty && !j->o->yes && !say_ask("Write this?", &asked)) {
			say_note(asked ? "nothing was written"
				       : "there is no terminal to ask on: say --yes; nothing was "
					 "written");
			return asked ? EXIT_FAILED : EXIT_USAGE;
		}
	} else if (!empty && !j->o->yes) {
		print_json(j, false);
		return EXIT_DEGRADED;
	}
	renew_record(j);
	rc = write_plan(j);
	if (j->o->json)
		print_json(j, rc == EXIT_DONE && !empty);
	else if (rc == EXIT_DONE)
		nvsay_done(&j->plan, entries_job_text());
	return rc == EXIT_DONE && j->plan.incomplete ? EXIT_DEGRADED : rc;
}
