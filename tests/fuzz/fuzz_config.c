/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "common/config.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char *text = malloc(n ? n : 1); /* exactly n bytes, so that reading past them is seen */
	struct config_error err;
	struct config c;
	enum status st;

	if (!text)
		abort();
	memcpy(text, data, n);
	config_default(&c);
	st = config_parse(&c, text, n, &err);
	if ((st == ST_OK) != (err.fault == CONFIG_FINE))
		abort();
	if (!memchr(c.mirror, 0, sizeof(c.mirror)) || !memchr(c.next, 0, sizeof(c.next)) ||
	    !memchr(err.word, 0, sizeof(err.word)))
		abort();
	if (c.boot_disk > CONFIG_VOLUME || c.members > CONFIG_CONTENTS ||
	    c.writes > CONFIG_WRITES_MIRROR || c.split_brain > CONFIG_HALT ||
	    c.console < CONFIG_VGA || c.console > CONFIG_BOTH)
		abort();
	free(text);
	return 0;
}
