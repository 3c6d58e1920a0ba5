/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tools/qmp.h"

#include <json-c/json.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ANSWER_MS 10000

/* The next whole line: a parsed object, or NULL when none comes in time or QEMU is gone. */
static struct json_object *read_object(struct qemu *q)
{
	struct pollfd p = {.fd = q->qmp, .events = POLLIN};
	struct json_object *o;
	ssize_t got;
	char *end;

	for (;;) {
		end = memchr(q->line, '\n', q->line_used);
		if (end)
			break;
		if (q->line_used == sizeof(q->line) - 1)
			q->line_used = 0; /* longer than anything we ask for */
		if (poll(&p, 1, ANSWER_MS) <= 0)
			return NULL;
		got = read(q->qmp, q->line + q->line_used, sizeof(q->line) - 1 - q->line_used);
		if (got <= 0)
			return NULL;
		q->line_used += (size_t)got;
	}
	*end = 0;
	o = json_tokener_parse(q->line);
	q->line_used -= (size_t)(end + 1 - q->line);
	memmove(q->line, end + 1, q->line_used);
	return o ? o : json_object_new_object();
}

/* Send and wait for the answer; events that come in between are noted. */
static bool command(struct qemu *q, const char *name, struct json_object *arguments)
{
	struct json_object *o = json_object_new_object();
	const char *text;
	bool sent;

	json_object_object_add(o, "execute", json_object_new_string(name));
	if (arguments)
		json_object_object_add(o, "arguments", arguments);
	text = json_object_to_json_string(o);
	sent = send(q->qmp, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text);
	json_object_put(o);
	while (sent && (o = read_object(q))) {
		struct json_object *event = NULL;
		bool done = json_object_object_get_ex(o, "return", NULL);
		bool error = json_object_object_get_ex(o, "error", NULL);

		if (json_object_object_get_ex(o, "event", &event) &&
		    !strcmp(json_object_get_string(event), "SHUTDOWN"))
			q->stopped = true;
		json_object_put(o);
		if (done || error)
			return done;
	}
	return false;
}

bool qmp_hello(struct qemu *q)
{
	struct json_object *greeting = read_object(q);

	json_object_put(greeting);
	return greeting && command(q, "qmp_capabilities", NULL);
}

void qmp_status(struct qemu *q)
{
	command(q, "query-status", NULL);
}

bool qmp_screendump(struct qemu *q, const char *file, const char *format)
{
	struct json_object *a = json_object_new_object();

	json_object_object_add(a, "filename", json_object_new_string(file));
	if (format)
		json_object_object_add(a, "format", json_object_new_string(format));
	return command(q, "screendump", a);
}

bool qmp_memory(struct qemu *q, uint32_t address, uint32_t n_bytes, const char *file)
{
	struct json_object *a = json_object_new_object();

	json_object_object_add(a, "val", json_object_new_int64(address));
	json_object_object_add(a, "size", json_object_new_int64(n_bytes));
	json_object_object_add(a, "filename", json_object_new_string(file));
	return command(q, "pmemsave", a);
}
