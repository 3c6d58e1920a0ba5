/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* QEMU's control protocol: one JSON object a line. As much of it as the drill needs. */
#ifndef TOOLS_QMP_H
#define TOOLS_QMP_H

#include "tools/qemu.h"

/* Greeting and capabilities. */
bool qmp_hello(struct qemu *q);

/* Notes in q->stopped whether the machine has ended. */
void qmp_status(struct qemu *q);

/* format: "png", or NULL for QEMU's own. */
bool qmp_screendump(struct qemu *q, const char *file, const char *format);

/* Guest memory to a file. */
bool qmp_memory(struct qemu *q, uint32_t address, uint32_t n_bytes, const char *file);

#endif
