/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "help_nv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static struct help_nv *of(const struct nvparts *p)
{
	return (struct help_nv *)((uintptr_t)p - offsetof(struct help_nv, parts));
}

static const struct nvpart *find(const struct nvparts *p, const struct guid *guid, bool *twice)
{
	const struct help_nv *h = of(p);
	const struct nvpart *found = NULL;

	*twice = false;
	for (unsigned i = 0; i < h->part_count; i++)
		if (guid_equal(&h->part[i].part.uuid, guid)) {
			*twice = found != NULL;
			found = found ? found : &h->part[i];
		}
	return found;
}

static enum status loader(const struct nvparts *p, const struct nvpart *part,
			  const struct bootentry *e)
{
	return of(p)->loader;
}

struct guid help_nv_guid(unsigned part)
{
	return (struct guid){{(uint8_t)(part + 1), 2, 3, 4}};
}

void help_nv_start(struct help_nv *h, unsigned parts)
{
	static const char *const names[] = {"a", "b", "c", "d"};

	memset(h, 0, sizeof(*h));
	h->all.entry = h->entry;
	h->all.order = h->order;
	h->all.current = h->all.next = NVRAM_NONE;
	h->all.timeout = -1;
	h->parts = (struct nvparts){find, loader, true};
	h->part_count = parts;
	for (unsigned i = 0; i < parts; i++)
		h->part[i] = (struct nvpart){.disk_name = names[i],
					     .part = {.start_lba = 2048 + i,
						      .sectors = 4096 + i,
						      .number = (uint16_t)(i + 1),
						      .kind = PART_ESP,
						      .uuid = help_nv_guid(i)}};
}

static uint8_t *put_text(uint8_t *p, const char *text)
{
	for (; *text; p += 2)
		*p = (uint8_t)*text++;
	return p + 2;
}

void help_nv_entry(struct help_nv *h, unsigned number, const char *name, int part, char file,
		   const char *data)
{
	struct nventry *e = &h->entry[h->all.count];
	uint8_t *from = h->data[h->all.count], *p = from, *path;
	const uint8_t device[] = {1, 1, 6, 0, 2, 0}, end[] = {0x7f, 0xff, 4, 0};

	assert_true(h->all.count++ < HELP_NV_ENTRIES);
	*e = (struct nventry){.number = number, .attributes = NVRAM_PLAIN, .data = from};
	*p = BOOTENTRY_ACTIVE;
	path = p = put_text(p + 6, name);
	if (part < 0) {
		memcpy(p, device, sizeof(device));
		p += sizeof(device);
	} else {
		const struct nvpart *on = &h->part[part];
		const uint8_t node[] = {4, 1, 42, 0, (uint8_t)on->part.number, 0, 0, 0};
		const uint8_t file_node[] = {4, 4, 10, 0, '\\', 0, (uint8_t)file, 0, 0, 0};
		struct guid guid = help_nv_guid((unsigned)part);

		memcpy(p, node, sizeof(node));
		p[8] = (uint8_t)on->part.start_lba;
		p[9] = (uint8_t)(on->part.start_lba >> 8);
		p[16] = (uint8_t)on->part.sectors;
		p[17] = (uint8_t)(on->part.sectors >> 8);
		memcpy(p + 24, &guid, sizeof(guid));
		p[40] = p[41] = 2;
		memcpy(p + 42, file_node, sizeof(file_node));
		p += 42 + sizeof(file_node);
	}
	memcpy(p, end, sizeof(end));
	p += sizeof(end);
	from[4] = (uint8_t)(p - path);
	memcpy(p, data, strlen(data));
	e->bytes = (size_t)(p - from) + strlen(data);
	nvram_look(e);
	assert_int_equal(e->status, ST_OK);
}

void help_nv_order(struct help_nv *h, ...)
{
	va_list ap;
	int n;

	va_start(ap, h);
	h->all.has_order = true;
	h->all.order_count = 0;
	while ((n = va_arg(ap, int)) >= 0)
		h->order[h->all.order_count++] = (uint16_t)n;
	va_end(ap);
	nvram_arrange(&h->all);
}

void help_nv_plan(struct help_nv *h, unsigned items, size_t item_bytes, size_t room)
{
	assert_true(nvplan_bytes(&h->all, items, item_bytes) <= sizeof(h->memory));
	nvplan_start(&h->plan, &h->all, &h->parts, items, h->memory,
		     room < sizeof(h->memory) ? room : sizeof(h->memory));
}

bool help_nv_is(const struct help_nv *h, const struct bootentry *e, const char *name, unsigned part,
		char file, const char *data)
{
	uint16_t path[BOOTENTRY_FILE_UNITS];
	size_t n = strlen(name);

	if (e->name_units != n || !bootentry_file(e, path) || path[0] != '\\' ||
	    path[1] != (uint16_t)file || path[2] || nvpart_moved(&h->part[part], e) ||
	    !guid_equal(&e->hd.guid, &h->part[part].part.uuid) || e->data_bytes != strlen(data) ||
	    memcmp(e->data, data, e->data_bytes) != 0)
		return false;
	for (size_t i = 0; i < n; i++)
		if (e->name[2 * i] != (uint8_t)name[i] || e->name[2 * i + 1])
			return false;
	return true;
}

const char *help_nv_planned(struct help_nv *h)
{
	size_t n = 0;

	h->text[0] = 0;
	for (unsigned i = 0; i < h->plan.order_count; i++)
		n += (size_t)snprintf(h->text + n, sizeof(h->text) - n, "%s%X", i ? " " : "",
				      h->plan.order[i]);
	return h->text;
}
