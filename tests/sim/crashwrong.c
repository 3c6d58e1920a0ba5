/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "tests/sim/crashwrong.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

void crashwrong(bool looking, jmp_buf found, const char *name, const char *what, const char *fmt,
		...)
{
	char text[900];
	va_list ap;

	if (looking)
		longjmp(found, 1);
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	fail_msg("%s, %s: %s", name, what, text);
	abort();
}
