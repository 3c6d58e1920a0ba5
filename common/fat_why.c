/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* FAT: why a file system is refused, as a sentence's end. */
#include "common/fat_check.h"

static const char *const text[FAT_WHYS] = {
	[FAT_FINE] = "fine",
	[FAT_UNREADABLE] = "the disk can't be read",
	[FAT_DIRTY] = "it was not unmounted, or errors were seen on it",
	[FAT_BAD_FOLDER] = "a folder is damaged",
	[FAT_BAD_CHAIN] = "a chain of clusters is damaged",
	[FAT_CROSSED] = "two files or folders have one cluster",
	[FAT_COPIES_DIFFER] = "the copies of its FAT differ",
	[FAT_SAME_NAME] = "a folder has two files of one name",
	[FAT_TOO_DEEP] = "folders are too deep, paths too long, or folders too large",
	[FAT_NO_MEMORY] = "there is not memory enough for so many files",
	[FAT_NO_ROOM] = "the target has not room enough",
	[FAT_NO_SLOTS] = "a folder of the target has no room for more names",
	[FAT_NAME_TAKEN] = "its short name is another file's on the target",
	[FAT_KEPT_INSIDE] = "a folder of that name holds something that is to be left alone",
	[FAT_READ_BACK] = "what is read back is not what was written, or the source has changed",
	[FAT_UNWRITABLE] = "the disk can't be written",
	[FAT_STOPPED] = "it was stopped",
};

const char *fat_why_text(enum fat_why why)
{
	return why < FAT_WHYS ? text[why] : "unknown";
}
