/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tools/install_entries.h"
#include "common/nvsay.h"
#include "common/part.h"
#include "tools/say.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define NAME     "mirrorboot"
#define FOLDER   "\\EFI\\mirrorboot\\"
#define PLATFORM "/sys/firmware/efi/fw_platform_size"

/* Device path nodes (UEFI spec 2.10, 10.3): HD(), a file's path, the end. */
#define HD_BYTES   42
#define NODE_BYTES 4

/* By the firmware that runs, where one does. */
static enum efiapp_arch firmware_arch(const struct entries_vars *v)
{
	FILE *f = v->firmware ? fopen(PLATFORM, "re") : NULL;
	unsigned bits = 64;

	if (f && fscanf(f, "%u", &bits) != 1)
		bits = 64;
	if (f)
		fclose(f);
	return bits == 32 ? EFIAPP_IA32 : EFIAPP_X64;
}

static const char *file_name(enum efiapp_arch arch)
{
	return strrchr(efiapp_get(arch)->path, '/') + 1;
}

static size_t put_text(uint8_t *to, const char *text)
{
	size_t n = 0;

	do {
		to[n++] = (uint8_t)*text;
		to[n++] = 0;
	} while (*text++);
	return n;
}

/* One of ours, on no partition yet. data: room for it, which e points into. */
static void make_template(enum efiapp_arch arch, uint8_t *data, struct bootentry *e)
{
	char file[64];
	size_t at = 6, node;

	snprintf(file, sizeof(file), FOLDER "%s", file_name(arch));
	memset(data, 0, 256);
	data[0] = BOOTENTRY_ACTIVE;
	at += put_text(data + at, NAME);
	node = at;
	memcpy(data + at, (uint8_t[]){4, 1, HD_BYTES, 0}, NODE_BYTES);
	data[at + HD_BYTES - 2] = 2; /* a GPT's, */
	data[at + HD_BYTES - 1] = 2; /* by its GUID */
	at += HD_BYTES;
	memcpy(data + at, (uint8_t[]){4, 4, 0, 0}, NODE_BYTES);
	data[at + 2] = (uint8_t)(NODE_BYTES + put_text(data + at + NODE_BYTES, file));
	at += data[at + 2];
	memcpy(data + at, (uint8_t[]){0x7f, 0xff, 4, 0}, NODE_BYTES);
	at += NODE_BYTES;
	data[4] = (uint8_t)(at - node);
	if (bootentry_parse(e, data, at) != ST_OK || !e->on_partition)
		abort();
}

static struct bootentry_hd hd_of(const struct job *j)
{
	return (struct bootentry_hd){
		.number = j->esp.part,
		.start_lba = j->esp.start_bytes >> j->disk->shift,
		.sectors = j->esp.len_bytes >> j->disk->shift,
		.guid = j->esp.uuid,
		.table = 2,
		.signature_type = 2,
	};
}

static bool is_ours(const struct nventry *n, const struct job *j, const struct bootentry *ours)
{
	return n->status == ST_OK && n->e.on_partition && guid_equal(&n->e.hd.guid, &j->esp.uuid) &&
	       bootentry_same_file(&n->e, ours);
}

/* Is it, or is it going to be, on this disk's ESP, whose GUID is how an entry finds it? */
static bool counts(const struct job *j)
{
	return (j->uefi || j->has_uefi) && j->esp.part && !guid_is_zero(&j->esp.uuid);
}

/* Where there is none this is no UEFI system, or one that keeps its variables to itself. */
static bool has_store(const struct install_entries *e, const struct jobs *jobs)
{
	bool any = false;

	for (unsigned i = 0; i < jobs->count; i++)
		any |= counts(&jobs->job[i]) && (e->folder || jobs->job[i].host->block);
	if (e->none || !any)
		return false;
	return e->folder || getenv("MIRRORBOOT_EFIVARS") ||
	       !access(ENTRIES_VARS_FOLDER "/BootOrder-8be4df61-93ca-11d2-aa0d-00e098032b8c", W_OK);
}

static void take_out(struct nvplan *p, unsigned number)
{
	int at = nvplan_place(p, number);

	if (at < 0)
		return;
	memmove(p->order + at, p->order + at + 1,
		(p->order_count - (unsigned)at - 1) * sizeof(*p->order));
	p->order_count--;
	p->order_changes = true;
}

/* In front of all that are not ours, the first disk's first. */
static void arrange(struct nvplan *p, const unsigned *number, unsigned count)
{
	bool in_front = true;

	for (unsigned i = 0; i < count; i++) {
		int at = nvplan_place(p, number[i]);

		in_front = in_front && at >= 0 && at < (int)count;
	}
	if (in_front)
		return;
	for (unsigned i = 0; i < count; i++)
		take_out(p, number[i]);
	for (unsigned i = 0; i < count; i++)
		nvplan_put(p, number[i], i);
}

static void plan_add(struct install_entries *e, const struct bootentry *ours, enum efiapp_arch arch)
{
	unsigned number[SURVEY_DISKS], count = 0;
	struct nvplan *p = &e->plan;

	for (unsigned i = 0; i < e->jobs->count; i++) {
		const struct job *j = &e->jobs->job[i];
		const struct bootentry_hd hd = hd_of(j);
		unsigned there = NVRAM_NONE;

		if (!counts(j) || !j->esp.loader[arch].wanted)
			continue;
		for (unsigned k = 0; k < e->all.count && there == NVRAM_NONE; k++)
			if (is_ours(&e->all.entry[k], j, ours))
				there = e->all.entry[k].number;
		e->there += there != NVRAM_NONE;
		if (there == NVRAM_NONE) {
			there = nvplan_free_number(p);
			if (there == NVRAM_NONE)
				p->full = true;
			else
				nvplan_add(p, NVPLAN_ADD, there, NVRAM_NONE, ours, &hd, NULL, NULL);
		}
		number[count++] = there;
	}
	if (!p->full)
		arrange(p, number, count);
}

static void plan_remove(struct install_entries *e, const struct bootentry *ours)
{
	for (unsigned k = 0; k < e->all.count; k++)
		for (unsigned i = 0; i < e->jobs->count; i++)
			if (counts(&e->jobs->job[i]) &&
			    is_ours(&e->all.entry[k], &e->jobs->job[i], ours)) {
				nvplan_remove(&e->plan, &e->all.entry[k]);
				break;
			}
}

bool install_entries_plan(struct install_entries *e, const struct jobs *jobs, bool removing)
{
	static const struct nvparts parts;
	uint8_t data[256];
	struct bootentry ours;
	enum efiapp_arch arch;
	size_t bytes;

	if (!has_store(e, jobs))
		return true;
	if (!entries_vars_open(&e->vars, e->folder) || !entries_read(&e->all, &e->vars))
		return false;
	e->jobs = jobs;
	e->store = entries_store(&e->vars);
	bytes = nvplan_bytes(&e->all, jobs->count, jobs->count * sizeof(data));
	e->memory = malloc(bytes);
	if (!e->memory)
		abort();
	e->planned = true;
	nvplan_start(&e->plan, &e->all, &parts, jobs->count, e->memory, bytes);
	arch = firmware_arch(&e->vars);
	make_template(arch, data, &ours);
	if (removing)
		plan_remove(e, &ours);
	else
		plan_add(e, &ours, arch);
	if (e->plan.full)
		say_note(
			"there is no room for more boot entries: remove some (\"mirrorboot entries "
			"delete\"), or say --no-entries");
	return !e->plan.full;
}

bool install_entries_is_empty(const struct install_entries *e)
{
	return !e->planned || nvplan_is_empty(&e->plan);
}

const char *install_entries_drift(const struct install_entries *e)
{
	if (install_entries_is_empty(e) || !e->there)
		return NULL;
	return e->plan.count
		       ? "the firmware has no boot entry for the mirrorboot of each disk any more"
		       : "the firmware's boot order has others before mirrorboot, which are "
			 "started without it: grub-install, or an update of a boot loader, has "
			 "put them there";
}

static const char *disk_of(const struct install_entries *e, const struct guid *guid)
{
	for (unsigned i = 0; i < e->jobs->count; i++)
		if (guid_equal(&e->jobs->job[i].esp.uuid, guid))
			return e->jobs->job[i].host->path;
	return "?";
}

void install_entries_print(const struct install_entries *e)
{
	bool removing = false;

	if (install_entries_is_empty(e))
		return;
	printf("boot entries of the firmware\n");
	for (unsigned i = 0; i < e->plan.count; i++) {
		const struct nvplan_change *c = &e->plan.change[i];

		removing = c->act == NVPLAN_REMOVE;
		printf("  Boot%04X \"" NAME "\", for %s: is %s\n", c->number,
		       disk_of(e, &c->e.hd.guid), removing ? "removed" : "added");
	}
	if (e->plan.order_changes && !removing)
		printf("  boot order: mirrorboot before all others\n");
}

/* Nobody has written since the plan was made, and nobody of us does meanwhile. */
static bool is_as_planned(const struct install_entries *e, int *fd)
{
	struct nvram again;
	bool same;

	*fd = open(e->vars.where, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*fd >= 0 && flock(*fd, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK)
		return false;
	if (!entries_read(&again, &e->vars))
		return false;
	same = nvram_equal(&e->all, &again);
	entries_free(&again);
	return same;
}

bool install_entries_write(struct install_entries *e)
{
	struct nvfault fault;
	struct say_text t;
	bool fine;
	int fd = -1;

	if (install_entries_is_empty(e))
		return true;
	fine = is_as_planned(e, &fd);
	if (!fine) {
		say_about(e->vars.where,
			  "the boot entries have changed since the plan was made, or "
			  "are being changed: run this again");
	} else if (!nvwrite_plan(&e->plan, &e->store.store, &fault)) {
		fine = false;
		say_text_init(&t);
		nvsay_fault(&fault, &e->store.store, &t.text);
		fflush(stdout);
		fputs(t.buf, stderr);
		free(t.buf);
	}
	if (fd >= 0)
		close(fd);
	return fine;
}

void install_entries_free(struct install_entries *e)
{
	if (!e->planned)
		return;
	free(e->memory);
	entries_free(&e->all);
	e->planned = false;
}
