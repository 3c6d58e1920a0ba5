/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tools/entries_record.h"

#include "tools/folder.h"
#include "tools/jsontext.h"
#include "tools/say.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define VERSION   1
#define FILE_MAX  (16u << 20)
#define ITEMS_MAX 4096

static char *read_text(const char *file, int *error)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char *text = NULL;
	size_t used = 0;
	struct stat st;
	ssize_t n;

	*error = 0;
	if (fd < 0) {
		*error = errno;
		return NULL;
	}
	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_size > (off_t)FILE_MAX)
		*error = EINVAL;
	else
		text = malloc((size_t)st.st_size + 1);
	while (text && used < (size_t)st.st_size) {
		n = read(fd, text + used, (size_t)st.st_size - used);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			*error = n ? errno : EINVAL;
			break;
		}
		used += (size_t)n;
	}
	close(fd);
	if (*error) {
		free(text);
		return NULL;
	}
	if (text)
		text[used] = 0;
	return text;
}

/* ---- JSON ---- */

static bool take_hex(const char *hex, const uint8_t **data, size_t *bytes)
{
	size_t n = strlen(hex);
	uint8_t *to;

	if (n % 2 || n / 2 > ENTRIES_VAR_BYTES_MAX || strspn(hex, "0123456789abcdef") != n)
		return false;
	*bytes = n / 2;
	*data = to = malloc(*bytes + 1);
	if (!to)
		abort();
	for (size_t i = 0; i < *bytes; i++) {
		char byte[3] = {hex[2 * i], hex[2 * i + 1], 0};

		to[i] = (uint8_t)strtoul(byte, NULL, 16);
	}
	return true;
}

static struct nvitem *add_item(struct entries_record *r)
{
	r->item = realloc(r->item, (r->count + 1) * sizeof(*r->item));
	if (!r->item)
		abort();
	memset(&r->item[r->count], 0, sizeof(*r->item));
	return &r->item[r->count++];
}

static const char *string(struct json_object *o, const char *key)
{
	struct json_object *v;

	return json_object_object_get_ex(o, key, &v) && json_object_is_type(v, json_type_string)
		       ? json_object_get_string(v)
		       : "";
}

static bool take_item(struct entries_record *r, struct json_object *o)
{
	struct nvitem *i = add_item(r);
	const char *number = string(o, "entry");
	struct json_object *v;
	char *end;

	i->number = (unsigned)strtoul(number, &end, 16);
	if (strlen(number) != 4 || *end || !json_object_object_get_ex(o, "in_order", &v) ||
	    !take_hex(string(o, "option"), &i->data, &i->bytes))
		return false;
	i->in_order = json_object_get_boolean(v);
	return bootentry_parse(&i->e, i->data, i->bytes) == ST_OK && i->e.on_partition;
}

static bool take_text(struct entries_record *r)
{
	struct json_object *all = json_tokener_parse(r->text), *list, *v;
	bool fine = all && json_object_is_type(all, json_type_object) &&
		    json_object_object_get_ex(all, "version", &v) &&
		    json_object_get_int(v) == VERSION &&
		    json_object_object_get_ex(all, "entries", &list) &&
		    json_object_is_type(list, json_type_array) &&
		    json_object_array_length(list) <= ITEMS_MAX;

	for (size_t i = 0; fine && i < json_object_array_length(list); i++)
		fine = take_item(r, json_object_array_get_idx(list, i));
	json_object_put(all);
	return fine;
}

static struct json_object *item_json(const struct nvitem *i)
{
	struct json_object *o = json_object_new_object();
	char *name = entries_description(&i->e), guid[GUID_TEXT_BYTES], number[5];
	char *hex = malloc(i->bytes * 2 + 1), *file;
	bool is_file;

	if (!hex)
		abort();
	for (size_t k = 0; k < i->bytes; k++)
		snprintf(hex + 2 * k, 3, "%02x", i->data[k]);
	hex[2 * i->bytes] = 0;
	file = entries_target(&i->e, &is_file);
	guid_text_gpt(&i->e.hd.guid, guid);
	snprintf(number, sizeof(number), "%04X", i->number & 0xffff);
	json_object_object_add(o, "entry", json_object_new_string(number));
	json_object_object_add(o, "in_order", json_object_new_boolean(i->in_order));
	/* These three are for people; the bytes have all of it. */
	json_object_object_add(o, "description", jsontext(name));
	json_object_object_add(o, "partition", json_object_new_string(guid));
	json_object_object_add(o, "path", is_file ? jsontext(file) : NULL);
	json_object_object_add(o, "option", json_object_new_string(hex));
	free(name);
	free(file);
	free(hex);
	return o;
}

static char *make_text(const struct entries_record *r)
{
	struct json_object *all = json_object_new_object(), *list = json_object_new_array();
	char *text;

	json_object_object_add(all, "version", json_object_new_int(VERSION));
	for (unsigned i = 0; i < r->count; i++)
		json_object_array_add(list, item_json(&r->item[i]));
	json_object_object_add(all, "entries", list);
	if (asprintf(&text, "%s\n",
		     json_object_to_json_string_ext(
			     all, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE)) < 0)
		abort();
	json_object_put(all);
	return text;
}

/* ---- open ---- */

static void free_items(struct nvitem *item, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		free((void *)item[i].data);
	free(item);
}

bool entries_record_open(struct entries_record *r, const struct entries_vars *vars,
			 const char *file)
{
	int error = 0, rc;

	memset(r, 0, sizeof(*r));
	if (file || vars->firmware)
		rc = asprintf(&r->file, "%s", file ? file : ENTRIES_RECORD_FILE);
	else
		rc = asprintf(&r->file, "%s/" ENTRIES_RECORD_BESIDE, vars->where);
	if (rc < 0)
		abort();
	r->text = read_text(r->file, &error);
	if (!r->text && error == ENOENT)
		return true;
	if (r->text && take_text(r))
		return true;
	say_about(r->file,
		  r->text ? "is damaged, or of another version: move it away, and clone "
			    "again to have a new one"
			  : "%s",
		  strerror(error));
	entries_record_free(r);
	return false;
}

void entries_record_free(struct entries_record *r)
{
	if (r->temporary)
		unlink(r->temporary);
	free_items(r->item, r->count);
	free_items(r->old, r->old_count);
	free(r->temporary);
	free(r->text);
	free(r->file);
	memset(r, 0, sizeof(*r));
}

/* ---- renew ---- */

static void copy_item(struct entries_record *r, unsigned number, bool in_order, const uint8_t *data,
		      size_t bytes)
{
	struct nvitem *i = add_item(r);
	uint8_t *copy = malloc(bytes + 1);

	if (!copy)
		abort();
	i->number = number;
	i->in_order = in_order;
	i->bytes = bytes;
	memcpy(copy, data, bytes);
	i->data = copy;
	if (bootentry_parse(&i->e, i->data, bytes) != ST_OK)
		abort();
}

/* Behind the item that stood before it and still does; in front when there is none. */
static void keep_gone(struct entries_record *r, const struct nvitem *old, unsigned at)
{
	unsigned to = 0;
	struct nvitem moved;

	for (unsigned i = at; i-- && !to;)
		for (unsigned k = 0; k < r->count && !to; k++)
			if (r->item[k].bytes && nvram_alike(&r->item[k].e, &old[i].e) &&
			    (!old[i].now || r->item[k].number == old[i].now->number))
				to = k + 1;
	copy_item(r, old[at].number, old[at].in_order, old[at].data, old[at].bytes);
	moved = r->item[r->count - 1];
	memmove(r->item + to + 1, r->item + to, (r->count - 1 - to) * sizeof(*r->item));
	r->item[to] = moved;
}

void entries_record_renew(struct entries_record *r, const struct nvram *after,
			  bool (*follow)(const void *arg, unsigned number),
			  bool (*drop)(const void *arg, const struct nvitem *item), const void *arg)
{
	struct nvitem *old = r->item;
	unsigned old_count = r->count;

	nvverb_match(r->item, r->count, after);
	for (unsigned i = 0; i < old_count; i++)
		if (drop && drop(arg, &old[i]))
			old[i].bytes = 0;
	r->item = NULL;
	r->count = 0;
	for (int in_order = 1; in_order >= 0; in_order--)
		for (unsigned i = 0; i < (in_order ? after->order_count : after->count); i++) {
			const struct nventry *e =
				in_order ? nvram_find(after, after->order[i]) : &after->entry[i];
			bool known = false;

			if (!e || e->status != ST_OK || !e->e.on_partition ||
			    e->place != (in_order ? (int)i : -1))
				continue;
			for (unsigned k = 0; k < old_count && !known; k++)
				known = old[k].now == e && old[k].bytes;
			if (known || (follow && follow(arg, e->number)))
				copy_item(r, e->number, in_order, e->data, e->bytes);
		}
	for (unsigned i = 0; i < old_count; i++)
		if (!old[i].now && old[i].bytes)
			keep_gone(r, old, i);
	r->old = old;
	r->old_count = old_count;
}

/* ---- write ---- */

static bool make_folder(const char *file)
{
	char *folder = strdup(file), *end = folder ? strrchr(folder, '/') : NULL;
	bool fine = true;

	if (!folder)
		abort();
	if (end && end != folder) {
		*end = 0;
		fine = !mkdir(folder, 0755) || errno == EEXIST;
	}
	free(folder);
	return fine;
}

bool entries_record_prepare(struct entries_record *r, bool *changed)
{
	char *text = make_text(r);
	size_t n = strlen(text);
	ssize_t put = -1;
	int fd = -1;

	*changed = r->text ? strcmp(text, r->text) != 0 : r->count > 0;
	if (*changed) {
		if (asprintf(&r->temporary, "%s.new", r->file) < 0)
			abort();
		if (make_folder(r->file))
			fd = open(r->temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
		if (fd >= 0)
			put = write(fd, text, n);
		if (fd < 0 || put < 0 || fsync(fd)) {
			say_about(r->file, "can't be written: %s; nothing was changed",
				  strerror(errno));
			put = -1;
		} else if ((size_t)put != n) {
			say_about(r->file, "can't be written: no room; nothing was changed");
			put = -1;
		}
		if (fd >= 0)
			close(fd);
	}
	free(text);
	return !*changed || put >= 0;
}

bool entries_record_commit(struct entries_record *r)
{
	if (!r->temporary)
		return true;
	if (rename(r->temporary, r->file) || !folder_sync(r->file)) {
		say_about(r->file,
			  "could not be written: %s. The boot entries are; \"repair\" does not "
			  "know of them before the same command is run again",
			  strerror(errno));
		return false;
	}
	free(r->temporary);
	r->temporary = NULL;
	return true;
}
