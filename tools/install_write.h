/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* Carry out the plan of one disk. Over struct disk, so that the crash tests run the same code. */
#ifndef TOOLS_INSTALL_WRITE_H
#define TOOLS_INSTALL_WRITE_H

#include "tools/install_plan.h"

/* False: why, and how far it had come, has been said. */
bool install_write(const struct install *in, struct job *j);

#endif
