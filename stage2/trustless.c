/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * A stage2 that knows no "trust =", for disks where there is no room for it: linked in place of
 * common/trust.c. The tool does not install it with such a configuration.
 */
#include "common/trust.h"

bool trust_add(struct trust *t, const char *text, size_t text_bytes)
{
	return false;
}

bool trust_admit(struct survey *s, struct member *m, unsigned disk)
{
	return true;
}

bool trust_refused(const struct member *m)
{
	return false;
}

bool trust_disk(const struct survey *s, unsigned disk)
{
	return true;
}

bool trust_has_leg(const struct survey *s, const struct mirror *m)
{
	return true;
}

bool trust_blocks(const struct survey *s, const struct member *m)
{
	return false;
}

const char trust_text[] = "";

void trust_report(const struct survey *s, struct text *out)
{
}

void trust_report_none(struct text *out)
{
}
