/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * The boot on UEFI, in the order in which it happens:
 *
 *   probe -> assemble -> judge -> vdisk -> present -> chain-load
 *
 * stage2/main.c tells the same story for BIOS.
 */
#include "common/policy.h"
#include "common/report.h"
#include "common/view.h"
#include "efi/blockio.h"
#include "efi/chain.h"
#include "efi/console.h"
#include "efi/efidisk.h"
#include "efi/esp.h"
#include "efi/redirect.h"

/* Too large for the stack, and all of it needed for as long as the next loader runs. */
struct boot {
	struct esps esps;
	struct efidisks disks;
	struct survey survey;
	struct config config;
	struct policy policy;
	struct vdisk_set set;
	struct vdisk_tables tables;
	struct blockios volumes;
	struct report_names names;
	struct text *out;
	bool warned; /* something could not be presented */
};

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *st);

static void read_config(struct boot *b)
{
	struct config_error err;
	enum status st = esp_read_config(&b->esps, &b->config, &err);

	if (st == ST_CORRUPT)
		report_config_error("mirrorboot.conf", &err, b->out);
	else if (st != ST_OK && st != ST_ABSENT)
		text_str(b->out, "Warning: mirrorboot.conf can't be read; using defaults.\n");
}

/* Let a person choose the leg of a split brain. */
static void ask(struct boot *b)
{
	const struct mirror *m = &b->survey.mirror[b->policy.mirror];

	text_str(b->out, "Which leg is to be booted from? Type its number: ");
	for (;;) {
		char key = console_key(CONSOLE_FOREVER);

		if (key >= '0' && key <= '9' &&
		    policy_choose(&b->survey, b->policy.mirror, (unsigned)(key - '0'), false))
			break;
	}
	text_u64(b->out, m->chosen);
	text_char(b->out, '\n');
}

/* What the policy says to do before we go on. False: do not go on. */
static bool follow_policy(struct boot *b)
{
	console_forget_keys();
	switch (b->policy.action) {
	case POLICY_PAUSE:
		text_str(b->out, "Going on in ");
		text_u64(b->out, b->policy.pause_s);
		text_str(b->out, " s, or when a key is pressed.\n");
		console_key(b->policy.pause_s);
		return true;
	case POLICY_ASK: ask(b); return true;
	case POLICY_UNUSABLE:
		text_str(b->out, "Press a key to start the next loader without it.\n");
		console_key(CONSOLE_FOREVER);
		return true;
	case POLICY_HALT:
		text_str(b->out, "Press a key to return to the firmware.\n");
		console_key(CONSOLE_FOREVER);
		return false;
	default: return true; /* BOOT, NO_MIRROR: report_policy() has said it */
	}
}

static void warn(struct boot *b, const char *what, const char *name)
{
	b->warned = true;
	text_str(b->out, "Warning: ");
	text_str(b->out, what);
	text_str(b->out, name);
	text_char(b->out, '\n');
}

/* Volumes: the boot mirror's first, then the others'. */
static void present_volumes(struct boot *b)
{
	const struct survey *s = &b->survey;
	unsigned v;

	for (unsigned turn = 0; turn < 2; turn++) {
		for (unsigned i = 0; i < s->mirror_count; i++) {
			const struct mirror *m = &s->mirror[i];

			if ((i == b->policy.mirror) != (turn == 0) || m->chosen == NO_LEG)
				continue;
			if (view_add_volume(&b->set, s, i, &v) != ST_OK ||
			    !blockio_publish(&b->volumes, &b->set, v, m, &b->disks))
				warn(b, "no room or no way to present mirror ", m->name);
		}
	}
}

static bool has_used_member(const struct survey *s, unsigned disk)
{
	for (unsigned i = 0; i < s->mirror_count; i++)
		for (unsigned k = 0; k < s->mirror[i].leg_count; k++)
			if (s->mirror[i].chosen != NO_LEG && s->mirror[i].leg[k].disk == disk &&
			    s->mirror[i].leg[k].member != NO_MEMBER)
				return true;
	return false;
}

/* Disks: each that holds members answers from its view. */
static void present_disks(struct boot *b)
{
	char name[64];
	struct text_buffer buf;
	unsigned v;

	for (unsigned i = 0; i < b->disks.count; i++) {
		if (!has_used_member(&b->survey, i))
			continue;
		text_buffer_init(&buf, name, sizeof(name));
		efidisk_name(&b->names, i, &buf.text);
		if ((b->config.members == CONFIG_CONTENTS
			     ? view_add_contents(&b->set, &b->survey, i, &v)
			     : view_add_disk(&b->set, &b->survey, i, &v)) != ST_OK) {
			v = VDISK_NO_LEG;
			warn(b, "no room: mirrors can't be read on ", name);
		}
		if (!redirect_start(&b->disks, i, &b->survey, &b->set, v, b->esps.device))
			warn(b, "the firmware may remember old contents of ", name);
	}
}

/* We can't leave while the firmware holds functions of ours: only a restart is safe. */
static void withdraw(struct boot *b)
{
	bool gone = blockio_unpublish(&b->volumes);

	redirect_stop(b->esps.device);
	if (gone)
		return;
	text_str(b->out, "A mirror's volume is still in use. Press a key to restart.\n");
	console_forget_keys();
	console_key(CONSOLE_FOREVER);
	uefi_rt->ResetSystem(EfiResetCold, EFI_SUCCESS, 0, NULL);
}

static EFI_STATUS run(struct boot *b)
{
	EFI_STATUS status;

	text_str(b->out, "mirrorboot " MIRRORBOOT_VERSION "\n");
	esp_self(&b->esps);
	read_config(b);

	/* probe */
	efidisk_connect_all();
	efidisk_find(&b->disks, b->esps.device_path);
	b->names = (struct report_names){.disk_name = efidisk_name};
	efidisk_list(&b->disks, b->out);
	survey_probe(&b->survey, b->disks.disk, b->disks.count);

	/* assemble */
	if (mirror_assemble(&b->survey) != ST_OK || b->disks.full)
		b->survey.full = true;

	/* judge */
	leg_judge(&b->survey);
	policy_decide(&b->survey, &b->config, &b->policy);
	report_survey(&b->survey, &b->names, b->out);
	report_policy(&b->survey, &b->policy, &b->names, b->out);
	if (!follow_policy(b))
		return EFI_ABORTED;

	/* vdisk, present */
	view_init(&b->set, &b->tables);
	if (b->config.volumes)
		present_volumes(b);
	if (b->config.hide_stale)
		present_disks(b);
	if (b->warned)
		console_key(POLICY_PAUSE_S); /* time to read it */

	/* chain-load */
	esp_find_others(&b->esps, &b->disks, b->config.boot_disk == CONFIG_VOLUME);
	status = chain_start(&b->config, &b->esps, b->out);

	/* It came back: as if we had never been here. */
	withdraw(b);
	console_flush();
	return status;
}

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *st)
{
	EFI_STATUS status = EFI_OUT_OF_RESOURCES;
	struct boot *b;

	uefi_init(image, st);
	if (!uefi_enter())
		return EFI_ALREADY_STARTED;
	b = uefi_alloc_pages(sizeof(*b));
	if (b) {
		b->out = console_init();
		status = run(b);
		uefi_free_pages(b, sizeof(*b));
	}
	uefi_leave();
	return status;
}
