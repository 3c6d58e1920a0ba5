/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* What the resident part keeps. */
#include "stage2/int13.h"

struct int13 resident_state;
