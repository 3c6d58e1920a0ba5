/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* Before each source: what memcpy() and the like require of their callers, as Frama-C has it. */
#include <string.h>
