/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tools/command.h"
#include "tools/install_entries.h"
#include "tools/job.h"
#include "tools/say.h"
#include "tools/stop.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

/*
 * What is ours on the disk. Refused is a boot area under an LBA 0 that somebody else has written
 * since: what it saved is not what belongs there now.
 */
static bool plan_bios(struct job *j)
{
	enum bootplan_fault fault;

	if (j->disk->shift != 9)
		return true;
	fault = bootplan_look(j->disk, &j->boot);
	/*
	 * Where an area may be can't be told: it stays, being in nobody's way or overwritten.
	 * LBA 0 is given back all the same.
	 */
	if (fault == BOOTPLAN_NO_TABLE || fault == BOOTPLAN_TOO_MANY) {
		j->bios = j->boot.old.ours;
		return true;
	}
	/* Not ours, so there is nothing to remove. */
	if (fault == BOOTPLAN_TABLE_DAMAGED && !j->boot.old.ours)
		return true;
	if (fault) {
		job_say_fault(j, fault);
		return false;
	}
	j->bios = j->boot.old.ours || bootplan_only_leftovers(j->disk, &j->boot);
	if (!j->bios && j->boot.left_count) {
		say_about(j->host->path,
			  "LBA 0 is not ours any more, but a boot area of ours is at LBA %llu: "
			  "install again first, then uninstall",
			  (unsigned long long)j->boot.left[0].lba);
		return false;
	}
	return true;
}

static bool plan_uefi(struct job *j, const struct hostset *set)
{
	if (!esp_look(&j->esp, j->disk)) {
		/* An ESP that was never formatted has nothing of ours. */
		if (j->bios)
			return true;
		say_about(j->host->path, "%s", j->esp.why);
		return false;
	}
	j->uefi = esp_has_leftovers(&j->esp);
	if (!j->uefi)
		return true;
	if (job_esp_mounted(j) || job_esp_is_leg(j, set))
		return false;
	if (!esp_plan_remove(&j->esp)) {
		say_about(j->host->path, "%s", j->esp.why);
		return false;
	}
	return true;
}

/* A run that was cut may be done with some of them: those are passed over, by the next one. */
static bool check_installed(const struct jobs *jobs)
{
	for (unsigned i = 0; i < jobs->count; i++)
		if (jobs->job[i].bios || jobs->job[i].uefi)
			return true;
	for (unsigned i = 0; i < jobs->count; i++)
		say_about(jobs->job[i].host->path,
			  "mirrorboot is not installed on it: its LBA 0 is not ours");
	return false;
}

static bool plan(struct jobs *jobs)
{
	bool fine = true;

	for (unsigned i = 0; i < jobs->count; i++)
		if (!plan_bios(&jobs->job[i]) || !plan_uefi(&jobs->job[i], jobs->set))
			fine = false;
	return fine && check_installed(jobs);
}

static void print_plan(const struct jobs *jobs)
{
	printf("Remove mirrorboot:\n");
	for (unsigned i = 0; i < jobs->count; i++) {
		const struct job *j = &jobs->job[i];
		const struct bootplan *p = &j->boot;

		printf("%s\n", j->host->path);
		if (!j->bios && !j->uefi)
			printf("  nothing of ours is on it\n");
		if (j->bios && p->old.ours)
			printf("  BIOS: LBA 0: %s\n",
			       p->saved_lost ? "warning: what it replaced is lost; its boot code "
					       "is zeroed"
					     : "the boot code that was replaced is put back");
		if (j->bios && p->current.sectors)
			printf("        %u sectors at LBA %llu are zeroed\n", p->current.sectors,
			       (unsigned long long)p->current.lba);
		for (unsigned k = 0; j->bios && k < p->left_count; k++)
			printf("  BIOS: %u sectors at LBA %llu, left by an interrupted run, are "
			       "zeroed\n",
			       p->left[k].sectors, (unsigned long long)p->left[k].lba);
		if (j->uefi)
			printf("  UEFI: partition %u: \\EFI\\mirrorboot is removed\n", j->esp.part);
		for (unsigned k = 0; j->uefi && k < EFIAPP_ARCHS; k++) {
			const struct esp_loader *l = &j->esp.loader[k];

			if (l->wanted || l->replaced)
				printf("        \\EFI\\BOOT\\%s: %s\n", efiapp_get(k)->fallback,
				       l->fallback == ESP_FOREIGN ? "is not ours any more and stays"
				       : l->replaced ? "the loader that was replaced is put back"
						     : "is removed");
		}
	}
}

static int write_all(struct jobs *jobs)
{
	stop_hold();
	for (unsigned i = 0; i < jobs->count; i++) {
		struct job *j = &jobs->job[i];
		struct bootwrite_error err;
		bool touched, fine = job_is_as_planned(j, NULL, true);

		if (fine && j->bios && bootwrite_remove(j->disk, &j->boot, &err) != ST_OK) {
			job_say_write_error(j, &err);
			fine = false;
		}
		if (fine && j->uefi && !esp_remove(&j->esp, &touched)) {
			say_about(j->host->path, "%s; run uninstall again", j->esp.why);
			fine = false;
		}
		if (!fine) {
			jobs_say_untouched(jobs, i);
			return EXIT_FAILED;
		}
		printf("%s: %s\n", j->host->path,
		       j->bios || j->uefi ? "removed" : "nothing of ours was on it");
		fflush(stdout);
		if (jobs_stopped(jobs, i))
			return EXIT_FAILED;
	}
	return EXIT_DONE;
}

static bool yes; /* --yes */
static struct install_entries entries;

/* First: an entry must not lead to what is gone. */
static int remove_all(struct jobs *jobs)
{
	if (install_entries_write(&entries))
		return write_all(jobs);
	say_note("nothing was written to the disks: --no-entries leaves the boot entries alone");
	return EXIT_FAILED;
}

static int uninstall(struct hostset *set)
{
	struct jobs *jobs = jobs_new(set);
	bool asked = true;
	int rc = EXIT_FAILED;

	if (!jobs)
		return rc;
	/* No mirror is needed for it; but what is a leg has to be known. */
	survey_run(&set->survey, set->disk, set->count);
	if (!plan(jobs) || !install_entries_plan(&entries, jobs, true)) {
		say_note("nothing was written");
		install_entries_free(&entries);
		jobs_free(jobs);
		return rc;
	}
	print_plan(jobs);
	install_entries_print(&entries);
	if (yes || say_ask("Do this?", &asked)) {
		rc = remove_all(jobs);
	} else {
		say_note(asked ? "nothing was written"
			       : "there is no terminal to ask on: say --yes; nothing was written");
		rc = asked ? EXIT_FAILED : EXIT_USAGE;
	}
	install_entries_free(&entries);
	jobs_free(jobs);
	return rc;
}

enum { EFIVARS = OPT_FIRST_OWN, NO_ENTRIES };

static bool option(int opt, const char *arg)
{
	switch (opt) {
	case EFIVARS: entries.folder = arg; return true;
	case NO_ENTRIES: entries.none = true; return true;
	default: yes = true; return true;
	}
}

static const struct option options[] = {{"yes", no_argument, 0, 'y'},
					{"efivars", required_argument, 0, EFIVARS},
					{"no-entries", no_argument, 0, NO_ENTRIES},
					COMMON_OPTIONS,
					{0}};

const struct command cmd_uninstall = {
	.name = "uninstall",
	.args = "[--no-entries] [--efivars DIR] [--yes] DISK...",
	.summary = "puts back the boot code and loaders that install replaced, and removes ours",
	.help = "  --no-entries     leave the firmware's boot entries alone\n"
		"  --efivars DIR    the firmware's variables (default: those of this machine)\n"
		"  -y, --yes        do not ask\n",
	.short_options = "y",
	.options = options,
	.writes = true,
	.option = option,
	.work = uninstall,
};
