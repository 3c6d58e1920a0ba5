/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "common/mem.h"

bool mem_is_zero(const void *p, size_t n)
{
	const uint8_t *b = p;

	while (n--)
		if (*b++)
			return false;
	return true;
}

bool mem_is_str(const char *p, size_t n, const char *s)
{
	for (; n--; p++, s++)
		if (*s == '\0' || *p != *s)
			return false;
	return *s == '\0';
}
