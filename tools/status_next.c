/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tools/status_next.h"
#include "tools/shellword.h"
#include "tools/sysdisks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * %A the array, %P the leg's partition, %D its disk, %V the volume, %S the disks of its group. A
 * text that has %A or %P is for an array that runs; what comes before that, array_next() knows.
 */
#define READ(section) "man mirrorboot-messages  # \"" section "\""

static const struct rule {
	uint8_t verdict;
	uint8_t reason; /* REASON_NONE: any */
	const char *md, *ldm;
} rules[] = {
	/* the first that fits counts */
	{VERDICT_STALE, REASON_REPLACED, NULL, NULL},
	{VERDICT_STALE, REASON_NONE, "mdadm %A --add %P", "mirrorboot ldm repair %V%S"},
	{VERDICT_REBUILDING, REASON_NONE, "cat /proc/mdstat", "mirrorboot ldm repair %V%S"},
	{VERDICT_FAULTY, REASON_DISK_STATE, "smartctl -a %D", "smartctl -a %D"},
	{VERDICT_FAULTY, REASON_LOG_UNREADABLE, "smartctl -a %D", "smartctl -a %D"},
	{VERDICT_FAULTY, REASON_TRUNCATED, READ("VERDICTS OF A LEG"), READ("VERDICTS OF A LEG")},
	{VERDICT_FAULTY, REASON_VOLUME_STATE, READ("VERDICTS OF A LEG"), READ("VERDICTS OF A LEG")},
	{VERDICT_FAULTY, REASON_NONE, "mdadm %A --add %P", "mirrorboot ldm repair %V%S"},
	{VERDICT_MISSING, REASON_NONE, READ("REPLACING A DISK"), READ("REPLACING A DISK")},
	{VERDICT_UNREADABLE, REASON_NONE, "smartctl -a %D", "smartctl -a %D"},
	{VERDICT_CONFLICT, REASON_DUPLICATE, "lsblk -o NAME,SIZE,MODEL,SERIAL",
	 "lsblk -o NAME,SIZE,MODEL,SERIAL"},
	{VERDICT_CONFLICT, REASON_NONE, READ("SPLIT BRAIN"), READ("SPLIT BRAIN")},
	{VERDICT_UNSUPPORTED, REASON_RESHAPE, "cat /proc/mdstat", NULL},
	{VERDICT_UNSUPPORTED, REASON_NONE, READ("VERDICTS OF A LEG"), READ("VERDICTS OF A LEG")},
};

/* ---- names of the running system ---- */

static const struct member *member_of(const struct hostset *set, const struct leg *l)
{
	return l->member == NO_MEMBER ? NULL : &set->survey.member[l->member];
}

static char *partition_of(const struct hostset *set, const struct leg *l)
{
	const struct member *mb = member_of(set, l);

	return mb ? sysdisks_partition(&set->host[mb->disk], mb->part) : NULL;
}

static char *array_over(const struct hostset *set, const struct leg *l)
{
	const struct member *mb = member_of(set, l);

	return mb ? sysdisks_array(&set->host[mb->disk], mb->part) : NULL;
}

/* The array that runs over the leg that is read, else over any that is in sync. */
static char *array_of(const struct hostset *set, const struct mirror *m)
{
	char *array = m->chosen == NO_LEG ? NULL : array_over(set, &m->leg[m->chosen]);

	for (unsigned k = 0; k < m->leg_count && !array; k++)
		if (m->leg[k].verdict == VERDICT_IN_SYNC)
			array = array_over(set, &m->leg[k]);
	return array;
}

static uint32_t group_disks(const struct hostset *set)
{
	uint32_t disks = 0;

	for (unsigned i = 0; i < set->survey.member_count; i++)
		if (set->survey.member[i].format == FORMAT_LDM)
			disks |= (uint32_t)1 << set->survey.member[i].disk;
	for (unsigned i = 0; i < set->count; i++)
		if (set->survey.found[i].dynamic != SURVEY_BASIC)
			disks |= (uint32_t)1 << i;
	return disks;
}

/* ---- templates ---- */

struct names {
	const char *array, *partition, *disk, *volume, *group;
};

static void put_name(FILE *f, const char *name)
{
	char *quoted = shellword_path(name ? name : "?");

	fputs(quoted, f);
	free(quoted);
}

static char *fill(const char *template, const struct names *n)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		abort();
	for (const char *c = template; *c; c++) {
		if (*c != '%') {
			fputc(*c, f);
			continue;
		}
		switch (*++c) {
		case 'A': put_name(f, n->array); break;
		case 'P': put_name(f, n->partition); break;
		case 'D': put_name(f, n->disk); break;
		case 'V': put_name(f, n->volume); break;
		default: fputs(n->group, f); break;
		}
	}
	if (fclose(f))
		abort();
	return text;
}

/* What comes before a command about an array; NULL: nothing. */
static const char *before_array(const struct hostset *set, const struct leg *l,
				const struct names *n)
{
	if (!n->partition && l->disk < set->count && !set->host[l->disk].block)
		return "losetup --find --show --partscan %D"; /* an image: mdadm takes devices */
	if (!n->partition)
		return "partprobe %D"; /* the system has not seen it yet */
	return n->array ? NULL : "mdadm --assemble --scan";
}

static bool is_about_array(const char *template)
{
	return strstr(template, "%A") || !strcmp(template, "cat /proc/mdstat");
}

static const char *template_for(const struct mirror *m, const struct leg *l)
{
	for (unsigned i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		const struct rule *r = &rules[i];

		if (r->verdict == l->verdict && (!r->reason || r->reason == l->why.code))
			return m->format == FORMAT_LDM ? r->ldm : r->md;
	}
	return NULL;
}

char *status_next_leg(const struct hostset *set, const struct mirror *m, unsigned k)
{
	const struct leg *l = &m->leg[k];
	const char *template = template_for(m, l), *first = NULL;
	char *array, *partition, *over, *group, *text = NULL;
	struct names n;

	if (!template)
		return NULL;
	array = array_of(set, m);
	partition = partition_of(set, l);
	over = array_over(set, l);
	group = shellword_disks(set, group_disks(set));
	n = (struct names){array, partition, l->disk < set->count ? set->host[l->disk].path : NULL,
			   m->name, group};
	if (is_about_array(template))
		first = before_array(set, l, &n);
	/* One that failed is in the array until it is taken out. */
	if (!first && over && array && !strcmp(over, array) && strstr(template, "--add"))
		template = "mdadm %A --remove %P --add %P";
	text = fill(first ? first : template, &n);
	free(array);
	free(partition);
	free(over);
	free(group);
	return text;
}
