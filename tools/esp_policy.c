/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tools/esp_policy.h"

#include "common/fat.h"
#include "tools/say.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct esppolicy_rule given[ESP_POLICY_RULES];
static unsigned given_count;

static void slashes(char *text)
{
	for (; *text; text++)
		if (*text == '\\')
			*text = '/';
}

bool esp_policy_add(enum esp_policy what, const char *pattern)
{
	const char *option = what == ESP_INCLUDED ? "--include" : "--exclude";
	size_t n = strlen(pattern);
	char *text;

	if (!n || n >= FAT_PATH_BYTES || !strcmp(pattern, "/") || !strcmp(pattern, "\\")) {
		say_note("%s takes the path of a file or folder on the ESP, with * and ? if you "
			 "like: not \"%s\"",
			 option, pattern);
		return false;
	}
	if (given_count == ESP_POLICY_RULES) {
		say_note("more than %u times --exclude and --include", ESP_POLICY_RULES);
		return false;
	}
	/* With a slash in its middle it is a path, from the root. */
	text = malloc(n + 2);
	if (!text)
		abort();
	sprintf(text, "/%s", pattern);
	slashes(text);
	while (n && text[n] == '/')
		text[n--] = 0;
	if (text[1] == '/')
		memmove(text, text + 1, strlen(text));
	else if (!strchr(text + 1, '/'))
		memmove(text, text + 1, strlen(text));
	given[given_count++] = (struct esppolicy_rule){text, what};
	return true;
}

enum esp_policy esp_policy_of(const char *path, size_t path_bytes)
{
	return esppolicy_of(path, path_bytes, given, given_count);
}
