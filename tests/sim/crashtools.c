/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tests/sim/crashtools.h"
#include "tests/sim/crashcount.h"
#include "tests/sim/crashfat.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#define EVERY 400u

/* Does this shell command succeed, with the bytes as the file $F? */
static bool succeeds(const uint8_t *bytes, size_t n, const char *command)
{
	char path[40] = "/tmp/mirrorboot-cut-XXXXXX", line[600];
	int fd = mkstemp(path), rc;

	if (fd < 0 || write(fd, bytes, n) != (ssize_t)n)
		abort();
	close(fd);
	snprintf(line, sizeof(line),
		 "F=%s; PATH=$PATH:/sbin:/usr/sbin; LC_ALL=C; export LC_ALL; %s", path, command);
	rc = system(line);
	unlink(path);
	return rc == 0;
}

/* As they come up after the cut: sgdisk reads the table, and finds the partitions of before. */
static bool has_table(const uint8_t *image, uint32_t sectors, unsigned partitions)
{
	char command[200];

	snprintf(command, sizeof(command),
		 "out=$(sgdisk -p $F 2>&1) && "
		 "[ $(echo \"$out\" | grep -cE '^ +[0-9]+ +[0-9]+ +[0-9]+ ') -ge %u ] || "
		 "{ echo \"$out\"; false; }",
		 partitions);
	crashcount_asked("sgdisk, fsck.fat, mdadm");
	return succeeds(image, (size_t)sectors * 512, command);
}

static bool has_member(const uint8_t *member, uint32_t sectors)
{
	crashcount_asked("sgdisk, fsck.fat, mdadm");
	return succeeds(member, (size_t)sectors * 512,
			"mdadm -E $F 2>&1 | grep -q 'Checksum : [0-9a-f]* - correct'");
}

void crashtools_ask(const struct crashtools *of, const uint8_t *image, unsigned state,
		    const char *what)
{
	if (!crashcount_is_whole() || state % EVERY != 1)
		return;
	if (!has_table(image, of->sectors, of->partitions))
		fail_msg("%s, %s: sgdisk does not find the disk's partitions", of->name, what);
	if (!has_member(image + (size_t)of->member_lba * 512, of->member_sectors))
		fail_msg("%s, %s: mdadm does not find the member", of->name, what);
	if (!of->esp_sectors)
		return;
	crashcount_asked("sgdisk, fsck.fat, mdadm");
	if (!crashfat_fsck(image + (size_t)of->esp_lba * 512, of->esp_sectors, true))
		fail_msg("%s, %s: fsck.fat finds what a cut may not leave", of->name, what);
}

void crashtools_ask_ldm(uint8_t *const *image, const uint64_t *sectors, unsigned disks,
			const char *volume, unsigned state, const char *name, const char *what)
{
	char folder[] = "/tmp/mirrorboot-cut-XXXXXX", command[500];
	int rc;

	if (!crashcount_is_whole() || state % EVERY != 1)
		return;
	if (!mkdtemp(folder))
		abort();
	for (unsigned i = 0; i < disks; i++) {
		char path[60];
		FILE *f;

		snprintf(path, sizeof(path), "%s/%u", folder, i);
		f = fopen(path, "w");
		if (!f || fwrite(image[i], 512, sectors[i], f) != sectors[i] || fclose(f))
			abort();
	}
	/* On all of them, or on one that is ahead of the others. */
	snprintf(command, sizeof(command),
		 "cd %s; for d in \"$(ls | sed 's/^/-d /' | tr '\\n' ' ')\" '-d 0' '-d 1'; do "
		 "g=$(ldmtool $d scan 2>/dev/null | grep -oE "
		 "'[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}' "
		 "| head -n 1); "
		 "ldmtool $d show volume \"$g\" %s 2>/dev/null | grep -q '\"name\"' && break; "
		 "done; rc=$?; cd /; rm -r %s; exit $rc",
		 folder, volume, folder);
	rc = system(command);
	crashcount_asked("ldmtool");
	if (rc)
		fail_msg("%s, %s: ldmtool does not find the volume", name, what);
}
