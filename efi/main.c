/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * The boot on UEFI, in the order in which it happens:
 *
 *   probe -> assemble -> judge -> vdisk -> present -> chain-load
 *
 * stage2/main.c tells the same story for BIOS.
 */
#include "common/menu.h"
#include "efi/bootrecord.h"
#include "efi/chain.h"
#include "efi/clone.h"
#include "efi/command.h"
#include "efi/console.h"
#include "efi/efidisk.h"
#include "efi/esp.h"
#include "efi/measure.h"
#include "efi/present.h"

/* Too large for the stack, and all of it needed for as long as the next loader runs. */
struct boot {
	struct esps esps;
	struct efidisks disks;
	struct survey survey;
	struct config config;
	struct trust own_trust; /* by the config beside us */
	struct policy policy;
	struct bootrecord record;
	struct present present;
	struct report_names names;
	struct text *out;
};

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *st);

static void read_config(struct boot *b)
{
	struct config_error err;
	struct esp_config_text text;
	enum status st = esp_read_config(&b->esps, &b->config, &text, &err, b->out);

	/* None was good: what could be read of the one beside us says whom to trust, still. */
	if (st != ST_OK && st != ST_CORRUPT)
		b->config.trust = b->own_trust;
	if (st == ST_CORRUPT) {
		report_config_error("the configuration", &err, b->out);
	} else if (st != ST_OK && st != ST_ABSENT) {
		/* It may have said that nothing is to be written. */
		b->config.writes = CONFIG_WRITES_NO;
		text_str(b->out, "Warning: the configuration can't be read; using defaults, and "
				 "writing nothing.\n");
	}
	if (text.bytes > 0 && !measure_config(text.text, text.bytes))
		text_str(b->out,
			 "Warning: the TPM did not take the measurement of mirrorboot.conf.\n");
}

/* Which members are there, and which ESPs, as far as what is on their disks is trusted. */
static void probe(struct boot *b, const struct trust *t)
{
	survey_probe_trusted(&b->survey, b->disks.disk, b->disks.count, t);
	esp_find(&b->esps, &b->disks, &b->survey, false);
}

static void stop(struct boot *b) __attribute__((noreturn));

static void stop(struct boot *b)
{
	text_str(b->out, "Stopped. Press Ctrl-Alt-Del to restart.\n");
	for (;;) /* the firmware answers that key, while keys are asked for */
		console_key(CONSOLE_FOREVER);
}

static void clone_from_menu(void *ctx)
{
	static const struct cloneargs none;
	struct boot *b = ctx;

	clone_run(&b->disks, &b->survey, b->esps.device, &none, MENU_IDLE_S, b->out);
}

/* Is there anything to clone to, and nobody who has said that nothing is to be written? */
static bool may_clone(const struct boot *b)
{
	bool own = false, other = false;

	for (unsigned i = 0; i < b->esps.count; i++) {
		if (b->esps.esp[i].choice.own)
			own = b->esps.esp[i].disk != NO_DISK;
		else
			other = true;
	}
	return own && other && b->config.writes != CONFIG_WRITES_NO;
}

/* What the policy, and a person, say to do. False: start a loader as if we had never been here. */
static bool follow_policy(struct boot *b)
{
	const struct menu_more more = {
		.key = 'c',
		.text = "c: clone this disk's EFI system partition to the other disks.\n",
		.run = clone_from_menu,
		.ctx = b};

	if (b->policy.action == POLICY_HALT || b->policy.action == POLICY_UNTRUSTED)
		stop(b);
	return b->policy.action != POLICY_NO_MIRROR &&
	       menu_offer(&b->survey, &b->policy, &b->names, may_clone(b) ? &more : NULL, b->out);
}

/* We can't leave while the firmware holds functions of ours: only a restart is safe. */
static void withdraw(struct boot *b)
{
	bootrecord_close(&b->record);
	if (present_stop(&b->present))
		return;
	text_str(b->out, "A disk does not answer, or a mirror's volume can't be taken back. "
			 "Press a key to restart.\n");
	console_forget_keys();
	console_key(CONSOLE_FOREVER);
	uefi_rt->ResetSystem(EfiResetCold, EFI_SUCCESS, 0, NULL);
}

static void present(struct boot *b)
{
	b->present = (struct present){.survey = &b->survey,
				      .config = &b->config,
				      .disks = &b->disks,
				      .own_device = b->esps.device,
				      .out = b->out};
	present_start(&b->present, b->policy.mirror);
	if (b->present.warned) {
		console_forget_keys();
		console_key(POLICY_PAUSE_S); /* time to read it */
	}
	if (b->config.writes != CONFIG_WRITES_NO)
		bootrecord_write(&b->record, b->policy.mirror, &b->present.set, b->out);
}

static EFI_STATUS run(struct boot *b)
{
	EFI_STATUS status;
	bool mirror; /* is it presented? */

	text_str(b->out, "mirrorboot " MIRRORBOOT_VERSION "\n");
	esp_self(&b->esps);

	/* probe */
	efidisk_connect_all();
	efidisk_find(&b->disks, b->esps.device_path);
	b->names = (struct report_names){.disk_name = efidisk_name};
	efidisk_list(&b->disks, b->out);
	esp_own_trust(&b->esps, &b->own_trust);
	probe(b, &b->own_trust);
	read_config(b);
	/* A newer config, of an ESP that the one beside us trusts, may know of other disks. */
	if (!trust_equal(&b->own_trust, &b->config.trust))
		probe(b, &b->config.trust);
	esp_say_untrusted(&b->esps, b->out);

	/* assemble */
	if (mirror_assemble(&b->survey) != ST_OK || b->disks.full)
		b->survey.full = true;

	/* judge */
	leg_judge(&b->survey);
	bootrecord_read(&b->record, &b->survey, b->disks.disk);
	policy_decide(&b->survey, &b->config, &b->policy);
	report_survey(&b->survey, &b->names, b->out);
	report_policy(&b->survey, &b->policy, &b->names, b->out);
	mirror = follow_policy(b);

	/* vdisk, present */
	if (mirror)
		present(b);

	/* chain-load; presenting has made new handles */
	esp_find(&b->esps, &b->disks, &b->survey, b->config.boot_disk == CONFIG_VOLUME);
	console_close(); /* no timer of ours ticks while a loader runs */
	status = chain_start(&b->config, &b->esps, b->out);

	/* It came back: as if we had never been here. */
	esp_forget(&b->esps);
	if (mirror)
		withdraw(b);
	console_close();
	return status;
}

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *st)
{
	EFI_STATUS status = EFI_OUT_OF_RESOURCES;
	struct boot *b;

	uefi_init(image, st);
	if (command_run(&status))
		return status;
	if (!uefi_enter())
		return EFI_ALREADY_STARTED;
	b = uefi_alloc_pages(sizeof(*b));
	if (b) {
		b->out = console_init(false);
		status = run(b);
		uefi_free_pages(b, sizeof(*b));
	}
	uefi_leave();
	return status;
}
