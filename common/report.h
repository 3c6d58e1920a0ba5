/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * The survey in plain words: the same lines on the boot screen of both firmwares
 * and in "mirrorboot status".
 */
#ifndef COMMON_REPORT_H
#define COMMON_REPORT_H

#include "common/survey.h"
#include "common/policy.h"
#include "common/text.h"

/* disk_name(i) is what this firmware or system calls a disk: "80h", "/dev/sda", "disk 0". */
struct report_names {
	void (*disk_name)(const struct report_names *n, unsigned disk, struct text *out);
	const void *ctx;
};

/* "boot  md-1.2  degraded" and a line a leg; "*" marks the chosen one. */
void report_mirror(const struct survey *s, unsigned mirror, const struct report_names *n,
		   struct text *out);

/* All mirrors, then what was left out and why (disks unreadable, arrays that are no mirrors). */
void report_survey(const struct survey *s, const struct report_names *n, struct text *out);

/*
 * What is going to be done, in one or two sentences: "Booting mirror boot from leg 1
 * on 81h: ...". Says "degraded" or "split brain" where it is so.
 */
void report_policy(const struct survey *s, const struct policy *p, const struct report_names *n,
		   struct text *out);

/* "Mirror boot is degraded: leg 0 on 80h is read, because a person chose it." */
void report_choice(const struct survey *s, unsigned mirror, const struct report_names *n,
		   struct text *out);

/* "Warning: CONFIG, line 3: unknown key: colour": what names the configuration. */
void report_config_error(const char *what, const struct config_error *err, struct text *out);

#endif
