/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tools/install_add.h"
#include "tools/install_trust.h"
#include "tools/say.h"
#include "tools/status.h"

#include <stdio.h>
#include <string.h>

/*
 * Firmware that nobody named: BIOS where a disk has boot code, a BIOS boot
 * partition or an MBR table; UEFI where one has an ESP.
 */
static void detect(struct install *in)
{
	static struct part_list list;
	uint8_t buf[DISK_SECTOR_BYTES];

	for (unsigned i = 0; i < in->jobs->count; i++) {
		const struct disk *d = in->jobs->job[i].disk;

		if (part_read(d, &list, buf) != ST_OK)
			continue;
		if (list.table == PART_TABLE_MBR && d->shift == 9)
			in->bios = true;
		for (unsigned k = 0; k < list.count; k++) {
			in->bios |= list.part[k].kind == PART_BIOS_BOOT && d->shift == 9;
			in->uefi |= list.part[k].kind == PART_ESP;
		}
		if (d->shift == 9 && disk_read(d, 0, 1, buf) == ST_OK && installed_has_code(buf))
			in->bios = true;
	}
}

/* A disk that is a leg from its first sector on has no sectors of its own. */
static bool whole_disk_member(const struct job *j, const struct hostset *set)
{
	for (unsigned i = 0; i < set->survey.member_count; i++) {
		const struct member *m = &set->survey.member[i];

		if (&set->disk[m->disk] == j->disk && !m->part && m->format != FORMAT_LDM) {
			say_about(j->host->path,
				  "is a member as a whole disk: BIOS boot needs partitions, and "
				  "sectors before the first one");
			return true;
		}
	}
	return false;
}

static bool plan_bios(struct install *in, struct job *j)
{
	enum bootplan_fault fault;

	if (whole_disk_member(j, in->jobs->set))
		return false;
	fault = bootplan_make(j->disk, in->bios_config,
			      variant_families(&in->jobs->set->survey) |
				      install_trust_families(in->bios_config),
			      &j->boot);
	job_say_fault(j, fault);
	j->bios = true;
	return fault == BOOTPLAN_FINE;
}

static bool plan_uefi(struct install *in, struct job *j)
{
	j->uefi = j->esp.part;
	if (!j->uefi)
		return true;
	if (job_esp_mounted(j) || job_esp_is_leg(j, in->jobs->set))
		return false;
	if (j->esp.config_too_long && !in->config) {
		say_about(j->host->path,
			  "its mirrorboot.conf is longer than %u bytes: say --config",
			  CONFIG_TEXT_BYTES);
		return false;
	}
	if (esp_plan(&j->esp, in->esp_config, in->ia32))
		return true;
	say_about(j->host->path, "%s", j->esp.why);
	return false;
}

/* Without --config: what is installed on the first disk that has one goes to all of them. */
static void choose_config(struct install *in)
{
	static struct installed old;
	static char text[CONFIG_TEXT_BYTES + 1];

	in->bios_config = in->esp_config = in->config;
	for (unsigned i = 0; i < in->jobs->count && !in->config; i++) {
		const struct job *j = &in->jobs->job[i];

		if (in->uefi && !in->esp_config && j->esp.part && j->esp.has_config)
			in->esp_config = j->esp.config;
		if (in->bios && !in->bios_config && j->disk->shift == 9 &&
		    installed_read(j->disk, &old) == ST_OK && old.config_good) {
			snprintf(text, sizeof(text), "%s", old.config);
			in->bios_config = text;
		}
	}
}

static bool look_at_esps(struct install *in)
{
	bool fine = true, any = false;

	for (unsigned i = 0; i < in->jobs->count; i++) {
		struct job *j = &in->jobs->job[i];

		if (!esp_look(&j->esp, j->disk)) {
			say_about(j->host->path, "%s", j->esp.why);
			fine = false;
		}
		any |= j->esp.part != 0;
	}
	if (fine && !any)
		say_note("none of the disks has an EFI system partition");
	return fine && any;
}

bool install_plan(struct install *in)
{
	bool fine = true;

	if (in->add && !install_add_plan(in))
		return false;
	if (!in->given && !in->add)
		detect(in);
	if (!in->bios && !in->uefi) {
		say_note("no disk has boot code, a BIOS boot partition or an EFI system partition: "
			 "say --bios or --uefi");
		return false;
	}
	if (in->uefi && !look_at_esps(in))
		return false;
	choose_config(in);
	if (!install_trust_plan(in))
		return false;
	for (unsigned i = 0; i < in->jobs->count; i++) {
		struct job *j = &in->jobs->job[i];

		if (in->bios && !j->has_bios && !plan_bios(in, j))
			fine = false;
		if (in->uefi && !j->has_uefi && !plan_uefi(in, j))
			fine = false;
	}
	return fine && jobs_plan_manifests(in->jobs, true);
}

bool install_plan_is_empty(const struct install *in)
{
	for (unsigned i = 0; i < in->jobs->count; i++) {
		const struct job *j = &in->jobs->job[i];

		if ((j->bios && !j->boot.unchanged) ||
		    (j->uefi && (!j->esp.unchanged || j->man.needed)))
			return false;
	}
	return true;
}

static void print_bios(const struct job *j)
{
	const struct bootplan *p = &j->boot;
	char place[128];

	job_place(j, place, sizeof(place));
	if (p->unchanged) {
		printf("  BIOS: installed already (%s)\n", place);
		return;
	}
	printf("  BIOS: boot area of %u sectors at %s\n", p->area_sectors, place);
	if (p->variant != variant_get(0))
		printf("        stage2 for %s%s: the one for all formats needs %u sectors\n",
		       p->variant->what, p->variant->writes ? "" : ", which writes nothing",
		       installed_area_sectors(variant_get(0)));
	if (p->saved_left && !p->old.ours)
		printf("        LBA 0 was wiped: the boot code that an older boot area kept is put "
		       "back first\n");
	else if (p->in_place)
		printf("        over the old one: the replaced boot code is put back until it is "
		       "written\n");
	else if (p->old.ours)
		printf("        the old one stays in use until it is written, then it is "
		       "cleared\n");
	if (p->saved_lost)
		printf("        warning: the boot code that was replaced is lost, nothing is "
		       "kept\n");
	else if (installed_has_code(p->area + BOOTAREA_SAVED * SECTOR))
		printf("        LBA 0: our boot code; the one it replace%s is kept there and "
		       "started "
		       "next\n",
		       p->old.ours || p->saved_left ? "d" : "s");
	else
		printf("        LBA 0: our boot code; it has none now, so there is nothing to "
		       "keep\n");
}

static void print_manifest(const struct espman *m)
{
	if (m->needed)
		printf("        manifest: generation %llu%s\n", (unsigned long long)m->generation,
		       m->status == ST_OK && m->updated ? "; files have changed since the last"
							: "");
}

static void print_uefi(const struct job *j, bool config)
{
	const struct esp *e = &j->esp;

	if (!e->part) {
		printf("  UEFI: warning: no EFI system partition, so it can't boot alone\n");
		return;
	}
	if (e->unchanged) {
		printf("  UEFI: installed already (partition %u)\n", e->part);
		print_manifest(&j->man);
		return;
	}
	printf("  UEFI: partition %u: \\EFI\\mirrorboot\\mirrorboot.efi%s\n", e->part,
	       config ? " and mirrorboot.conf" : "");
	for (unsigned i = 0; i < EFIAPP_ARCHS; i++) {
		const struct esp_loader *l = &e->loader[i];
		const struct efiapp *app = efiapp_get(i);
		const char *kept = strrchr(app->replaced, '/') + 1;

		if (!l->wanted)
			continue;
		printf("        \\EFI\\BOOT\\%s: ours; ", app->fallback);
		if (l->fallback == ESP_FOREIGN)
			printf("the loader there is kept as %s\n", kept);
		else if (l->replaced)
			printf("the loader it replaced stays %s\n", kept);
		else
			printf("there is none now, so there is nothing to keep\n");
	}
	print_manifest(&j->man);
}

static void print_given(void)
{
	for (unsigned i = 0; i < EFIAPP_ARCHS; i++) {
		const struct efiapp *app = efiapp_get(i);
		char text[64];

		if (!app->file)
			continue;
		efiapp_describe(app, text, sizeof(text));
		printf("  for UEFI, %s: %s (%s)\n", app->fallback, app->file, text);
	}
}

/* What an install can't mend, and the owner should know before. */
static void print_warnings(const struct install *in)
{
	const struct mirror *m = &in->jobs->set->survey.mirror[in->mirror];
	bool code = false;

	for (unsigned i = 0; i < in->jobs->count; i++) {
		const struct job *j = &in->jobs->job[i];

		code |= installed_has_code(j->has_bios ? j->boot.old.saved
						       : j->boot.area + BOOTAREA_SAVED * SECTOR);
	}
	if (in->bios && !code)
		printf("warning: no disk has boot code that could be started next on BIOS: install "
		       "a boot loader, then run this again\n");
	if (m->state != MIRROR_HEALTHY)
		printf("warning: the mirror is %s: \"mirrorboot status\" says why\n",
		       mirror_state_name(m->state));
	if (m->expected > in->jobs->count)
		printf("warning: %u of the %u disks of the mirror were given: the others will not "
		       "boot it\n",
		       in->jobs->count, m->expected);
}

void install_plan_print(const struct install *in)
{
	const struct mirror *m = &in->jobs->set->survey.mirror[in->mirror];

	printf("Install mirrorboot " MIRRORBOOT_VERSION " for mirror %s (%s):\n",
	       m->name[0] ? m->name : "without a name", formats[m->format].name);
	install_trust_print(in);
	if (in->uefi)
		print_given();
	for (unsigned i = 0; i < in->jobs->count; i++) {
		const struct job *j = &in->jobs->job[i];

		printf("%s\n", j->host->path);
		if (j->bios)
			print_bios(j);
		else if (j->has_bios)
			printf("  BIOS: has mirrorboot, and is not written to\n");
		if (j->has_uefi)
			printf("  UEFI: has mirrorboot, and is not written to\n");
		else if (in->uefi)
			print_uefi(j, in->esp_config);
	}
	print_warnings(in);
}
