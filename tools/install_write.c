/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tools/install_write.h"
#include "tools/say.h"

/* Follow LBA 0 as the MBR does, before the next disk is touched. */
static bool leads_to_stage2(const struct job *j)
{
	static struct installed now;

	if (installed_read(j->disk, &now) == ST_OK && now.ours && now.area == ST_OK &&
	    now.saved_good && now.config_good && now.stage2_good)
		return true;
	say_about(j->host->path, "what was installed does not verify; its LBA 0 is changed: run "
				 "this again, or uninstall");
	return false;
}

/*
 * The manifest says "updating" before any file changes, and "complete" after the last: a run
 * that is cut leaves an ESP that nobody takes for whole.
 */
static bool write_esp(const struct install *in, struct job *j)
{
	bool files = !j->esp.unchanged, fallback_touched = false;
	const char *why = NULL;

	if (files && !esp_make_folders(&j->esp))
		why = j->esp.why;
	else if (files && !espman_write_updating(&j->man, &j->esp))
		why = j->man.why;
	else if (!esp_apply(&j->esp, in->esp_config, &fallback_touched))
		why = j->esp.why;
	else if (j->man.needed && !espman_write_complete(&j->man, &j->esp, j->disk))
		why = j->man.why;
	if (why)
		say_about(j->host->path, "%s; its fallback loader is %s", why,
			  fallback_touched ? "changed" : "as it was before");
	return !why;
}

bool install_write(const struct install *in, struct job *j)
{
	struct bootwrite_error err;

	if (j->uefi && !write_esp(in, j))
		return false;
	if (j->bios && bootwrite_install(j->disk, &j->boot, &err) != ST_OK) {
		job_say_write_error(j, &err);
		return false;
	}
	return !j->bios || leads_to_stage2(j);
}
