/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* Text from outside (paths, names) in JSON, which is UTF-8 and nothing else. */
#ifndef TOOLS_JSONTEXT_H
#define TOOLS_JSONTEXT_H

#include <json-c/json.h>

/* A JSON string; each byte that belongs to no UTF-8 character becomes U+FFFD. NULL gives null. */
struct json_object *jsontext(const char *text);

#endif
