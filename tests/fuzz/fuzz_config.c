/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * Configurations. Whatever the text, each value is one that there is; lines that are wrong are
 * said, the first by its number; and what was read once reads the same again.
 */
#include "common/config.h"
#include "tests/fuzz/fuzz.h"

static void check_config(const struct config *c)
{
	check(memchr(c->mirror, 0, sizeof(c->mirror)) && memchr(c->next, 0, sizeof(c->next)));
	check(c->boot_disk <= CONFIG_VOLUME && c->members <= CONFIG_CONTENTS);
	check(c->writes <= CONFIG_WRITES_MIRROR && c->split_brain <= CONFIG_HALT);
	check(c->console >= CONFIG_VGA && c->console <= CONFIG_BOTH);
	check(c->verify <= CONFIG_VERIFY_NO);
	check(c->trust.count <= TRUST_MAX && (c->trust.pinned || c->trust.count == 0));
	for (unsigned i = 0; i < c->trust.count; i++)
		check(!guid_is_zero(&c->trust.device[i]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char *text = (char *)own_copy(data, n);
	static struct config c, again;
	struct config_error err;
	enum status st;

	config_default(&c);
	st = config_parse(&c, text, n, &err);
	say_status("config", (int)st);
	say(config_fault_text(err.fault));
	say_number("line", err.line);
	check((st == ST_OK) == (err.fault == CONFIG_FINE));
	check((err.fault == CONFIG_FINE) == (err.line == 0));
	check(memchr(err.word, 0, sizeof(err.word)) != NULL &&
	      config_fault_text(err.fault) != NULL);
	check_config(&c);
	config_default(&again);
	check(config_parse(&again, text, n, &err) == st);
	check(strcmp(c.mirror, again.mirror) == 0 && strcmp(c.next, again.next) == 0);
	check(trust_equal(&c.trust, &again.trust));
	free(text);
	return 0;
}
