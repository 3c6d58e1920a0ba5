/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * The boot on BIOS, in the order in which it happens:
 *
 *   probe -> assemble -> judge -> vdisk -> present -> chain-load
 *
 * efi/main.c tells the same story for UEFI.
 */
#include "common/menu.h"
#include "common/report.h"
#include "stage2/bios.h"
#include "stage2/biosdisk.h"
#include "stage2/bootrecord.h"
#include "stage2/chain.h"
#include "stage2/chsdoor.h"
#include "stage2/console.h"
#include "stage2/drives.h"
#include "stage2/present.h"
#include "stage2/tabledoor.h"

/* Too large for the stack. */
static struct boot {
	struct biosdisks disks;
	struct survey survey;
	struct config config;
	struct policy policy;
	struct drives drives;
	struct bootrecord_places places; /* of this boot's record, which INT 13h goes on with */
	struct chain_code code;
	struct mbr_sector lba0;
	struct report_names names;
	struct text *out;
	uint8_t drive; /* the BIOS's number of the disk that stage2 was read from */
} boot;

void stage2_main(uint32_t drive) __attribute__((noreturn));

static void read_config(struct boot *b, const struct disk *from)
{
	struct config_error err;
	enum status st = chain_read_config(from, &b->config, &err);

	b->out = console_init(b->config.console);
	text_str(b->out, "\nmirrorboot " MIRRORBOOT_VERSION "\n");
	if (st == ST_CORRUPT) {
		report_config_error("the configuration", &err, b->out);
	} else if (st != ST_OK) {
		/* It may have said that nothing is to be written. */
		b->config.writes = CONFIG_WRITES_NO;
		text_str(b->out, "Warning: the configuration can't be read; using defaults, and "
				 "writing nothing.\n");
	}
}

static void stop(struct boot *b) __attribute__((noreturn));

static void stop(struct boot *b)
{
	text_str(b->out, "Stopped. Press Ctrl-Alt-Del to restart.\n");
	for (;;)
		console_key(CONSOLE_FOREVER);
}

/* Start the disk that we came from as if we had never been here. */
static void start_raw(struct boot *b) __attribute__((noreturn));

static void start_raw(struct boot *b)
{
	const struct disk *d = &b->disks.disk[b->drive - BIOSDISK_FIRST];

	chain_find(d, &b->code);
	if (!b->code.found || !chain_read_boot_sector(d, &b->lba0)) {
		text_str(b->out, "There is no boot code to start on this disk.\n");
		stop(b);
	}
	text_str(b->out, "Starting the boot loader of this disk.\n");
	chain_start(&b->code, &b->lba0, b->drive);
}

/* What the policy, and a person, say to do before we go on. */
static void follow_policy(struct boot *b)
{
	if (b->policy.action == POLICY_HALT || b->policy.action == POLICY_UNTRUSTED)
		stop(b);
	if (b->policy.action == POLICY_NO_MIRROR ||
	    !menu_offer(&b->survey, &b->policy, &b->names, NULL, b->out))
		start_raw(b);
}

/* Nothing can be presented: what is left is this disk as it is, and that may be stale. */
static void give_up(struct boot *b) __attribute__((noreturn));

static void give_up(struct boot *b)
{
	text_str(b->out, "The mirror can't be presented. This disk may be out of date.\n"
			 "Press a key to start it as it is.\n");
	console_key(CONSOLE_FOREVER);
	start_raw(b);
}

void stage2_main(uint32_t drive)
{
	struct boot *b = &boot;
	struct drives *d = &b->drives;
	struct vdisk_handle first = {.set = &d->int13.set, .v = 0, .disk = b->disks.disk};
	struct disk first_disk;

	/* probe */
	b->drive = drive - BIOSDISK_FIRST < SURVEY_DISKS ? (uint8_t)drive : BIOSDISK_FIRST;
	biosdisk_find(&b->disks, b->drive);
	read_config(b, &b->disks.disk[b->drive - BIOSDISK_FIRST]);
	if (present_is_running()) {
		text_str(b->out, "Already running: going on to the next loader.\n");
		start_raw(b);
	}
	survey_probe_trusted(&b->survey, b->disks.disk, b->disks.count, &b->config.trust);

	/* assemble */
	if (mirror_assemble(&b->survey) != ST_OK)
		b->survey.full = true;

	/* judge */
	leg_judge(&b->survey);
	bootrecord_read(&b->survey, &b->disks);
	b->names.disk_name = biosdisk_name;
	policy_decide(&b->survey, &b->config, &b->policy);
	report_survey(&b->survey, &b->names, b->out);
	report_policy(&b->survey, &b->policy, &b->names, b->out);
	follow_policy(b);

	/* vdisk */
	d->survey = &b->survey;
	d->config = &b->config;
	d->disks = &b->disks;
	d->mirror = b->policy.mirror;
	d->came_from = b->drive - BIOSDISK_FIRST;
	if (!drives_plan(d, b->out))
		give_up(b);
	first_disk = vdisk_as_disk(&first);
	b->lba0 = d->table;
	if (!d->table_made && !chain_read_boot_sector(&first_disk, &b->lba0))
		give_up(b);

	if (b->config.writes != CONFIG_WRITES_NO)
		bootrecord_write(&b->survey, &b->disks, d->mirror, &d->int13.set, &b->places,
				 b->out);

	/* present */
	if (chsdoor_install(&b->disks) != ST_OK ||
	    (d->table_made && tabledoor_install(&d->table) != ST_OK) ||
	    present_install(&d->int13, &b->disks, &b->places) != ST_OK)
		give_up(b);

	/* chain-load */
	text_str(b->out, "Starting the boot loader.\n");
	chain_start(&d->code, &b->lba0, BIOSDISK_FIRST);
}
